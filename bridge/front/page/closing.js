/** What a close code asks of a client. Pure: randomness comes in as a parameter. */

/** Codes after which coming back by itself would only repeat the refusal. */
const FINAL = new Map([
  [1009, 'a message was too big for the bridge'],
  [4400, 'the bridge did not understand the request'],
  [4401, 'no valid token'],
  [4403, 'not allowed here'],
]);
const TOKEN_EXPIRED = 4409;
const TOO_MANY = 4429;
const DRAINING = 1001;
const TOO_SLOW = 4408;

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
const TOO_MANY_DELAY_MS = 10_000;
const MIN_DRAIN_DELAY_MS = 250;

const RETRY_REASONS = new Map([
  [1000, 'closed by the bridge'],
  [1001, 'the bridge is restarting'],
  [1006, 'the bridge cannot be reached'],
  [1011, 'the bridge had an internal error'],
  [TOO_SLOW, 'this page was too slow; catching up'],
  [TOO_MANY, 'too many connections or requests'],
]);

/**
 * What to do after a close.
 *  code, reason  from the close event
 *  attempt       failures in a row before this one, from 0
 *  drain         the last `drain` notice {after_ms, spread_ms} of this connection, if any
 *  random        () => [0, 1)
 * Returns {action: 'stop' | 'token' | 'retry', code, reason, delay}; delay in ms, for 'retry' only. Stop means that
 * only a person (another token, a reload) can change the outcome.
 */
export function afterClose({ code, reason = '', attempt = 0, drain = null, random = Math.random }) {
  if (FINAL.has(code)) return { action: 'stop', code, reason: explain(FINAL.get(code), reason) };
  if (code === TOKEN_EXPIRED) return { action: 'token', code, reason: 'the token has expired' };
  const why = RETRY_REASONS.get(code) ?? `connection lost (${code})`;
  // The reason of 4408 is the server's idea of our cursor; ours counts only what has really arrived.
  const words = code === TOO_SLOW ? why : explain(why, reason);
  return { action: 'retry', code, reason: words, delay: delayFor(code, attempt, drain, random) };
}

function delayFor(code, attempt, drain, random) {
  if (code === DRAINING && drain !== null && attempt === 0) {
    return MIN_DRAIN_DELAY_MS + random() * Math.max(0, drain.spread_ms ?? 0);
  }
  const floor = code === TOO_MANY ? TOO_MANY_DELAY_MS : FIRST_DELAY_MS;
  const ceiling = Math.min(MAX_DELAY_MS, floor * 2 ** Math.min(attempt, 10));
  return ceiling * (0.5 + random() / 2); // jitter, so that a thousand pages do not come back in step
}

function explain(why, reason) {
  return reason === '' || reason === why ? why : `${why}: ${reason}`;
}
