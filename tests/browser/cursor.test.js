// The rules by which a client's cursor moves, one by one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cursor } from '../../bridge/front/page/cursor.js';

const EPOCH = '1761911999000001';
const NEXT = '1761999999000001';

/** A cursor whose first connection is live at `offset`. */
function liveAt(offset) {
  const cursor = new Cursor();
  cursor.connecting();
  cursor.welcome({ epoch: EPOCH });
  cursor.live({ epoch: EPOCH, offset });
  return cursor;
}

/** The same, on its second connection, which asked for what is newer. */
function backAt(offset) {
  const cursor = liveAt(offset);
  assert.equal(cursor.connecting(), `${EPOCH}:${offset}`);
  cursor.welcome({ epoch: EPOCH });
  return cursor;
}

test('before the first snapshot is complete there is nothing to come back to', () => {
  const cursor = new Cursor();
  assert.equal(cursor.connecting(), null);
  cursor.welcome({ epoch: EPOCH });
  assert.equal(cursor.event({ offset: 7, replay: true }), true);
  assert.equal(cursor.event({ offset: 3, replay: true }), true, 'a snapshot need not be in offset order');
  assert.equal(cursor.text, null);
  assert.equal(cursor.connecting(), null, 'a join cut short is a join again');
});

test('live after a join is the first cursor', () => {
  assert.equal(liveAt(9).text, `${EPOCH}:9`);
});

test('live events move it and are not applied twice', () => {
  const cursor = liveAt(9);
  assert.equal(cursor.event({ offset: 12 }), true);
  assert.equal(cursor.event({ offset: 12 }), false);
  assert.equal(cursor.event({ offset: 10 }), false);
  assert.equal(cursor.text, `${EPOCH}:12`);
});

test('an in-band replay is applied and does not move it; the live that follows does', () => {
  const cursor = liveAt(20);
  assert.equal(cursor.event({ offset: 5, replay: true }), true);
  assert.equal(cursor.event({ offset: 25, replay: true }), true);
  assert.equal(cursor.text, `${EPOCH}:20`);
  cursor.live({ epoch: EPOCH, offset: 26 });
  assert.equal(cursor.text, `${EPOCH}:26`);
});

test('an older live or cursor notice never moves it back', () => {
  const cursor = liveAt(20);
  cursor.live({ epoch: EPOCH, offset: 15 });
  cursor.idle({ epoch: EPOCH, offset: 16 });
  assert.equal(cursor.text, `${EPOCH}:20`);
  cursor.idle({ epoch: EPOCH, offset: 30 });
  assert.equal(cursor.text, `${EPOCH}:30`);
});

test('what since on connect replays moves it, event by event', () => {
  const cursor = backAt(20);
  assert.equal(cursor.event({ offset: 21 }), true);
  assert.equal(cursor.event({ offset: 24, replay: true }), true);
  assert.equal(cursor.text, `${EPOCH}:24`, 'flagged or not');
  assert.equal(cursor.connecting(), `${EPOCH}:24`, 'so a replay cut short goes on from there');
});

test('after a reconnect nothing is applied twice', () => {
  const cursor = backAt(20);
  assert.equal(cursor.event({ offset: 20 }), false);
  assert.equal(cursor.event({ offset: 19 }), false);
});

test('a gap on reconnect brings a snapshot whose older events are applied too', () => {
  const cursor = backAt(20);
  cursor.gap({ reason: 'trimmed', epoch: EPOCH, offset: 90 });
  assert.equal(cursor.event({ offset: 4 }), true);
  assert.equal(cursor.text, `${EPOCH}:20`, 'and do not move it back');
  assert.equal(cursor.event({ offset: 70 }), true);
  assert.equal(cursor.text, `${EPOCH}:70`);
  cursor.live({ epoch: EPOCH, offset: 95 });
  assert.equal(cursor.event({ offset: 95 }), false, 'once live, the rule is the usual one again');
});

test('another epoch at welcome starts the count anew, gap or no gap', () => {
  for (const gap of [true, false]) {
    const cursor = liveAt(500);
    cursor.connecting();
    assert.equal(cursor.welcome({ epoch: NEXT }), true);
    if (gap) cursor.gap({ reason: 'epoch', epoch: NEXT, offset: 3 });
    assert.equal(cursor.event({ offset: 1 }), true);
    assert.equal(cursor.event({ offset: 3 }), true);
    assert.equal(cursor.text, `${NEXT}:3`);
  }
});

test('an epoch gap under the same name means our offset was ahead of the head', () => {
  const cursor = backAt(500);
  cursor.gap({ reason: 'epoch', epoch: EPOCH, offset: 40 });
  assert.equal(cursor.event({ offset: 38 }), true);
  assert.equal(cursor.text, `${EPOCH}:38`);
});

test('an epoch that changes while live is taken up before its first event', () => {
  const cursor = liveAt(500);
  cursor.gap({ reason: 'epoch', epoch: NEXT, offset: 1 });
  assert.equal(cursor.event({ offset: 2 }), true);
  assert.equal(cursor.text, `${NEXT}:2`);
});

test('a live gap of another reason leaves it where it is', () => {
  const cursor = liveAt(500);
  cursor.gap({ reason: 'lost', epoch: EPOCH, offset: 510 });
  assert.equal(cursor.text, `${EPOCH}:500`);
  assert.equal(cursor.event({ offset: 499 }), false);
});
