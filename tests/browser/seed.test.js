// The first seed document's JavaScript example in Chromium, taken from the document by this test and run unchanged.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BINARY } from './bridge.js';
import { withNamespace, withoutNamespaces } from './netns.js';

const SHARED = process.env.TRESTLE_SHARED ?? fileURLToPath(new URL('../../../shared', import.meta.url));
const SEEDS = join(SHARED, 'seeds');
const LIMIT_MS = 60_000;

/** The seed that describes `ws://localhost:3001`, and its example with a message handler. */
function exampleOf(folder) {
  for (const name of readdirSync(folder).sort()) {
    const document = readFileSync(join(folder, name), 'utf8');
    const blocks = [...document.matchAll(/```javascript\n([\s\S]*?)```/g)].map(([, code]) => code);
    const example = blocks.find((code) => code.includes('ws://localhost:3001') && code.includes('onmessage'));
    if (example !== undefined) return example;
  }
  throw new Error(`${folder}: no JavaScript example for ws://localhost:3001`);
}

function reasonToSkip() {
  if (!existsSync(SEEDS)) return `no seed documents at ${SEEDS}`;
  return withoutNamespaces();
}

const skip = reasonToSkip();
if (skip !== null) console.log(`skipped, the seed's example in Chromium: ${skip}`);

test('the first seed’s example prints what it should', { skip: skip ?? false, timeout: 2 * LIMIT_MS }, async () => {
  assert.ok(existsSync(BINARY), `${BINARY} is missing: build it, or name another one in TRESTLED`);
  const printed = await withNamespace((inside) => {
    const runner = fileURLToPath(new URL('seed_in_namespace.js', import.meta.url));
    const [command, ...args] = inside([process.execPath, runner]);
    return outputOf(command, args, exampleOf(SEEDS));
  });
  assert.deepEqual(printed.faults, []);
  const [queue, ...rest] = printed.lines;
  assert.match(queue, /^Queue status: /);
  assert.deepEqual(rest, ['Task task-uuid: 45.67%', 'Task completed: my-post']);
});

/** Runs a command with `input`; its standard output is JSON. */
function outputOf(command, args, input) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], timeout: LIMIT_MS });
    let text = '';
    child.stdout.on('data', (part) => (text += part));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(text));
      else reject(new Error(`${command} ended with ${code}: ${text}`));
    });
    child.stdin.end(input);
  });
}

test('namespaces are cleaned up', { skip: withoutNamespaces() ?? false }, async () => {
  const names = () => spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout;
  let name;
  await assert.rejects(withNamespace((inside) => {
    name = inside([])[3];
    assert.match(names(), new RegExp(name));
    throw new Error('the body fails');
  }));
  assert.doesNotMatch(names(), new RegExp(name));
});
