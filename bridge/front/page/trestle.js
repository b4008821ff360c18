/**
 * The client's end of wire B: one WebSocket at a time, its notices understood, its cursor kept, and a new connection
 * made whenever the close code allows it. Works in browsers and, given a WebSocket class, in Node.
 */
import { afterClose } from './closing.js';
import { Cursor } from './cursor.js';

const STABLE_MS = 5_000; // a connection that has been live this long starts the back-off anew
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_REQUESTS = 32;
const DEFAULT_HEARTBEAT_MS = 30_000;
const SLACK_MS = 5_000;

/** What a WebSocket subprotocol name may consist of (RFC 6455 section 4.1); other tokens go into a first message. */
const SUBPROTOCOL = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const noop = () => {};

/**
 * Handlers, all optional:
 *  onState(state)       its `name` is 'connecting', 'catching up', 'live', 'reconnecting', 'refused', 'token' or
 *                       'stopped'; reconnecting has `at` (ms since 1970) and `reason`, refused and token `code` and
 *                       `reason`
 *  onEvent(event)       {data, meta, text, live}: an event to apply, exactly once; text is the whole message
 *  onGap(gap)           the data of a gap notice; a snapshot follows unless the connection is live
 *  onLive(first)        a snapshot or replay is complete; first: the first time on this connection
 *  onNotice(data, text) every notice, for display
 */
export class Connection {
  #options;
  #token;
  #cursor;
  #socket = null;
  #state = { name: 'stopped' };
  #attempt = 0;
  #drain = null;
  #welcome = null;
  #wasLive = false;
  #lastHeard = 0;
  #timers = { retry: null, stable: null, watch: null };
  #requests = new Map();
  #nextId = 1;

