// Graphs of causes and effects as SVG.
import { make } from "./lab.js";

const SIZE = 320;
const RADIUS = 21;

/** Places on a circle, [x, y] each in the unit square. */
export function circle(count) {
  return Array.from({ length: count }, (_, i) => {
    const angle = (2 * Math.PI * i) / count - Math.PI / 2;
    return [0.5 + 0.38 * Math.cos(angle), 0.5 + 0.38 * Math.sin(angle)];
  });
}

/** Where [x, y] of the unit square lies in the drawing. */
export function toDrawing([x, y]) {
  return [x * SIZE, y * SIZE];
}

/**
 * Draw a graph into an <svg>, replacing what was there.
 *
 * graph = {
 *   names: ["A", ...],            // of all variables, hidden ones last
 *   hidden: 0,                    // how many of the last are hidden causes
 *   edges: [{from, to, strength, style, label}],
 *       // strength 0..1: width and opacity; style: "plain" | "belief" | "truth" | "right" | "wrong"
 *   places: [[x, y], ...] | null, // null: a circle
 *   goal: index | null,           // drawn with a double ring
 *   active: index | null,         // the variable just set
 *   caption: "text for those who cannot see the picture",
 * }
 * Returns {nodes: [<g>...], edges: [<g>...]} in the order given.
 */
export function drawGraph(svg, graph) {
  const places = graph.places ?? circle(graph.names.length);
  svg.setAttribute("viewBox", `0 0 ${SIZE} ${SIZE}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", graph.caption ?? describe(graph));
  svg.classList.add("graph");
  const edges = graph.edges.map((edge) => drawEdge(edge, places, graph.edges));
  const nodes = graph.names.map((name, i) => drawNode(name, i, places[i], graph));
  svg.replaceChildren(...edges, ...nodes);
  return { nodes, edges };
}

/** The arrows in words. */
export function describe(graph) {
  const said = graph.edges
    .filter((edge) => (edge.strength ?? 1) >= 0.05)
    .map((edge) => {
      const sure = edge.strength === undefined || edge.strength >= 0.995 ? "" : ` (${Math.round(100 * edge.strength)} %)`;
      return `${graph.names[edge.from]} → ${graph.names[edge.to]}${sure}`;
    });
  return said.length ? `Arrows: ${said.join(", ")}` : "No arrows";
}

function drawNode(name, i, place, graph) {
  const [x, y] = toDrawing(place);
  const hidden = i >= graph.names.length - (graph.hidden ?? 0);
  const kinds = ["node", hidden && "hidden", i === graph.goal && "goal", i === graph.active && "active"];
  const group = make("g", { class: kinds.filter(Boolean).join(" "), transform: `translate(${x} ${y})`, "data-node": i });
  group.append(make("circle", { r: RADIUS }));
  if (i === graph.goal) group.append(make("circle", { r: RADIUS + 4, class: "ring" }));
  const long = name.length > 4;
  group.append(make("text", { "text-anchor": "middle", y: long ? RADIUS + 14 : 5, class: long ? "long" : "short" }, name));
  return group;
}

function drawEdge(edge, places, all) {
  const [x1, y1] = toDrawing(places[edge.from]);
  const [x2, y2] = toDrawing(places[edge.to]);
  const length = Math.hypot(x2 - x1, y2 - y1) || 1;
  const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
  // Both directions shown: each bends to its own side.
  const both = all.some((other) => other.from === edge.to && other.to === edge.from);
  const bend = both ? 16 : 0;
  const start = [x1 + ux * RADIUS, y1 + uy * RADIUS];
  const end = [x2 - ux * (RADIUS + 7), y2 - uy * (RADIUS + 7)];
  const middle = [(x1 + x2) / 2 - uy * bend, (y1 + y2) / 2 + ux * bend];
  const strength = Math.max(0, Math.min(1, edge.strength ?? 1));
  const group = make("g", { class: `edge ${edge.style ?? "plain"}`, "data-edge": `${edge.from}-${edge.to}` });
  group.style.opacity = 0.15 + 0.85 * strength;
  const line = make("path", { d: `M ${start} Q ${middle} ${end}`, class: "line" });
  line.style.strokeWidth = 1 + 2.5 * strength;
  group.append(line, head(end, middle), make("title", {}, edge.label ?? ""));
  if (edge.label) {
    const at = [0.25 * start[0] + 0.5 * middle[0] + 0.25 * end[0], 0.25 * start[1] + 0.5 * middle[1] + 0.25 * end[1]];
    group.append(make("text", { x: at[0], y: at[1] - 4, "text-anchor": "middle", class: "label" }, edge.label));
  }
  return group;
}

function head(end, from) {
  const angle = Math.atan2(end[1] - from[1], end[0] - from[0]);
  const corner = (side) => [end[0] - 9 * Math.cos(angle + side), end[1] - 9 * Math.sin(angle + side)];
  const tip = [end[0] + 4 * Math.cos(angle), end[1] + 4 * Math.sin(angle)];
  return make("path", { d: `M ${tip} L ${corner(0.45)} L ${corner(-0.45)} Z`, class: "head" });
}
