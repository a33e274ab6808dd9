// Draw a digit, and a network reads it: in this browser, or behind the API.
import { askApi } from "./api.js";
import { Collection } from "./collection.js";
import { Drawing } from "./drawing.js";
import { isDot, toMnist } from "./mnist.js";
import { CLASSES, Trouble, loadNetwork } from "./network.js";
import { named, showAnswer, showNothing, showProgress, showSeen, showState, showTime, speak } from "./result.js";
import { drawSample } from "./sample.js";
import { saliency } from "./saliency.js";

const TYPING_PAUSE = 400; // milliseconds without a key after which typed text is used
const OFFLINE_PAUSE = 2000; // milliseconds before an API that is down is called again
const SALIENCY_PAUSE = 200; // milliseconds without a change before it is computed, which takes longest
const MIN_EXTENT = 12; // a drawing smaller than this, on the canvas of 300, is a dot
const element = (id) => document.getElementById(id);

let network = null;
let answer = null; // the last one, of the drawing as it is now
let due = false; // a reading is due at the next frame
let asking = false; // the API has not answered yet
let offlineUntil = 0;
let later = 0; // the timer of a reading that waits for one of these pauses
let deciding = 0; // the timer of the saliency map
let stale = false; // the drawing has changed since the API was called

const drawing = new Drawing(element("canvas"), drawn, speak);
const collection = new Collection();
const mode = () => document.querySelector("input[name=mode]:checked").value;

function drawn() {
  answer = null;
  if (due) return;
  due = true;
  showBusy();
  requestAnimationFrame(() => {
    due = false;
    read();
    showBusy();
  });
}

function showBusy() {
  element("result").setAttribute("aria-busy", String(due || asking));
}

function showControls() {
  element("undo").disabled = !drawing.canUndo;
  element("clear").disabled = drawing.isEmpty;
  element("invitation").hidden = !drawing.isEmpty;
  element("invitation").classList.toggle("low", drawing.isSample);
  element("right").disabled = element("meant").disabled = drawing.isEmpty || answer === null;
}

/** Take the drawing as it is now, and read it. */
function read() {
  clearTimeout(later);
  clearTimeout(deciding);
  answer = null;
  const strokes = drawing.shown;
  const image = toMnist(strokes);
  showSeen(image);
  element("note").textContent = remark();
  if (image === null) showNothing("Nothing drawn yet");
  else if (isDot(strokes, MIN_EXTENT)) showNothing("That is only a dot");
  else if (mode() === "api") readThroughApi(image);
  else if (network) readHere(image);
  else showNothing("No network here", element("browser-state").textContent);
  showControls();
}

function readAfter(milliseconds) {
  clearTimeout(later);
  later = setTimeout(read, milliseconds);
}

function remark() {
  if (drawing.isEmpty) return "";
  if (drawing.wentOver) return "Part of it is over the edge. Only the part on the canvas counts.";
  if (isDot(drawing.strokes, MIN_EXTENT)) return "A single dot is not a digit. Draw a line.";
  return "";
}

function readHere(image) {
  const start = performance.now();
  const probabilities = network.probabilities(image);
  showTime("browser", performance.now() - start);
  show(network.answer(probabilities));
  if (element("saliency").checked) {
    deciding = setTimeout(() => showSeen(image, saliency(image, answer.best, network.batch)), SALIENCY_PAUSE);
  }
}

function show(found) {
  answer = found;
  showAnswer(found);
  showControls();
}

/** One call at a time; if the drawing changes meanwhile, it is sent again after the answer. */
async function readThroughApi(image) {
  if (drawing.isSample) return showNothing("Draw a digit");
  if (asking) {
    stale = true;
    return;
  }
  const { task, token } = Object.fromEntries(new FormData(element("api")));
  if (token === "") {
    showNothing("No answer", "Enter the token first.");
    return showState("api-state", "Enter the token that the task was started with.");
  }
  const pause = offlineUntil - performance.now();
  if (pause > 0) return readAfter(pause);
  asking = true;
  showBusy();
  try {
    await ask(image, { task, token });
  } finally {
    asking = false;
    if (stale) {
      stale = false;
      read();
    }
    showBusy();
  }
}

