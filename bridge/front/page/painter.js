/**
 * Draws parts of the page in animation frames: each at most once a frame and at most once in its own interval, however
 * often it changes, so that a thousand events a second cost no more than a few drawings.
 */
export class Painter {
  #parts = new Map(); // name → {draw, interval, drawn, waiting}
  #ready = new Set();
  #after;

  /** `after` runs at the end of every frame that drew something. */
  constructor(after) {
    this.#after = after;
  }

  /** `interval` in ms between two drawings; 0 for every frame. */
  add(name, draw, interval = 0) {
    this.#parts.set(name, { draw, interval, drawn: -Infinity, waiting: false });
  }

  changed(...names) {
    for (const name of names) {
      const part = this.#parts.get(name);
      if (part.waiting) continue;
      part.waiting = true;
      const wait = part.drawn + part.interval - performance.now();
      if (wait > 0) setTimeout(() => this.#request(name), wait);
      else this.#request(name);
    }
  }

  all() {
    this.changed(...this.#parts.keys());
  }

  #request(name) {
    if (this.#ready.size === 0) requestAnimationFrame(() => this.#frame());
    this.#ready.add(name);
  }

  #frame() {
    const names = [...this.#ready];
    this.#ready.clear();
    for (const name of names) {
      const part = this.#parts.get(name);
      part.waiting = false;
      part.drawn = performance.now();
      part.draw();
    }
    this.#after();
  }
}
