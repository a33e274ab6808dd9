// The network in this browser: TensorFlow.js on the fastest backend that works here.
import { enableProdMode, env, ready, reshape, setBackend, square, tensor1d, tidy } from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import { SIZE } from "./mnist.js";

const MODEL = "model/model.json";
export const CLASSES = 10;
export const SURE_ABOVE = 0.6; // where the model does not say above which probability it is sure

/** A problem, described for the person who draws. */
export class Trouble extends Error {}

const BACKENDS = [
  ["wasm", "WebAssembly", useWasm],
  ["webgl", "WebGL", useWebgl],
  ["cpu", "plain JavaScript", useCpu],
];

async function useWasm() {
  if (typeof WebAssembly !== "object") return false;
  const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
  env().set("WASM_HAS_MULTITHREAD_SUPPORT", false); // threads gain nothing on so small a network
  const simd = await env().getAsync("WASM_HAS_SIMD_SUPPORT");
  const runtime = await fetchRuntime(`tfjs-backend-wasm${simd ? "-simd" : ""}.wasm`);
  if (!runtime) return false;
  setWasmPaths(Object.fromEntries(RUNTIMES.map((name) => [name, runtime])));
  try {
    return await setBackend("wasm");
  } finally {
    URL.revokeObjectURL(runtime);
  }
}

const RUNTIMES = ["", "-simd", "-threaded-simd"].map((kind) => `tfjs-backend-wasm${kind}.wasm`);

/** A URL of the runtime, or null. Checked here, because TensorFlow.js reports a bad one to the console. */
async function fetchRuntime(name) {
  const answer = await fetch(name);
  const content = await answer.arrayBuffer();
  if (!answer.ok || !WebAssembly.validate(content)) return null;
  return URL.createObjectURL(new Blob([content], { type: "application/wasm" }));
}

async function useWebgl() {
  if (!document.createElement("canvas").getContext("webgl2")) return false;
  await import("@tensorflow/tfjs-backend-webgl");
  return setBackend("webgl");
}

async function useCpu() {
  await import("@tensorflow/tfjs-backend-cpu");
  return setBackend("cpu");
}

/** Starts the first backend that works, and returns its name and its display name. */
async function startBackend() {
  enableProdMode(); // no messages in the console: the page shows problems itself
  for (const [name, shown, use] of BACKENDS) {
    try {
      if ((await use()) && (await works())) return { name, shown };
    } catch {
      // it does not work in this browser: try the next one
    }
  }
  throw new Trouble("This browser cannot run the network. Try another browser, or use the API.");
}

async function works() {
  await ready();
  return tidy(() => square(tensor1d([2])).dataSync()[0] === 4);
}

/**
 * A network that is ready to run: `probabilities(image)`, `batch(images)` and
 * `answer(probabilities)`. Throws Trouble.
 * `progress` is called with the part of the weights that has arrived, from 0 to 1.
 */
export async function loadNetwork(progress) {
  const [description, backend] = await Promise.all([readDescription(), startBackend()]);
  let model;
  try {
    model = await loadLayersModel(fromDescription(description, progress));
  } catch (error) {
    throw new Trouble(`The model could not be read (${firstLine(error)}). Export it again.`);
  }
  checkShapes(model);
  const sureAbove = description.userDefinedMetadata?.sure_above ?? SURE_ABOVE;
  const network = {
    backend,
    probabilities: (image) => run(model, [image])[0],
    batch: (images) => run(model, images),
    answer: (probabilities) => answerOf(probabilities, sureAbove),
  };
  network.probabilities(new Float32Array(SIZE * SIZE)); // the first run is slow: do it before drawing starts
  return network;
}

/** The two most probable digits, and whether the first is probable enough to count as sure. */
function answerOf(probabilities, sureAbove) {
  const ranked = probabilities.map((_, digit) => digit).sort((a, b) => probabilities[b] - probabilities[a]);
  const [best, second] = ranked;
  return { probabilities, best, second, isSure: probabilities[best] >= sureAbove };
}

