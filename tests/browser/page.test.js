// The page in headless Chromium, fed by a real trestled and a real producer. Screenshots land in screenshots/.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bridge } from './bridge.js';
import { DESKTOP, PHONE, faultsOf, launchChromium, load, openPage, screenshot } from './chromium.js';
import { Producer } from './producer.js';
import { eventually } from './wait.js';
import * as events from './events.js';

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
  + "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

let bridge;
let browser;
let producer;

before(async () => {
  bridge = await Bridge.start();
  browser = await launchChromium();
  producer = await Producer.connect(bridge, 'pipeline-1');
  await eventually(() => producer.welcomed > 0, 'the producer’s welcome');
});
after(async () => {
  producer?.close();
  await browser?.close();
  await bridge?.stop();
});

const stateOf = (page) => page.getAttribute('#state', 'data-state');
const text = async (page, selector) => (await page.locator(selector).allTextContents()).join('\n');
const live = (page) => eventually(async () => (await stateOf(page)) === 'live', 'the page live');
const shows = (page, selector, words) =>
  eventually(async () => (await text(page, selector)).includes(words), `${selector} showing ${JSON.stringify(words)}`);
const barOf = (page, task, step) =>
  page.evaluate((selector) => document.querySelector(selector)?.value ?? null,
    `[data-task="${task}"] [data-step="${step}"] progress`);

async function open(options = {}) {
  const page = await openPage(browser, options.url ?? bridge.page(), options);
  if (options.url === undefined) await live(page);
  return page;
}

async function close(page, { faultless = true } = {}) {
  if (faultless) assert.deepEqual(faultsOf(page), []);
  await page.context().close();
}

async function noSidewaysScroll(page) {
  const { content, window } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth, window: innerWidth,
  }));
  assert.ok(content <= window, `${content} px of content in a window of ${window} px`);
}

test('it is served whole from trestled under a strict content policy', async () => {
  const response = await fetch(bridge.page({}));
  assert.equal(response.headers.get('content-security-policy'), POLICY);
  const page = await open();
  assert.ok(page.requested.every((url) => url.startsWith(bridge.page({}))), page.requested.join(' '));
  await close(page);
});

test('the token leaves the address, and a reload does without it', async () => {
  const page = await open();
  assert.equal(page.url(), bridge.page({}));
  assert.equal(await page.evaluate(() => sessionStorage.getItem('trestle.token')), bridge.token);
  await load(page, () => page.reload());
  await live(page);
  await close(page);
});

test('nothing there yet: every part says what will be', async () => {
  const page = await open();
  for (const id of ['running', 'finished', 'runs', 'graph', 'artifacts']) {
    assert.ok(await page.isVisible(`#${id}-empty`), id);
  }
  await screenshot(page, 'empty');
  await close(page);
});

test('queues and progress bars move with the events', async () => {
  const page = await open();
  producer.publish(events.queueUpdate({ running: ['t1'], queued: ['t2', 't3'] }));
  await shows(page, '#queue-compression', 'name of t1');
  assert.match(await text(page, '#queue-compression'), /active/);
  assert.match(await text(page, '#queue-upload'), /paused/);
  for (const percentage of [10, 45.67, 80]) {
    producer.publish(events.progress('t1', 'COMPRESSION', percentage));
    await eventually(async () => (await barOf(page, 't1', 'COMPRESSION')) === percentage, `the bar at ${percentage}`);
  }
  producer.publish(events.progress('t1', 'PAR_CREATION', 5));
  await eventually(async () => (await barOf(page, 't1', 'PAR_CREATION')) === 5, 'the next bar');
  assert.equal(await barOf(page, 't1', 'COMPRESSION'), 100, 'a step that is over is full');
  await shows(page, '[data-task="t1"]', 'name of t1');
  await close(page);
});

test('whoever joins later sees the newest progress at once', async () => {
  const page = await open();
  await eventually(async () => (await barOf(page, 't1', 'PAR_CREATION')) === 5, 'the bar from the snapshot');
  await close(page);
});

