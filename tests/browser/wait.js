// Patience: tests wait for what they expect, no longer than they must, and fail when it does not come.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

export const PATIENCE_MS = 10_000 * Number(process.env.TRESTLE_TEST_PATIENCE ?? 1);

/** Calls condition until it returns something true, which is the result. */
export async function eventually(condition, what, patience = PATIENCE_MS) {
  const deadline = Date.now() + patience;
  for (;;) {
    const result = await condition();
    if (result) return result;
    assert.ok(Date.now() < deadline, `${what}: not in time`);
    await sleep(20);
  }
}
