/** Which producers are there, from the topics `$sys.producer.<id>`. Pure: no DOM, no clock. */
import { MAX_PRODUCERS, short } from './bounds.js';

export const PRESENCE_PATTERN = '$sys.producer.*';

/** Who is shown before whom, and kept longer. */
const RANKS = { online: 0, lost: 1, gone: 3 };
const rankOf = ({ state }) => RANKS[state] ?? 2;
const newestFirst = (a, b) => b.since - a.since;

export class Producers {
  /** id → {id, state, since (ms), stale} */
  #producers = new Map();
  full = false; // more have been heard of than are kept

  /** Those online by their ids, then the lost ones, newest first. */
  present() {
    const order = (a, b) => rankOf(a) - rankOf(b) || (a.state === 'online' ? compare(a.id, b.id) : newestFirst(a, b));
    return [...this.#producers.values()].filter(({ state }) => state !== 'gone').sort(order);
  }

  /** Those that have said goodbye, newest first. */
  gone() {
    return [...this.#producers.values()].filter(({ state }) => state === 'gone').sort(newestFirst);
  }

  apply(event, { time }) {
    if (event.type !== '$sys.producer') return false;
    const id = short(event.id);
    if (id === '') return true;
    const since = Number.isFinite(event.since) ? Math.floor(event.since / 1_000) : time;
    this.#producers.set(id, { id, state: short(event.state) || 'unknown', since, stale: false });
    this.#evict();
    return true;
  }

  /** A new snapshot of presence has been asked for; what it does not confirm goes in sweep(). */
  suspect() {
    this.full = false;
    for (const producer of this.#producers.values()) producer.stale = true;
  }
  sweep() {
    for (const producer of this.#producers.values()) if (producer.stale) this.#producers.delete(producer.id);
  }

  /** Over the limit those leave first that are gone, then those that are lost; of each the longest so. */
  #evict() {
    if (this.#producers.size <= MAX_PRODUCERS) return;
    const all = [...this.#producers.values()];
    const victim = all.reduce((a, b) => (rankOf(b) - rankOf(a) || a.since - b.since) > 0 ? b : a);
    this.#producers.delete(victim.id);
    this.full = true;
  }
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
