// The sample that draws itself when the page opens, so that one sees at once what happens here.

// A three, as one stroke: [x, y] in units of the canvas.
const THREE = curve([
  [100, 84], [118, 62], [148, 52], [180, 62], [192, 90], [178, 120], [142, 138],
  [142, 138], [184, 152], [202, 188], [188, 226], [150, 246], [114, 236], [94, 212],
]);
const DURATION = 1600; // milliseconds
const DELAY = 300;

/** Calls `show(strokes)` as the sample grows, until it is complete or `isOver()`. */
export function drawSample(show, isOver) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    if (!isOver()) show([THREE]);
    return;
  }
  let start = null;
  const step = (now) => {
    if (isOver()) return;
    start ??= now + DELAY;
    const part = Math.min(Math.max((now - start) / DURATION, 0), 1);
    const count = Math.round(part * THREE.length);
    if (count > 0) show([THREE.slice(0, count)]);
    if (part < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

/** A smooth curve through all points (Catmull-Rom), with a sharp turn where a point is repeated. */
function curve(points, steps = 5) {
  const at = (index) => points[Math.min(Math.max(index, 0), points.length - 1)];
  const smooth = [points[0]];
  for (let index = 0; index + 1 < points.length; index++) {
    const [a, b, c, d] = [-1, 0, 1, 2].map((offset) => at(index + offset));
    if (b[0] === c[0] && b[1] === c[1]) continue;
    for (let step = 1; step <= steps; step++) {
      smooth.push([0, 1].map((axis) => between(a[axis], b[axis], c[axis], d[axis], step / steps)));
    }
  }
  return smooth;
}

function between(a, b, c, d, t) {
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * b - a - 3 * c + d)));
}
