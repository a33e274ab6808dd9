// The canvas to draw on: pointer (mouse, finger, pen) and keyboard produce the same strokes.
export const EXTENT = 300; // units of the drawing on both axes, however large the canvas is shown
export const PEN = 18;
const STEP = 15;
const SMALL_STEP = 3;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Drawing {
  /** Calls `changed(drawing)` after each change, and `announce(text)` with what the keyboard did. */
  constructor(canvas, changed, announce) {
    this._canvas = canvas;
    this._context = canvas.getContext("2d");
    this._changed = changed;
    this._announce = announce;
    this._gestures = []; // one undo takes back one gesture: the strokes of one touch
    this._pointer = null;
    this._outside = false;
    this._cursor = { at: [EXTENT / 2, EXTENT / 2], down: false, shown: false };
    this._listenToPointers();
    this._listenToKeys();
    new ResizeObserver(() => this._fit()).observe(canvas);
    this._fit();
  }

  get strokes() {
    return this._gestures.flatMap((gesture) => gesture.strokes);
  }

  /** Whether part of it was drawn over the edge. */
  get wentOver() {
    return this._gestures.some((gesture) => gesture.wentOver);
  }

  get isEmpty() {
    return this._gestures.length === 0;
  }

  undo() {
    this._cursor.down = false;
    this._pointer = null;
    this._gestures.pop();
    this._refresh();
  }

  clear() {
    this._cursor.down = false;
    this._pointer = null;
    this._gestures = [];
    this._refresh();
  }

  // Pointers

  _listenToPointers() {
    const canvas = this._canvas;
    canvas.addEventListener("pointerdown", (event) => this._begin(event));
    canvas.addEventListener("pointermove", (event) => this._go(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(name, (event) => this._end(event));
    }
  }

  _begin(event) {
    if (this._pointer !== null || event.button !== 0) return;
    this._pointer = event.pointerId;
    this._canvas.setPointerCapture(event.pointerId); // follow a line that leaves the canvas
    this._cursor.shown = this._cursor.down = false;
    this._outside = false;
    this._gestures.push({ strokes: [[]], wentOver: false });
    this._add(this._place(event));
    this._refresh();
  }

  _go(event) {
    if (event.pointerId !== this._pointer) return;
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const each of passed.length > 0 ? passed : [event]) this._add(this._place(each));
    this._refresh();
  }

  _end(event) {
    if (event.pointerId === this._pointer) this._pointer = null;
  }

  _place(event) {
    const box = this._canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * EXTENT,
      ((event.clientY - box.top) / box.height) * EXTENT,
    ];
  }

  /** A line that leaves the canvas ends at the edge; when it returns, a new one starts there. */
  _add(point) {
    const gesture = this._gestures.at(-1);
    const nearest = point.map((value) => Math.min(Math.max(value, 0), EXTENT));
    const isOutside = nearest[0] !== point[0] || nearest[1] !== point[1];
    if (isOutside && this._outside) return;
    if (this._outside) gesture.strokes.push([]);
    gesture.strokes.at(-1).push(nearest);
    gesture.wentOver ||= isOutside;
    this._outside = isOutside;
  }

  // Keys

  _listenToKeys() {
    const canvas = this._canvas;
    canvas.addEventListener("keydown", (event) => {
      if (this._key(event)) event.preventDefault();
    });
    canvas.addEventListener("focus", () => this._showCursor(canvas.matches(":focus-visible")));
    canvas.addEventListener("blur", () => this._showCursor(false));
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      if (event.key !== "z" || event.altKey) return false;
      this._change("undone", () => this.undo());
    } else if (event.key in ARROWS) this._move(ARROWS[event.key], event.shiftKey ? SMALL_STEP : STEP);
    else if (event.key === " ") this._setPen(!this._cursor.down);
    else if (event.key === "Backspace") this._change("undone", () => this.undo());
    else if (event.key === "Delete") this._change("cleared", () => this.clear());
    else return false;
    return true;
  }

  _move([dx, dy], step) {
    const { at, down } = this._cursor;
    this._cursor.at = [at[0] + dx * step, at[1] + dy * step].map((value) =>
      Math.min(Math.max(value, PEN / 2), EXTENT - PEN / 2),
    );
    this._cursor.shown = true;
    if (down) this._gestures.at(-1).strokes[0].push(this._cursor.at);
    this._refresh();
  }

  _setPen(down) {
    this._cursor.down = down;
    this._cursor.shown = true;
    if (down) this._gestures.push({ strokes: [[this._cursor.at]], wentOver: false });
    this._announce(down ? "Pen down" : "Pen up");
    this._refresh();
  }

  _change(participle, change) {
    change();
    this._announce(`Drawing ${participle}`);
  }

  _showCursor(shown) {
    this._cursor.shown = shown;
    if (!shown) this._cursor.down = false;
    this._paint();
  }

  // Painting

  _refresh() {
    this._paint();
    this._changed(this);
  }

  _fit() {
    const side = Math.round(this._canvas.clientWidth * (window.devicePixelRatio || 1)) || EXTENT;
    if (this._canvas.width !== side) this._canvas.width = this._canvas.height = side;
    this._paint();
  }

  _paint() {
    const context = this._context;
    const scale = this._canvas.width / EXTENT;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, EXTENT, EXTENT);
    Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#fff" });
    for (const stroke of this.strokes) {
      context.beginPath();
      context.moveTo(...stroke[0]);
      for (const point of stroke) context.lineTo(...point);
      context.stroke();
    }
    if (this._cursor.shown) this._paintCursor();
  }

  _paintCursor() {
    const context = this._context;
    context.beginPath();
    context.arc(...this._cursor.at, PEN / 2 + 2, 0, 2 * Math.PI);
    Object.assign(context, { lineWidth: 3, strokeStyle: this._cursor.down ? "#ffb000" : "#58a6ff" });
    context.stroke();
  }
}