test('a finished task shows its tools’ output on click', async () => {
  const page = await open();
  producer.publish(events.finished('t1'));
  await shows(page, '#finished [data-task="t1"]', 'completed');
  assert.equal(await page.locator('#running [data-task="t1"]').count(), 0);
  const button = page.locator('#finished [data-task="t1"] button');
  assert.equal(await button.getAttribute('aria-expanded'), 'false');
  await button.click();
  const tools = await text(page, '[data-task="t1"] .tool');
  for (const words of ['Everything is Ok', 'exit 0', '7z a ', 'Recovery files', 'upload complete', 'curl -T ']) {
    assert.ok(tools.includes(words), `${words} in ${tools}`);
  }
  await screenshot(page, 'finished-task');
  await button.click();
  assert.ok(await page.locator('[data-task="t1"] .details').isHidden());
  await close(page);
});

test('agents’ text streams in, with artifacts and the graph', async () => {
  const page = await open();
  producer.publish(events.started('pizza_master', 'r1'));
  for (const word of ['Analyzing ', 'pizza ', 'toppings…']) producer.publish(events.words('pizza_master', 'r1', word));
  await shows(page, '[data-run="r1"] pre', 'Analyzing pizza toppings…');
  producer.publish(events.completed('pizza_master', 'r1'));
  await shows(page, '[data-run="r1"]', 'success');
  await shows(page, '[data-run="r1"]', 'took 1.2 s');
  producer.publish(events.artifact('Pizza'));
  await shows(page, '#artifacts', 'Pizza');
  producer.publish(events.graph());
  await shows(page, '#graph', 'pizza_master');
  assert.equal(await page.locator('#graph .edge').count(), 2);
  await close(page);
});

test('what happened before the page was opened is there, after a reload too', async () => {
  const page = await open();
  producer.publish(events.finished('t2', { status: 'failed', exitCode: 2 }));
  producer.publish(events.started('waiter', 'r-open'));
  producer.publish(events.words('waiter', 'r-open', 'Table four '));
  await shows(page, '[data-run="r-open"] pre', 'Table four ');
  await load(page, () => page.reload());
  await live(page);
  producer.publish(events.words('waiter', 'r-open', 'wants the bill.'));
  await shows(page, '#finished [data-task="t2"]', 'failed');
  const tasks = await page.locator('#finished .task').evaluateAll((rows) => rows.map((row) => row.dataset.task));
  assert.deepEqual(tasks, ['t2', 't1'], 'newest first');
  assert.match(await text(page, '#finished [data-task="t1"] .task-step'), /^\d\d:\d\d:\d\d · 3 tools$/);
  await page.click('#finished [data-task="t1"] button');
  await shows(page, '[data-task="t1"] .tool', 'Everything is Ok');
  await shows(page, '[data-run="r-open"] pre', 'Table four wants the bill.');
  await shows(page, '[data-run="r1"] pre', 'Analyzing pizza toppings…');
  await shows(page, '[data-run="r1"]', 'success');
  await shows(page, '#artifacts', 'Pizza');
  assert.equal(await text(page, '[data-past]'), '\n\n');
  await screenshot(page, 'reloaded');
  await close(page);
});

test('a token that may not read some of the past is told so, and has the rest', async () => {
  const token = await bridge.createToken('narrow', ['read:task-finished.>', 'read:artifact_published']);
  const page = await openPage(browser, bridge.page({ token }));
  await live(page);
  await shows(page, '#finished', 'name of t1');
  await shows(page, '[data-past="agents"]', 'since this page was opened');
  await shows(page, '[data-past="artifacts"]', 'since this page was opened');
  assert.equal(await text(page, '[data-past="tasks"]'), '');
  await close(page);
});

test('producers are shown with their presence', async () => {
  const page = await open();
  await shows(page, '[data-producer="pipeline-1"]', 'online');
  await close(page);
});

