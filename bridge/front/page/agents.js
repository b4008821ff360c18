/** Agents' runs with their streamed text, the artifacts they published and the graph. Pure: no DOM, no clock. */
import {
  MAX_ARTIFACTS, MAX_GRAPH_EDGES, MAX_GRAPH_NODES, MAX_RUNS, MAX_RUN_TEXT, short, tail,
} from './bounds.js';

/** Text grows by this much over its limit before it is cut, so that cutting does not cost a copy for every event. */
const CUT_SLACK = 16 * 1024;
const QUIET_MS = 10 * 60_000;
const HOLE = '\n[… part of the stream is missing here …]\n';

/** A run of which nothing but its start is known. */
const EMPTY = {
  status: '', done: false, duration: null, text: '', cut: false, streamed: false, hole: false, again: false, quiet: false,
};

export class Agents {
  /** key → {key, agent, run, started, heard (ms), cuts: how often text was more than appended to, past, …EMPTY} */
  #runs = new Map();
  #artifacts = new Map();
  graph = null; // {nodes: [{id, label}], edges: [{from, to, label}], more} once one has arrived
  graphStale = false;

  /** Those at work first, then newest first. */
  runs() {
    const runs = [...this.#runs.values()].reverse();
    const works = (run) => !run.done && !run.quiet;
    return [...runs.filter(works), ...runs.filter((run) => !works(run))];
  }
  /** Newest first. */
  artifacts() {
    return [...this.#artifacts.values()].reverse();
  }

  /**
   * `time` is the event's in ms, `live` whether it is new rather than replayed, `heard` when it came, for a live one: its
   * producer's clock may be wrong. Returns whether it was one of ours.
   */
  apply(event, { time, live, heard = time }) {
    switch (event.type) {
      case 'agent_execution_started':
        this.#started(event, time, heard);
        return true;
      case 'streaming_output':
        this.#output(event, heard, live);
        return true;
      case 'agent_execution_completed':
        this.#completed(event);
        return true;
      case 'artifact_published':
        this.#artifact(event, time);
        return true;
      case 'graph_updated':
        this.graph = graphOf(event);
        this.graphStale = false;
        return true;
      default:
        return false;
    }
  }

  /**
   * Takes what had happened before this began, from an Agents of its own. A run whose start is not known here goes on
   * from there.
   */
  takePast(past) {
    const runs = past.#runs;
    for (const run of runs.values()) run.past = true;
    for (const [key, run] of this.#runs) runs.set(key, joined(runs.get(key), run));
    this.#runs = new Map([...runs].slice(-MAX_RUNS));
    const artifacts = new Map([...past.#artifacts, ...this.#artifacts]);
    this.#artifacts = new Map([...artifacts].slice(-MAX_ARTIFACTS));
  }

  /**
   * A run that has long said nothing and has no end, as after a crash, is no longer taken to be at work until it speaks
   * again. `now` in ms. Returns whether there was one.
   */
  hush(now) {
    const silent = [...this.#runs.values()].filter((run) => !run.done && !run.quiet && now - run.heard > QUIET_MS);
    for (const run of silent) run.quiet = true;
    return silent.length > 0;
  }

  /** Part of the stream is missing. After reason `epoch` what is kept may come once more, from the beginning. */
  suspect(reason) {
    this.graphStale = this.graph !== null;
    for (const run of this.#runs.values()) {
      if (!run.done) run.hole = run.text !== '';
      run.again = reason === 'epoch';
    }
  }

  sweep() {
    if (this.graphStale) this.graph = null;
    this.graphStale = false;
    for (const run of this.#runs.values()) run.again = false;
  }

  /** A run that starts again begins anew: a producer repeats what a bridge that was restarted has not acknowledged. */
  #started(event, time, heard) {
    const run = this.#run(event);
    const again = run.started !== null || run.done;
    run.started = time;
    run.heard = heard;
    if (again) Object.assign(run, { ...EMPTY, cuts: run.cuts + 1 });
  }

  #output(event, heard, live) {
    const run = this.#run(event);
    Object.assign(run, { heard, quiet: false });
    const content = typeof event.content === 'string' ? event.content : '';
    if (run.again && !live) Object.assign(run, { text: '', cut: false, hole: false, cuts: run.cuts + 1 });
    run.again = false;
    if (run.hole) run.text += HOLE;
    run.hole = false;
    run.text += content;
    if (run.text.length > MAX_RUN_TEXT + CUT_SLACK) {
      Object.assign(run, { text: tail(run.text, MAX_RUN_TEXT).text, cut: true, cuts: run.cuts + 1 });
    }
    if (event.is_complete === true) run.streamed = true;
  }

  #completed(event) {
    const run = this.#run(event);
    run.done = true;
    run.hole = false;
    run.status = short(event.status) || 'completed';
    run.duration = Number.isFinite(event.duration_ms) ? event.duration_ms : null;
  }

  #run(event) {
    const agent = short(event.agent_id) || '(unnamed agent)';
    const id = short(event.run_id);
    const key = JSON.stringify([agent, id]);
    let run = this.#runs.get(key);
    if (run === undefined) {
      run = { key, agent, run: id, started: null, heard: 0, cuts: 0, past: false, ...EMPTY };
      this.#runs.set(key, run);
      if (this.#runs.size > MAX_RUNS) this.#runs.delete(this.#runs.keys().next().value);
    }
    return run;
  }

  #artifact(event, time) {
    const id = short(event.artifact_id) || `${time} ${this.#artifacts.size}`;
    this.#artifacts.delete(id);
    this.#artifacts.set(id, {
      id,
      type: short(event.artifact_type) || '(no type)',
      by: short(event.produced_by),
      correlation: short(event.correlation_id),
      time,
    });
    if (this.#artifacts.size > MAX_ARTIFACTS) this.#artifacts.delete(this.#artifacts.keys().next().value);
  }
}

/** One run of which the beginning came from the past; unless it has begun anew since. */
function joined(before, run) {
  if (before === undefined || run.started !== null) return run;
  const both = before.text + run.text;
  const { text, cut } = both.length > MAX_RUN_TEXT + CUT_SLACK ? tail(both, MAX_RUN_TEXT) : { text: both, cut: false };
  const done = run.done ? run : before;
  return {
    ...run, text, cut: cut || run.cut || before.cut, cuts: run.cuts + before.cuts + 1, started: before.started, past: true,
    streamed: run.streamed || before.streamed, done: done.done, status: done.status, duration: done.duration,
  };
}

function graphOf(event) {
  const nodes = Array.isArray(event.nodes) ? event.nodes : [];
  const edges = Array.isArray(event.edges) ? event.edges : [];
  return {
    nodes: nodes.slice(0, MAX_GRAPH_NODES).map(nodeOf).filter((node) => node.id !== ''),
    edges: edges.slice(0, MAX_GRAPH_EDGES).map(edgeOf).filter((edge) => edge.from !== '' && edge.to !== ''),
    more: Math.max(0, nodes.length - MAX_GRAPH_NODES),
  };
}

function nodeOf(node) {
  if (typeof node === 'string') return { id: short(node), label: short(node) };
  const id = short(node?.id) || short(node?.name);
  return { id, label: short(node?.label) || short(node?.name) || short(node?.data?.name) || id };
}

function edgeOf(edge) {
  return {
    from: short(edge?.source) || short(edge?.from),
    to: short(edge?.target) || short(edge?.to),
    label: short(edge?.label) || short(edge?.type),
  };
}
