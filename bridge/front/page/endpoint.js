/** Which of the listener's WebSocket endpoints the page takes. */

const ANSWER_MS = 5_000;

/** What every listener has unless its configuration says otherwise. */
const USUAL = { path: '/', token: true };

/**
 * The listener's endpoints, [{path, token: whether it wants one}], as the bridge at `base` names them; null if it does
 * not, as through a proxy that hands on other paths only. base: the page's own folder, ends with a slash.
 */
export async function endpointsAt(base) {
  try {
    const answer = await fetch(new URL('endpoints.json', base), { signal: AbortSignal.timeout(ANSWER_MS) });
    const { endpoints } = await answer.json();
    return answer.ok && Array.isArray(endpoints) && endpoints.length > 0 ? endpoints : null;
  } catch {
    return null;
  }
}

/** The one at the page's own place, else the first. */
export function choose(endpoints) {
  if (endpoints === null) return USUAL;
  return endpoints.find(({ path }) => path === USUAL.path) ?? endpoints[0];
}
