// Remarks on drawings that are not one complete digit.
import { bounds } from "./mnist.js";

const LEAST_EXTENT = 12; // a drawing smaller than this, on the canvas of 300, is a dot
const LEAST_GAP = 0.05; // between two digits, as a part of the drawing's larger extent
const LEAST_HEIGHT = 0.6; // of each of two digits, as a part of the drawing's height

/** Whether the strokes are only a dot, which is not a digit at any scale. */
export function isDot(strokes) {
  return extent(bounds(strokes)) < LEAST_EXTENT;
}

/** What to say about a drawing; empty if nothing is odd about it. */
export function remark(drawing) {
  if (drawing.isEmpty) return "";
  if (isPair(drawing.strokes)) return "Two digits? Draw one at a time.";
  if (drawing.wentOver) return "Part of the drawing is off the canvas. Only what you see is read.";
  return "";
}

/** Whether there are two tall parts next to each other. None of 600 recorded digits has them. */
function isPair(strokes) {
  const { top, bottom } = bounds(strokes);
  const parts = [];
  for (const next of strokes.map((stroke) => bounds([stroke])).sort((a, b) => a.left - b.left)) {
    const last = parts.at(-1);
    if (last && next.left - last.right < LEAST_GAP * extent(bounds(strokes))) parts[parts.length - 1] = joined(last, next);
    else parts.push(next);
  }
  return parts.filter((part) => part.bottom - part.top >= LEAST_HEIGHT * (bottom - top)).length > 1;
}

function joined(a, b) {
  return {
    left: Math.min(a.left, b.left),
    right: Math.max(a.right, b.right),
    top: Math.min(a.top, b.top),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

function extent({ left, top, right, bottom }) {
  return Math.max(right - left, bottom - top);
}
