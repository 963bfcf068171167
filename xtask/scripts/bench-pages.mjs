// Bundles each client with the same page around it, for `cargo xtask bench`.
//
// node bench-pages.mjs BENCH APP OUT NAME...: BENCH has clients/NAME.js and page.js; APP has
// node_modules/gatepass, as npm installs it; OUT/NAME gets what a server would serve.

import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const [bench, app, out, ...names] = process.argv.slice(2);

await rm(out, { recursive: true, force: true });
for (const name of names) {
  await build({
    stdin: {
      contents: `import { open } from "./clients/${name}.js";
        import { page } from "./page.js";
        page(open);`,
      resolveDir: bench,
    },
    bundle: true,
    format: "esm",
    legalComments: "none",
    minify: true,
    nodePaths: [join(app, "node_modules")],
    outfile: join(out, name, "app.js"),
    platform: "browser",
  });
}
// esbuild leaves `new URL("../wasm/...", import.meta.url)` as it is: the file is put where that leads.
for (const name of names.filter((name) => /^gatepass(?!-inline)/.test(name))) {
  const beside = join(out, name, "wasm");
  await mkdir(beside, { recursive: true });
  await copyFile(
    join(app, "node_modules/gatepass/npm/wasm/gatepass_bg.wasm"),
    join(beside, "gatepass_bg.wasm"),
  );
}
