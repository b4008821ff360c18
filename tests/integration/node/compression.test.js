// permessage-deflate as npm's ws speaks it: its default offer, compressed requests, and a server that has it switched off.
import assert from 'node:assert/strict';
import { test, Bridge, open } from './bridge.js';

const PACK_ALL = { perMessageDeflate: { threshold: 0 } };

async function withBridge(changes, body) {
  const bridge = await Bridge.start(changes);
  try {
    await body(bridge);
  } finally {
    await bridge.stop();
  }
}

test('compressed requests are understood, whole and in fragments', () => withBridge({}, async (bridge) => {
  const ws = await open(bridge.url(), [], PACK_ALL);
  assert.equal(ws.extensions, 'permessage-deflate');
  for (let id = 1; id <= 5; ++id) assert.equal((await ws.request({ type: 'ping', id, pad: 'x'.repeat(5000) })).data.id, id);
  const text = JSON.stringify({ type: 'ping', id: 'in pieces', pad: 'é'.repeat(500) });
  for (let at = 0; at < text.length; at += 100) ws.send(text.slice(at, at + 100), { fin: at + 100 >= text.length });
  assert.equal((await ws.json()).data.id, 'in pieces');
  ws.terminate();
}));

test('a message that inflates to too much is 1009', () => withBridge({ limits: { message: '2KiB' } }, async (bridge) => {
  const ws = await open(bridge.url(), [], PACK_ALL);
  ws.send(JSON.stringify({ type: 'ping', id: 1, pad: 'x'.repeat(100_000) }));
  assert.equal((await ws.closed()).code, 1009);
}));

test('switched off, nothing is agreed', () => withBridge({ compression: { enabled: false } }, async (bridge) => {
  const ws = await open(bridge.url(), [], PACK_ALL);
  assert.equal(ws.extensions, '');
  assert.equal((await ws.request({ type: 'ping', id: 1 })).data.id, 1);
  ws.terminate();
}));