async function ask(image, where) {
  const start = performance.now();
  try {
    const found = await askApi(image, where);
    if (mode() !== "api" || drawing.isEmpty) return;
    showTime("api", performance.now() - start);
    if (!stale) show(found);
    showState("api-state", "The API answers.", "good");
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    if (error.isOffline) offlineUntil = performance.now() + OFFLINE_PAUSE;
    if (mode() === "api") showNothing("No answer", error.message);
    showState("api-state", error.message, "trouble");
  }
}

function switchMode() {
  const isApi = mode() === "api";
  element("api").hidden = !isApi;
  element("bars-note").hidden = !isApi;
  element("browser").hidden = isApi;
  element("saliency").disabled = isApi;
  read();
}

// Was that right?

/** Keep the drawing with the digit that it shows, and go on with the next one. */
function keep(digit) {
  const { best, probabilities } = answer;
  collection.add({ digit, read: best, confidence: probabilities[best], strokes: drawing.strokes });
  clear();
  speak(`Kept as ${named(digit)}. Draw the next one.`);
  showCollection(`Kept as ${named(digit)}. `);
}

function showCollection(news = "") {
  const { size, isStored, isFull } = collection;
  const count = `${size} ${size === 1 ? "drawing" : "drawings"}`;
  const where = isStored ? "in this browser only" : "until you close the page, because this browser does not let the page store more";
  const text =
    size === 0
      ? "Each “Yes” or “No” above keeps the drawing with its digit, in this browser only."
      : `${news}${count} kept, ${where}.${isFull ? " Save them as a file and delete them to go on." : ""}`;
  if (element("kept-state").textContent !== text) element("kept-state").textContent = text;
  element("save").disabled = element("forget").disabled = size === 0;
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([collection.text], { type: "application/x-ndjson" }));
  link.download = "digits.jsonl";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function forget() {
  if (!confirm(`Delete all ${collection.size} drawings?`)) return;
  collection.clear();
  showCollection();
}

// Controls

function clear() {
  drawing.clear();
  drawing.focus(); // the button can no longer have the focus
}

function undo() {
  drawing.undo();
  if (!drawing.canUndo) drawing.focus();
}

function connect() {
  element("undo").addEventListener("click", undo);
  element("clear").addEventListener("click", clear);
  element("saliency").addEventListener("change", () => {
    element("saliency-hint").hidden = !element("saliency").checked;
    read();
  });
  for (const each of document.querySelectorAll("input[name=mode]")) {
    each.addEventListener("change", switchMode);
  }
  element("api").addEventListener("submit", (event) => event.preventDefault());
  element("api").addEventListener("change", read);
  element("api").addEventListener("input", () => readAfter(TYPING_PAUSE));
  for (let digit = 0; digit < CLASSES; digit++) element("meant").add(new Option(named(digit), digit));
  element("right").addEventListener("click", () => !collection.isFull && keep(answer.best));
  element("meant").addEventListener("change", ({ target }) => {
    if (target.value !== "" && answer !== null && !collection.isFull) keep(Number(target.value));
    target.value = "";
  });
  element("save").addEventListener("click", save);
  element("forget").addEventListener("click", forget);
  showCollection();
  switchMode(); // the browser may have restored an earlier choice
}

async function prepareNetwork() {
  try {
    network = await loadNetwork(showProgress);
    showState("browser-state", `Ready. It runs on ${network.backend.shown}.${slowness()}`, "good");
  } catch (error) {
    const text = error instanceof Trouble ? error.message : `Something went wrong: ${error.message}`;
    showState("browser-state", text, "trouble");
  }
  element("progress").hidden = true;
  document.documentElement.dataset.network = network ? "ready" : "missing";
  if (mode() === "browser") read();
  if (network) drawSample((strokes) => drawing.showSample(strokes), () => drawing.canUndo || mode() === "api");
  return network;
}

function slowness() {
  return network.backend.name === "wasm" ? "" : " WebAssembly is not available, so this is slower.";
}

connect();
/** For code that runs the network without drawing, such as the tests. */
export { toMnist };
export const networkReady = prepareNetwork();
