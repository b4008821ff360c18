// Run by seed.test.js inside a network namespace: the example from standard input in Chromium against a trestled on
// port 3001. Prints {lines, faults}: what the example wrote to the console, and what went wrong in the page.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Bridge } from './bridge.js';
import { faultsOf, launchChromium, openPage } from './chromium.js';
import { Producer } from './producer.js';
import { eventually } from './wait.js';
import * as events from './events.js';

const EXPECTED_LINES = 3;
const DASHBOARD = '<!doctype html><link rel="icon" href="data:,"><script src="example.js"></script>';
const example = readFileSync(0, 'utf8');
const bridge = await Bridge.start({ listen: { address: 'localhost', port: 3001 }, auth: { token: 'YOUR_TOKEN' } });
const browser = await launchChromium();
const dashboard = createServer();
try {
  const page = await openPage(browser, 'about:blank');
  const lines = [];
  page.on('console', (message) => message.type() === 'log' && lines.push(message.text()));
  await page.goto(await dashboardWith(example));
  await eventually(() => sessionsOf(bridge), 'the example connected');
  const producer = await Producer.connect(bridge, 'nzb-flow');
  await eventually(() => producer.welcomed > 0, 'the producer’s welcome');
  producer.publish(events.queueUpdate({ running: ['task-uuid'] }));
  producer.publish(events.progress('task-uuid', 'COMPRESSION', 45.67));
  producer.publish(events.finished('task-uuid', { name: 'my-post' }));
  await eventually(() => lines.length >= EXPECTED_LINES, 'what the example prints');
  producer.close();
  console.log(JSON.stringify({ lines, faults: faultsOf(page) }));
} finally {
  await browser.close();
  dashboard.close();
  await bridge.stop();
}

/**
 * Somebody's dashboard on this machine that contains the example. It has to come from a loopback address: Chromium lets
 * no page from elsewhere, about:blank included, connect to one.
 */
async function dashboardWith(script) {
  dashboard.on('request', (request, response) => {
    const isScript = request.url === '/example.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : DASHBOARD);
  });
  dashboard.listen(0, '127.0.0.1');
  await once(dashboard, 'listening');
  return `http://localhost:${dashboard.address().port}/`;
}

/** How many clients the bridge has. */
async function sessionsOf({ port }) {
  const headers = { authorization: 'Bearer YOUR_TOKEN' };
  const response = await fetch(`http://localhost:${port}/api/status`, { headers });
  return (await response.json()).data.sessions_total;
}
