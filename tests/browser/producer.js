// A real sequenced producer on npm's zeromq: numbers its events, beats, and repeats what the bridge missed.
import { Dealer, Publisher } from 'zeromq';

const BEAT_MS = 1_000;

export class Producer {
  #publisher = new Publisher({ linger: 0 });
  #control = new Dealer({ linger: 0 });
  #epoch = BigInt(Date.now()) * 1000n;
  #held = new Map(); // seq → frames, until the bridge has them
  #last = 0;
  #acked = 0;
  #queue = Promise.resolve();
  #timer = null;
  welcomed = 0;

  /** Resolves once the bridge has welcomed it. */
  static async connect(bridge, id) {
    const producer = new Producer();
    producer.id = id;
    producer.#publisher.connect(bridge.events);
    producer.#control.events.on('handshake', () => producer.#hello()); // on every connection: the bridge may be another
    producer.#control.connect(bridge.control);
    producer.#listen();
    producer.#timer = setInterval(() => producer.#tell({ type: 'beat', ...producer.#range() }), BEAT_MS);
    return producer;
  }

  publish(event) {
    const frames = this.#frames(event);
    this.#held.set(++this.#last, frames);
    this.#send(this.#publisher, frames);
  }

  /** Says goodbye: resolves once it is said. */
  async bye() {
    clearInterval(this.#timer);
    this.#tell({ type: 'bye', last: this.#last });
    await this.#queue;
  }

  /** Ends as a crash would: without a word. */
  close() {
    clearInterval(this.#timer);
    this.#publisher.close();
    this.#control.close();
  }

  #hello() {
    this.#tell({ type: 'hello', acked: this.#acked, ...this.#range() });
  }

  #range() {
    const [first = this.#last + 1] = this.#held.keys();
    return { first, last: this.#last };
  }

  #frames(event) {
    const stamp = Buffer.alloc(24);
    stamp.writeBigUInt64BE(this.#epoch, 0);
    stamp.writeBigUInt64BE(BigInt(this.#last + 1), 8);
    stamp.writeBigUInt64BE(BigInt(Date.now()) * 1000n, 16);
    return ['', this.id, stamp, JSON.stringify(event)];
  }

  #tell(message) {
    const { type, ...rest } = message;
    this.#send(this.#control, [JSON.stringify({ type, v: 1, producer: this.id, epoch: Number(this.#epoch), ...rest })]);
  }

  /** One message at a time: a ZeroMQ socket takes no second one while the first is on its way. */
  #send(socket, frames) {
    this.#queue = this.#queue.then(() => !socket.closed && socket.send(frames)).catch(() => {});
  }

  async #listen() {
    try {
      for await (const [text] of this.#control) this.#answer(JSON.parse(text));
    } catch (error) {
      if (!this.#control.closed) throw error;
    }
  }

  #answer({ type, seq, from, to }) {
    if (type === 'welcome') this.welcomed += 1;
    else if (type === 'ack') this.#forget(seq);
    else if (type === 'replay') this.#repeat(from, to);
  }

  #forget(acked) {
    this.#acked = acked;
    for (const seq of this.#held.keys()) if (seq <= acked) this.#held.delete(seq);
  }

  #repeat(from, to) {
    for (let seq = from; seq <= to; ++seq) {
      const frames = this.#held.get(seq);
      if (frames === undefined) this.#tell({ type: 'gone', from: seq, to: seq });
      else this.#send(this.#control, ['event', ...frames]);
    }
  }
}
