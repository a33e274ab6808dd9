// Bundles src/ into dist/: one page that loads nothing from anywhere else.
import { build } from "esbuild";
import { copyFile, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";

const OUT = "dist";
const MODEL = "model"; // in dist/, written by pipelines/export_web_model.yaml; it stays
const WASM = "node_modules/@tensorflow/tfjs-backend-wasm/dist";

await mkdir(`${OUT}/${MODEL}`, { recursive: true });
for (const name of await readdir(OUT)) {
  if (name !== MODEL) await rm(`${OUT}/${name}`, { recursive: true });
}

await build({
  entryPoints: ["src/page.js"],
  outdir: OUT,
  bundle: true,
  splitting: true, // the backends that are seldom needed come only when they are
  chunkNames: "[name]-[hash]",
  format: "esm",
  target: "es2020",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
});

for (const name of ["index.html", "style.css"]) await copyFile(`src/${name}`, `${OUT}/${name}`);
for (const name of ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm"]) {
  await copyFile(`${WASM}/${name}`, `${OUT}/${name}`);
}

// A browser complains in its console of a file that is missing; so this one says that there is none.
const model = `${OUT}/${MODEL}/model.json`;
if (!existsSync(model)) await writeFile(model, '{"format": "none"}\n');
