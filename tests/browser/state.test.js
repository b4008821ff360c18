// What the page makes of events: tasks, runs, raw lines; and that none of it grows without bound.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agents } from '../../bridge/front/page/agents.js';
import { layout } from '../../bridge/front/page/layers.js';
import {
  MAX_OUTPUT, MAX_OUTPUTS_TOTAL, MAX_PRODUCERS, MAX_RAW_LINES, MAX_RUN_TEXT, MAX_TASKS, short, tail,
} from '../../bridge/front/page/bounds.js';
import { Producers } from '../../bridge/front/page/producers.js';
import { RawLines, matcher } from '../../bridge/front/page/raw.js';
import { Tasks } from '../../bridge/front/page/tasks.js';

const progress = (id, currentStep, percentage) => ({ type: 'command-progress', id, currentStep, percentage });
const finished = (id, more = {}) =>
  ({ type: 'task-finished', taskConfig: { id, name: `name of ${id}`, status: 'completed', ...more } });
const queues = ({ running = [], queued = [] }) => ({
  type: 'queue-update', compressionActive: true, uploadActive: false,
  compressionRunning: running.length, compressionRunningConfigs: running.map((id) => ({ id, name: `name of ${id}` })),
  compressionQueued: queued.length, compressionQueuedConfigs: queued.map((id) => ({ id, name: `name of ${id}` })),
  uploadRunning: 0, uploadRunningConfigs: [], uploadQueued: 0, uploadQueuedConfigs: [],
});
const ids = (tasks) => tasks.map((task) => task.id).join(' ');

function tasksAfter(...events) {
  const tasks = new Tasks();
  for (const event of events) tasks.apply(event);
  return tasks;
}

test('a task at work has its newest progress, its name comes from the queues', () => {
  const tasks = tasksAfter(
    progress('a', 'COMPRESSION', 10), progress('a', 'COMPRESSION', 45.67), queues({ running: ['a'] }));
  const [task] = tasks.running();
  assert.equal(task.steps.get('COMPRESSION'), 45.67);
  assert.equal(task.name, 'name of a');
});

test('a name known from the queue is there when the first progress comes later', () => {
  const tasks = tasksAfter(queues({ queued: ['a'] }), progress('a', 'COMPRESSION', 1));
  assert.equal(tasks.running()[0].name, 'name of a');
});

test('percentages stay within the bar, whatever is sent', () => {
  const tasks = tasksAfter(
    progress('a', 'X', 1e9), progress('b', 'X', -3), progress('c', 'X', 'lots'), progress('d', 'X', NaN));
  assert.deepEqual(tasks.running().map((task) => task.steps.get('X')), [100, 0, 0, 0]);
});

test('a late progress does not revive a finished task, nor does the queue that still lists it', () => {
  const tasks = tasksAfter(
    queues({ running: ['a'] }), finished('a'), progress('a', 'UPLOADING', 99), queues({ running: ['a'] }));
  assert.equal(ids(tasks.finished()), 'a');
  assert.equal(ids(tasks.running()), '');
});

test('a task that the queues list anew is at work again', () => {
  const tasks = tasksAfter(finished('a'), queues({}), queues({ queued: ['a'] }), progress('a', 'COMPRESSION', 3));
  assert.equal(ids(tasks.running()), 'a');
  assert.equal(ids(tasks.finished()), '');
});

test('a finished task keeps its tools’ outputs, long ones their end', () => {
  const output = `${'x'.repeat(MAX_OUTPUT)}the end`;
  const [task] = tasksAfter(finished('a', {
    password: 'secret',
    rarCommandOutput: { output, error: 'e', exitCode: 2, executedCommand: '7z a', lastKnownProgress: 40 },
  })).finished();
  const [tool] = task.outputs;
  assert.equal(tool.tool, 'rar');
  assert.equal(tool.exitCode, 2);
  assert.equal(tool.command, '7z a');
  assert.equal(tool.error, 'e');
  assert.ok(tool.outputCut && tool.output.endsWith('the end') && tool.output.length === MAX_OUTPUT);
  assert.equal(task.failedStep, 'COMPRESSION');
  assert.equal(task.steps.get('COMPRESSION'), 40);
  assert.doesNotMatch(JSON.stringify(task.settings), /secret/);
});

