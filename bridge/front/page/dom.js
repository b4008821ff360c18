/** A few verbs over the DOM. Strings become text nodes, never markup: nothing here or elsewhere sets innerHTML. */

const SVG = 'http://www.w3.org/2000/svg';

export const byId = (id) => document.getElementById(id);

/** An element; attributes with value null, undefined or false are left out, true is an empty one. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) setAttribute(node, name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** The setters touch the DOM only when something changes: they run for every row in every frame. */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

export function setText(node, text) {
  const words = String(text);
  const only = node.firstChild;
  if (only !== null && only === node.lastChild && only.nodeType === Node.TEXT_NODE) {
    if (only.data !== words) only.data = words;
  } else {
    node.textContent = words;
  }
}

export function setHidden(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

/** Text from the wire that may be too long for its place: shown shortened by CSS, whole in the tooltip. */
export function setName(node, text) {
  setText(node, text);
  setAttribute(node, 'title', text);
}

/**
 * The children of `parent`, one per item, kept in the items' order. An item's view lives as long as its key is there,
 * so focus, scroll positions and open details survive; nodes are moved only when their order changes.
 *  create(item) returns {node, update(item)}.
 */
export class KeyedList {
  #views = new Map();

  constructor(parent, keyOf, create) {
    this.parent = parent;
    this.keyOf = keyOf;
    this.create = create;
  }

  update(items) {
    const keys = new Set(items.map(this.keyOf));
    for (const [key, view] of this.#views) {
      if (keys.has(key)) continue;
      view.node.remove();
      this.#views.delete(key);
    }
    let next = this.parent.firstChild;
    for (const item of items) {
      const view = this.#viewOf(item);
      if (view.node === next) next = next.nextSibling;
      else this.parent.insertBefore(view.node, next);
      view.update(item);
    }
  }

  #viewOf(item) {
    const key = this.keyOf(item);
    let view = this.#views.get(key);
    if (view === undefined) {
      view = this.create(item);
      this.#views.set(key, view);
    }
    return view;
  }
}

/** How many there are; `full`: of more, those before them are no longer kept here. */
export function countOf(n, full) {
  return full ? `newest ${n}` : String(n);
}

const grown = new Set();

/**
 * Keeps a scrolling box at its end while it grows, unless its reader has scrolled away from there. Asking a box for its
 * height between two changes makes the browser lay the page out again, so boxes only say that they grew, and
 * scrollGrown() moves them all once everything is drawn.
 */
export class Follower {
  #following = true;

  constructor(box) {
    this.box = box;
    box.addEventListener('scroll', () => {
      this.#following = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
    }, { passive: true });
  }

  /** After the box's lines have changed their shape. */
  toEnd() {
    this.#following = true;
    this.box.scrollTop = this.box.scrollHeight;
  }

  grew() {
    if (this.#following) grown.add(this.box);
  }
}

export function scrollGrown() {
  for (const box of grown) box.scrollTop = box.scrollHeight;
  grown.clear();
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

export function clock(ms) {
  return Number.isFinite(ms) ? CLOCK.format(ms) : '';
}

/** A time of day, with the day unless it is today. */
export function when(ms) {
  if (!Number.isFinite(ms)) return '';
  const today = new Date(ms).toDateString() === new Date().toDateString();
  return today ? clock(ms) : `${DAY.format(ms)}, ${clock(ms)}`;
}

export function duration(ms) {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms % 1_000 === 0 ? 0 : 1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}
