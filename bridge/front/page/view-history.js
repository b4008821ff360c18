/** Says of each part of the page that the past belongs to how far back it goes. */
import { setText } from './dom.js';

/** `history`: {reading, parts: the names of those that could be read, null for all}; null before it has begun. */
export function renderHistory(history) {
  for (const node of document.querySelectorAll('[data-past]')) setText(node, wordsFor(history, node.dataset.past));
}

function wordsFor(history, part) {
  if (history === null) return '';
  if (history.reading) return 'reading earlier ones…';
  return history.parts === null || history.parts.includes(part) ? '' : 'since this page was opened';
}
