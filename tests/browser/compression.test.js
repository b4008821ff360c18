// What Chromium and trestled make of each other's permessage-deflate.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Bridge } from './bridge.js';
import { launchChromium, openPage } from './chromium.js';
import { Producer } from './producer.js';
import { eventually } from './wait.js';

let bridge;
let browser;
let producer;

before(async () => {
  bridge = await Bridge.start({ shards: 1 });
  browser = await launchChromium();
  producer = await Producer.connect(bridge, 'pipeline-1');
  await eventually(() => producer.welcomed > 0, 'the producer’s welcome');
});
after(async () => {
  producer?.close();
  await browser?.close();
  await bridge?.stop();
});

test('Chromium reads compressed events and is understood', async () => {
  const page = await openPage(browser, bridge.page({}));
  const url = `ws://127.0.0.1:${bridge.port}/?topics=note&token=${bridge.token}`;
  await page.evaluate((address) => new Promise((resolve, reject) => {
    window.seen = [];
    window.socket = new WebSocket(address);
    window.socket.onmessage = ({ data }) => window.seen.push(JSON.parse(data));
    window.socket.onopen = resolve;
    window.socket.onerror = () => reject(new Error('no connection'));
  }), url);
  assert.match(await page.evaluate(() => window.socket.extensions), /^permessage-deflate\b/);
  // A request big enough for Chromium to compress, and the sign that the client is live.
  const ask = JSON.stringify({ type: 'ping', id: 'big', pad: 'words and '.repeat(300) });
  await page.evaluate((request) => window.socket.send(request), ask);
  const seen = () => page.evaluate(() => window.seen);
  await eventually(async () => (await seen()).some(({ data }) => data.id === 'big'), 'the answer');
  const sent = [1, 2, 3].map((n) => ({ type: 'note', n, pad: `${n} grün and blue `.repeat(400) }));
  for (const event of sent) producer.publish(event);
  await eventually(async () => (await seen()).length === 4, 'all events');
  assert.deepEqual((await seen()).slice(1).map(({ data }) => data), sent);
  const { data } = await (await fetch(`${bridge.page({})}api/status`, {
    headers: { authorization: `Bearer ${bridge.token}` },
  })).json();
  assert.equal(data.counters.deflated, sent.length);
  assert.ok(data.counters.deflate_saved > 0);
  await page.context().close();
});
