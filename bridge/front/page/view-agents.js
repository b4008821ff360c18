/** Draws agents' runs, artifacts and producers. */
import {
  Follower, KeyedList, byId, countOf, duration, el, setAttribute, setHidden, setName, setText, when,
} from './dom.js';
import { MAX_ARTIFACTS, MAX_RUNS, tail } from './bounds.js';
import { GraphView } from './view-graph.js';
import { toneOf } from './tasks.js';

const EARLIER = '[… earlier text is left out …]\n';
const GROWING_TEXT = 8 * 1024; // characters

export class AgentsView {
  #runs = new KeyedList(byId('runs'), (run) => run.key, () => runItem());
  #artifacts = new KeyedList(byId('artifacts'), (artifact) => artifact.id, () => artifactItem());
  #graph = new GraphView();

  render(agents) {
    this.#runs.update(showCount('agents', 'runs', agents.runs(), MAX_RUNS));
    this.#artifacts.update(showCount('artifacts', 'artifacts', agents.artifacts(), MAX_ARTIFACTS));
    this.#graph.render(agents.graph, agents.graphStale);
  }
}

export class ProducersView {
  #present = new KeyedList(byId('producers'), (producer) => producer.id, () => producerItem());
  #gone = new KeyedList(byId('producers-gone'), (producer) => producer.id, () => producerItem());

  render(producers, allowed) {
    const present = producers.present();
    const gone = producers.gone();
    setHidden(byId('producers-panel'), !allowed);
    this.#present.update(showList('producers', present));
    setText(byId('producers-count'), countsOf(present));
    setHidden(byId('producers-gone-fold'), gone.length === 0);
    setText(byId('producers-gone-count'), producers.full ? `the newest ${gone.length} of those gone` : `${gone.length} gone`);
    this.#gone.update(gone);
  }
}

function countsOf(present) {
  const online = present.filter(({ state }) => state === 'online').length;
  const lost = present.filter(({ state }) => state === 'lost').length;
  return lost === 0 ? `${online} online` : `${online} online, ${lost} lost`;
}

function showCount(count, list, items, max) {
  setText(byId(`${count}-count`), countOf(items.length, items.length >= max));
  return showList(list, items);
}

function showList(list, items) {
  setHidden(byId(list), items.length === 0);
  setHidden(byId(`${list}-empty`), items.length > 0);
  return items;
}

function runItem() {
  const agent = el('h3', { class: 'data' });
  const status = el('span', { class: 'chip' });
  const facts = el('p', { class: 'run-facts data' });
  const box = el('pre', { class: 'run-text', tabindex: '0' });
  const text = new RunText(box);
  return {
    node: el('li', { class: 'run' }, el('header', {}, agent, status), facts, box),
    update(run) {
      setAttribute(this.node, 'data-run', run.run);
      setName(agent, run.agent);
      setText(status, statusOf(run));
      setAttribute(status, 'data-tone', run.done ? toneOf(run.status) : run.quiet ? null : 'warn');
      setName(facts, factsOf(run));
      setAttribute(box, 'aria-label', `Output of ${run.agent}`);
      setHidden(box, run.text === '');
      text.update(run);
    },
  };
}

/**
 * A run's text in its box. While it grows, what is new is appended to the end of it only: laying out all of a long text
 * for every few words is what would make the page stutter. A run that is done shows all that is kept.
 */
class RunText {
  #node = document.createTextNode('');
  #follower;
  #from = 0; // where in the run's text the shown part begins
  #shown = 0; // how far it has been shown
  #cuts = 0;
  #whole = false;

  constructor(box) {
    box.append(this.#node);
    this.#follower = new Follower(box);
  }

  update(run) {
    const anew = this.#cuts !== run.cuts || this.#whole !== run.done || run.text.length - this.#from > 2 * GROWING_TEXT;
    if (!anew && this.#shown === run.text.length) return;
    if (anew) this.#set(run);
    else this.#node.appendData(run.text.slice(this.#shown));
    this.#shown = run.text.length;
    this.#follower.grew();
  }

  #set(run) {
    const part = tail(run.text, run.done ? run.text.length : GROWING_TEXT);
    this.#node.data = part.cut || run.cut ? EARLIER + part.text : part.text;
    this.#from = run.text.length - part.text.length;
    this.#cuts = run.cuts;
    this.#whole = run.done;
  }
}

function statusOf(run) {
  if (run.done) return run.status;
  if (run.quiet) return 'no end seen';
  return run.streamed ? 'output complete' : 'running';
}

function factsOf(run) {
  return [
    run.started === null ? '' : `started ${when(run.started)}`,
    run.duration === null ? '' : `took ${duration(run.duration)}`,
    run.past && run.text === '' ? 'no text kept' : '',
    run.run === '' ? '' : `run ${run.run}`,
  ].filter((fact) => fact !== '').join(' · ');
}

function artifactItem() {
  const type = el('span', { class: 'line-name data' });
  const time = el('time');
  const by = el('span', { class: 'by data' });
  return {
    node: el('li', {}, type, time, by),
    update(artifact) {
      setName(type, artifact.type);
      setText(time, when(artifact.time));
      setText(by, [artifact.by === '' ? '' : `by ${artifact.by}`, artifact.correlation].filter(Boolean).join(' · '));
    },
  };
}

const PRESENCE_TONES = { online: 'good', lost: 'bad' };

function producerItem() {
  const id = el('span', { class: 'line-name data' });
  const since = el('time');
  const state = el('span', { class: 'chip' });
  return {
    node: el('li', {}, id, el('span', { class: 'presence' }, since, state)),
    update(producer) {
      this.node.classList.toggle('stale', producer.stale);
      setAttribute(this.node, 'data-producer', producer.id);
      setName(id, producer.id);
      setText(state, producer.state);
      setAttribute(state, 'data-tone', PRESENCE_TONES[producer.state] ?? null);
      setText(since, producer.state === 'online' ? '' : `since ${when(producer.since)}`);
      setAttribute(this.node, 'title', `${producer.state} since ${when(producer.since)}`);
    },
  };
}
