// What decides: how much surer the network is of its answer with a spot of the image than without it.
//
// Why not gradients: they are noisy on so small an image, and TensorFlow.js has none on WebAssembly for
// some layers. Covering each spot in turn asks the question directly, and works with every network.
import { SIZE } from "./mnist.js";

const SPOT = 5; // pixels that are covered at once, on both axes
const STRIDE = 2;

/**
 * For each pixel from 0 to 1 how much it counts for the digit `best`; all 0 if no spot does.
 * `probabilities` runs the network on several images.
 */
export function saliency(image, best, probabilities) {
  const spots = inkedSpots(image);
  const [whole, ...covered] = probabilities([image, ...spots.map((spot) => without(image, spot))]);
  const [sum, count] = [new Float32Array(SIZE * SIZE), new Float32Array(SIZE * SIZE)];
  spots.forEach((spot, index) => {
    const loss = Math.max(evidence(whole[best]) - evidence(covered[index][best]), 0);
    for (const at of spot) {
      sum[at] += loss;
      count[at] += 1;
    }
  });
  const mean = sum.map((value, at) => (count[at] > 0 ? value / count[at] : 0));
  const most = Math.max(...mean);
  return most > 0 ? mean.map((value) => value / most) : mean;
}

/** Logarithm of the odds, so that a loss from 99.99 to 99 % shows. */
function evidence(probability) {
  const inside = Math.min(Math.max(probability, 1e-7), 1 - 1e-7);
  return Math.log(inside / (1 - inside));
}

function inkedSpots(image) {
  const spots = [];
  for (let top = 0; top + SPOT <= SIZE; top += STRIDE) {
    for (let left = 0; left + SPOT <= SIZE; left += STRIDE) {
      const spot = pixelsOf(top, left);
      if (spot.some((at) => image[at] > 0)) spots.push(spot);
    }
  }
  return spots;
}

function pixelsOf(top, left) {
  return Array.from({ length: SPOT * SPOT }, (_, at) => (top + Math.floor(at / SPOT)) * SIZE + left + (at % SPOT));
}

function without(image, spot) {
  const covered = Float32Array.from(image);
  for (const at of spot) covered[at] = 0;
  return covered;
}
