// A graph that can be drawn by hand: mouse, touch or keyboard. It decides nothing: what a person
// wants is told to the page, which asks the lab.
import { make, number } from "./lab.js";
import { drawGraph, toDrawing } from "./graph.js";

const SIZE = toDrawing([1, 1])[0];
const REACH = 26; // of a node, in the drawing's units
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Whether there is most likely one: where fingers point, there is none. */
export const keyboard = () => !matchMedia("(pointer: coarse)").matches;

export class GraphEditor {
  /**
   * wish = {
   *   move(places),       // after a drag or with every arrow key
   *   connect(from, to),
   *   remove(i),
   *   pick(from, to),     // an arrow was clicked
   *   say(text),
   * }
   */
  constructor(svg, wish) {
    this.svg = svg;
    this.wish = wish;
    this.connecting = false;
    this.from = null; // where an arrow starts that is to end at the next node
    this.drag = null; // {node, at, moved, arrow}
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("pointermove", (event) => this.#over(event));
    svg.addEventListener("pointerup", (event) => this.#up(event));
    svg.addEventListener("pointercancel", () => this.#cancel());
    svg.addEventListener("keydown", (event) => this.#key(event));
    svg.addEventListener("click", (event) => this.#click(event));
  }

  /** graph: as for `drawGraph`, with weights [N][N], words or null, relevant [n]. */
  show(graph) {
    if (this.drag) graph = { ...graph, places: this.graph.places };
    if (this.from !== null && this.from >= graph.names.length) this.from = null;
    this.graph = graph;
    this.#draw();
  }

  mode(connecting) {
    this.connecting = connecting;
    this.from = null;
    this.svg.classList.toggle("connecting", connecting);
    this.#draw();
  }

  #draw() {
    const graph = this.graph;
    if (!graph) return;
    const focused = this.svg.contains(document.activeElement) ? document.activeElement.dataset.node : undefined;
    const edges = [];
    graph.weights.forEach((row, from) => row.forEach((weight, to) => {
      if (weight === 0) return;
      const strength = 0.45 + 0.55 * Math.min(1, Math.abs(weight) / 2);
      edges.push({ from, to, strength, label: number(weight), style: weight < 0 ? "negative" : "positive" });
    }));
    const said = edges.map((e) => `${graph.names[e.from]} → ${graph.names[e.to]} (${e.label})`).join(", ");
    const caption = `The graph. ${said ? `Arrows: ${said}.` : "No arrows."} Goal: ${graph.names[graph.goal]}.`;
    const drawn = drawGraph(this.svg, { ...graph, edges, active: this.from, caption });
    this.svg.setAttribute("role", "group"); // its nodes can be used
    drawn.edges.forEach((group) => {
      const hit = group.querySelector(".line").cloneNode();
      hit.setAttribute("class", "hit");
      hit.removeAttribute("style");
      group.append(hit);
      if (graph.names.length > 6) nearCause(group, graph.places);
    });
    drawn.nodes.forEach((group, i) => {
      group.setAttribute("tabindex", "0");
      group.setAttribute("role", "button");
      group.setAttribute("aria-label", this.#describe(i));
      if (graph.relevant[i] === false) group.classList.add("aside-only");
      const word = graph.words?.[i];
      if (word) group.append(make("text", { "text-anchor": "middle", y: 36, class: "word" }, word));
    });
    if (this.drag?.arrow) {
      const [x1, y1] = toDrawing(graph.places[this.drag.node]);
      const [x2, y2] = toDrawing(this.drag.at);
      this.svg.append(make("line", { x1, y1, x2, y2, class: "pull" }));
    }
    if (focused !== undefined) drawn.nodes[Math.min(Number(focused), drawn.nodes.length - 1)]?.focus();
  }

  #describe(i) {
    const { names, weights, goal, hidden } = this.graph;
    const causes = names.filter((_, j) => weights[j][i] !== 0);
    const kind = i >= names.length - hidden ? ", hidden cause" : i === goal ? ", the goal" : "";
    const from = this.from === null || this.from === i ? "" : ` Enter: arrow from ${names[this.from]} to here.`;
    return `${names[i]}${kind}; ${causes.length ? `caused by ${causes.join(", ")}` : "no causes"}.${from}`;
  }

  /** [x, y] of the unit square under the pointer. */
  #at(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    return [point.x / SIZE, point.y / SIZE];
  }

  #nodeAt([x, y]) {
    const far = (place) => Math.hypot(place[0] - x, place[1] - y) * SIZE;
    const nearest = this.graph.places.reduce((best, place, i, all) => (far(place) < far(all[best]) ? i : best), 0);
    return far(this.graph.places[nearest]) <= REACH ? nearest : null;
  }

  #down(event) {
    if (event.button !== 0 || !this.graph) return;
    const at = this.#at(event);
    const node = this.#nodeAt(at);
    if (node === null) return;
    event.preventDefault();
    this.svg.querySelector(`[data-node="${node}"]`).focus({ focusVisible: false });
    this.svg.setPointerCapture(event.pointerId);
    this.drag = { node, at, start: at, moved: false, arrow: this.connecting || event.shiftKey };
  }

  #over(event) {
    if (!this.drag) return;
    const { drag } = this;
    drag.at = this.#at(event);
    drag.moved ||= Math.hypot(drag.at[0] - drag.start[0], drag.at[1] - drag.start[1]) > 0.015;
    if (!drag.moved) return;
    if (!drag.arrow) this.graph = { ...this.graph, places: this.#placed(drag.node, drag.at) };
    this.#draw();
  }

  #up() {
    const { drag } = this;
    if (!drag) return;
    this.drag = null;
    if (drag.arrow) {
      const to = this.#nodeAt(drag.at);
      if (!drag.moved || to === drag.node) this.#tap(drag.node);
      else if (to !== null) this.#arrow(drag.node, to);
      else this.#draw();
    } else if (drag.moved) this.wish.move(this.graph.places);
    else if (this.from !== null) this.#tap(drag.node);
  }

