// The canvas to draw on: pointer (mouse, finger, pen) and keyboard produce the same strokes.
export const EXTENT = 300; // units of the drawing on both axes, however large the canvas is shown
export const PEN = 18;
const STEP = 15;
const SMALL_STEP = 3;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const PALM_PAUSE = 1500; // milliseconds after the pen was used in which touches are a palm
const LEAST_STEP = 0.5; // units between two points of the pointer; more would only take time
const REMEMBERED = 100; // steps that can be undone

export class Drawing {
  /** Calls `changed(drawing)` after each change, and `announce(text)` with what the keyboard did. */
  constructor(canvas, changed, announce) {
    this._canvas = canvas;
    this._context = canvas.getContext("2d");
    this._changed = changed;
    this._announce = announce;
    this._gestures = []; // the strokes of one touch, or of the keyboard's pen from down to up
    this._before = []; // the gestures before each step, for undo
    this._sample = []; // strokes that show how it works, until the person draws
    this._pointer = null; // the pointer that draws: {id, type}
    this._penUsed = -Infinity;
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

  /** What is on the canvas: the drawing, or the sample. */
  get shown() {
    return this.isEmpty ? this._sample : this.strokes;
  }

  get isSample() {
    return this.isEmpty && this._sample.length > 0;
  }

  get isEmpty() {
    return this._gestures.length === 0;
  }

  get canUndo() {
    return this._before.length > 0;
  }

  /** Whether part of it was drawn over the edge. */
  get wentOver() {
    return this._gestures.some((gesture) => gesture.wentOver);
  }

  /** Show these strokes until the person draws. */
  showSample(strokes) {
    if (!this.isEmpty) return;
    this._sample = strokes;
    this._refresh();
  }

  /** Take back the last step: a touch, or clearing. */
  undo() {
    if (!this.canUndo) return;
    this._release();
    this._gestures = this._before.pop();
    this._refresh();
  }

  clear() {
    this._release();
    this._sample = [];
    if (!this.isEmpty) {
      this._remember();
      this._gestures = [];
    }
    this._refresh();
  }

  focus() {
    this._canvas.focus({ preventScroll: true });
  }

  _begin(gesture) {
    this._sample = [];
    this._remember();
    this._gestures = [...this._gestures, gesture];
  }

  _remember() {
    this._before.push(this._gestures);
    if (this._before.length > REMEMBERED) this._before.shift();
  }

  _release() {
    this._cursor.down = false;
    this._pointer = null;
  }

  // Pointers

  _listenToPointers() {
    const canvas = this._canvas;
    canvas.addEventListener("pointerdown", (event) => this._press(event));
    canvas.addEventListener("pointermove", (event) => this._go(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(name, (event) => this._lift(event));
    }
  }

  _press(event) {
    if (event.button !== 0 || this._isPalm(event)) return;
    if (this._pointer !== null) {
      if (event.pointerType !== "pen" || this._pointer.type !== "touch") return;
      this._gestures = this._before.pop(); // the hand came before the pen: it did not mean to draw
    }
    this._pointer = { id: event.pointerId, type: event.pointerType };
    this._canvas.setPointerCapture(event.pointerId); // follow a line that leaves the canvas
    this._cursor.shown = this._cursor.down = false;
    this._outside = false;
    this._begin({ strokes: [[]], wentOver: false });
    this._add(this._place(event));
    this._refresh();
  }

  _isPalm(event) {
    if (event.pointerType === "pen") this._penUsed = event.timeStamp;
    return event.pointerType === "touch" && event.timeStamp - this._penUsed < PALM_PAUSE;
  }

  _go(event) {
    if (event.pointerType === "pen") this._penUsed = event.timeStamp; // also if it only hovers
    if (event.pointerId !== this._pointer?.id) return;
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const each of passed.length > 0 ? passed : [event]) this._add(this._place(each));
    this._changed(this);
  }

  _lift(event) {
    if (event.pointerId === this._pointer?.id) this._pointer = null;
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
    const stroke = gesture.strokes.at(-1);
    if (stroke.length === 0 || distance(stroke.at(-1), nearest) >= LEAST_STEP) {
      stroke.push(nearest);
      this._paintLine(stroke.slice(-2)); // painting all of it would take longer and longer
    }
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
    document.addEventListener("keydown", (event) => {
      if (!isUndo(event) || isTyping(event.target)) return;
      event.preventDefault();
      this._change("undone", () => this.undo());
    });
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key in ARROWS) this._move(ARROWS[event.key], event.shiftKey ? SMALL_STEP : STEP);
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
    if (this._pointer !== null) return; // one pen at a time
    this._cursor.down = down;
    this._cursor.shown = true;
    if (down) this._begin({ strokes: [[this._cursor.at]], wentOver: false });
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
    for (const stroke of this.shown) this._paintLine(stroke);
    if (this._cursor.shown) this._paintCursor();
  }

  _paintLine(points) {
    const context = this._context;
    Object.assign(context, { lineWidth: PEN, lineCap: "round", lineJoin: "round" });
    context.strokeStyle = this.isSample ? "#8fb2ff" : "#fff";
    context.beginPath();
    context.moveTo(...points[0]);
    for (const point of points) context.lineTo(...point);
    context.stroke();
  }

  _paintCursor() {
    const context = this._context;
    context.beginPath();
    context.arc(...this._cursor.at, PEN / 2 + 2, 0, 2 * Math.PI);
    Object.assign(context, { lineWidth: 3, strokeStyle: this._cursor.down ? "#ffb000" : "#58a6ff" });
    context.stroke();
  }
}

function distance([ax, ay], [bx, by]) {
  return Math.hypot(bx - ax, by - ay);
}

function isUndo(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return false;
  // Keyboards for other scripts have another letter on the key; a browser that fills in a form, none at all.
  const letter = /^[a-z]$/i.test(event.key ?? "") ? event.key : event.code?.replace("Key", "");
  return letter?.toLowerCase() === "z";
}

/** Whether the element has an undo of its own. */
function isTyping(element) {
  return element instanceof HTMLInputElement && ["text", "password"].includes(element.type);
}
