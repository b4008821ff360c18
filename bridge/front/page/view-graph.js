/** Draws the agents' graph: small ones as a picture in layers, every one as a list too. */
import { byId, el, setHidden, setText, svg } from './dom.js';
import { layout } from './layers.js';

const MAX_DRAWN = 24; // nodes; beyond that a picture of this size tells less than the list
const LEGIBLE = 0.7; // of life size
const BOX = { width: 128, height: 28, gapX: 28, gapY: 24, margin: 4, detour: 48 };

export class GraphView {
  #drawn = null;

  render(graph, stale) {
    byId('graph').classList.toggle('stale', stale);
    if (this.#drawn === graph) return;
    this.#drawn = graph;
    const nodes = graph?.nodes ?? [];
    setText(byId('graph-count'), nodes.length + (graph?.more ?? 0));
    setHidden(byId('graph-empty'), nodes.length > 0);
    byId('graph').replaceChildren(...(nodes.length === 0 ? [] : this.#content(graph)));
  }

  #content(graph) {
    const small = graph.nodes.length <= MAX_DRAWN;
    const list = el('details', { open: !small }, el('summary', {}, 'As a list'), el('ul', {}, ...linesOf(graph)));
    return small ? [picture(graph), list] : [list];
  }
}

function linesOf(graph) {
  const labels = new Map(graph.nodes.map((node) => [node.id, node.label]));
  const name = (id) => labels.get(id) ?? id;
  const linked = new Set(graph.edges.flatMap((edge) => [edge.from, edge.to]));
  const alone = graph.nodes.filter((node) => !linked.has(node.id));
  return [
    ...graph.edges.map((edge) => el('li', { class: 'data' },
      `${name(edge.from)} → ${name(edge.to)}${edge.label === '' ? '' : ` (${edge.label})`}`)),
    ...alone.map((node) => el('li', { class: 'data' }, node.label)),
  ];
}

function picture(graph) {
  const { places, layers, slots } = layout(graph);
  const width = slots * (BOX.width + BOX.gapX) - BOX.gapX + 2 * BOX.margin + BOX.detour;
  const height = layers * (BOX.height + BOX.gapY) - BOX.gapY + 2 * BOX.margin;
  const middle = (place) => BOX.margin + place.slot * (BOX.width + BOX.gapX) + BOX.width / 2;
  const top = (place) => BOX.margin + place.layer * (BOX.height + BOX.gapY);
  const edges = graph.edges
    .filter((edge) => places.has(edge.from) && places.has(edge.to) && edge.from !== edge.to)
    .map((edge) => edgePath(places.get(edge.from), places.get(edge.to), middle, top));
  const boxes = [...new Map(graph.nodes.map((node) => [node.id, node])).values()].map((node) => {
    const place = places.get(node.id);
    return svg('g', { class: 'node' },
      svg('title', {}, node.label),
      svg('rect', { x: middle(place) - BOX.width / 2, y: top(place), width: BOX.width, height: BOX.height, rx: 6 }),
      svg('text', { x: middle(place), y: top(place) + BOX.height / 2 }, fitting(node.label)));
  });
  const label = 'The graph; the same follows as a list';
  const image = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label },
    svg('defs', {}, arrowHead()), ...edges, ...boxes);
  image.style.maxWidth = `${width}px`; // never larger than life
  image.style.minWidth = `${width * LEGIBLE}px`; // on a phone a wide one is scrolled, not shrunk to dust
  return image;
}

function arrowHead() {
  const size = { markerWidth: 7, markerHeight: 7, refX: 7, refY: 4 };
  return svg('marker', { id: 'arrow', viewBox: '0 0 8 8', orient: 'auto', ...size },
    svg('path', { d: 'M0 0 8 4 0 8z' }));
}

/** Straight down to the next layer; out and in at the right when layers are skipped or it leads back up. */
function edgePath(from, to, middle, top) {
  const direct = to.layer === from.layer + 1;
  const side = BOX.width / 2;
  const [x1, y1] = direct ? [middle(from), top(from) + BOX.height] : [middle(from) + side, top(from) + BOX.height / 2];
  const [x2, y2] = direct ? [middle(to), top(to)] : [middle(to) + side, top(to) + BOX.height / 2];
  const away = Math.max(x1, x2) + BOX.detour;
  const d = direct
    ? `M${x1} ${y1}C${x1} ${y1 + BOX.gapY} ${x2} ${y2 - BOX.gapY} ${x2} ${y2}`
    : `M${x1} ${y1}C${away} ${y1} ${away} ${y2} ${x2} ${y2}`;
  return svg('path', { class: 'edge', 'marker-end': 'url(#arrow)', d });
}

function fitting(label) {
  const letters = [...label];
  return letters.length <= 17 ? label : `${letters.slice(0, 16).join('')}…`;
}
