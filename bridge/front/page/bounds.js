/** How much the page remembers. Whatever producers send, its memory and its DOM stay bounded by these. */
export const MAX_TASKS = 200;
export const MAX_STEPS = 8; // of one task
export const MAX_SETTINGS = 24; // of one task
export const MAX_TOOLS = 8; // outputs of one task
export const MAX_OUTPUT = 64 * 1024; // characters of one output, cut from the front
export const MAX_OUTPUTS_TOTAL = 8 * 1024 * 1024; // over all tasks; the oldest give theirs up first
export const MAX_RUNS = 100;
export const MAX_RUN_TEXT = 64 * 1024; // characters of one run, cut from the front
export const MAX_ARTIFACTS = 200;
export const MAX_PRODUCERS = 200;
export const MAX_QUEUE_NAMES = 50; // shown of each list; the number itself is always right
export const MAX_GRAPH_NODES = 200;
export const MAX_GRAPH_EDGES = 400;
export const MAX_RAW_LINES = 500;
export const MAX_RAW_TEXT = 2_000; // characters of one line
export const MAX_NAME = 300;

/** Any value as one short string; objects and absent values are empty. */
export function short(value, max = MAX_NAME) {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'string') return '';
  return value.length <= max ? value : `${own(cutEnd(value, max))}…`;
}

/** The last `max` characters of a text, and whether anything was cut. */
export function tail(text, max) {
  if (text.length <= max) return { text, cut: false };
  const first = text.charCodeAt(text.length - max);
  const middleOfPair = first >= 0xdc00 && first <= 0xdfff;
  return { text: own(text.slice(text.length - max + (middleOfPair ? 1 : 0))), cut: true };
}

/** The first `max` characters, never half a surrogate pair. */
export function cutEnd(text, max) {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max);
}

/** A copy that does not keep the longer string alive it was cut from, as engines' slices do. */
export function own(text) {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}
