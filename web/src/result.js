// What the page shows of an answer: the digit, how sure it is, ten bars, the 28 x 28 image, times.
import { CLASSES } from "./network.js";
import { SIZE } from "./mnist.js";

const SURE = 0.6;
const SPEAK_AFTER = 700; // milliseconds without a change, so that a screen reader can finish

const element = (id) => document.getElementById(id);
const percent = (value) => (value >= 0.9995 ? "> 99.9 %" : `${(100 * value).toFixed(1)} %`);

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

/** Shows the probabilities of the ten digits; null where nothing is known. */
export function showAnswer(probabilities) {
  const known = probabilities.map((value) => value ?? -1);
  const best = known.indexOf(Math.max(...known));
  const conf = probabilities[best];
  element("digit").textContent = best;
  const words =
    conf >= SURE ? `${percent(conf)} sure` : `Not sure: perhaps a ${best} (${percent(conf)})`;
  element("verdict").textContent = words;
  showBars(probabilities, best);
  speakSoon(`${best}, ${words}`);
}

/** Shows no digit; `why` is next to the words, where a phone shows it without scrolling. */
export function showNothing(words, why = "") {
  element("digit").textContent = "–";
  element("verdict").textContent = words;
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
    bar.style.transform = `scaleX(${value ?? 0})`;
    text.textContent = value === null ? "–" : percent(value);
  });
}

export function showTime(mode, milliseconds) {
  const shown = `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
  element(`time-${mode}`).textContent = shown;
  element("time").textContent = `in ${shown}`;
}

/** Shows an image of grey values from 0 to 1; null shows it black. */
export function showSeen(image) {
  const context = element("seen").getContext("2d");
  const pixels = context.createImageData(SIZE, SIZE);
  for (let at = 0; at < SIZE * SIZE; at++) {
    const grey = image === null ? 0 : Math.round(255 * image[at]);
    pixels.data.set([grey, grey, grey, 255], 4 * at);
  }
  context.putImageData(pixels, 0, 0);
  const what = image === null ? "nothing yet" : "the digit, centred";
  element("seen").setAttribute("aria-label", `The drawing in 28 by 28 pixels: ${what}`);
}

export function showState(id, text, kind = "") {
  const state = element(id);
  if (state.textContent !== text) state.textContent = text;
  state.className = `state ${kind}`;
}
