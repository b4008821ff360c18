// What each close code of wire B makes a client do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterClose } from '../../bridge/front/page/closing.js';

const middle = () => 0.5;
const delay = (options) => afterClose({ random: middle, ...options }).delay;

test('refusals are final and say why', () => {
  for (const code of [1009, 4400, 4401, 4403]) {
    const plan = afterClose({ code, reason: 'because' });
    assert.equal(plan.action, 'stop', String(code));
    assert.match(plan.reason, /because/);
    assert.equal(plan.code, code);
  }
});

test('an expired token asks for a new one', () => {
  assert.equal(afterClose({ code: 4409 }).action, 'token');
});

test('everything else comes back', () => {
  for (const code of [1000, 1001, 1005, 1006, 1011, 1012, 4408, 4429, 4999]) {
    const plan = afterClose({ code });
    assert.equal(plan.action, 'retry', String(code));
    assert.ok(plan.delay > 0 && plan.delay <= 30_000);
    assert.notEqual(plan.reason, '');
  }
});

test('the wait doubles up to a ceiling and is spread by chance', () => {
  const delays = [0, 1, 2, 3].map((attempt) => delay({ code: 1006, attempt }));
  assert.deepEqual(delays, [375, 750, 1500, 3000]);
  assert.equal(delay({ code: 1006, attempt: 1000, random: () => 0.999999 }) <= 30_000, true);
  assert.ok(delay({ code: 1006, random: () => 0 }) < delay({ code: 1006, random: () => 0.9 }));
});

test('too many means a good while', () => {
  assert.ok(delay({ code: 4429 }) >= 5_000);
});

test('a drain spreads its clients over the time it names', () => {
  const drain = { after_ms: 2_000, spread_ms: 8_000 };
  assert.equal(delay({ code: 1001, drain }), 4_250);
  assert.equal(delay({ code: 1001, drain, attempt: 2 }), 1_500, 'once that has been done the usual wait counts');
});
