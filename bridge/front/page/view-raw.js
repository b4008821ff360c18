/** Draws the raw stream: the newest lines, appended as they come, the reader's scroll position left alone. */
import { Follower, byId, clock, el, setAttribute, setText } from './dom.js';
import { MAX_RAW_LINES, cutEnd } from './bounds.js';

const TOPIC_WIDTH = 28;

export class RawView {
  #lines;
  #box = byId('raw');
  #follower = new Follower(this.#box);
  #drawn = 0; // number of the last line drawn
  #anew = false;

  constructor(lines, changed) {
    this.#lines = lines;
    const again = () => {
      this.#anew = true;
      changed();
    };
    byId('raw-filter').addEventListener('input', (event) => {
      lines.filter(event.target.value);
      again();
    });
    byId('raw-pause').addEventListener('click', () => {
      if (lines.paused) lines.resume();
      else lines.paused = true;
      changed();
    });
    byId('raw-clear').addEventListener('click', () => {
      lines.clear();
      again();
    });
    byId('raw-wrap').addEventListener('change', (event) => {
      this.#box.classList.toggle('wrap', event.target.checked);
      this.#follower.toEnd();
    });
    byId('raw-wrap').checked = false;
    byId('raw-filter').value = '';
  }

  render() {
    const shown = this.#lines.shown().slice(-MAX_RAW_LINES);
    if (this.#anew) this.#box.replaceChildren();
    const fresh = this.#anew ? shown : shown.filter((line) => line.number > this.#drawn);
    this.#anew = false;
    this.#drawn = this.#lines.lines.at(-1)?.number ?? this.#drawn;
    this.#box.append(...fresh.map(lineOf));
    while (this.#box.childElementCount > MAX_RAW_LINES) this.#box.firstElementChild.remove();
    if (fresh.length > 0) this.#follower.grew();
    this.#status(shown.length);
  }

  #status(shown) {
    const { paused, missed, lines } = this.#lines;
    const button = byId('raw-pause');
    setAttribute(button, 'aria-pressed', String(paused));
    setText(button, paused ? 'Resume' : 'Pause');
    const held = Math.min(lines.length, MAX_RAW_LINES);
    const figures = `${shown} of the last ${held} lines shown, at most ${MAX_RAW_LINES} kept`;
    const words = held === 0 ? 'no events yet' : figures;
    setText(byId('raw-status'), paused ? `paused; ${missed} more went by · ${words}` : words);
  }
}

/** Columns are made with spaces: five hundred lines of one text each are cheaper to lay out than boxes side by side. */
function lineOf(line) {
  const place = `${clock(line.time)} ${String(line.offset ?? '').padStart(9)}  `;
  return el('div', { class: 'line', 'data-kind': line.kind },
    el('span', { class: 'place' }, place),
    el('span', { class: 'topic', title: line.topic }, fixedWidth(line.topic)),
    el('span', { class: 'body' }, line.text));
}

function fixedWidth(topic) {
  if (topic.length <= TOPIC_WIDTH) return topic.padEnd(TOPIC_WIDTH + 2);
  return `${cutEnd(topic, TOPIC_WIDTH - 1)}…  `;
}
