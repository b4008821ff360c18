/** The compression and upload queues and the tasks in them, put together from events. Pure: no DOM, no clock. */
import {
  MAX_NAME, MAX_OUTPUT, MAX_OUTPUTS_TOTAL, MAX_QUEUE_NAMES, MAX_SETTINGS, MAX_STEPS, MAX_TASKS, MAX_TOOLS, short, tail,
} from './bounds.js';

/** The steps of every task, in order. Others may occur and are shown after them. */
export const STEPS = ['COMPRESSION', 'PAR_CREATION', 'UPLOADING'];
const QUEUES = ['compression', 'upload'];
const TOOL_STEPS = { rar: 'COMPRESSION', par: 'PAR_CREATION', nyuu: 'UPLOADING' };

export class Tasks {
  /** {compression, upload}: each {active, running, runningTasks, queued, queuedTasks}; null before the first update. */
  queues = null;
  queuesStale = false;
  /** id → {id, name, step, steps: Map(name → percent), place, finished, at (ms), status, outputs, settings, stale, listed} */
  #tasks = new Map();
  #listed = new Map(); // id → {title, place}: what the last queue-update said of every task it named
  #outputSize = 0;

  /** Tasks at work, in the order in which they were first heard of. */
  running() {
    return [...this.#tasks.values()].filter((task) => !task.finished);
  }
  /** Finished tasks, newest first. */
  finished() {
    return [...this.#tasks.values()].filter((task) => task.finished).reverse();
  }

  /** `time` is the event's in ms. Returns whether it was one of ours. */
  apply(event, { time = null } = {}) {
    switch (event.type) {
      case 'queue-update':
        this.#queueUpdate(event);
        return true;
      case 'command-progress':
        this.#progress(event);
        return true;
      case 'task-finished':
        this.#finish(event.taskConfig, time);
        return true;
      default:
        return false;
    }
  }

  /**
   * Takes what had finished before this began, from a Tasks of its own. What is known here is newer: a task that makes
   * progress is run once more; one that only its queue lists is not, for the update that takes it out comes after its end.
   */
  takePast(past) {
    const older = past.finished().reverse().filter(({ id }) => !this.#isNews(id));
    for (const task of older) {
      task.listed = this.#listed.has(task.id);
      this.#outputSize += task.outputSize;
      this.#tasks.delete(task.id);
    }
    this.#tasks = new Map([...older.map((task) => [task.id, task]), ...this.#tasks]);
    this.#evict();
    this.#shrinkOutputs();
  }

  #isNews(id) {
    const task = this.#tasks.get(id);
    return task !== undefined && (task.finished || task.steps.size > 0);
  }

  /** Part of the stream is missing: what is not confirmed by the snapshot that follows will be forgotten in sweep(). */
  suspect() {
    this.queuesStale = this.queues !== null;
    for (const task of this.running()) task.stale = true;
  }

  /** The snapshot is complete. */
  sweep() {
    if (this.queuesStale) this.queues = null;
    this.queuesStale = false;
    for (const task of this.running()) if (task.stale) this.#tasks.delete(task.id);
  }

  #queueUpdate(event) {
    this.queues = {};
    this.queuesStale = false;
    for (const task of this.#tasks.values()) task.place = '';
    this.#listed.clear();
    for (const name of QUEUES) {
      const running = this.#tasksOf(event[`${name}RunningConfigs`]);
      const queued = this.#tasksOf(event[`${name}QueuedConfigs`]);
      this.queues[name] = {
        active: event[`${name}Active`] === true,
        running: count(event[`${name}Running`], running),
        runningTasks: running.slice(0, MAX_QUEUE_NAMES),
        queued: count(event[`${name}Queued`], queued),
        queuedTasks: queued.slice(0, MAX_QUEUE_NAMES),
      };
      for (const { id, title } of queued) this.#list(id, title, `${name}-queued`);
      for (const { id, title } of running) this.#list(id, title, `${name}-running`);
    }
    for (const [id, { place }] of this.#listed) {
      // Queued tasks have their place in the queue's list; a row only if they have been at work before.
      if (place.endsWith('-running') || this.#tasks.has(id)) this.#place(this.#task(id));
    }
    for (const task of this.#tasks.values()) task.listed = this.#listed.has(task.id);
  }

  #tasksOf(configs) {
    if (!Array.isArray(configs)) return [];
    return configs.slice(0, MAX_TASKS).map((config) => ({ id: short(config?.id), title: titleOf(config) }));
  }

  #list(id, title, place) {
    if (id !== '') this.#listed.set(id, { title, place });
  }

  /** Gives a task the name and place the queues know it by. */
  #place(task) {
    const { title, place } = this.#listed.get(task.id);
    task.name = title || task.name;
    task.stale = false;
    if (this.#reopened(task)) this.#reopen(task);
    if (!task.finished) task.place = place;
  }

  /**
   * A finished task that the queues list again, after an update that did not, is run once more. Being listed is not
   * enough: the update that takes a task out of its queue may come after its end.
   */
  #reopened(task) {
    return task.finished && !task.listed;
  }

  #reopen(task) {
    this.#dropOutputs(task);
    this.#tasks.delete(task.id); // to the end: order is the order of events
    Object.assign(task, { finished: false, status: '', failedStep: '', step: '', settings: [], listed: true });
    task.steps.clear();
    this.#tasks.set(task.id, task);
  }