test('who has said goodbye is counted and folded away, the newest first', async (t) => {
  const page = await open();
  for (const id of ['short-1', 'short-2']) {
    const short = await Producer.connect(bridge, id);
    t.after(() => short.close());
    await shows(page, `#producers [data-producer="${id}"]`, 'online');
    await short.bye();
    await eventually(async () => (await page.locator(`#producers [data-producer="${id}"]`).count()) === 0, `${id} folded`);
  }
  await shows(page, '#producers-count', '1 online');
  await shows(page, '#producers-gone-count', '2 gone');
  assert.ok(await page.isHidden('#producers-gone'));
  await page.focus('#producers-gone-count');
  await page.keyboard.press('Enter');
  await eventually(() => page.isVisible('#producers-gone'), 'the fold open');
  const ids = await page.locator('#producers-gone li').evaluateAll((lines) => lines.map((line) => line.dataset.producer));
  assert.deepEqual(ids, ['short-2', 'short-1']);
  assert.match(await text(page, '#producers-gone'), /since \d\d:\d\d:\d\d/);
  await screenshot(page, 'producers-gone');
  await close(page);
});

test('strings are text, whatever they say', async () => {
  const page = await open();
  const bait = '<img src=x onerror="document.title=\'taken\'"><script>document.title="taken"</script>';
  producer.publish(events.queueUpdate({ running: ['t1'], name: bait }));
  producer.publish(events.progress(bait, bait, 50));
  producer.publish(events.finished('hostile', { name: bait, output: bait, status: bait }));
  producer.publish(events.started(bait, bait));
  producer.publish(events.words(bait, bait, bait));
  producer.publish(events.artifact(bait));
  producer.publish(events.graph(bait));
  await shows(page, '[data-task="hostile"]', bait);
  await shows(page, '#runs', bait);
  await shows(page, '#graph', bait);
  await shows(page, '#artifacts', bait);
  await shows(page, '#raw', 'onerror');
  await page.click('[data-task="hostile"] button');
  await shows(page, '[data-task="hostile"] .tool', bait);
  assert.equal(await page.locator('main img, main script').count(), 0);
  assert.match(await page.title(), /^Trestle$/);
  await screenshot(page, 'hostile');
  await close(page);
});

test('the raw stream can be filtered and held', async () => {
  const page = await open();
  producer.publish(events.progress('r', 'COMPRESSION', 1));
  await shows(page, '#raw', 'command-progress.r');
  await page.fill('#raw-filter', 'task-finished.*');
  await eventually(async () => !(await text(page, '#raw')).includes('command-progress.r'), 'the filter');
  await page.click('#raw-pause');
  producer.publish(events.finished('while-paused'));
  await shows(page, '#raw-status', 'more went by');
  assert.ok(!(await text(page, '#raw')).includes('while-paused'));
  await page.click('#raw-pause');
  producer.publish(events.finished('after-pause'));
  await shows(page, '#raw', 'after-pause');
  await close(page);
});

test('a wrong token is refused with the reason, the right one gets in', async () => {
  const page = await open({ url: bridge.page({ token: 'wrong' }) });
  await shows(page, '#state', 'refused: no valid token (4401)');
  assert.ok(await page.isVisible('#token-form'));
  await screenshot(page, 'refused');
  await page.fill('#token', bridge.token);
  await page.click('#token-form button[type=submit]');
  await live(page);
  assert.ok(await page.isHidden('#token-form'));
  await close(page);
});

test('without a token the page asks for one', async () => {
  const page = await open({ url: bridge.page({}) });
  await eventually(() => page.isVisible('#token-form'), 'the question');
  assert.equal(await page.getAttribute('#token', 'type'), 'password');
  await close(page);
});

