// trestle.js against a real WebSocket server: what it sends, what it applies, when it comes back.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import WebSocket from 'ws';
import { Connection } from '../../bridge/front/page/trestle.js';
import { EPOCH, WireServer } from './wire_server.js';
import { eventually } from './wait.js';

const stops = [];
after(async () => {
  for (const stop of stops.reverse()) await stop();
});

/** A server and a client of it that keeps what it is told; `random` 0 makes waits short. */
async function pair(serve, options = {}) {
  const server = await WireServer.start(serve);
  stops.push(() => server.stop());
  const seen = { states: [], events: [], gaps: [], lives: [], notices: [] };
  const connection = new Connection({
    url: server.url, token: 'abc.DEF_1-2', WebSocket, random: () => 0,
    onState: (state) => seen.states.push(state.name),
    onEvent: ({ data }) => seen.events.push(data.n),
    onGap: (gap) => seen.gaps.push(gap.reason),
    onLive: (first) => seen.lives.push(first),
    onNotice: (data) => seen.notices.push(data.type),
    ...options,
  });
  stops.push(() => connection.stop());
  connection.start();
  return { server, connection, seen };
}

test('the token travels as a subprotocol, never in the address', async () => {
  const { server } = await pair(() => {});
  const [peer] = await eventually(() => server.peers.length === 1 && server.peers, 'a connection');
  assert.deepEqual(peer.protocols, ['trestle.v1', 'bearer.abc.DEF_1-2']);
  assert.equal(peer.query.toString(), '');
});

test('a token that is no subprotocol name goes into the first message', async () => {
  const { server } = await pair(() => {}, { token: 'two words, and "more"' });
  const peer = await eventually(() => server.peers[0]?.requests.length && server.peers[0], 'a first message');
  assert.deepEqual(peer.protocols, ['trestle.v1']);
  assert.equal(peer.requests[0].type, 'auth');
  assert.equal(peer.requests[0].token, 'two words, and "more"');
});

test('it comes back with its cursor and applies nothing twice', async () => {
  const { server, seen } = await pair((peer, n) => {
    peer.welcome(10);
    if (n === 1) {
      peer.event(4, { replay: true });
      peer.live(10);
      peer.event(11);
      peer.event(12);
      setTimeout(() => peer.socket.terminate(), 50);
    } else {
      for (const offset of [11, 12, 13, 14]) peer.event(offset);
      peer.live(14);
    }
  });
  await eventually(() => seen.lives.length === 2, 'live again');
  assert.equal(server.peers[0].query.get('since'), null);
  assert.equal(server.peers[1].query.get('since'), `${EPOCH}:12`);
  assert.deepEqual(seen.events, [4, 11, 12, 13, 14]);
  assert.deepEqual(seen.states, [
    'connecting', 'catching up', 'live', 'reconnecting', 'connecting', 'catching up', 'live']);
});

test('an idle cursor notice is what it comes back with', async () => {
  const { server } = await pair((peer) => {
    peer.welcome(10);
    peer.live(10);
    peer.notice('cursor', { offset: 400 });
    setTimeout(() => peer.socket.close(4408, `cursor=${EPOCH}:400`), 50);
  });
  await eventually(() => server.peers.length >= 2, 'a second connection');
  assert.equal(server.peers[1].query.get('since'), `${EPOCH}:400`);
});

test('a bridge that starts anew is told apart even without a gap', async () => {
  const { server, seen } = await pair((peer, n) => {
    const epoch = n === 1 ? EPOCH : '2';
    peer.welcome(500, { epoch });
    if (n > 1) peer.event(2, { replay: true });
    peer.live(n === 1 ? 500 : 3, { epoch });
    if (n === 1) setTimeout(() => peer.socket.close(1001), 50);
    else peer.event(4);
  });
  await eventually(() => seen.events.length === 2, 'events of the new epoch');
  assert.equal(server.peers[1].query.get('since'), `${EPOCH}:500`);
  assert.deepEqual(seen.gaps, ['epoch']);
  assert.deepEqual(seen.events, [2, 4]);
});

for (const code of [1009, 4400, 4401, 4403]) {
  test(`close ${code} is final, until another token is given`, async () => {
    const { server, connection, seen } = await pair((peer, n) => {
      if (n === 1) peer.socket.close(code, 'the reason');
    });
    await eventually(() => seen.states.at(-1) === 'refused', 'the refusal');
    assert.equal(connection.state.code, code);
    assert.match(connection.state.reason, /the reason/);
    await new Promise((resolve) => setTimeout(resolve, 700)); // longer than the first wait would be
    assert.equal(server.peers.length, 1);
    connection.setToken('another');
    await eventually(() => server.peers.length === 2, 'a connection with the new token');
    assert.ok(server.peers[1].protocols.includes('bearer.another'));
  });
}

test('an expired token asks for another and keeps the cursor', async () => {
  const { server, connection, seen } = await pair((peer, n) => {
    if (n > 1) return;
    peer.welcome(10);
    peer.live(10);
    peer.event(11);
    setTimeout(() => peer.socket.close(4409), 50);
  });
  await eventually(() => seen.states.at(-1) === 'token', 'the question');
  connection.setToken('fresh');
  await eventually(() => server.peers.length === 2, 'a second connection');
  assert.equal(server.peers[1].query.get('since'), `${EPOCH}:11`);
});

test('requests are matched with their replies, failures carry their code', async () => {
  const { server, connection, seen } = await pair((peer) => {
    peer.welcome(1);
    peer.live(1);
  });
  await eventually(() => seen.lives.length === 1, 'live');
  const [peer] = server.peers;
  const first = connection.request('subscribe', { topics: ['a.*'] });
  const second = connection.request('status');
  await eventually(() => peer.requests.length === 2, 'two requests');
  const [one, two] = peer.requests;
  assert.deepEqual(one.topics, ['a.*']);
  peer.reply(true, { type: 'status', id: two.id, sessions: 1 });
  peer.reply(false, { type: 'error', id: one.id, code: 'forbidden', message: 'not for this token' });
  assert.equal((await second).sessions, 1);
  await assert.rejects(first, (error) => error.code === 'forbidden' && error.message === 'not for this token');
});

test('what is not of the wire is left aside', async () => {
  const { seen } = await pair((peer) => {
    for (const text of ['', 'null', '[1]', '{"success":true}', '{"data":7}', 'not json']) peer.socket.send(text);
    peer.welcome(1);
    peer.live(1);
    peer.event(2);
  });
  await eventually(() => seen.events.length === 1, 'the event after them');
});

test('a bridge that falls silent and answers no ping is left for a new connection', { timeout: 30_000 }, async () => {
  const { server, seen } = await pair((peer, n) => {
    peer.welcome(1, { heartbeat: 20 });
    peer.live(1);
    if (n === 1) peer.socket.removeAllListeners('message'); // as if the network had gone: nothing is ever answered
  });
  await eventually(() => server.peers.length === 2 && seen.lives.length === 2, 'a second connection', 25_000);
  assert.equal(server.peers[1].query.get('since'), `${EPOCH}:1`);
});
