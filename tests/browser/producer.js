// A real sequenced producer on npm's zeromq: numbers its events, beats, and repeats what the bridge missed.
import { Dealer, Publisher } from 'zeromq';

const BEAT_MS = 1_000;

export class Producer {
  #publisher = new Publisher({ linger: 0 });
  #control = new Dealer({ linger: 0 });
  #epoch = BigInt(Date.now()) * 1000n;
  #sent = []; // every event, so that any bridge can be told everything: tests are short
  #queue = Promise.resolve();
  #timer = null;
  welcomed = 0;

  /** Resolves once the bridge has welcomed it. */
  static async connect(bridge, id) {
    const producer = new Producer();
    producer.id = id;
    producer.#publisher.connect(bridge.events);
    producer.#control.connect(bridge.control);
    producer.#listen();
    producer.#tell({ type: 'hello', acked: 0, ...producer.#range() });
    producer.#timer = setInterval(() => producer.#tell({ type: 'beat', ...producer.#range() }), BEAT_MS);
    return producer;
  }

  publish(event) {
    const frames = this.#frames(event);
    this.#sent.push(frames);
    this.#send(this.#publisher, frames);
  }

  /** Ends as a crash would: without a word. */
  close() {
    clearInterval(this.#timer);
    this.#publisher.close();
    this.#control.close();
  }

  #range() {
    return { first: 1, last: this.#sent.length };
  }

  #frames(event) {
    const stamp = Buffer.alloc(24);
    stamp.writeBigUInt64BE(this.#epoch, 0);
    stamp.writeBigUInt64BE(BigInt(this.#sent.length + 1), 8);
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

  #answer({ type, from, to }) {
    if (type === 'welcome') this.welcomed += 1;
    if (type !== 'replay') return;
    for (let seq = from; seq <= to; ++seq) this.#send(this.#control, ['event', ...this.#sent[seq - 1]]);
  }
}
