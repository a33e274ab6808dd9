// Draw a digit, and a network reads it: in this browser, or behind the API.
import { askApi } from "./api.js";
import { Collection } from "./collection.js";
import { Drawing } from "./drawing.js";
import { toMnist } from "./mnist.js";
import { CLASSES, Trouble, loadNetwork } from "./network.js";
import { isDot, remark } from "./remarks.js";
import { named, showAnswer, showNothing, showProgress, showSeen, showState, showTime, speak } from "./result.js";
import { drawSample } from "./sample.js";
import { saliency } from "./saliency.js";

const TYPING_PAUSE = 400; // milliseconds without a key after which typed text is used
const OFFLINE_PAUSE = 2000; // milliseconds before an API that is down is called again
const SALIENCY_PAUSE = 200; // milliseconds without a change before it is computed, which takes longest
const DOT_PAUSE = 400; // milliseconds after which a dot is not the beginning of a line
const WAITING_PAUSE = 700; // milliseconds without an answer of the API after which the page says that it waits
const FULL = "There is no room for more drawings. Save those below as a file, then delete them.";
const element = (id) => document.getElementById(id);

let network = null;
let isLoading = true;
let answer = null; // the last one, of the drawing as it is now
let due = false; // a reading is due at the next frame
let asking = false; // the API has not answered yet
let offlineUntil = 0;
let later = 0; // the timer of a reading that waits for one of these pauses
let deciding = 0; // the timer of the saliency map
let waiting = 0; // the timer after which the page says that it waits for the API
let news = ""; // what was kept last, until the next line is drawn
let stale = false; // the drawing has changed since the API was called

const drawing = new Drawing(element("canvas"), drawn, speak);
const collection = new Collection();
const mode = () => document.querySelector("input[name=mode]:checked").value;

function drawn() {
  answer = null;
  clearTimeout(deciding);
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
  element("right").disabled = element("meant").disabled = drawing.isEmpty || answer === null;
}

/** Take the drawing as it is now, and read it. */
function read() {
  for (const timer of [later, deciding, waiting]) clearTimeout(timer);
  answer = null;
  const strokes = drawing.shown;
  const image = toMnist(strokes);
  showSeen(image);
  element("note").textContent = remark(drawing);
  if (image !== null) news = "";
  if (image === null) showNothing(news || "Nothing drawn yet", news && "Draw the next one.");
  else if (isDot(strokes)) showDot();
  else if (mode() === "api") readThroughApi(image);
  else if (network) readHere(image);
  else if (isLoading) showNothing("Loading the network …", "You can draw already.");
  else showNothing("No network in this browser", element("browser-state").textContent);
  showControls();
}

/** Every line begins as a dot, so say so only if it stays one. */
function showDot() {
  showNothing("");
  later = setTimeout(() => {
    showNothing("Only a dot so far");
    element("note").textContent = "A single dot is not a digit. Draw a line.";
  }, DOT_PAUSE);
}

function readAfter(milliseconds) {
  clearTimeout(later);
  later = setTimeout(read, milliseconds);
}

function readHere(image) {
  const start = performance.now();
  const probabilities = network.probabilities(image);
  showTime("browser", performance.now() - start);
  show(network.answer(probabilities));
  const { best } = answer;
  if (element("saliency").checked) {
    deciding = setTimeout(() => showSeen(image, saliency(image, best, network.batch)), SALIENCY_PAUSE);
  }
}

function show(found) {
  answer = found;
  showAnswer(found);
  showControls();
}

/** One call at a time; if the drawing changes meanwhile, it is sent again after the answer. */
async function readThroughApi(image) {
  stale = asking;
  if (drawing.isSample) return showNothing("Draw a digit");
  const { task, token } = Object.fromEntries(new FormData(element("api")));
  if (token === "") {
    showNothing("No answer", "Enter the token first.");
    return showState("api-state", "Enter the token that the task was started with.");
  }
  const pause = offlineUntil - performance.now();
  if (pause > 0 && !asking) return readAfter(pause);
  waiting = setTimeout(() => showNothing("Waiting for the API …"), WAITING_PAUSE);
  if (asking) return;
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
    showState("api-state", "The API is answering.", "good");
    if (!isAsked()) return;
    showTime("api", performance.now() - start);
    show(found);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    if (error.isOffline) offlineUntil = performance.now() + OFFLINE_PAUSE;
    showState("api-state", error.message, "trouble");
    if (isAsked()) showNothing("No answer", error.message);
  } finally {
    if (isAsked()) clearTimeout(waiting);
  }
}

/** Whether an answer of the API that arrives now is about the drawing as it is. */
function isAsked() {
  return mode() === "api" && !stale && !drawing.isEmpty;
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
  if (answer === null) return; // the drawing has just changed
  if (collection.isFull) {
    element("note").textContent = FULL;
    return speak(FULL);
  }
  const { best, probabilities } = answer;
  collection.add({ digit, read: best, confidence: probabilities[best], strokes: drawing.strokes });
  clear();
  news = `Kept as ${named(digit)}`;
  speak(`Kept as ${named(digit)}. Draw the next one.`);
  showCollection(`Kept as ${named(digit)}. `);
}

/** A choice made with keys counts once Enter or Tab confirms it: in a closed list, every key changes it. */
function connectMeant() {
  const list = element("meant");
  let isKeyed = false;
  const take = () => {
    const { value } = list;
    list.value = "";
    isKeyed = false;
    if (value !== "") keep(Number(value));
  };
  for (let digit = 0; digit < CLASSES; digit++) list.add(new Option(digit, digit));
  list.value = ""; // the browser may have restored an earlier choice
  list.addEventListener("pointerdown", () => (isKeyed = false));
  list.addEventListener("keydown", ({ key, altKey }) => {
    if (key === "Enter" && list.value !== "") take();
    else isKeyed = ![" ", "Enter"].includes(key) && !altKey; // these open the list
  });
  list.addEventListener("change", () => isKeyed || take());
  list.addEventListener("blur", take);
}

function showCollection(news = "") {
  const { size, isStored, isFull } = collection;
  const where = isStored ? "in this browser." : "until you close the page, because this browser does not let it store more.";
  const text =
    size === 0
      ? "Answer “Yes” or “No” above to keep a drawing together with its digit. It stays in this browser."
      : `${news}${counted(size)} kept ${where}${isFull ? ` ${FULL}` : ""}`;
  if (element("kept-state").textContent !== text) element("kept-state").textContent = text;
  element("save").disabled = element("forget").disabled = size === 0;
}

function counted(size) {
  return `${size} ${size === 1 ? "drawing" : "drawings"}`;
}

function save() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([collection.text], { type: "application/x-ndjson" }));
  link.download = "digits.jsonl";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function forget() {
  if (!confirm(`Delete ${counted(collection.size)}?`)) return;
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
  element("right").addEventListener("click", () => keep(answer?.best));
  connectMeant();
  element("save").addEventListener("click", save);
  element("forget").addEventListener("click", forget);
  addEventListener("storage", () => {
    collection.refresh();
    showCollection();
  });
  showCollection();
  switchMode(); // the browser may have restored an earlier choice
}

async function prepareNetwork() {
  try {
    network = await loadNetwork(showProgress);
    showState("browser-state", `Ready, running on ${network.backend.shown}.${slowness()}`, "good");
  } catch (error) {
    const text = error instanceof Trouble ? error.message : `Something went wrong: ${error.message}`;
    showState("browser-state", text, "trouble");
  }
  isLoading = false;
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
