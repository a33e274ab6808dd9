// Draw a digit, and see what a network makes of it: here, or behind the API.
import { askApi } from "./api.js";
import { Drawing } from "./drawing.js";
import { isDot, toMnist } from "./mnist.js";
import { CLASSES, Trouble, loadNetwork } from "./network.js";
import { showAnswer, showNothing, showSeen, showState, showTime, speak } from "./result.js";

const TYPING_PAUSE = 400; // milliseconds after which what is typed counts
const OFFLINE_PAUSE = 2000; // milliseconds for which an API that is down is left alone
const LEAST_EXTENT = 12; // a drawing of the canvas' 300 that is smaller than this is a dot
const element = (id) => document.getElementById(id);

let network = null;
let due = false; // a reading is due at the next frame
let asking = false; // the API has not answered yet
let offlineUntil = 0;
let later = 0; // a reading that waits for one of these pauses
let stale = false; // the drawing has changed since it was asked

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

/** Look at the drawing as it is now, and have it read. */
function read() {
  clearTimeout(later);
  const { strokes } = drawing;
  const image = toMnist(strokes);
  showSeen(image);
  element("note").textContent = remark();
  if (image === null) return showNothing("Nothing drawn yet");
  if (isDot(strokes, LEAST_EXTENT)) return showNothing("That is only a dot");
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
  if (drawing.wentOver) return "Part of it went over the edge. Only what is on the canvas counts.";
  if (isDot(drawing.strokes, LEAST_EXTENT)) return "A single dot is no digit: draw a line.";
  return "";
}

function readHere(image) {
  const start = performance.now();
  const probabilities = network.probabilities(image);
  showTime("browser", performance.now() - start);
  showAnswer(Array.from(probabilities));
}

/** One call at a time; what is drawn meanwhile is sent when the answer is there. */
async function readThroughApi(image) {
  if (asking) {
    stale = true;
    return;
  }
  const { task, token } = Object.fromEntries(new FormData(element("api")));
  if (token === "") {
    showNothing("No answer", "Give the token first.");
    return showState("api-state", "Give the token with which the task was started.");
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
  switchMode(); // a browser may remember the choice of last time
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
  return network.backend.name === "wasm" ? "" : " WebAssembly does not work here, so it is slower.";
}

connect();
/** For those who want to run the network without drawing. */
export const networkReady = prepareNetwork();
