/** Puts the page together: connection → state (tasks, agents, producers, raw lines) → views, drawn once per frame. */
import { Agents } from './agents.js';
import { readHistory } from './history.js';
import { ConnectionView } from './view-connection.js';
import { AgentsView, ProducersView } from './view-agents.js';
import { PRESENCE_PATTERN, Producers } from './producers.js';
import { RawLines } from './raw.js';
import { RawView } from './view-raw.js';
import { Tasks } from './tasks.js';
import { TasksView } from './view-tasks.js';
import { Connection } from './trestle.js';
import { choose, endpointsAt } from './endpoint.js';
import { renderHistory } from './view-history.js';
import { scrollGrown } from './dom.js';
import { Painter } from './painter.js';
import { keepToken, takeToken } from './token.js';

const CLOCK_MS = 500;
const PRESENCE_SETTLE_MS = 3_000;
const GAP_SETTLE_MS = 30_000;
const UNREACHABLE = 1006;

const state = { tasks: new Tasks(), agents: new Agents(), producers: new Producers(), raw: new RawLines(), events: 0 };
let history = null; // once the past is being read: {reading, parts: those that could be read, null for all}
let presence = false; // whether we may see producers
let presenceTimer = null;
let gapTimer = null;
const painter = new Painter(scrollGrown);
const changed = (...parts) => painter.changed(...parts);

let token = takeToken();
const base = new URL('.', location.href.split(/[?#]/)[0]);
const endpoint = choose(await endpointsAt(base));
const url = new URL(`.${endpoint.path}`, base);
const connection = new Connection({
  url,
  token,
  onState: stateChanged,
  onEvent: eventArrived,
  onGap: gapArrived,
  onLive: nowLive,
  onNotice: noticeArrived,
});

const connectionView = new ConnectionView(connection, (entered) => {
  token = entered;
  keepToken(entered);
  connection.setToken(entered);
});
const tasksView = new TasksView();
const agentsView = new AgentsView();
const producersView = new ProducersView();
const rawView = new RawView(state.raw, () => changed('raw'));

painter.add('tasks', () => tasksView.render(state.tasks), 40);
painter.add('agents', () => agentsView.render(state.agents), 120);
painter.add('history', () => renderHistory(history));
painter.add('producers', () => producersView.render(state.producers, presence), 120);
painter.add('raw', () => rawView.render(), 120);
painter.add('position', () => connectionView.renderPosition(), 120);
painter.add('clock', () => connectionView.renderClock(state.events, Date.now()));

function eventArrived({ data, meta, text, live }) {
  const time = Math.floor(meta.time / 1_000);
  state.events += 1;
  state.raw.event({ data, meta, text }, time);
  changed('raw', 'position');
  if (state.tasks.apply(data, { time })) changed('tasks');
  else if (state.agents.apply(data, { time, live, heard: live ? Date.now() : time })) changed('agents');
  else if (state.producers.apply(data, { time })) changed('producers');
}

function gapArrived({ reason }) {
  state.agents.suspect(reason);
  if (reason === 'epoch' || reason === 'trimmed') state.tasks.suspect();
  changed('tasks', 'agents');
  // On a live connection a snapshot need not follow; what is still true is confirmed by the next events.
  clearTimeout(gapTimer);
  gapTimer = setTimeout(forgetSuspects, GAP_SETTLE_MS);
}

function nowLive(first) {
  forgetSuspects();
  if (first) watchProducers();
  if (history === null) readPast();
}

/** Once, up to where the first connection began: from there on nothing is missed, by whatever connection. */
function readPast() {
  const { epoch, offset } = connection.welcome;
  let past;
  history = { reading: true, parts: null };
  changed('history');
  readHistory({
    url, token, cursor: `${epoch}:${offset}`,
    onBegin() {
      past = { tasks: new Tasks(), agents: new Agents() };
    },
    onEvent({ data, meta }) {
      const time = Math.floor(meta.time / 1_000);
      if (!past.tasks.apply(data, { time })) past.agents.apply(data, { time, live: false });
    },
    onEnd(parts) {
      state.tasks.takePast(past.tasks);
      state.agents.takePast(past.agents);
      state.agents.hush(Date.now());
      history = { reading: false, parts };
      changed('history', 'tasks', 'agents');
    },
  });
}

function forgetSuspects() {
  clearTimeout(gapTimer);
  state.tasks.sweep();
  state.agents.sweep();
  changed('tasks', 'agents', 'position');
}

/** Presence is not part of `>`, and not every token may see it: whoever may not does without. */
async function watchProducers() {
  state.producers.suspect();
  const reply = await connection.request('subscribe', { topics: [PRESENCE_PATTERN] }).catch((error) => error);
  presence = !(reply instanceof Error);
  clearTimeout(presenceTimer);
  presenceTimer = setTimeout(() => {
    state.producers.sweep();
    changed('producers');
  }, PRESENCE_SETTLE_MS);
  changed('producers');
}

function noticeArrived(data, text) {
  if (data.type === 'cursor') return changed('position');
  state.raw.notice(data, text, Date.now());
  changed('raw', 'position');
}

function stateChanged({ name, code }) {
  // 4401 and 4403 as well as an expired token: another token is the one thing a reader can do about it.
  if (name === 'refused' || name === 'token') connectionView.ask(endpoint.token);
  else if (name === 'catching up' && connectionView.asking) connectionView.ask(false);
  if (name === 'catching up') connectionView.warn('');
  if (name === 'reconnecting' && code === UNREACHABLE && connection.welcome === null) checkTheWay();
  changed('clock', 'position');
}

/** The page came through, its WebSocket never did: if the bridge does answer, something on the way stops WebSockets. */
async function checkTheWay() {
  const endpoints = await endpointsAt(base);
  if (endpoints === null || connection.welcome !== null) return;
  connectionView.warn(`The bridge answers, but no WebSocket opens at ${new URL(`.${endpoint.path}`, base).pathname}. `
    + 'If a proxy stands in between, it has to hand on the Upgrade header; if the bridge’s endpoints have changed, reload.');
}

setInterval(() => {
  changed('clock');
  if (state.agents.hush(Date.now())) changed('agents');
}, CLOCK_MS);
addEventListener('online', () => connection.retryNow());
connectionView.offerToken(endpoint.token);
if (token === '' && endpoint.token) connectionView.ask(true, { focus: false });
painter.all();
connection.start();
