/** Draws the state of the connection and asks for the token. */
import { byId, duration, setAttribute, setHidden, setText } from './dom.js';

const RATE_WINDOW_MS = 3_000;

export class ConnectionView {
  #connection;
  #counts = []; // [time, events so far], of the last few seconds
  #asking = false;

  /** onToken(token) is called with what the reader enters; empty to forget it. */
  constructor(connection, onToken) {
    this.#connection = connection;
    byId('retry').addEventListener('click', () => connection.retryNow());
    byId('token-toggle').addEventListener('click', () => this.ask(byId('token-panel').hidden));
    byId('token-form').addEventListener('submit', (event) => {
      event.preventDefault();
      const token = byId('token').value.trim();
      byId('token').value = '';
      this.ask(false);
      onToken(token);
    });
    byId('token-forget').addEventListener('click', () => {
      byId('token').value = '';
      this.ask(false);
      onToken('');
    });
  }

  ask(open, { focus = true } = {}) {
    this.#asking = open;
    setHidden(byId('token-panel'), !open);
    setAttribute(byId('token-toggle'), 'aria-expanded', String(open));
    if (open && focus) byId('token').focus();
  }
  get asking() {
    return this.#asking;
  }

  /** Where none is wanted, none is asked for. */
  offerToken(wanted) {
    setHidden(byId('token-toggle'), !wanted);
  }

  /** What a reader should do something about; empty for nothing. */
  warn(words) {
    setText(byId('warning'), words);
    setHidden(byId('warning'), words === '');
  }

  /** What changes with every event. */
  renderPosition() {
    const { cursor, welcome } = this.#connection;
    setText(byId('fact-offset'), cursor.text === null ? '–' : cursor.offset);
    setText(byId('fact-epoch'), cursor.epoch ?? welcome?.epoch ?? '–');
  }

  /** What changes with time; `events` is how many have come so far. */
  renderClock(events, now) {
    const { state, welcome, lastHeard } = this.#connection;
    setAttribute(byId('state'), 'data-state', state.name);
    setText(byId('state-text'), wordsFor(state));
    setText(byId('state-wait'), waitFor(state, now));
    setHidden(byId('retry'), state.name !== 'reconnecting');
    setText(byId('fact-session'), welcome?.session ?? '–');
    setText(byId('fact-heartbeat'), welcome?.heartbeat ? duration(welcome.heartbeat) : '–');
    setText(byId('fact-heard'), lastHeard === 0 ? '–' : heard(now - lastHeard));
    setText(byId('fact-rate'), this.#rate(events, now));
    document.title = `${TITLE_MARKS[state.name] ?? ''}Trestle`;
  }

  #rate(events, now) {
    this.#counts.push([now, events]);
    while (this.#counts.length > 1 && now - this.#counts[0][0] > RATE_WINDOW_MS) this.#counts.shift();
    const [then, before] = this.#counts[0];
    return now > then ? Math.round(((events - before) * 1_000) / (now - then)) : 0;
  }
}

const TITLE_MARKS = { reconnecting: '… ', refused: '✕ ', token: '✕ ' };

/** The countdown is for the eye only: read aloud every second it would drown everything else. */
function waitFor(state, now) {
  if (state.name !== 'reconnecting') return '';
  return ` in ${Math.max(0, Math.ceil((state.at - now) / 1_000))} s`;
}

function wordsFor(state) {
  switch (state.name) {
    case 'reconnecting':
      return `${state.reason}; reconnecting`;
    case 'refused':
      return `refused: ${state.reason} (${state.code})`;
    case 'token':
      return `${state.reason}: enter a new one`;
    default:
      return state.name;
  }
}

function heard(ms) {
  return ms < 1_500 ? 'just now' : `${Math.round(ms / 1_000)} s ago`;
}