for (const colorScheme of ['light', 'dark']) {
  test(`phone and desktop, ${colorScheme}`, async () => {
    const grounds = [];
    for (const [device, viewport] of [['desktop', DESKTOP], ['phone', PHONE]]) {
      const page = await open({ viewport, colorScheme });
      publishEverything();
      await shows(page, '[data-task="t8"]', 'failed');
      await shows(page, '[data-run="r2"]', 'cold rise');
      await page.click('[data-task="t8"] button');
      await eventually(async () => (await barOf(page, 't5', 'COMPRESSION')) === 62.5, 'the bar');
      await noSidewaysScroll(page);
      await screenshot(page, `${device}-${colorScheme}`);
      grounds.push(await page.evaluate(() => getComputedStyle(document.body).backgroundColor));
      await close(page);
    }
    const [, red] = grounds[0].match(/rgb\((\d+)/);
    assert.equal(Number(red) > 128, colorScheme === 'light', grounds[0]);
    assert.equal(grounds[0], grounds[1]);
  });
}

/** A bit of all that can be seen, with names that do not fit. */
function publishEverything() {
  const long = 'a-very-long-name-without-any-space-'.repeat(8);
  producer.publish(events.queueUpdate({ running: ['t5', 't6'], queued: ['t7'], name: long }));
  producer.publish(events.progress('t5', 'COMPRESSION', 62.5));
  producer.publish(events.progress('t6', 'UPLOADING', 31));
  producer.publish(events.finished('t7'));
  producer.publish(events.finished('t8', { name: long, status: 'failed', exitCode: 2 }));
  producer.publish(events.started('pizza_master', 'r1'));
  producer.publish(events.words('pizza_master', 'r1', 'Analyzing pizza toppings…'));
  producer.publish(events.completed('pizza_master', 'r1'));
  producer.publish(events.started('quality_critic', 'r2'));
  producer.publish(events.words('quality_critic', 'r2', 'The crust needs a cold rise of 24 hours. '.repeat(4)));
  producer.publish(events.artifact('Pizza'));
  producer.publish(events.graph());
}

test('a thousand events a second do not freeze it', { timeout: 60_000 }, async () => {
  const page = await open();
  let n = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < 20; ++i, ++n) producer.publish(events.progress(`load-${n % 100}`, 'COMPRESSION', n % 100));
  }, 20);
  try {
    await shows(page, '#running', 'load-99');
    const slowest = await page.evaluate(() => new Promise((resolve) => {
      const start = performance.now();
      let last = start;
      let worst = 0;
      requestAnimationFrame(function frame(now) {
        worst = Math.max(worst, now - last);
        last = now;
        if (now - start > 3_000) resolve(worst);
        else requestAnimationFrame(frame);
      });
    }));
    assert.ok(slowest < 1_000, `a frame took ${slowest} ms`);
  } finally {
    clearInterval(timer);
  }
  assert.ok(await page.locator('#raw .line').count() <= 500);
  await close(page);
});

test('a killed and restarted trestled is caught up with', { timeout: 60_000 }, async () => {
  const page = await open();
  producer.publish(events.finished('before-the-crash'));
  producer.publish(events.progress('t9', 'COMPRESSION', 20));
  await shows(page, '[data-task="before-the-crash"]', 'completed');
  await eventually(async () => (await barOf(page, 't9', 'COMPRESSION')) === 20, 'the bar before');
  const epoch = await text(page, '#fact-epoch');
  await bridge.kill();
  await shows(page, '#state', 'reconnecting in');
  await screenshot(page, 'reconnecting');
  producer.publish(events.progress('t9', 'COMPRESSION', 60));
  await bridge.launch();
  await live(page);
  await eventually(async () => (await barOf(page, 't9', 'COMPRESSION')) === 60, 'the progress made meanwhile');
  assert.ok(await page.locator('[data-task="before-the-crash"]').isVisible(), 'what was seen stays');
  await eventually(async () => (await text(page, '#fact-epoch')) !== epoch, 'the new epoch of a stream in memory');
  producer.publish(events.finished('t9'));
  await shows(page, '#finished [data-task="t9"]', 'completed');
  assert.equal(await page.locator('#finished [data-task="before-the-crash"]').count(), 1);
  await screenshot(page, 'caught-up');
  await close(page, { faultless: false }); // the browser itself reports each connection that was refused
});

test('a producer that falls silent is shown as lost', { timeout: 60_000 }, async (t) => {
  const mortal = await Producer.connect(bridge, 'mortal');
  t.after(() => mortal.close());
  const page = await open();
  await shows(page, '[data-producer="mortal"]', 'online');
  mortal.close();
  await eventually(async () => (await text(page, '[data-producer="mortal"]')).includes('lost'), 'lost', 20_000);
  await close(page);
});

test('who has no say over $sys, as without authentication, sees everything but presence', async () => {
  const modest = await Bridge.start({ auth: { enabled: false } });
  try {
    const page = await open({ url: modest.page({}) });
    await live(page);
    await sleep(500); // time enough for an answer that would show the panel
    assert.ok(await page.isHidden('#producers-panel'));
    await close(page);
  } finally {
    await modest.stop();
  }
});
