// Bundles src/ into dist/: a page that loads nothing from other origins.
import { build } from "esbuild";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { basename } from "node:path";

const OUT = "dist";
const MODEL = "model"; // in dist/, written by pipelines/export_web_model.yaml; kept by this build
const WASM = "node_modules/@tensorflow/tfjs-backend-wasm/dist";

await mkdir(`${OUT}/${MODEL}`, { recursive: true });
for (const name of await readdir(OUT)) {
  if (name !== MODEL) await rm(`${OUT}/${name}`, { recursive: true });
}

const { metafile } = await build({
  entryPoints: ["src/page.js"],
  outdir: OUT,
  bundle: true,
  splitting: true, // rarely needed backends are loaded only on demand
  chunkNames: "[name]-[hash]",
  format: "esm",
  target: "es2020",
  minify: true,
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
});

// The page needs these chunks at once: the browser loads them together with page.js, not after it.
const needed = metafile.outputs[`${OUT}/page.js`].imports.filter(({ kind }) => kind === "import-statement");
const links = needed.map(({ path }) => `<link rel="modulepreload" href="${basename(path)}" />`);
const html = await readFile("src/index.html", "utf8");
await writeFile(`${OUT}/index.html`, html.replace("<script", `${links.join("\n    ")}\n    <script`));
await copyFile("src/style.css", `${OUT}/style.css`);
for (const name of ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm"]) {
  await copyFile(`${WASM}/${name}`, `${OUT}/${name}`);
}

// A missing file would cause an error in the browser's console, so a placeholder says "no model".
const model = `${OUT}/${MODEL}/model.json`;
if (!existsSync(model)) await writeFile(model, '{"format": "none"}\n');
