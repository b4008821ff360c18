// A network of a test's own, for ports that are fixed: a Linux network namespace with nothing in it but loopback.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Why namespaces cannot be made here, or null if they can. */
export function withoutNamespaces() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'network namespaces need Linux and root';
  const name = `trestle-probe-${process.pid}`;
  const made = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (made.error || made.status !== 0) return `ip netns add: ${made.error?.message ?? made.stderr.trim()}`;
  spawnSync('ip', ['netns', 'delete', name]);
  return null;
}

/** Makes a namespace, runs `body(inside)` and removes it whatever happens; inside(command) is the command run in it. */
export async function withNamespace(body) {
  const name = `trestle-${process.pid}-${Math.floor(Math.random() * 1e6)}`;
  await run('ip', ['netns', 'add', name]);
  try {
    await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    return await body((command) => ['ip', 'netns', 'exec', name, ...command]);
  } finally {
    await run('ip', ['netns', 'delete', name]);
  }
}
