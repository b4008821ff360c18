// The page watches the real pipeline: 7z, par2 and an upload to a real nginx.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BIN, Bridge } from './bridge.js';
import { faultsOf, launchChromium, openPage, screenshot } from './chromium.js';
import { eventually } from './wait.js';

const PIPELINE = fileURLToPath(new URL('../../clients/pipeline/run', import.meta.url));
const SOURCE_BYTES = 48 * 1024 * 1024; // enough for every tool to take a second or more
const TASK_MS = 120_000;
const STEPS = ['COMPRESSION', 'PAR_CREATION', 'UPLOADING'];

/** Starts the pipeline for one file of noise; stop() ends it and all it started. */
function startPipeline(bridge, folder) {
  const source = join(folder, 'holiday.mov');
  writeFileSync(source, randomFillSync(Buffer.alloc(SOURCE_BYTES)));
  const child = spawn(PIPELINE, [
    '--bin', BIN, '--work', join(folder, 'work'), '--events', bridge.events, '--control', bridge.control,
    '--limit-rate', '16M', source,
  ], { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = once(child, 'exit');
  return async () => {
    child.kill('SIGTERM');
    await exited;
  };
}

/** Notes, inside the page, every value that each bar of the only task shows. */
function watchBars(page) {
  return page.evaluate(() => {
    window.seen = {};
    setInterval(() => {
      for (const step of document.querySelectorAll('.task .step')) {
        const values = (window.seen[step.dataset.step] ??= []);
        const { value } = step.querySelector('progress');
        if (value !== values.at(-1)) values.push(value);
      }
    }, 20);
  });
}

test('bars move with the real pipeline, and its tools’ output is shown', { timeout: 2 * TASK_MS }, async (t) => {
  assert.ok(existsSync(join(BIN, 'trestle-queue')), `${BIN}/trestle-queue is missing: build everything first`);
  const folder = mkdtempSync(join(tmpdir(), 'trestle-pipeline-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const bridge = await Bridge.start();
  t.after(() => bridge.stop());
  const browser = await launchChromium();
  t.after(() => browser.close());
  const page = await openPage(browser, bridge.page());
  await watchBars(page);
  const stop = startPipeline(bridge, folder);
  t.after(stop);

  await page.waitForSelector('#running [data-step="PAR_CREATION"][data-state="now"]', { timeout: TASK_MS });
  await page.waitForFunction(() => document.querySelector('[data-step="PAR_CREATION"] progress')?.value > 20);
  await screenshot(page, 'pipeline-running');
  await page.waitForSelector('#finished .task', { timeout: TASK_MS });
  const ends = (seen) => STEPS.every((step) => seen[step].at(-1) === 100);
  const seen = await eventually(async () => {
    const values = await page.evaluate(() => window.seen);
    return ends(values) && values;
  }, 'every bar at 100');
  for (const step of STEPS) {
    const values = seen[step];
    assert.ok(values.length >= 3, `${step} moved: ${values}`);
    assert.deepEqual(values, [...values].sort((a, b) => a - b), `${step} only rises`);
  }

  await page.click('#finished .task button');
  const tools = (await page.locator('#finished .tool').allTextContents()).join('\n');
  for (const words of ['Everything is Ok', 'par2', 'curl', 'exit 0']) {
    assert.ok(tools.includes(words), `${words}: ${tools}`);
  }
  const written = async () => (await page.locator('.run pre').allTextContents()).join('');
  await eventually(async () => (await written()).length > 40, 'the agent’s text');
  const online = page.locator('#producers .chip[data-tone="good"]');
  await eventually(async () => (await online.count()) >= 3, 'its producers');
  await screenshot(page, 'pipeline-finished');
  assert.deepEqual(faultsOf(page), []);
});
