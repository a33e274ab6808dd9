// Drawings that the person has told the digit of: a test set of their own hand, kept in this browser.
const KEY = "snapline-digits";
const MOST = 2000;

export class Collection {
  constructor() {
    this._lines = [];
    this._isStored = true;
    this.refresh();
  }

  /** Takes up what earlier visits and other tabs have kept. */
  refresh() {
    if (!this._isStored) return; // there is more here than in the browser's storage
    try {
      this._lines = (localStorage.getItem(KEY) ?? "").split("\n").filter(isRecord);
    } catch {
      this._isStored = false; // the browser denies storage: kept until the page is closed
    }
  }

  get size() {
    return this._lines.length;
  }

  /** Whether it outlives the page. */
  get isStored() {
    return this._isStored;
  }

  get isFull() {
    return this.size >= MOST;
  }

  add({ digit, read, confidence, strokes }) {
    const rounded = strokes.map((stroke) => stroke.map((point) => point.map(Math.round)));
    const record = { digit, read, confidence, strokes: rounded, at: new Date().toISOString() };
    this.refresh();
    this._lines.push(JSON.stringify(record));
    this._store();
  }

  clear() {
    this._lines = [];
    this._store();
  }

  /** As JSON lines, one for each drawing. */
  get text() {
    return this._lines.map((line) => `${line}\n`).join("");
  }

  _store() {
    try {
      if (this._lines.length > 0) localStorage.setItem(KEY, this._lines.join("\n"));
      else localStorage.removeItem(KEY);
      this._isStored = true;
    } catch {
      this._isStored = false; // denied, or full
    }
  }
}

function isRecord(line) {
  try {
    return Array.isArray(JSON.parse(line).strokes);
  } catch {
    return false;
  }
}
