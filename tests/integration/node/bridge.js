// One real trestled for a test file: a folder and free ports of its own, stopped and judged at the end.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync, openSync, closeSync } from 'node:fs';
import { createServer } from 'node:net';
import { test as nodeTest } from 'node:test';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';

const repository = fileURLToPath(new URL('../../..', import.meta.url));
const binary = process.env.TRESTLED ?? join(repository, 'build/bin/trestled');
export const TOKEN = 'a-static-token-of-the-tests';
const PATIENCE_MS = 8000 * Number(process.env.TRESTLE_TEST_PATIENCE ?? 1);

// A test that waits for ever fails; it does not hang the run.
export const test = (name, body) => nodeTest(name, { timeout: 4 * PATIENCE_MS }, body);

// Calls condition until it returns something true; fails after a while.
export async function eventually(condition, what) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const result = await condition();
    if (result) return result;
    assert.ok(Date.now() < deadline, `${what}: not in time`);
    await sleep(20);
  }
}

let nextPort = Math.floor(Math.random() * 12000);

async function freePort() {
  for (;;) {
    const port = 20000 + nextPort;                           // below the range the kernel hands to outgoing connections
    nextPort = (nextPort + 1) % 12000;                       // never the same twice in a row
    const probe = createServer();
    const free = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

export class Bridge {
  // JSON is YAML, so the configuration needs no library.
  static async start(changes = {}) {
    assert.ok(existsSync(binary), `${binary} is missing: build it, or name another one in TRESTLED`);
    const bridge = new Bridge();
    bridge.folder = mkdtempSync(join(tmpdir(), 'trestle-node-'));
    bridge.port = await freePort();
    const config = {
      listen: { address: '127.0.0.1', port: bridge.port },
      auth: { token: TOKEN },
      ingest: { bind: [`tcp://127.0.0.1:${await freePort()}`], control: `tcp://127.0.0.1:${await freePort()}` },
      stream: { path: ':memory:' },
      ...changes,
    };
    writeFileSync(join(bridge.folder, 'trestle.yaml'), JSON.stringify(config, null, 2));
    bridge.log = join(bridge.folder, 'log');
    const out = openSync(bridge.log, 'w');
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TRESTLE')));
    bridge.process = spawn(binary, ['-c', 'trestle.yaml'], { cwd: bridge.folder, env, stdio: ['ignore', out, out] });
    closeSync(out);
    bridge.exited = once(bridge.process, 'exit');
    await eventually(() => bridge.healthy(), 'trestled serving');
    return bridge;
  }

  async healthy() {
    assert.equal(this.process.exitCode, null, readFileSync(this.log, 'utf8'));
    try {
      return (await fetch(`http://127.0.0.1:${this.port}/healthz`)).ok;
    } catch {
      return false;
    }
  }

  url(path = '/', query = {}) {
    return `ws://127.0.0.1:${this.port}${path}?${new URLSearchParams({ token: TOKEN, ...query })}`;
  }

  async stop() {
    this.process.kill('SIGTERM');
    const [code] = await this.exited;
    const output = readFileSync(this.log, 'utf8');
    rmSync(this.folder, { recursive: true });
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /Sanitizer|runtime error:/);
  }
}

// The promise's value, or an error when it takes too long: a test that waits for nothing must fail, not hang.
function inTime(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not in time`)), PATIENCE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// A connection that has opened; messages wait in order until next() takes them.
export async function open(url, protocols, options) {
  const ws = new WebSocket(url, protocols, options);
  const waiting = [];
  const takers = [];
  ws.on('message', (data, isBinary) => {
    const message = { text: data.toString(), isBinary };
    if (takers.length) takers.shift()(message); else waiting.push(message);
  });
  const end = new Promise((resolve) => ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() })));
  ws.closed = () => inTime(end, 'the end of the connection');
  ws.next = () => inTime(new Promise((resolve) => {
    if (waiting.length) resolve(waiting.shift()); else takers.push(resolve);
  }), 'a message');
  ws.json = async () => JSON.parse((await ws.next()).text);
  ws.request = (message) => { ws.send(JSON.stringify(message)); return ws.json(); };
  await inTime(once(ws, 'open'), 'the handshake');
  return ws;
}
