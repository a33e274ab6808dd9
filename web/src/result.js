// What the page shows of an answer: the digit, how sure it is, ten bars, the 28 x 28 image, times.
import { CLASSES } from "./network.js";
import { SIZE } from "./mnist.js";

const SPEAK_AFTER = 700; // milliseconds without a change, so that a screen reader can finish
const ORANGE = [255, 138, 0];

const element = (id) => document.getElementById(id);
const percent = (value, over = "> ") => (value >= 0.9995 ? `${over}99.9%` : `${(100 * value).toFixed(1)}%`);
export const named = (digit) => `${digit === 8 ? "an" : "a"} ${digit}`;

const bars = Array.from({ length: CLASSES }, (_, digit) => {
  const item = document.createElement("li");
  item.innerHTML = `<span class="name">${digit}</span><span class="track" aria-hidden="true"><span class="bar"></span></span><span class="value"></span>`;
  element("bars").append(item);
  return { item, bar: item.querySelector(".bar"), value: item.querySelector(".value") };
});

let speaking = 0;

/** Announce it to screen readers at once. */
export function speak(text) {
  clearTimeout(speaking);
  element("spoken").textContent = text;
}

/** Announce it when no more changes come. */
function speakSoon(text) {
  clearTimeout(speaking);
  speaking = setTimeout(() => speak(text), SPEAK_AFTER);
}

/**
 * Shows an answer: `probabilities` of the ten digits (null where unknown), `best` and `second` (null
 * where unknown), and whether the network `isSure`.
 */
export function showAnswer(answer) {
  const { best, probabilities, isSure } = answer;
  element("digit").textContent = best;
  element("verdict").textContent = inWords(answer);
  element("result").classList.toggle("unsure", !isSure);
  showBars(probabilities, best);
  speakSoon(isSure ? `${best}, ${inWords(answer)}` : inWords(answer));
}

function inWords({ best, second, probabilities, isSure }) {
  const confidence = percent(probabilities[best], "over ");
  if (isSure) return `${confidence} sure`;
  return `Not sure: perhaps ${named(best)} (${confidence})${second === null ? "" : `, or ${named(second)}`}`;
}

/** Shows no digit; `why` is next to the words, where a phone shows it without scrolling. */
export function showNothing(words, why = "") {
  element("digit").textContent = "–";
  element("verdict").textContent = words;
  element("result").classList.remove("unsure");
  showBars(Array(CLASSES).fill(null), -1);
  element("time").textContent = why;
  clearTimeout(speaking); // the status line announces problems
}

function showBars(probabilities, best) {
  element("result").classList.toggle("nothing", best < 0);
  probabilities.forEach((value, digit) => {
    const { item, bar, value: text } = bars[digit];
    item.classList.toggle("best", digit === best);
    item.classList.toggle("unknown", best >= 0 && value === null);
    bar.style.setProperty("--part", value ?? 0);
    text.textContent = value === null ? "–" : percent(value);
  });
}

export function showTime(mode, milliseconds) {
  const shown = `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
  element(`time-${mode}`).textContent = shown;
  element("time").textContent = `in ${shown}`;
}

/**
 * Shows an image of grey values from 0 to 1; null shows it black. `weights` (0 to 1 for each pixel)
 * tints what counts.
 */
export function showSeen(image, weights = null) {
  const context = element("seen").getContext("2d");
  const pixels = context.createImageData(SIZE, SIZE);
  for (let at = 0; at < SIZE * SIZE; at++) {
    const grey = image === null ? 0 : Math.round(255 * image[at]);
    const tint = weights === null ? 0 : weights[at];
    const colour = ORANGE.map((value) => Math.round(grey + tint * ((grey / 255) * value - grey)));
    pixels.data.set([...colour, 255], 4 * at);
  }
  context.putImageData(pixels, 0, 0);
  const what = image === null ? "nothing yet" : "the digit, centred";
  const tinted = weights === null ? "" : "; what matters most is orange";
  element("seen").setAttribute("aria-label", `The drawing in 28 by 28 pixels: ${what}${tinted}`);
}

export function showState(id, text, kind = "") {
  const state = element(id);
  if (state.textContent !== text) state.textContent = text;
  state.className = `state ${kind}`;
}

export function showProgress(part) {
  element("progress").value = part;
}
