// Wire B as npm's ws sees it: handshake, frames and close codes.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before } from 'node:test';
import WebSocket from 'ws';
import { Bridge, TOKEN, eventually, open, test } from './bridge.js';

let bridge;
before(async () => {
  bridge = await Bridge.start({ endpoints: [{ path: '/' }, { path: '/open', auth: 'none' }] });
});
after(() => bridge.stop());

const withoutToken = (path = '/') => `ws://127.0.0.1:${bridge.port}${path}`;

test('the answer to the subprotocols is the first of ours and never the token', async () => {
  for (const name of ['trestle.v1', 'trestle.plain']) {
    for (const offered of [[name, `bearer.${TOKEN}`], [`bearer.${TOKEN}`, name], ['chat', name, `bearer.${TOKEN}`]]) {
      const ws = await open(withoutToken(), offered);
      assert.equal(ws.protocol, name);
      ws.terminate();
    }
  }
});

test('of two of ours the one that the client prefers is taken', async () => {
  const ws = await open(bridge.url(), ['trestle.plain', 'trestle.v1']);
  assert.equal(ws.protocol, 'trestle.plain');
  ws.terminate();
});

test('without a subprotocol none is answered', async () => {
  const ws = await open(bridge.url());
  assert.equal(ws.protocol, '');
  ws.terminate();
});

test('a failed handshake opens first, so that browsers see the close code', async () => {
  for (const [url, code] of [
    [`${withoutToken()}?token=wrong`, 4401],
    [`${withoutToken('/open')}?topics=$sys.>`, 4403],
    [bridge.url('/', { format: 'xml' }), 4400],
    [bridge.url('/', { topics: 'a..b' }), 4400],
  ]) {
    const ws = await open(url);
    const closed = await ws.closed();
    assert.equal(closed.code, code, url);
    assert.notEqual(closed.reason, '');
  }
});

test('an unknown path is an HTTP error', async () => {
  const ws = new WebSocket(bridge.url('/nowhere'));
  const [error] = await once(ws, 'error').catch((thrown) => [thrown]);
  assert.match(error.message, /404/);
});

test('a fragmented request is one request', async () => {
  const ws = await open(bridge.url());
  const text = JSON.stringify({ type: 'ping', id: 'in pieces' });
  for (const character of text.slice(0, -1)) ws.send(character, { fin: false });
  ws.send(text.at(-1), { fin: true });
  assert.equal((await ws.json()).data.id, 'in pieces');
  ws.terminate();
});

test('a ping between the fragments is answered', async () => {
  const ws = await open(bridge.url());
  ws.send('{"type":"ping",', { fin: false });
  const pong = once(ws, 'pong');
  ws.ping('now');
  assert.equal((await pong)[0].toString(), 'now');
  ws.send('"id":1}', { fin: true });
  assert.equal((await ws.json()).data.id, 1);
  ws.terminate();
});

test('a fragment may split a character', async () => {
  const ws = await open(bridge.url());
  const bytes = Buffer.from('{"type":"ping","id":"é"}');
  const middle = bytes.indexOf(0xc3) + 1;
  ws.send(bytes.subarray(0, middle), { fin: false, binary: false });
  ws.send(bytes.subarray(middle), { fin: true, binary: false });
  assert.equal((await ws.json()).data.id, 'é');
  ws.terminate();
});

test('pings are answered, the newest for certain', async () => {
  const ws = await open(bridge.url());
  const pongs = [];
  ws.on('pong', (data) => pongs.push(data.toString()));
  for (let n = 0; n < 30; n += 1) ws.ping(String(n));
  await eventually(() => pongs.at(-1) === '29', 'the newest pong');
  assert.equal(new Set(pongs).size, pongs.length);                 // none twice
  assert.deepEqual(pongs, [...pongs].sort((a, b) => a - b));
  ws.terminate();
});

test('a binary message is 4400', async () => {
  const ws = await open(bridge.url());
  ws.send(Buffer.from('{"type":"ping","id":1}'));
  assert.equal((await ws.closed()).code, 4400);
});

test('a message over 64 KiB is 1009', async () => {
  const ws = await open(bridge.url());
  ws.send(JSON.stringify({ type: 'ping', id: 1, pad: 'x'.repeat(65536) }));
  assert.equal((await ws.closed()).code, 1009);
});

test('a close frame is answered with its code', async () => {
  const ws = await open(bridge.url());
  ws.close(1000, 'enough');
  assert.equal((await ws.closed()).code, 1000);
});

test('a close code of the client\'s own is answered too', async () => {
  const ws = await open(bridge.url());
  ws.close(4999);
  assert.equal((await ws.closed()).code, 4999);
});

test('compression that is offered is not a condition', async () => {
  for (const perMessageDeflate of [true, { serverNoContextTakeover: true }, { serverMaxWindowBits: 10 }]) {
    const ws = await open(bridge.url(), [], { perMessageDeflate });
    assert.equal((await ws.request({ type: 'ping', id: 1 })).data.type, 'pong');
    ws.terminate();
  }
});

test('every message of the bridge is text', async () => {
  const ws = await open(bridge.url('/', { meta: '1' }));
  for (const type of ['welcome', 'live']) {
    const message = await ws.next();
    assert.equal(message.isBinary, false);
    assert.equal(JSON.parse(message.text).data.type, type);
  }
  ws.terminate();
});

test('a burst of requests is answered in order', async () => {
  const ws = await open(bridge.url());
  for (let id = 0; id < 30; id += 1) ws.send(JSON.stringify({ type: 'ping', id }));
  for (let id = 0; id < 30; id += 1) assert.equal((await ws.json()).data.id, id);
  ws.terminate();
});

test('a client that sends too many requests is told so or closed with 4429', async () => {
  const ws = await open(bridge.url());
  for (let id = 0; id < 500; id += 1) ws.send(JSON.stringify({ type: 'ping', id }));
  const answers = { pong: 0, error: 0 };
  ws.on('message', (data) => { answers[JSON.parse(data).data.type] += 1; });
  await eventually(() => ws.readyState === WebSocket.CLOSED || answers.pong + answers.error === 500, 'an end of it');
  assert.ok(answers.pong < 500, JSON.stringify(answers));
  if (ws.readyState === WebSocket.CLOSED) assert.equal((await ws.closed()).code, 4429);
  ws.terminate();
});
