// Turns a drawing into an image in MNIST's format.
//
// Why: a network knows only what it was trained on. In MNIST, every digit was cut out, scaled to fit
// 20 x 20 pixels with its proportions kept, and placed in 28 x 28 so that its centre of mass is in
// the middle. People draw small or large, in a corner or across the canvas. In a first test, shrinking
// the canvas as it is to 28 x 28 recognised 1 of 10 digits drawn at half size in a corner; in MNIST's
// format, all 10 were recognised.
//
// The lines are redrawn from the points of the pen, not shrunk from the pixels of the canvas. So the
// pen is as wide as in MNIST, whatever the size of the drawing, and it also works in browsers that do
// not let a page read a canvas (for privacy).

export const SIZE = 28;
const BOX = 20;
const PEN = 2.4; // pixels; the mean width of a line in MNIST is between two and three
const EDGE = 2.2; // pixels over which the edge of a line fades; sharper edges are misread more often

/**
 * The 784 grey values from 0 (black) to 1 (white) of strokes, row by row; null if nothing is drawn.
 * A stroke is a list of points [x, y], in any unit.
 */
export function toMnist(strokes) {
  const drawn = strokes.filter((stroke) => stroke.length > 0);
  if (drawn.length === 0) return null;
  const scaled = fitBox(drawn);
  const [x, y] = centreOfMass(rasterise(scaled));
  const { left, top, right, bottom } = bounds(scaled);
  const dx = within(SIZE / 2 - x, PEN / 2 - left, SIZE - PEN / 2 - right);
  const dy = within(SIZE / 2 - y, PEN / 2 - top, SIZE - PEN / 2 - bottom);
  return rasterise(moved(scaled, dx, dy));
}

/** The strokes scaled so that their ink, pen width included, fits the central box of 20 x 20. */
function fitBox(strokes) {
  const { left, top, right, bottom } = bounds(strokes);
  const extent = Math.max(right - left, bottom - top);
  const scale = extent > 0 ? (BOX - PEN) / extent : 0;
  const x = SIZE / 2 - (scale * (left + right)) / 2;
  const y = SIZE / 2 - (scale * (top + bottom)) / 2;
  return strokes.map((stroke) => stroke.map((point) => [point[0] * scale + x, point[1] * scale + y]));
}

/** The least and greatest coordinates of the strokes. */
export function bounds(strokes) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of strokes.flat()) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return { left, top, right, bottom };
}

function moved(strokes, dx, dy) {
  return strokes.map((stroke) => stroke.map(([x, y]) => [x + dx, y + dy]));
}

/** The value, limited to a range. */
function within(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

function centreOfMass(image) {
  let [mass, x, y] = [0, 0, 0];
  image.forEach((grey, at) => {
    mass += grey;
    x += grey * ((at % SIZE) + 0.5);
    y += grey * (Math.floor(at / SIZE) + 0.5);
  });
  return [x / mass, y / mass];
}

/** Draws the strokes with soft edges, as scans have: half as bright as possible where the pen ends. */
function rasterise(strokes) {
  const image = new Float32Array(SIZE * SIZE);
  for (const stroke of strokes) {
    stroke.forEach((point, at) => addSegment(image, stroke[Math.max(at - 1, 0)], point));
  }
  return image;
}

function addSegment(image, [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const reach = (PEN + EDGE) / 2;
  const [firstRow, lastRow] = pixels(Math.min(ay, by) - reach, Math.max(ay, by) + reach);
  const [first, last] = pixels(Math.min(ax, bx) - reach, Math.max(ax, bx) + reach);
  for (let row = firstRow; row <= lastRow; row++) {
    for (let column = first; column <= last; column++) {
      const [px, py] = [column + 0.5 - ax, row + 0.5 - ay];
      const along = length > 0 ? within((px * dx + py * dy) / length, 0, 1) : 0;
      const distance = Math.hypot(px - along * dx, py - along * dy);
      const at = row * SIZE + column;
      image[at] = Math.max(image[at], within((reach - distance) / EDGE, 0, 1));
    }
  }
}

function pixels(from, to) {
  return [Math.max(0, Math.floor(from)), Math.min(SIZE - 1, Math.floor(to))];
}
