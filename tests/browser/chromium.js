// Debian's Chromium, headless and quiet.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const SCREENSHOTS = fileURLToPath(new URL('screenshots/', import.meta.url));

const LOAD_ATTEMPTS = 5;

export const DESKTOP = { width: 1440, height: 900 };
export const PHONE = { width: 360, height: 740 };

export function launchChromium() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

/** A page that keeps what went wrong in `page.faults`: errors, refused loads, violations of its content policy. */
export async function openPage(browser, url, { viewport = DESKTOP, colorScheme = 'light' } = {}) {
  const context = await browser.newContext({ viewport, colorScheme });
  const page = await context.newPage();
  page.faults = [];
  page.requested = [];
  page.on('pageerror', (error) => page.faults.push(error.stack));
  page.on('console', (message) => message.type() === 'error' && page.faults.push(message.text()));
  page.on('request', (request) => page.requested.push(request.url()));
  await load(page, () => page.goto(url));
  return page;
}

/**
 * Chromium gives up what it is loading whenever a network interface of the machine comes or goes, as they do when
 * something else here makes namespaces or containers. That is no fault of the page's.
 */
const disturbed = (text) => text.includes('ERR_NETWORK_CHANGED');

export function faultsOf(page) {
  return page.faults.filter((fault) => !disturbed(fault));
}

/** Loads with `go`, again if it was disturbed. */
export async function load(page, go) {
  for (let attempt = 1; ; ++attempt) {
    const refusal = await go().then(() => null, (error) => error);
    const again = page.faults.some(disturbed) || (refusal !== null && disturbed(refusal.message));
    if (!again || attempt === LOAD_ATTEMPTS) {
      if (refusal !== null) throw refusal;
      return;
    }
    page.faults = faultsOf(page);
  }
}

export async function screenshot(page, name, { fullPage = true } = {}) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage });
}
