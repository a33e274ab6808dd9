// The network behind the API: the hosted pipeline, on the same origin as the page.
import { SIZE } from "./mnist.js";
import { CLASSES, SURE_ABOVE, Trouble } from "./network.js";

const EXAMPLE = "/tasks/model_hosting";
const TIMEOUT = 15_000; // milliseconds
const LONGEST_REASON = 200; // characters of the API's own words that are shown

/** The answer for an image of grey values from 0 to 1, as a network here would give it. Throws Trouble. */
export async function askApi(image, { task, token }) {
  checkAddress(task);
  try {
    return await call(task, { token, params: { image: rows(image) } });
  } catch (error) {
    if (error instanceof Trouble) throw error;
    if (error.name === "TimeoutError") {
      throw new Trouble(`The API did not answer within ${TIMEOUT / 1000} seconds.`);
    }
    const trouble = new Trouble("The API does not answer. Is “engine serve” still running?");
    throw Object.assign(trouble, { isOffline: true });
  }
}

function checkAddress(task) {
  if (task.trim() === "") throw new Trouble(`Enter the path of the task, such as ${EXAMPLE}.`);
  let address;
  try {
    address = new URL(task, document.baseURI);
  } catch {
    throw new Trouble(`“${shortened(task)}” is not an address. Enter a path such as ${EXAMPLE}.`);
  }
  if (address.origin !== location.origin) {
    throw new Trouble(`The page only calls its own server, not ${shortened(task)}. Enter a path such as ${EXAMPLE}.`);
  }
}

async function call(task, content) {
  const answer = await fetch(task, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(content),
    signal: AbortSignal.timeout(TIMEOUT),
  });
  if (answer.status === 204) {
    throw new Trouble(
      "The API sent an empty response (204), as it does when the token is wrong. Check the token.",
    );
  }
  const found = parsed(await answer.text());
  if (!answer.ok) throw new Trouble(refusal(answer.status, found, task));
  if (!isDigit(found?.pred) || !isProbability(found.conf)) {
    throw new Trouble("The API answered, but without a digit in “pred” and its probability in “conf”. Is this the digit task?");
  }
  return answerOf(found);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isProbability(value) {
  return typeof value === "number" && value >= 0 && value <= 1;
}

function isDigit(value) {
  return Number.isInteger(value) && value >= 0 && value < CLASSES;
}

/** The API names only its two best digits: the other probabilities are null. */
function answerOf({ pred, conf, second, sure }) {
  const probabilities = Array.from({ length: CLASSES }, (_, digit) => (digit === pred ? conf : null));
  return { probabilities, best: pred, second: isDigit(second) ? second : null, isSure: typeof sure === "boolean" ? sure : conf >= SURE_ABOVE };
}

function refusal(status, content, task) {
  if (status === 401) return "The API requires a bearer token, which this page does not send (401).";
  if (status === 404 || status === 405) {
    return `There is no task at ${shortened(task)} (${status}). Enter a path such as ${EXAMPLE}.`;
  }
  if (status === 503) return "The API is starting or overloaded (503). Try again in a moment.";
  const why = [content?.reason, content?.error].find((each) => typeof each === "string" && each !== "");
  return `The API could not answer (${status})${why ? `: ${shortened(why)}` : "."}`;
}

function shortened(text) {
  return text.length > LONGEST_REASON ? `${text.slice(0, LONGEST_REASON)} …` : text;
}

/** 28 rows of 28 whole numbers from 0 to 255, white on black, as the pipeline takes them. */
function rows(image) {
  const grey = Array.from(image, (value) => Math.round(value * 255));
  return Array.from({ length: SIZE }, (_, row) => grey.slice(row * SIZE, (row + 1) * SIZE));
}
