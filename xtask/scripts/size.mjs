// Bundles what an app would import and weighs it, for `cargo xtask size`.
//
// node size.mjs PACKAGE_PARENT OUT: PACKAGE_PARENT has node_modules/gatepass; files go to OUT; the
// weights are printed as JSON. What is loaded later (dynamic imports) is weighed apart.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const [parent, out] = process.argv.slice(2);

// The whole client that issue-sized apps use, kept alive by a name that the bundler cannot drop.
const entry = `
import { createClient } from "gatepass";
const auth = createClient({ issuer: "https://idp.example", clientId: "app" });
auth.subscribe((session) => console.log(session.status));
globalThis.app = {
  signIn: () => auth.signIn(),
  signOut: () => auth.signOut(),
  getToken: () => auth.getToken(),
  files: () => auth.fetch("/api/files"),
};
`;

const brotli = (bytes) =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  }).length;
const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** What files weigh when each is transferred by itself. */
function weigh(name, files) {
  const sum = (measure) => files.reduce((total, bytes) => total + measure(bytes), 0);
  return { name, raw: sum((bytes) => bytes.length), gzip: sum(gzip), brotli: sum(brotli) };
}

/** Which part of the client a file of the package belongs to. */
function part(path) {
  if (/\.wasm(\.js)?$/.test(path) || /\/wasm\/inline\.js$/.test(path)) return "wasm";
  if (/\/(wasm|glue)\//.test(path)) return "glue";
  if (path.includes("/driver/")) return "driver";
  return "face";
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const result = await build({
  stdin: { contents: entry, resolveDir: parent, sourcefile: "entry.js" },
  bundle: true,
  minify: true,
  format: "esm",
  splitting: true,
  metafile: true,
  write: false,
  outdir: out,
  legalComments: "none",
  loader: { ".wasm": "file" },
  absWorkingDir: parent,
});
await Promise.all(result.outputFiles.map((file) => writeFile(file.path, file.contents)));
await writeFile(join(out, "metafile.json"), JSON.stringify(result.metafile));

const outputs = result.metafile.outputs;
const contents = (path) =>
  Buffer.from(result.outputFiles.find((file) => basename(file.path) === basename(path)).contents);

// What the entry needs before it can run, and what it may ask for later.
const first = new Set();
const later = new Set();
function follow(path, into) {
  if (first.has(path) || later.has(path)) return;
  into.add(path);
  for (const next of outputs[path].imports) {
    if (!next.external) follow(next.path, next.kind === "dynamic-import" ? later : into);
  }
}
follow(Object.keys(outputs).find((path) => outputs[path].entryPoint), first);
const files = Object.keys(outputs).filter((path) => path.endsWith(".wasm"));

/** The inputs of these outputs by part, each minified alone. */
async function parts(paths) {
  const sources = new Map();
  for (const path of paths) {
    for (const [input, { bytesInOutput }] of Object.entries(outputs[path].inputs)) {
      if (bytesInOutput === 0 || input === "entry.js" || input === "<stdin>") continue;
      const bytes = await readFile(join(parent, input));
      const minified = input.endsWith(".wasm")
        ? bytes
        : Buffer.from((await transform(bytes, { minify: true, legalComments: "none" })).code);
      const name = part("/" + input);
      sources.set(name, [...(sources.get(name) ?? []), minified]);
    }
  }
  return sources;
}

// A module that is named by URL and not imported is fetched as it is in the package.
const named = files.length === 0 ? await wasmByUrl() : [];
async function wasmByUrl() {
  const inlined = [...first].some((path) =>
    Object.keys(outputs[path].inputs).some((input) => part("/" + input) === "wasm"),
  );
  if (inlined) return [];
  const manifest = join(parent, "node_modules/gatepass/package.json");
  const { gatepass } = JSON.parse(await readFile(manifest, "utf8"));
  return gatepass?.wasm ? [await readFile(join(parent, "node_modules/gatepass", gatepass.wasm))] : [];
}

const whole = [...[...first].map(contents), ...files.map(contents), ...named];
const rows = [weigh("whole, as transferred", whole)];
const bySource = await parts([...first, ...files]);
for (const name of ["wasm", "glue", "driver", "face"]) {
  const own = bySource.get(name) ?? [];
  const all = name === "wasm" ? [...own, ...named] : [Buffer.concat(own)];
  rows.push(weigh(`${name}, alone`, all.filter((bytes) => bytes.length > 0)));
}
rows.push(weigh("loaded later, on demand", [...later].map(contents)));
process.stdout.write(JSON.stringify({ rows }));
