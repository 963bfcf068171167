// Bundles clients as an app would, and weighs them, for `cargo xtask size`.
//
// node size.mjs CLIENTS APP OUT: CLIENTS has one entry a client, of the same kind for all; APP has
// node_modules/gatepass, as npm installs it; the bundles go to OUT; the weights are printed as JSON.

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const [clients, app, out] = process.argv.slice(2);

// What the client fetches beside the bundle: the bundler leaves `new URL(..., import.meta.url)`.
const module = "node_modules/gatepass/npm/wasm/gatepass_bg.wasm";
// What it fetches beside a later chunk.
const verifier = "node_modules/gatepass/npm/wasm/verifier_bg.wasm";

const peers = ["oidc-client-ts", "oidc-spa", "@auth0/auth0-spa-js", "angular-auth-oidc-client"];

/** What files weigh when each is transferred by itself. */
function weigh(files) {
  const sum = (measure) => files.reduce((total, bytes) => total + measure(bytes), 0);
  return { raw: sum((bytes) => bytes.length), gzip: sum(gzip), brotli: sum(brotli) };
}

const gzip = (bytes) => gzipSync(bytes, { level: 9 }).length;
const brotli = (bytes) =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  }).length;

/** Which part of the client a file of the package belongs to. */
function part(path) {
  if (path.endsWith("/npm/wasm/inline.js")) return "wasm";
  if (path.includes("/npm/wasm/")) return "glue";
  if (path.includes("/driver/")) return "driver";
  if (path.includes("/npm/")) return "face";
  return "app";
}

/** Bundles an entry and tells what it needs at its start, and what it may ask for later. */
async function bundle(name) {
  const outdir = join(out, name);
  const { metafile, outputFiles } = await build({
    entryPoints: [join(clients, `${name}.js`)],
    absWorkingDir: app,
    bundle: true,
    external: ["@angular/*", "rxjs", "rxjs/*"],
    format: "esm",
    legalComments: "none",
    metafile: true,
    minify: true,
    nodePaths: [join(app, "node_modules")],
    outdir,
    platform: "browser",
    splitting: true,
    write: false,
  });
  await mkdir(outdir, { recursive: true });
  await Promise.all(outputFiles.map((file) => writeFile(file.path, file.contents)));
  const { outputs } = metafile;
  const first = new Set();
  const later = new Set();
  const follow = (path, into) => {
    if (first.has(path) || into.has(path)) return;
    into.add(path);
    for (const next of outputs[path].imports) {
      if (!next.external) follow(next.path, next.kind === "dynamic-import" ? later : into);
    }
  };
  // What is loaded later is an entry to the bundler too: ours is the one of the client's own name.
  const entry = Object.keys(outputs).find((path) => basename(path) === `${name}.js`);
  follow(entry, first);
  const bytes = (path) =>
    Buffer.from(outputFiles.find((file) => basename(file.path) === basename(path)).contents);
  return {
    first: [...first].map(bytes),
    later: [...later].filter((path) => !first.has(path)).map(bytes),
    inputs: [...first].flatMap((path) => Object.entries(outputs[path].inputs)),
  };
}

/** The files of one part that the bundle uses, minified and put together. */
async function sources(inputs, name) {
  const used = inputs.filter(([path, use]) => use.bytesInOutput > 0 && part("/" + path) === name);
  const minified = used.map(async ([path]) => {
    const { code } = await transform(await readFile(join(app, path), "utf8"), {
      format: "esm",
      legalComments: "none",
      minify: true,
    });
    return Buffer.from(code);
  });
  return Buffer.concat(await Promise.all(minified));
}

/** The version that is installed, which the table names. */
async function version(name) {
  const manifest = join(clients, "..", "node_modules", name, "package.json");
  return JSON.parse(await readFile(manifest, "utf8")).version;
}

await rm(out, { recursive: true, force: true });
const wasm = await readFile(join(app, module));
const onDemand = await readFile(join(app, verifier));
const client = await bundle("gatepass");
const inline = await bundle("gatepass-inline");
const row = (name, { first, later }, beside = [], laterBeside = []) => ({
  name,
  ...weigh([...first, ...beside]),
  later: weigh([...later, ...laterBeside]).brotli,
});
const rows = [row("gatepass", client, [wasm], [onDemand]), row("gatepass/inline", inline, [], [onDemand])];
for (const name of peers) {
  rows.push({ ...row(name, await bundle(basename(name))), version: await version(name) });
}
const parts = [{ name: "wasm", ...weigh([wasm]) }];
for (const name of ["glue", "driver", "face"]) {
  parts.push({ name, ...weigh([await sources(client.inputs, name)]) });
}
parts.push({ name: "later: the portable verifier", ...weigh([onDemand]) });
process.stdout.write(JSON.stringify({ rows, parts }));
