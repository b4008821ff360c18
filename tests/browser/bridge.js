// One real trestled for a test file: a folder and free ports of its own, killed and restarted as a test likes.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './wait.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
export const BINARY = process.env.TRESTLED ?? join(repository, 'build/bin/trestled');
export const BIN = process.env.TRESTLE_BIN ?? dirname(BINARY);
const FIRST_START = /http:\/\/\S*?[?&]token=([A-Za-z0-9_-]+)/;

let nextPort = Math.floor(Math.random() * 12_000);

async function freePort() {
  for (;;) {
    const port = 20_000 + nextPort; // below what the kernel hands to outgoing connections
    nextPort = (nextPort + 1) % 12_000; // never the same twice in a row
    const probe = createServer();
    const free = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

export class Bridge {
  /** `changes` are laid over the tests' own configuration, `listen` too; JSON is YAML, so it needs no library. */
  static async start({ listen = {}, ...changes } = {}) {
    assert.ok(existsSync(BINARY), `${BINARY} is missing: build it, or name another one in TRESTLED`);
    const bridge = new Bridge();
    bridge.folder = mkdtempSync(join(tmpdir(), 'trestle-browser-'));
    bridge.events = `tcp://127.0.0.1:${await freePort()}`;
    bridge.control = `tcp://127.0.0.1:${await freePort()}`;
    const config = {
      listen: { address: '127.0.0.1', port: await freePort(), ...listen },
      ingest: { bind: [bridge.events], control: bridge.control },
      stream: { path: ':memory:' },
      ...changes,
    };
    bridge.port = config.listen.port;
    writeFileSync(join(bridge.folder, 'trestle.yaml'), JSON.stringify(config, null, 2));
    await bridge.launch();
    [, bridge.token] = readFileSync(bridge.log, 'utf8').match(FIRST_START) ?? [];
    return bridge;
  }

  /** Also after kill(): the same bridge at the same addresses. */
  async launch() {
    this.log = join(this.folder, 'log');
    const out = openSync(this.log, 'a');
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TRESTLE')));
    this.process = spawn(BINARY, ['-c', 'trestle.yaml'], { cwd: this.folder, env, stdio: ['ignore', out, out] });
    closeSync(out);
    this.exited = once(this.process, 'exit');
    await eventually(() => this.#healthy(), 'trestled serving');
  }

  async #healthy() {
    assert.equal(this.process.exitCode, null, readFileSync(this.log, 'utf8'));
    try {
      return (await fetch(`http://127.0.0.1:${this.port}/healthz`)).ok;
    } catch {
      return false;
    }
  }

  /** The page's address; with the token of the first start unless told otherwise, as trestled prints it. */
  page(query = { token: this.token }) {
    const words = new URLSearchParams(query).toString();
    return `http://127.0.0.1:${this.port}/${words === '' ? '' : `?${words}`}`;
  }

  /** The text of a new token, which the running trestled knows when this returns. */
  async createToken(name, scopes) {
    const before = this.#tokenReads();
    const options = ['--file', 'tokens.yaml', '--name', name, ...scopes.flatMap((scope) => ['--scope', scope])];
    const made = spawnSync(join(BIN, 'trestle'), ['token', 'create', ...options], { cwd: this.folder, encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    await eventually(() => this.#tokenReads() > before, 'the tokens read again');
    return made.stdout.trim();
  }

  #tokenReads() {
    return readFileSync(this.log, 'utf8').split('tokens read again').length;
  }

  /** As a crash would end it. */
  async kill() {
    this.process.kill('SIGKILL');
    await this.exited;
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