test('what a gap left unconfirmed is forgotten, what the snapshot confirms stays', () => {
  const tasks = tasksAfter(queues({ running: ['a'] }), progress('a', 'X', 1), progress('b', 'X', 1), finished('c'));
  tasks.suspect();
  tasks.apply(progress('b', 'X', 2));
  tasks.sweep();
  assert.equal(ids(tasks.running()), 'b');
  assert.equal(ids(tasks.finished()), 'c');
  assert.equal(tasks.queues, null);
});

test('no more than so many tasks, finished ones leave first', () => {
  const tasks = tasksAfter(progress('worker', 'X', 1));
  for (let i = 0; i < MAX_TASKS + 50; ++i) tasks.apply(finished(`f${i}`));
  assert.equal(tasks.running().length + tasks.finished().length, MAX_TASKS);
  assert.equal(ids(tasks.running()), 'worker');
  assert.equal(tasks.finished()[0].id, `f${MAX_TASKS + 49}`);
});

test('malformed events harm nothing', () => {
  const tasks = tasksAfter(
    { type: 'queue-update' }, { type: 'queue-update', compressionRunningConfigs: [null, 7, { id: {} }] },
    { type: 'command-progress' }, { type: 'task-finished' }, { type: 'task-finished', taskConfig: null },
    { type: 'task-finished', taskConfig: { id: 'a', rarCommandOutput: { output: { no: 'text' }, exitCode: 'x' } } });
  assert.equal(ids(tasks.finished()), 'a');
});

/** What `past` finished, taken by a Tasks that knows `present`. */
function withPast(past, ...present) {
  const tasks = tasksAfter(...present);
  tasks.takePast(tasksAfter(...past));
  return tasks;
}

test('what had finished before comes behind what has finished since, and what is known is not replaced', () => {
  const tasks = withPast([finished('a'), finished('b'), progress('c', 'X', 1)], finished('b', { status: 'failed' }), finished('d'));
  assert.equal(ids(tasks.finished()), 'd b a');
  assert.equal(tasks.finished()[1].status, 'failed');
  assert.equal(ids(tasks.running()), '');
});

test('a task that makes progress is not ended by the past; one that only the queue still lists is', () => {
  const tasks = withPast([finished('a'), finished('b')], queues({ running: ['a', 'b'] }), progress('a', 'X', 1));
  assert.equal(ids(tasks.running()), 'a');
  assert.equal(ids(tasks.finished()), 'b');
  tasks.apply(queues({ running: ['a', 'b'] }));
  assert.equal(ids(tasks.finished()), 'b', 'an update that still lists it does not revive it');
  tasks.apply(queues({}));
  tasks.apply(queues({ running: ['b'] }));
  assert.equal(ids(tasks.running()), 'a b');
});

test('the past is as bounded as the present, and gives way to it', () => {
  const past = Array.from({ length: MAX_TASKS }, (_, i) => finished(`p${i}`));
  const tasks = withPast(past, finished('new'), progress('worker', 'X', 1));
  assert.equal(tasks.finished().length, MAX_TASKS - 1);
  assert.equal(tasks.finished()[0].id, 'new');
  assert.equal(tasks.finished().at(-1).id, 'p2');
  assert.equal(ids(tasks.running()), 'worker');
});

test('the outputs of the past leave first when there are too many', () => {
  const big = (id) => finished(id, { rarCommandOutput: { output: 'x'.repeat(MAX_OUTPUT), exitCode: 0 } });
  const tasks = withPast(Array.from({ length: 150 }, (_, i) => big(`p${i}`)), big('new'));
  assert.equal(tasks.finished()[0].outputs.length, 1);
  assert.ok(tasks.finished()[1].outputs.length === 1 && tasks.finished().at(-1).outputsDropped);
  const kept = tasks.finished().reduce((sum, task) => sum + task.outputSize, 0);
  assert.ok(kept <= MAX_OUTPUTS_TOTAL, kept);
});