async function readDescription() {
  let answer;
  try {
    answer = await fetch(MODEL);
  } catch {
    throw new Trouble("The model could not be loaded: the server does not answer. Reload the page.");
  }
  if (answer.status === 404) throw new Trouble(NO_MODEL);
  if (!answer.ok) throw new Trouble(`The model could not be loaded: the server responded with ${answer.status}.`);
  let description;
  try {
    description = await answer.json();
  } catch {
    throw new Trouble("The model could not be read: model.json is not valid JSON. Export it again.");
  }
  if (description.format === "none") throw new Trouble(NO_MODEL);
  if (!description.modelTopology || !description.weightsManifest) {
    throw new Trouble("The model could not be read: model.json does not contain a layers model. Export it again.");
  }
  return description;
}

const NO_MODEL =
  "There is no model yet. “make web-demo” exports one and serves it; a server that is already running loads it on SIGHUP. The API still works.";

/** A loader for TensorFlow.js: takes the given description, and fetches the weights next to it. */
function fromDescription({ modelTopology, weightsManifest, format }, progress) {
  return {
    load: async () => {
      const paths = weightsManifest.flatMap((group) => group.paths);
      const folder = new URL(MODEL, document.baseURI);
      const total = weightsManifest.flatMap((group) => group.weights.map(bytesOf)).reduce((a, b) => a + b, 0);
      let arrived = 0;
      const count = (bytes) => progress(Math.min((arrived += bytes) / total, 1));
      const shards = await Promise.all(paths.map((path) => readShard(new URL(path, folder), count)));
      return {
        modelTopology,
        format,
        weightSpecs: weightsManifest.flatMap((group) => group.weights),
        weightData: await new Blob(shards).arrayBuffer(),
      };
    },
  };
}

/** The bytes of a weight in the files. */
function bytesOf({ shape, dtype, quantization }) {
  return shape.reduce((a, b) => a * b, BYTES[quantization?.dtype ?? dtype] ?? 4);
}

const BYTES = { float32: 4, int32: 4, float16: 2, uint16: 2, uint8: 1, bool: 1 };

async function readShard(url, count) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`its weights are missing: the server responded with ${answer.status}`);
  const pieces = [];
  const reader = answer.body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    pieces.push(next.value);
    count(next.value.length);
  }
  return new Blob(pieces);
}

function checkShapes(model) {
  const [input, output] = [model.inputs, model.outputs];
  const taken = input.length === 1 ? input[0].shape.slice(1) : null;
  if (!taken || !(same(taken, [SIZE, SIZE, 1]) || same(taken, [SIZE, SIZE]))) {
    const shown = taken ? taken.map((each) => each ?? "any").join(" × ") : `${input.length} inputs`;
    throw new Trouble(
      `This model takes images of ${shown}; the page draws ${SIZE} × ${SIZE} × 1. Export a digit model.`,
    );
  }
  if (output.length !== 1 || !same(output[0].shape.slice(1), [CLASSES])) {
    throw new Trouble(
      `This model's output shape is ${output.map((each) => each.shape.slice(1).join(" × ")).join(", ")}; ` +
        "the page shows ten digits. Export a digit model.",
    );
  }
}

function same(found, wanted) {
  return found.length === wanted.length && found.every((each, at) => each === wanted[at]);
}

/** The probabilities of the ten digits, for each image. */
function run(model, images) {
  const values = new Float32Array(images.length * SIZE * SIZE);
  images.forEach((image, index) => values.set(image, index * SIZE * SIZE));
  const found = tidy(() => {
    const shape = [images.length, ...model.inputs[0].shape.slice(1)];
    return model.predict(reshape(tensor1d(values), shape), { batchSize: images.length }).dataSync();
  });
  return images.map((_, index) => Array.from(found.subarray(index * CLASSES, (index + 1) * CLASSES)));
}

function firstLine(error) {
  return String(error.message || error).split("\n")[0].replace(/\.$/, "");
}
