// What TensorFlow.js answers with models in folders.
// node predict.mjs < [{"folder": ..., "given": [...]}] > [{"outputs": [...], "metadata": ...}]
// `given` and `outputs` are lists with one nested array for each input and output of the model.
// A model that cannot be loaded or run has an `error` instead.
// A model is loaded as a page does it, by URL, but each fetch reads a file.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { io, setBackend, tensor } = require("@tensorflow/tfjs-core");
const { loadLayersModel } = require("@tensorflow/tfjs-layers");
require("@tensorflow/tfjs-backend-cpu");

const headers = { "content-type": "application/json" };
const fetchFunc = async (path) => new Response(readFileSync(path), { headers });

async function answer({ folder, given }) {
  const model = await loadLayersModel(io.http(`${folder}/model.json`, { fetchFunc }));
  const inputs = given.map((input, place) => tensor(input, undefined, model.inputs[place].dtype));
  const outputs = [model.predict(inputs)].flat().map((output) => output.arraySync());
  return { outputs, metadata: model.getUserDefinedMetadata() ?? null };
}

await setBackend("cpu");
const answers = [];
for (const asked of JSON.parse(await text(process.stdin))) {
  answers.push(await answer(asked).catch((error) => ({ error: `${error}` })));
}
console.log(JSON.stringify(answers));
