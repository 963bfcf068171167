// The public types of one entry of the packed npm package, as API Extractor reports them: every
// name that an app can use, without the words that explain it.
//
// node report.mjs DIRECTORY ENTRY prints the report.
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [directory, entry] = process.argv.slice(2);
const work = mkdtempSync(join(tmpdir(), "gatepass-api-"));
const silent = { default: { logLevel: ExtractorLogLevel.None } };
const compilerOptions = {
  allowImportingTsExtensions: true,
  lib: ["es2022", "dom"],
  module: "esnext",
  moduleResolution: "bundler",
  noEmit: true,
  strict: true,
  types: [],
};
const config = ExtractorConfig.prepare({
  packageJsonFullPath: join(directory, "package.json"),
  configObject: {
    projectFolder: directory,
    mainEntryPointFilePath: join(directory, entry),
    newlineKind: "lf",
    compiler: { overrideTsconfig: { compilerOptions, include: [entry] } },
    apiReport: {
      enabled: true,
      reportFileName: "gatepass",
      reportFolder: work,
      reportTempFolder: join(work, "now"),
    },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: {
      // The declarations are compiled for real by another test.
      compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
      extractorMessageReporting: silent,
      tsdocMessageReporting: silent,
    },
  },
});
const { succeeded } = Extractor.invoke(config, {
  localBuild: true,
  messageCallback: (message) => {
    // Standard output is the report's.
    if (message.logLevel === ExtractorLogLevel.Error) console.error(message.text);
    message.handled = true;
  },
});
process.stdout.write(readFileSync(join(work, "now", "gatepass.api.md"), "utf8"));
rmSync(work, { recursive: true });
process.exitCode = succeeded ? 0 : 1;
