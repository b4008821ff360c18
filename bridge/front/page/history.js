/**
 * What the bridge has kept from before the page was there. A plain join brings the newest state only, and what a session
 * holds is not replayed to it; so the past has a connection of its own, which asks for it part by part and ends.
 */
import { Connection } from './trestle.js';

/** A token may read some of them only. Within a part events come in the order in which they happened. */
export const PARTS = {
  tasks: ['task-finished.*'],
  agents: ['agent_execution_started.*', 'streaming_output.*', 'agent_execution_completed.*'],
  artifacts: ['artifact_published.*'],
};

/**
 * Reads everything kept up to `cursor`, where the present begins; url and token as for Connection. A connection that is
 * lost is made anew, and all is read once more.
 *  onBegin()      nothing has been read so far
 *  onEvent(event) {data, meta}
 *  onEnd(parts)   the names of the parts that could be read, once, at the end; null if the stream has begun anew
 *                 meanwhile, when everything kept comes to whoever is live
 */
export function readHistory({ url, token, cursor, onBegin, onEvent, onEnd, ...rest }) {
  let wake = null; // called when the replay at hand is complete
  const connection = new Connection({
    ...rest, url, token, cursor, topics: [],
    onState({ name }) {
      if (name === 'connecting') onBegin();
      if (name === 'refused' || name === 'token') end([]);
    },
    onEvent(event) {
      if (event.meta.offset <= last) onEvent(event);
    },
    onGap({ reason }) {
      if (reason === 'epoch') end(null);
    },
    onLive(first) {
      if (first) readAll();
      else wake?.();
    },
  });
  const last = connection.cursor.offset;
  connection.start();

  async function readAll() {
    const readable = [];
    for (const [part, topics] of Object.entries(PARTS)) {
      const complete = new Promise((resolve) => (wake = resolve));
      const reply = await connection.request('subscribe', { topics, since: '0' }).catch((error) => error);
      if (reply.code === 'not_connected') return; // it comes back, and begins anew
      if (reply instanceof Error) continue;
      await complete;
      readable.push(part);
    }
    end(readable);
  }

  function end(parts) {
    if (connection.state.name === 'stopped') return;
    connection.stop();
    onEnd(parts);
  }
}