  #progress(event) {
    const id = short(event.id);
    const step = short(event.currentStep);
    if (id === '' || this.#tasks.get(id)?.finished) return; // late progress never revives a finished task
    const known = this.#tasks.has(id);
    const task = this.#task(id);
    if (!known && this.#listed.has(id)) this.#place(task);
    task.stale = false;
    if (step === '') return;
    task.step = step;
    if (task.steps.has(step) || task.steps.size < MAX_STEPS) task.steps.set(step, percent(event.percentage));
  }

  #finish(config, time) {
    const id = short(config?.id);
    if (id === '') return;
    const task = this.#task(id);
    this.#dropOutputs(task);
    this.#tasks.delete(id);
    this.#tasks.set(id, task);
    Object.assign(task, {
      name: titleOf(config) || task.name,
      finished: true,
      at: time,
      stale: false,
      place: '',
      listed: true, // until a queue-update says otherwise
      status: short(config.status) || 'finished',
      outputs: outputsOf(config),
      failedStep: '',
      settings: settingsOf(config),
    });
    task.outputSize = task.outputs.reduce((sum, tool) => sum + tool.output.length + tool.error.length, 0);
    this.#outputSize += task.outputSize;
    for (const tool of task.outputs) stepFrom(tool, task);
    this.#shrinkOutputs(task);
  }

  #task(id) {
    let task = this.#tasks.get(id);
    if (task === undefined) {
      task = {
        id, name: '', step: '', steps: new Map(), place: '', finished: false, at: null, status: '', failedStep: '',
        outputs: [], outputSize: 0, outputsDropped: false, settings: [], stale: false, listed: false,
      };
      this.#tasks.set(id, task);
      this.#evict(task);
    }
    return task;
  }

  /** Over the limit the longest finished task goes first, then the oldest of all. */
  #evict(keep = null) {
    while (this.#tasks.size > MAX_TASKS) {
      const others = [...this.#tasks.values()].filter((task) => task !== keep);
      const victim = others.find((task) => task.finished) ?? others[0];
      this.#dropOutputs(victim);
      this.#tasks.delete(victim.id);
    }
  }

  #shrinkOutputs(keep = null) {
    for (const task of this.#tasks.values()) {
      if (this.#outputSize <= MAX_OUTPUTS_TOTAL) return;
      if (task === keep || task.outputSize === 0) continue;
      this.#dropOutputs(task);
      task.outputsDropped = true;
    }
  }

  #dropOutputs(task) {
    this.#outputSize -= task.outputSize;
    Object.assign(task, { outputs: [], outputSize: 0, outputsDropped: false });
  }
}

/** good, bad or plain: how a task's or a run's end is shown. */
export function toneOf(status) {
  if (/^(completed?|success(ful)?|succeeded|done|ok|finished)$/i.test(status)) return 'good';
  if (/fail|error|abort|cancel|timeout|killed/i.test(status)) return 'bad';
  return 'plain';
}

function titleOf(config) {
  return short(config?.name) || short(config?.id);
}

function count(value, list) {
  return Number.isFinite(value) ? value : list.length;
}

function percent(value) {
  return Number.isFinite(value) ? Math.min(100, Math.max(0, value)) : 0;
}

/** Each tool of a task's configuration: members such as rarCommandOutput. */
function outputsOf(config) {
  return Object.entries(config)
    .filter(([member, value]) => member.endsWith('CommandOutput') && value !== null && typeof value === 'object')
    .slice(0, MAX_TOOLS)
    .map(([member, value]) => {
      const output = tail(lines(value.output), MAX_OUTPUT);
      const error = tail(lines(value.error), MAX_OUTPUT);
      return {
        tool: short(member.slice(0, -'CommandOutput'.length)),
        command: short(lines(value.executedCommand), 4 * MAX_NAME),
        exitCode: Number.isInteger(value.exitCode) ? value.exitCode : null,
        progress: Number.isFinite(value.lastKnownProgress) ? percent(value.lastKnownProgress) : null,
        output: output.text,
        outputCut: output.cut,
        error: error.text,
        errorCut: error.cut,
      };
    });
}

/** Whoever joins after the end has seen no progress: the tools' own records tell how far each step came. */
function stepFrom(tool, task) {
  const step = TOOL_STEPS[tool.tool];
  if (step === undefined) return;
  if (tool.progress !== null && !task.steps.has(step)) task.steps.set(step, tool.progress);
  if (tool.exitCode !== null && tool.exitCode !== 0) task.failedStep = step;
}

function lines(value) {
  if (Array.isArray(value)) return value.filter((line) => typeof line === 'string').join('\n');
  return typeof value === 'string' ? value : '';
}

/** The plain members of a configuration, for reference; a password is nothing to show on a screen. */
function settingsOf(config) {
  return Object.entries(config)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value) && value !== '')
    .slice(0, MAX_SETTINGS)
    .map(([name, value]) => [short(name), /password|passphrase|secret|token/i.test(name) ? '••••••' : short(value)]);
}
