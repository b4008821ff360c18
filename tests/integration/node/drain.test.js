// What a Node client sees when the bridge is stopped.
import assert from 'node:assert/strict';
import { Bridge, open, test } from './bridge.js';

test('a drain notice for those who asked for notices, then 1001 for all', async () => {
  const bridge = await Bridge.start();
  const meta = await open(bridge.url('/', { meta: '1' }));
  const plain = await open(bridge.url('/plugin/ws'));
  assert.equal((await meta.json()).data.type, 'welcome');
  assert.equal((await meta.json()).data.type, 'live');
  const stopped = bridge.stop();
  const notice = await meta.json();
  assert.equal(notice.data.type, 'drain');
  assert.ok(notice.data.after_ms >= 0 && notice.data.spread_ms >= 0);
  assert.equal((await meta.closed()).code, 1001);
  assert.equal((await plain.closed()).code, 1001);
  await stopped;
});