  #cancel() {
    this.drag = null;
    this.#draw();
  }

  #click(event) {
    const edge = event.target.closest?.("[data-edge]");
    if (edge) this.wish.pick(...edge.dataset.edge.split("-").map(Number));
  }

  #key(event) {
    const i = Number(event.target.closest?.("[data-node]")?.dataset.node ?? NaN);
    if (Number.isNaN(i) || event.ctrlKey || event.metaKey || event.altKey) return;
    const name = this.graph.names[i];
    if (event.key in KEYS) {
      const step = event.shiftKey ? 0.005 : 0.03;
      const [x, y] = this.graph.places[i];
      const [dx, dy] = KEYS[event.key];
      this.graph = { ...this.graph, places: this.#placed(i, [x + step * dx, y + step * dy]) };
      this.#draw();
      this.wish.move(this.graph.places);
    } else if (event.key === "Enter" || event.key === " ") {
      if (this.from === null && !this.connecting) this.wish.say(`${name}: arrow keys move it, C starts an arrow, Delete removes it.`);
      else this.#tap(i);
    } else if (event.key === "c" || event.key === "C") {
      this.from = null;
      this.#tap(i);
    } else if (event.key === "Escape" && this.from !== null) {
      this.from = null;
      this.#draw();
      this.wish.say("No arrow.");
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.wish.remove(i);
    } else return;
    event.preventDefault();
  }

  /** The first of two nodes starts an arrow, the second ends it; the same again: none. */
  #tap(i) {
    const from = this.from;
    if (from === null) {
      this.from = i;
      this.wish.say(`Arrow from ${this.graph.names[i]}: now choose where it goes (${keyboard() ? "Esc" : "the same again"}: nowhere).`);
    } else this.from = null;
    this.#draw();
    if (from !== null && from !== i) this.#arrow(from, i);
  }

  #arrow(from, to) {
    this.from = null;
    this.#draw();
    this.wish.connect(from, to);
  }

  #placed(node, [x, y]) {
    const within = (v) => Math.round(1000 * Math.max(0.07, Math.min(0.93, v))) / 1000;
    return this.graph.places.map((place, i) => (i === node ? [within(x), within(y)] : place));
  }
}

/** Where there is most room for another node: away from the others, and off the arrows. */
export function emptiest(places, weights) {
  const grid = Array.from({ length: 15 }, (_, i) => 0.08 + 0.06 * i);
  const arrows = weights.flatMap((row, from) => row.flatMap((weight, to) => (weight === 0 ? [] : [[places[from], places[to]]])));
  // A node next to another needs room for both, next to an arrow for itself alone.
  const room = (place) => Math.min(...places.map((other) => distance(place, other, other) / 2), ...arrows.map(([from, to]) => distance(place, from, to)));
  return grid.flatMap((x) => grid.map((y) => [x, y])).reduce((best, place) => (room(place) > room(best) + 1e-9 ? place : best));
}

/** Of a place from the line between two others. */
function distance([x, y], [x1, y1], [x2, y2]) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const along = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
}

/** In a big graph the middles of long arrows meet: the number goes nearer to where its arrow starts. */
function nearCause(group, places) {
  const [from, to] = group.dataset.edge.split("-").map((i) => toDrawing(places[i]));
  if (Math.hypot(to[0] - from[0], to[1] - from[1]) < 0.5 * SIZE) return;
  const label = group.querySelector(".label");
  label.setAttribute("x", 0.68 * from[0] + 0.32 * to[0]);
  label.setAttribute("y", 0.68 * from[1] + 0.32 * to[1] + 3);
}
