/** Draws the two queues and the rows of tasks. */
import { KeyedList, byId, countOf, el, setAttribute, setHidden, setName, setText, when } from './dom.js';
import { MAX_TASKS } from './bounds.js';
import { STEPS, toneOf } from './tasks.js';

const STEP_NAMES = { COMPRESSION: 'Compress', PAR_CREATION: 'Recovery', UPLOADING: 'Upload' };
const STEP_DOINGS = { COMPRESSION: 'compressing', PAR_CREATION: 'creating recovery files', UPLOADING: 'uploading' };
const PLACE_NAMES = {
  'compression-queued': 'waiting for compression',
  'upload-queued': 'waiting for upload',
};
const TOOL_NAMES = { rar: 'Archiver', par: 'Recovery files', nyuu: 'Uploader' };

const stepName = (step) => STEP_NAMES[step] ?? step;

export class TasksView {
  #queues = { compression: new QueueView(byId('queue-compression')), upload: new QueueView(byId('queue-upload')) };
  #running = new KeyedList(byId('running'), (task) => task.id, () => runningRow());
  #finished = new KeyedList(byId('finished'), (task) => task.id, () => finishedRow());

  render(tasks) {
    for (const [name, view] of Object.entries(this.#queues)) view.render(tasks.queues?.[name], tasks.queuesStale);
    const running = tasks.running();
    const finished = tasks.finished();
    this.#running.update(running);
    this.#finished.update(finished);
    setText(byId('running-count'), running.length);
    setText(byId('finished-count'), countOf(finished.length, finished.length + running.length >= MAX_TASKS));
    setHidden(byId('running-empty'), running.length > 0);
    setHidden(byId('finished-empty'), finished.length > 0);
  }
}

class QueueView {
  #part;
  #names;

  constructor(panel) {
    this.panel = panel;
    this.#part = (name) => panel.querySelector(`[data-part="${name}"]`);
    this.#names = new KeyedList(this.#part('names'), (entry) => entry.key, () => queueEntry());
  }

  render(queue, stale) {
    this.panel.classList.toggle('stale', stale);
    const chip = this.#part('active');
    setText(chip, queue === undefined ? 'unknown' : queue.active ? 'active' : 'paused');
    setAttribute(chip, 'data-tone', queue === undefined ? null : queue.active ? 'good' : 'warn');
    setText(this.#part('running'), queue?.running ?? '–');
    setText(this.#part('queued'), queue?.queued ?? '–');
    this.#names.update(queue === undefined ? [] : entriesOf(queue));
  }
}

function entriesOf(queue) {
  const seen = new Map(); // two tasks may carry one id: a producer's mistake must not break the list
  const entry = (place) => ({ id, title }) => {
    const base = `${place} ${id} ${title}`;
    const nth = (seen.get(base) ?? 0) + 1;
    seen.set(base, nth);
    return { key: `${base} ${nth}`, place, title: title || '(no name)' };
  };
  const entries = [...queue.runningTasks.map(entry('running')), ...queue.queuedTasks.map(entry('queued'))];
  const more = queue.running + queue.queued - entries.length;
  if (more > 0 && entries.length > 0) entries.push({ key: 'more', place: '', title: `and ${more} more` });
  return entries;
}

function queueEntry() {
  const place = el('span');
  const title = el('span', { class: 'data' });
  return {
    node: el('li', {}, place, title),
    update(entry) {
      setText(place, entry.place);
      setName(title, entry.title);
    },
  };
}

function runningRow() {
  const name = el('span', { class: 'task-name data' });
  const step = el('span', { class: 'task-step data' });
  const status = el('span', { class: 'chip task-end' });
  const steps = new StepsView();
  const row = el('div', { class: 'task-row' },
    el('div', { class: 'task-words data' }, name, step), steps.node, status);
  return {
    node: el('li', { class: 'task' }, row),
    update(task) {
      this.node.classList.toggle('stale', task.stale);
      setAttribute(this.node, 'data-task', task.id);
      setName(name, task.name || task.id);
      setText(step, PLACE_NAMES[task.place] ?? (task.step === '' ? 'starting' : STEP_DOINGS[task.step] ?? task.step));
      const waits = task.place.endsWith('-queued');
      setText(status, waits ? 'waiting' : 'running');
      setAttribute(status, 'data-tone', waits ? 'warn' : null);
      steps.update(task);
    },
  };
}

let nextDetails = 1;

function finishedRow() {
  const detailsId = `details-${nextDetails++}`;
  const name = el('span', { class: 'task-name data' });
  const summary = el('span', { class: 'task-step' });
  const status = el('span', { class: 'chip task-end' });
  const steps = new StepsView();
  const title = el('span', { class: 'task-title' },
    el('span', { class: 'twist', 'aria-hidden': 'true' }, '▸'),
    el('span', { class: 'task-words data' }, name, summary));
  const button = el('button',
    { type: 'button', class: 'task-row', 'aria-expanded': 'false', 'aria-controls': detailsId },
    title, steps.node, status);
  const details = el('div', { class: 'details', id: detailsId, hidden: true });
  const view = {
    node: el('li', { class: 'task' }, button, details),
    task: null,
    drawn: null, // the outputs that `details` shows; drawn only while open
    update(task) {
      this.task = task;
      setAttribute(this.node, 'data-task', task.id);
      setName(name, task.name || task.id);
      setText(summary, summaryOf(task));
      setText(status, task.status);
      setAttribute(status, 'data-tone', toneOf(task.status));
      steps.update(task);
      this.draw();
    },
    draw() {
      const open = button.getAttribute('aria-expanded') === 'true';
      if (!open || this.drawn === this.task.outputs) return;
      this.drawn = this.task.outputs;
      details.replaceChildren(...detailsOf(this.task));
    },
  };
  button.addEventListener('click', () => {
    const open = button.getAttribute('aria-expanded') !== 'true';
    button.setAttribute('aria-expanded', String(open));
    details.hidden = !open;
    view.draw();
  });
  return view;
}

function summaryOf(task) {
  return [when(task.at), toolsOf(task)].filter(Boolean).join(' · ');
}

function toolsOf(task) {
  if (task.outputsDropped) return 'outputs forgotten to save memory';
  const n = task.outputs.length;
  const failed = task.outputs.filter((tool) => tool.exitCode !== null && tool.exitCode !== 0).length;
  if (n === 0) return 'no tool output';
  return `${n} ${n === 1 ? 'tool' : 'tools'}${failed > 0 ? `, ${failed} failed` : ''}`;
}

function detailsOf(task) {
  const settings = el('dl', { class: 'settings' }, ...task.settings.map(([name, value]) =>
    el('div', {}, el('dt', { class: 'data' }, name), el('dd', { class: 'data' }, value))));
  return [settings, ...task.outputs.map(toolOf)];
}

function toolOf(tool) {
  const exit = tool.exitCode === null
    ? el('span', { class: 'chip' }, 'no exit code')
    : el('span', { class: 'chip', 'data-tone': tool.exitCode === 0 ? 'good' : 'bad' }, `exit ${tool.exitCode}`);
  const name = TOOL_NAMES[tool.tool] ?? tool.tool;
  const output = tool.output === '' ? null : textBox('output', `${name}: output`, tool.output, tool.outputCut);
  const failed = tool.exitCode !== 0; // tools that succeed write remarks and progress to their error output
  const error = tool.error === '' ? null
    : textBox(failed ? 'error' : 'remarks', `${name}: error output`, tool.error, tool.errorCut);
  return el('section', { class: 'tool', 'data-tool': tool.tool },
    el('header', {}, el('h3', { class: 'data' }, name), exit),
    tool.command === '' ? null : el('p', { class: 'command data', tabindex: '0' }, tool.command),
    ...(failed ? [error, output] : [output, error]));
}

function textBox(kind, label, text, cut) {
  const words = cut ? `[… the beginning is left out …]\n${text}` : text;
  return el('pre', { class: kind, tabindex: '0', 'aria-label': label }, words);
}

/** One bar per step: the known three always, others as they occur. */
class StepsView {
  node = el('span', { class: 'steps' });
  #list = new KeyedList(this.node, (step) => step.name, () => stepBar());

  update(task) {
    const others = [...task.steps.keys()].filter((step) => !STEPS.includes(step));
    this.#list.update([...STEPS, ...others].map((name) => stepOf(task, name)));
  }
}

/**
 * A step's state: done, now, failed or ahead. Whoever joins late gets the newest progress only, but the known steps
 * have an order, so those before the present one are over.
 */
function stepOf(task, name) {
  const percent = task.steps.get(name);
  const order = STEPS.indexOf(name);
  const over = order >= 0 && order < STEPS.indexOf(task.step);
  const title = task.name || task.id;
  const as = (state, shown = percent) => ({ name, title, state, percent: shown });
  if (task.finished && toneOf(task.status) === 'good') return as('done', 100);
  if (task.finished && name === (task.failedStep || task.step)) return as('failed', percent ?? 0);
  if (over) return as('done', 100);
  if (task.finished) return as(percent === 100 ? 'done' : 'ahead');
  if (name === task.step) return as(percent === 100 ? 'done' : 'now', percent ?? 0);
  return as('ahead');
}

function stepBar() {
  const label = el('span');
  const figure = el('span', { class: 'num' });
  const bar = el('progress', { max: 100, value: 0 });
  return {
    node: el('span', { class: 'step' }, label, figure, bar),
    update(step) {
      setAttribute(this.node, 'data-step', step.name);
      setAttribute(this.node, 'data-state', step.state);
      setName(label, stepName(step.name));
      setText(figure, step.percent === undefined ? '–' : `${Math.floor(step.percent)} %`);
      if (bar.value !== (step.percent ?? 0)) bar.value = step.percent ?? 0;
      setAttribute(bar, 'aria-label', `${stepName(step.name)} of ${step.title}`);
    },
  };
}
