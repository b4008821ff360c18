// The page on listeners that are not like the first one: other endpoints, no token, and a proxy that passes no WebSocket.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { after, before, test } from 'node:test';
import { Bridge } from './bridge.js';
import { faultsOf, launchChromium, openPage, screenshot } from './chromium.js';
import { Producer } from './producer.js';
import { eventually } from './wait.js';
import * as events from './events.js';

let browser;
before(async () => {
  browser = await launchChromium();
});
after(() => browser?.close());

const live = (page) =>
  eventually(async () => (await page.getAttribute('#state', 'data-state')) === 'live', 'the page live');

/** As the second listener of deploy/trestle-seeds.yaml. */
const PLUGIN = { auth: 'none', endpoints: [{ path: '/plugin/ws', format: 'bare' }] };

async function start(t, listen) {
  const bridge = await Bridge.start({ listen });
  t.after(() => bridge.stop());
  return bridge;
}

async function open(t, url) {
  const page = await openPage(browser, url);
  t.after(() => page.context().close());
  return page;
}

test('it finds the endpoint of a listener that has another one, and asks for no token where none is wanted', async (t) => {
  const bridge = await start(t, PLUGIN);
  const producer = await Producer.connect(bridge, 'pipeline-1');
  t.after(() => producer.close());
  await eventually(() => producer.welcomed > 0, 'the welcome');
  producer.publish(events.progress('t1', 'COMPRESSION', 40));
  const page = await open(t, bridge.page({}));
  await live(page);
  await page.waitForSelector('#running [data-task="t1"]');
  assert.ok(await page.isHidden('#token-form'));
  assert.ok(await page.isHidden('#token-toggle'));
  await screenshot(page, 'no-token');
  assert.deepEqual(faultsOf(page), []);
});

test('an endpoint at another path wants its token all the same', async (t) => {
  const bridge = await start(t, { endpoints: [{ path: '/deep/er/ws' }] });
  const asked = await open(t, bridge.page({}));
  await eventually(() => asked.isVisible('#token-form'), 'the question');
  const page = await open(t, bridge.page());
  await live(page);
});

test('a page that may not connect says so, and asks for no token that would not help', async (t) => {
  const bridge = await start(t, { ...PLUGIN, origins: ['http://elsewhere.example'] });
  const page = await open(t, bridge.page({}));
  await eventually(async () => /refused: not allowed here: .*listen\.origins.*4403/.test(await page.textContent('#state')),
    'the refusal');
  assert.ok(await page.isHidden('#token-form'));
});

/** Hands on ordinary requests only, as nginx does with a bare proxy_pass. */
async function startProxy(t, port) {
  const server = createServer((asked, answer) => {
    const { upgrade, connection, ...headers } = asked.headers;
    asked.pipe(request({ host: '127.0.0.1', port, path: asked.url, method: asked.method, headers }, (got) => {
      answer.writeHead(got.statusCode, got.headers);
      got.pipe(answer);
    }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  }));
  return server.address().port;
}

test('behind a proxy that hands on no WebSocket it says what is wrong', async (t) => {
  const bridge = await start(t);
  const port = await startProxy(t, bridge.port);
  const page = await open(t, `http://127.0.0.1:${port}/?token=${bridge.token}`);
  await eventually(async () => (await page.textContent('#warning')).includes('no WebSocket opens at /.'), 'the warning');
  assert.ok(await page.isVisible('#warning'));
  assert.match(await page.textContent('#state'), /reconnecting/);
  await screenshot(page, 'no-websocket');
});