  /**
   * url: http(s) or ws(s), without a query. token: empty for none. topics: patterns, absent for everything.
   * cursor: `<epoch>:<offset>` to go on from, absent to join afresh.
   */
  constructor({
    url, token = '', topics = null, cursor = null, WebSocket = globalThis.WebSocket, random = Math.random, ...handlers
  }) {
    this.#cursor = new Cursor(cursor);
    this.#options = {
      url: String(url).replace(/^http/, 'ws'), topics, WebSocket, random,
      onState: noop, onEvent: noop, onGap: noop, onLive: noop, onNotice: noop, ...handlers,
    };
    this.#token = token;
  }

  get state() {
    return this.#state;
  }
  /** {epoch, offset, text}: where we are; text is null before the first snapshot is complete. */
  get cursor() {
    return this.#cursor;
  }
  /** The data of the last welcome: {epoch, offset, session, heartbeat}, or null. */
  get welcome() {
    return this.#welcome;
  }
  /** When the bridge was last heard, ms since 1970; 0 for never. */
  get lastHeard() {
    return this.#lastHeard;
  }

  start() {
    if (this.#socket === null) this.#connect();
  }

  stop() {
    this.#abandon();
    this.#set({ name: 'stopped' });
  }

  /** Another token, for this connection and all that follow. The cursor stays. */
  setToken(token) {
    this.#token = token;
    this.#attempt = 0;
    this.#connect();
  }

  /** Comes back now instead of waiting. */
  retryNow() {
    if (this.#state.name === 'reconnecting') this.#connect();
  }

  /** Sends a request and resolves with the reply's data, or rejects with an Error that has `code`. */
  request(type, members = {}) {
    if (this.#socket?.readyState !== 1) return Promise.reject(failure('not_connected', 'not connected'));
    if (this.#requests.size >= MAX_REQUESTS) return Promise.reject(failure('too_many', 'too many requests wait'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id, failure('timeout', `no reply to ${type}`)), REQUEST_TIMEOUT_MS);
      this.#requests.set(id, { resolve, reject, timer });
      this.#socket.send(JSON.stringify({ type, id, ...members }));
    });
  }

  #connect() {
    this.#abandon();
    this.#set({ name: 'connecting' });
    const inHeader = this.#token !== '' && SUBPROTOCOL.test(this.#token);
    const protocols = inHeader ? ['trestle.v1', `bearer.${this.#token}`] : ['trestle.v1'];
    const socket = new this.#options.WebSocket(this.#address(), protocols);
    this.#socket = socket;
    const current = (handle) => (event) => this.#socket === socket && handle(event);
    socket.onopen = current(() => this.#opened(inHeader));
    socket.onmessage = current((event) => this.#received(event.data));
    socket.onclose = current((event) => this.#closed(event.code, event.reason));
    socket.onerror = noop; // a close always follows and says more
  }

  #address() {
    const address = new URL(this.#options.url);
    const since = this.#cursor.connecting();
    if (since !== null) address.searchParams.set('since', since);
    if (this.#options.topics !== null) address.searchParams.set('topics', this.#options.topics.join(','));
    return address.href;
  }

  #opened(authenticated) {
    this.#heard();
    if (this.#token !== '' && !authenticated) this.request('auth', { token: this.#token }).catch(noop);
  }

  #received(text) {
    this.#heard();
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return; // not a message of Trestle's; the raw text is of no use to anybody who waits for events
    }
    const data = message?.data;
    if (data === null || typeof data !== 'object') return;
    if (message.meta) this.#event(data, message.meta, text);
    else if (data.id !== undefined && this.#requests.has(data.id)) this.#replied(message.success === true, data);
    else if (message.success === true) this.#notice(data, text);
  }

  #event(data, meta, text) {
    if (!this.#cursor.event(meta)) return;
    this.#options.onEvent({ data, meta, text, live: this.#wasLive });
  }

  #notice(data, text) {
    this.#options.onNotice(data, text);
    switch (data.type) {
      case 'welcome':
        return this.#welcomed(data);
      case 'gap':
        this.#cursor.gap(data);
        return this.#options.onGap(data);
      case 'live':
        return this.#nowLive(data);
      case 'cursor':
        return this.#cursor.idle(data);
      case 'drain':
        this.#drain = data;
    }
  }

  #welcomed(data) {
    this.#welcome = data;
    this.#set({ name: 'catching up' });
    this.#watch();
    if (this.#cursor.welcome(data)) {
      this.#options.onGap({ type: 'gap', reason: 'epoch', epoch: data.epoch, offset: data.offset });
    }
  }

  #nowLive(data) {
    const first = !this.#wasLive;
    this.#cursor.live(data);
    this.#wasLive = true;
    if (first) {
      this.#timers.stable = setTimeout(() => (this.#attempt = 0), STABLE_MS);
      this.#set({ name: 'live' });
    }
    this.#options.onLive(first);
  }

  #closed(code, reason) {
    const plan = afterClose({ code, reason, attempt: this.#attempt, drain: this.#drain, random: this.#options.random });
    this.#abandon();
    if (plan.action === 'stop') return this.#set({ name: 'refused', code: plan.code, reason: plan.reason });
    if (plan.action === 'token') return this.#set({ name: 'token', code: plan.code, reason: plan.reason });
    this.#attempt += 1;
    this.#timers.retry = setTimeout(() => this.#connect(), plan.delay);
    this.#set({ name: 'reconnecting', at: Date.now() + plan.delay, code: plan.code, reason: plan.reason });
  }

  /**
   * Pings are answered by the browser unseen, and a vanished network closes nothing. The bridge speaks at least once a
   * heartbeat, so after a longer silence ask, and without an answer come back on a new connection.
   */
  #watch() {
    clearTimeout(this.#timers.watch);
    const quiet = (this.#welcome?.heartbeat || DEFAULT_HEARTBEAT_MS) + SLACK_MS;
    const socket = this.#socket;
    this.#timers.watch = setTimeout(async () => {
      if (Date.now() - this.#lastHeard >= quiet) {
        const answer = await this.request('ping').catch((error) => error);
        if (this.#socket !== socket) return;
        if (answer?.code === 'timeout' && Date.now() - this.#lastHeard >= quiet) {
          return this.#closed(1006, 'no answer');
        }
      }
      this.#watch();
    }, quiet);
  }

  #heard() {
    this.#lastHeard = Date.now();
  }

  #replied(success, data) {
    this.#settle(data.id, success ? data : failure(data.code ?? 'error', data.message ?? 'the request failed'));
  }

  #settle(id, outcome) {
    const request = this.#requests.get(id);
    if (request === undefined) return;
    this.#requests.delete(id);
    clearTimeout(request.timer);
    if (outcome instanceof Error) request.reject(outcome);
    else request.resolve(outcome);
  }

  /** Lets go of the present socket, whose later events no longer count, and of every timer and request. */
  #abandon() {
    for (const name of Object.keys(this.#timers)) {
      clearTimeout(this.#timers[name]);
      this.#timers[name] = null;
    }
    const socket = this.#socket;
    this.#socket = null;
    this.#wasLive = false;
    this.#drain = null;
    for (const id of [...this.#requests.keys()]) this.#settle(id, failure('not_connected', 'the connection ended'));
    if (socket !== null && socket.readyState <= 1) socket.close();
  }

  #set(state) {
    this.#state = state;
    this.#options.onState(state);
  }
}

function failure(code, message) {
  return Object.assign(new Error(message), { code });
}
