// history.js against a real WebSocket server: what it asks for, what it takes, when it is through.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import WebSocket from 'ws';
import { PARTS, readHistory } from '../../bridge/front/page/history.js';
import { EPOCH, WireServer } from './wire_server.js';
import { eventually } from './wait.js';

const stops = [];
after(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** Reads from a server that answers the n-th subscription of the m-th connection with answer(peer, request, n, m). */
async function read(answer) {
  const server = await WireServer.start((peer, connection) => {
    let asked = 0;
    peer.socket.on('message', () => answer(peer, peer.requests.at(-1), ++asked, connection));
    peer.welcome(100);
    peer.live(100);
  });
  stops.push(() => server.stop());
  const seen = { begun: 0, events: [], ends: [] };
  readHistory({
    url: server.url, token: 't', cursor: `${EPOCH}:100`, WebSocket, random: () => 0,
    onBegin() {
      seen.begun += 1;
      seen.events = [];
    },
    onEvent: ({ data }) => seen.events.push(data.n),
    onEnd: (parts) => seen.ends.push(parts),
  });
  await eventually(() => seen.ends.length > 0, 'the end');
  return { server, seen };
}

function grant(peer, { id, topics }) {
  peer.reply(true, { type: 'subscribed', id, topics });
}

test('it asks for everything kept, part by part, and hangs up', async () => {
  const { server, seen } = await read((peer, request, n) => {
    grant(peer, request);
    peer.event(n, { replay: true });
    peer.live(100);
  });
  const [peer] = server.peers;
  assert.equal(peer.query.get('since'), `${EPOCH}:100`, 'so the bridge has all that the page counts as the past');
  assert.equal(peer.query.get('topics'), '');
  assert.deepEqual(peer.requests.map(({ topics }) => topics), Object.values(PARTS));
  assert.ok(peer.requests.every(({ since }) => since === '0'));
  assert.deepEqual(seen, { begun: 1, events: [1, 2, 3], ends: [['tasks', 'agents', 'artifacts']] });
  await eventually(() => peer.socket.readyState === WebSocket.CLOSED, 'the end of the connection');
  assert.equal(server.peers.length, 1);
});

test('what comes after the present has begun is left to it', async () => {
  const { seen } = await read((peer, request, n) => {
    grant(peer, request);
    if (n === 1) for (const offset of [99, 100, 101]) peer.event(offset, { replay: true });
    peer.event(101 + n);
    peer.live(101 + n);
  });
  assert.deepEqual(seen.events, [99, 100]);
});

test('a part that the token may not read is left out', async () => {
  const { seen } = await read((peer, request, n) => {
    if (n === 2) return peer.reply(false, { type: 'error', id: request.id, code: 'forbidden', message: 'no' });
    grant(peer, request);
    peer.event(n, { replay: true });
    peer.live(100);
  });
  assert.deepEqual(seen.events, [1, 3]);
  assert.deepEqual(seen.ends, [['tasks', 'artifacts']]);
});

test('a connection that is lost begins anew', async () => {
  const { seen } = await read((peer, request, n, connection) => {
    grant(peer, request);
    peer.event(n, { replay: true });
    if (connection === 1) peer.socket.terminate();
    else peer.live(100);
  });
  assert.deepEqual(seen, { begun: 2, events: [1, 2, 3], ends: [['tasks', 'agents', 'artifacts']] });
});

test('a stream that begins anew ends it: what is kept comes to whoever is live', async () => {
  const { seen } = await read((peer) => peer.notice('gap', { reason: 'epoch', epoch: '2', offset: 1 }));
  assert.deepEqual(seen.ends, [null]);
});

test('who is refused has no past', async () => {
  const { seen } = await read((peer) => peer.socket.close(4403));
  assert.deepEqual(seen.ends, [[]]);
});
