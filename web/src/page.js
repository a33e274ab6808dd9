// Draw a digit, and a network recognises it: in this browser, or behind the API.
import { askApi } from "./api.js";
import { Drawing } from "./drawing.js";
import { isDot, toMnist } from "./mnist.js";
import { CLASSES, Trouble, loadNetwork } from "./network.js";
import { showAnswer, showNothing, showSeen, showState, showTime, speak } from "./result.js";

const TYPING_PAUSE = 400; // milliseconds without a key after which typed text is used
const OFFLINE_PAUSE = 2000; // milliseconds before an API that is down is called again
const MIN_EXTENT = 12; // a drawing smaller than this, on the canvas of 300, is a dot
const element = (id) => document.getElementById(id);

let network = null;
let due = false; // a reading is due at the next frame
let asking = false; // the API has not answered yet
let offlineUntil = 0;
let later = 0; // the timer of a reading that waits for one of these pauses
let stale = false; // the drawing has changed since the API was called

const drawing = new Drawing(element("canvas"), drawn, speak);
const mode = () => document.querySelector("input[name=mode]:checked").value;

function drawn() {
  element("undo").disabled = element("clear").disabled = drawing.isEmpty;
  element("invitation").hidden = !drawing.isEmpty;
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

/** Take the drawing as it is now, and recognise it. */
function read() {
  clearTimeout(later);
  const { strokes } = drawing;
  const image = toMnist(strokes);
  showSeen(image);
  element("note").textContent = remark();
  if (image === null) return showNothing("Nothing drawn yet");
  if (isDot(strokes, MIN_EXTENT)) return showNothing("That is only a dot");
  if (mode() === "api") readThroughApi(image);
  else if (network) readHere(image);
  else showNothing("No network here", element("browser-state").textContent);
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
  showAnswer(Array.from(probabilities));
}

/** One call at a time; if the drawing changes meanwhile, it is sent again after the answer. */
async function readThroughApi(image) {
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
    showAnswer(Array.from({ length: CLASSES }, (_, at) => (at === found.pred ? found.conf : null)));
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
  element("browser-state").hidden = isApi;
  read();
}

function connect() {
  element("undo").addEventListener("click", () => drawing.undo());
  element("clear").addEventListener("click", () => drawing.clear());
  for (const each of document.querySelectorAll("input[name=mode]")) {
    each.addEventListener("change", switchMode);
  }
  element("api").addEventListener("submit", (event) => event.preventDefault());
  element("api").addEventListener("change", read);
  element("api").addEventListener("input", () => readAfter(TYPING_PAUSE));
  switchMode(); // the browser may have restored an earlier choice
}

async function prepareNetwork() {
  try {
    network = await loadNetwork();
    showState("browser-state", `Ready. It runs on ${network.backend.shown}.${slowness()}`, "good");
  } catch (error) {
    const text = error instanceof Trouble ? error.message : `Something went wrong: ${error.message}`;
    showState("browser-state", text, "trouble");
  }
  document.documentElement.dataset.network = network ? "ready" : "missing";
  if (mode() === "browser") read();
  return network;
}

function slowness() {
  return network.backend.name === "wasm" ? "" : " WebAssembly is not available, so this is slower.";
}

connect();
/** For code that runs the network without drawing, such as the tests. */
export const networkReady = prepareNetwork();
