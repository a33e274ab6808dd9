// The network behind the API: the hosted pipeline, on the same origin as the page.
import { SIZE } from "./mnist.js";
import { CLASSES, SURE_ABOVE, Trouble } from "./network.js";

const TIMEOUT = 15_000; // milliseconds

/** The answer for an image of grey values from 0 to 1, as a network here would give it. Throws Trouble. */
export async function askApi(image, { task, token }) {
  checkAddress(task);
  const content = { token, params: { image: rows(image) } };
  let answer;
  try {
    answer = await fetch(task, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(content),
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch (error) {
    if (error.name === "TimeoutError") {
      throw new Trouble(`The API did not answer within ${TIMEOUT / 1000} seconds.`);
    }
    const trouble = new Trouble("The API does not answer. Is “engine serve” still running?");
    throw Object.assign(trouble, { isOffline: true });
  }
  return read(answer, task);
}

function checkAddress(task) {
  if (!URL.canParse(task, document.baseURI)) {
    throw new Trouble(`“${task}” is not an address. Enter a path such as /tasks/digits.`);
  }
  if (new URL(task, document.baseURI).origin !== location.origin) {
    throw new Trouble(`The page only calls its own server, not ${task}. Enter a path such as /tasks/digits.`);
  }
}

async function read(answer, task) {
  if (answer.status === 204) {
    throw new Trouble(
      "The API sent an empty response (204), as it does when the token is wrong. Check the token.",
    );
  }
  const content = await answer.json().catch(() => null);
  if (!answer.ok) throw new Trouble(refusal(answer.status, content, task));
  if (!isDigit(content?.pred) || !(content.conf >= 0 && content.conf <= 1)) {
    throw new Trouble("The API's answer has no “pred” and “conf”. Is this the digit task?");
  }
  return answerOf(content);
}

function isDigit(value) {
  return Number.isInteger(value) && value >= 0 && value < CLASSES;
}

/** The API tells its best digits only: the other probabilities are null. */
function answerOf({ pred, conf, second, sure }) {
  const probabilities = Array.from({ length: CLASSES }, (_, digit) => (digit === pred ? conf : null));
  return { probabilities, best: pred, second: isDigit(second) ? second : null, isSure: sure ?? conf >= SURE_ABOVE };
}

function refusal(status, content, task) {
  if (status === 401) return "The API requires a bearer token, which this page does not send (401).";
  if (status === 404 || status === 405) {
    return `There is no task at ${task} (${status}). Enter a path such as /tasks/digits.`;
  }
  if (status === 503) return "The API is starting or overloaded (503). Try again in a moment.";
  const why = content?.reason || content?.error;
  return `The API could not answer (${status})${why ? `: ${why}` : "."}`;
}

/** 28 rows of 28 whole numbers from 0 to 255, white on black, as the pipeline takes them. */
function rows(image) {
  const grey = Array.from(image, (value) => Math.round(value * 255));
  return Array.from({ length: SIZE }, (_, row) => grey.slice(row * SIZE, (row + 1) * SIZE));
}
