/** The last lines of the stream as they came, and the filter over them. Pure: no DOM, no clock. */
import { MAX_RAW_LINES, MAX_RAW_TEXT, cutEnd, own, short } from './bounds.js';

const ENVELOPE_START = '{"success":true,"data":';
const META_START = ',"meta":{'; // comes last in an envelope, and holds nothing that the line does not show already

export class RawLines {
  /** Oldest first; each {number, time, offset, topic, text, kind}, numbers rising by one. */
  lines = [];
  paused = false;
  missed = 0; // lines that passed while paused
  #number = 0;
  #accepts = () => true;

  event({ data, meta, text }, time) {
    this.#add({ time, offset: meta.offset, topic: short(meta.topic) || short(data.type), kind: 'event' }, text);
  }

  notice(data, text, time) {
    this.#add({ time, offset: data.offset ?? null, topic: short(data.type), kind: 'notice' }, text);
  }

  /** A pattern if it has a wildcard (`task-finished.*`, `>`), else any part of a topic. */
  filter(words) {
    this.#accepts = matcher(words.trim());
  }

  /** The lines that pass the filter, oldest first. */
  shown() {
    return this.lines.filter((line) => this.#accepts(line.topic));
  }

  clear() {
    this.lines = [];
    this.missed = 0;
  }

  resume() {
    this.paused = false;
    this.missed = 0;
  }

  #add(line, text) {
    if (this.paused) {
      this.missed += 1;
      return;
    }
    this.#number += 1;
    this.lines.push({ number: this.#number, ...line, text: bodyOf(text, line.kind) });
    // Cut in larger bites: shifting an array for every line would cost more than the line.
    if (this.lines.length > MAX_RAW_LINES * 1.2) this.lines = this.lines.slice(-MAX_RAW_LINES);
  }
}

/** The event inside an envelope, shortened. The wire splices payloads, so what surrounds them is always the same. */
function bodyOf(text, kind) {
  const end = kind === 'event' ? text.lastIndexOf(META_START) : text.length - 1;
  const body = text.startsWith(ENVELOPE_START) && end > 0 ? text.slice(ENVELOPE_START.length, end) : text;
  if (body.length <= MAX_RAW_TEXT) return body;
  return `${own(cutEnd(body, MAX_RAW_TEXT))}… (${body.length.toLocaleString('en')} characters)`;
}

/** Exported for tests: a predicate over topics. */
export function matcher(words) {
  if (words === '') return () => true;
  if (!/[*>]/.test(words)) {
    const part = words.toLowerCase();
    return (topic) => topic.toLowerCase().includes(part);
  }
  const wanted = words.split('.');
  const rest = wanted.at(-1) === '>';
  if (rest) wanted.pop();
  return (topic) => {
    const segments = topic.split('.');
    if (rest ? segments.length <= wanted.length : segments.length !== wanted.length) return false;
    if (segments[0].startsWith('$') && wanted[0] !== segments[0]) return false;
    return wanted.every((segment, i) => segment === '*' || segment === segments[i]);
  };
}
