/** Places a graph's nodes in layers so that edges point downwards wherever the graph has no cycle. Pure. */

/** Returns {places: Map(id → {layer, slot}), layers, slots}; slots may be halves, to centre short layers. */
export function layout({ nodes, edges }) {
  const layerOf = longestPaths(nodes, edges);
  const members = [];
  for (const [id, layer] of layerOf) (members[layer] ??= []).push(id);
  const layers = members.filter((ids) => ids !== undefined);
  const slots = Math.max(0, ...layers.map((ids) => ids.length));
  const places = new Map();
  layers.forEach((ids, layer) => {
    const first = (slots - ids.length) / 2;
    ids.forEach((id, i) => places.set(id, { layer, slot: first + i }));
  });
  return { places, layers: layers.length, slots };
}

/** Each round pushes targets below their sources; as many rounds as nodes are enough, and a cycle stops there. */
function longestPaths(nodes, edges) {
  const layerOf = new Map(nodes.map((node) => [node.id, 0]));
  const last = layerOf.size - 1;
  for (let round = 0; round < layerOf.size; ++round) {
    let moved = false;
    for (const { from, to } of edges) {
      if (!layerOf.has(from) || !layerOf.has(to) || from === to) continue;
      const wanted = Math.min(last, layerOf.get(from) + 1);
      if (layerOf.get(to) >= wanted) continue;
      layerOf.set(to, wanted);
      moved = true;
    }
    if (!moved) break;
  }
  return layerOf;
}
