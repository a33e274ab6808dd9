// What TensorFlow.js answers with the model in a folder.
// node predict.mjs FOLDER < inputs.json > {"outputs": [...], "metadata": ...}
// Inputs and outputs are lists with one nested array for each input and output of the model. The
// model is loaded as a page does it, by URL, but each fetch reads a file.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { io, setBackend, tensor } = require("@tensorflow/tfjs-core");
const { loadLayersModel } = require("@tensorflow/tfjs-layers");
require("@tensorflow/tfjs-backend-cpu");

const headers = { "content-type": "application/json" };
const fetchFunc = async (path) => new Response(readFileSync(path), { headers });

await setBackend("cpu");
const model = await loadLayersModel(io.http(`${process.argv[2]}/model.json`, { fetchFunc }));
const inputs = JSON.parse(await text(process.stdin)).map((input) => tensor(input));
const outputs = [model.predict(inputs)].flat().map((output) => output.arraySync());
console.log(JSON.stringify({ outputs, metadata: model.getUserDefinedMetadata() ?? null }));
