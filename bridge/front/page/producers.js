/** Which producers are there, from the topics `$sys.producer.<id>`. Pure: no DOM, no clock. */
import { MAX_PRODUCERS, short } from './bounds.js';

export const PRESENCE_PATTERN = '$sys.producer.*';

export class Producers {
  /** id → {id, state, since (ms), stale} */
  #producers = new Map();

  all() {
    return [...this.#producers.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  }

  apply(event, { time }) {
    if (event.type !== '$sys.producer') return false;
    const id = short(event.id);
    if (id === '') return true;
    this.#producers.delete(id);
    const since = Number.isFinite(event.since) ? Math.floor(event.since / 1_000) : time;
    this.#producers.set(id, { id, state: short(event.state) || 'unknown', since, stale: false });
    if (this.#producers.size > MAX_PRODUCERS) this.#producers.delete(this.#producers.keys().next().value);
    return true;
  }

  /** A new snapshot of presence has been asked for; what it does not confirm goes in sweep(). */
  suspect() {
    for (const producer of this.#producers.values()) producer.stale = true;
  }
  sweep() {
    for (const producer of this.#producers.values()) if (producer.stale) this.#producers.delete(producer.id);
  }
}