const AT = { time: 1, live: true };
const words = (content, more = {}) => ({ type: 'streaming_output', agent_id: 'p', run_id: 'r', content, ...more });

function agentsAfter(...events) {
  const agents = new Agents();
  for (const event of events) agents.apply(event, AT);
  return agents;
}

test('a run collects its text and ends with status and duration', () => {
  const [run] = agentsAfter(
    { type: 'agent_execution_started', agent_id: 'p', run_id: 'r' }, words('one '), words('two'),
    { type: 'agent_execution_completed', agent_id: 'p', run_id: 'r', duration_ms: 1234.5, status: 'success' }).runs();
  assert.equal(run.text, 'one two');
  assert.equal(run.status, 'success');
  assert.equal(run.duration, 1234.5);
});

test('a run’s text is cut from the front', () => {
  const agents = agentsAfter(words('start'));
  for (let i = 0; i < 200; ++i) agents.apply(words('x'.repeat(1000)), AT);
  agents.apply(words('end'), AT);
  const [run] = agents.runs();
  assert.ok(run.cut && run.text.endsWith('end') && !run.text.startsWith('start'));
  assert.ok(run.text.length <= MAX_RUN_TEXT * 1.25 + 1000);
});

test('a hole in the stream is a hole in the text', () => {
  const agents = agentsAfter(words('one '));
  agents.suspect('trimmed');
  agents.sweep();
  agents.apply(words('three'), AT);
  assert.match(agents.runs()[0].text, /^one \n\[… part of the stream is missing here …\]\nthree$/);
});

test('text replayed under a new epoch is not doubled', () => {
  const agents = agentsAfter(words('one '));
  agents.suspect('epoch');
  agents.apply(words('one '), { time: 1, live: false });
  agents.apply(words('two'), { time: 1, live: false });
  agents.sweep();
  assert.equal(agents.runs()[0].text, 'one two');
});

const begin = (run_id, agent_id = 'p') => ({ type: 'agent_execution_started', agent_id, run_id });
const end = (run_id) => ({ type: 'agent_execution_completed', agent_id: 'p', run_id, status: 'success' });

function agentsWithPast(past, present) {
  const agents = agentsAfter(...present);
  agents.takePast(agentsAfter(...past));
  return agents;
}

test('a run goes on from its past; its text comes once and in order', () => {
  const [run] = agentsWithPast([begin('r'), words('one ')], [words('two'), end('r')]).runs();
  assert.equal(run.text, 'one two');
  assert.equal(run.started, 1);
  assert.equal(run.status, 'success');
});

test('a run that has begun anew has no past', () => {
  const [run, ...others] = agentsWithPast([begin('r'), words('old'), end('r')], [begin('r'), words('new')]).runs();
  assert.equal(run.text, 'new');
  assert.equal(run.done, false);
  assert.deepEqual(others, []);
});

test('runs of the past come behind those of the present; what has long been silent is not at work', () => {
  const hour = 3_600_000;
  const agents = agentsWithPast([begin('crashed'), begin('ended'), end('ended')], [begin('new'), end('new')]);
  assert.deepEqual(agents.runs().map((run) => run.run), ['crashed', 'new', 'ended']);
  assert.ok(!agents.hush(1_000) && agents.hush(hour) && !agents.hush(hour));
  assert.deepEqual(agents.runs().map((run) => run.run), ['new', 'ended', 'crashed']);
  agents.apply(words('still here', { run_id: 'crashed' }), { time: 1, live: true, heard: hour });
  assert.ok(!agents.hush(hour));
  assert.equal(agents.runs()[0].run, 'crashed');
  assert.ok(!agents.runs()[0].quiet);
});

