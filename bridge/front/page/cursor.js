/**
 * A client's place in the bridge's stream, and the rules by which it moves.
 *
 * A cursor `<epoch>:<offset>` says "I have seen everything that matters to me up to here". Losing an event by moving it
 * too early is worse than seeing one twice, so whenever the wire leaves a choice the cursor stays behind.
 *
 * Pure: no socket, no clock, no DOM.
 */
export class Cursor {
  #epoch = null; // null: nothing has been seen completely, the next connection joins afresh
  #offset = 0;
  /**
   * join: the snapshot is coming in. Its events have old offsets in no useful order, so nothing moves until `live`.
   * since: what was missed is coming in, in offset order, so everything moves.
   * live: offsets rise; replays asked for in-band are flagged and don't move.
   */
  #phase = 'join';
  #rebuilding = false; // after a gap the full snapshot comes, older offsets included, and none of it may be skipped

  /** `text` is what another cursor has as its text; without one the first connection joins afresh. */
  constructor(text = null) {
    if (text === null) return;
    const colon = text.indexOf(':');
    this.#epoch = text.slice(0, colon);
    this.#offset = Number(text.slice(colon + 1));
  }

  /** `<epoch>:<offset>`, or null as long as there is nothing to come back to. */
  get text() {
    return this.#epoch === null ? null : `${this.#epoch}:${this.#offset}`;
  }
  get epoch() {
    return this.#epoch;
  }
  get offset() {
    return this.#offset;
  }
  get phase() {
    return this.#phase;
  }

  /** A connection is about to be made: what to send as `since`, null for a plain join. */
  connecting() {
    this.#phase = this.#epoch === null ? 'join' : 'since';
    this.#rebuilding = false;
    return this.text;
  }

  /** Returns true if the numbering we know has ended, whether or not a gap says so as well. */
  welcome({ epoch }) {
    if (this.#epoch === null || this.#epoch === epoch) return false;
    this.#restart(epoch);
    return true;
  }

  /** An event arrived: returns whether to apply it (false: it has been applied before). */
  event({ offset, replay = false }) {
    if (this.#phase === 'join') return true;
    if (replay && this.#phase === 'live') return true;
    if (offset > this.#offset) {
      this.#offset = offset;
      return true;
    }
    return replay || this.#rebuilding;
  }

  gap({ reason, epoch }) {
    // Reason `epoch` also means "your offset is ahead of the head": the count restarts even if the name is the same.
    if (this.#epoch !== null && reason === 'epoch') this.#restart(epoch);
    this.#rebuilding = this.#phase === 'since';
  }

  /** Snapshot or replay is complete. Also ends a replay asked for in-band, when it is just a newer position. */
  live({ epoch, offset }) {
    this.#offset = this.#epoch === epoch ? Math.max(this.#offset, offset) : offset;
    this.#epoch = epoch;
    this.#phase = 'live';
    this.#rebuilding = false;
  }

  /** Nothing that matters to us happened up to here. */
  idle({ epoch, offset }) {
    if (this.#phase === 'live' && epoch === this.#epoch) this.#offset = Math.max(this.#offset, offset);
  }

  #restart(epoch) {
    this.#epoch = epoch;
    this.#offset = 0;
    this.#rebuilding = this.#phase === 'since';
  }
}