test('artifacts of the past come behind those of the present', () => {
  const artifact = (artifact_id) => ({ type: 'artifact_published', artifact_id, artifact_type: 'T' });
  const agents = agentsWithPast([artifact('a'), artifact('b')], [artifact('c'), artifact('b')]);
  assert.deepEqual(agents.artifacts().map(({ id }) => id), ['c', 'b', 'a']);
});

test('raw lines: the last so many, the event only, filtered by topic, paused', () => {
  const raw = new RawLines();
  const add = (n, topic) => raw.event({
    data: {}, meta: { topic, offset: n },
    text: `{"success":true,"data":{"n":${n}},"meta":{"topic":"${topic}","offset":${n},"time":1}}`,
  }, 0);
  for (let n = 1; n <= 2 * MAX_RAW_LINES; ++n) add(n, n % 2 ? 'a.x' : 'b');
  assert.ok(raw.lines.length <= MAX_RAW_LINES * 1.2);
  assert.equal(raw.lines.at(-1).text, `{"n":${2 * MAX_RAW_LINES}}`);
  raw.filter('a.*');
  assert.ok(raw.shown().length > 0 && raw.shown().every((line) => line.topic === 'a.x'));
  raw.paused = true;
  add(1, 'a.x');
  assert.equal(raw.missed, 1);
});

test('the filter is a pattern when it has a wildcard', () => {
  for (const [filter, topic, expected] of [
    ['', 'a', true], ['fin', 'task-finished.x', true], ['a.*', 'a.b', true], ['a.*', 'a', false],
    ['a.*', 'a.b.c', false], ['a.>', 'a.b.c', true], ['a.>', 'a', false], ['>', 'a.b', true],
    ['>', '$sys.producer.x', false],
    ['$sys.>', '$sys.producer.x', true], ['*.b', 'a.b', true],
  ]) assert.equal(matcher(filter)(topic), expected, `${filter} ${topic}`);
});

test('cutting never leaves half a character', () => {
  assert.equal(tail('ab😀c', 2).text, 'c');
  assert.equal(short('ab😀c', 3), 'ab…');
});

test('a graph is laid out in layers, cycles and all', () => {
  const nodes = ['a', 'b', 'c'].map((id) => ({ id }));
  const chain = layout({ nodes, edges: [{ from: 'a', to: 'b' }, { from: 'b', to: 'c' }] });
  assert.deepEqual(['a', 'b', 'c'].map((id) => chain.places.get(id).layer), [0, 1, 2]);
  const round = [{ from: 'a', to: 'b' }, { from: 'b', to: 'a' }, { from: 'c', to: 'nowhere' }];
  const cycle = layout({ nodes, edges: round });
  assert.equal(cycle.places.size, 3);
});

const presence = (id, state, since) => ({ type: '$sys.producer', id, state, since: since * 1_000 });

function producersAfter(...events) {
  const producers = new Producers();
  for (const event of events) producers.apply(event, { time: 0 });
  return producers;
}

test('producers: those online by name, then the lost, the newest first; those gone apart, the newest first', () => {
  const producers = producersAfter(
    presence('b', 'online', 9), presence('l1', 'lost', 1), presence('g1', 'gone', 1), presence('a', 'online', 3),
    presence('l2', 'lost', 5), presence('g2', 'gone', 2), presence('back', 'gone', 1), presence('back', 'online', 4));
  assert.equal(ids(producers.present()), 'a b back l2 l1');
  assert.equal(ids(producers.gone()), 'g2 g1');
  assert.equal(producers.full, false);
});

test('producers: however many have gone, those that are there stay', () => {
  const producers = producersAfter(presence('old', 'online', 1), presence('lost', 'lost', 2));
  for (let i = 0; i < MAX_PRODUCERS + 50; ++i) producers.apply(presence(`g${i}`, 'gone', 10 + i), { time: 0 });
  assert.equal(ids(producers.present()), 'old lost');
  assert.equal(producers.gone().length, MAX_PRODUCERS - 2);
  assert.equal(producers.gone()[0].id, `g${MAX_PRODUCERS + 49}`);
  assert.ok(producers.full);
});
