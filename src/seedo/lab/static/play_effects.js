// What happened to every variable when another one was set, as strips in a grid.
import { make, number } from "./lab.js";

const GAP = 4;

/** Rows: what was set (and "looked"); columns: what followed. */
export function drawEffects(svg, state, goals) {
  const n = state.names.length;
  const [wide, high] = n <= 6 ? [92, 30] : [62, 24];
  const left = 16 + 7.2 * Math.max(6, ...state.names.map((name) => name.length + 4));
  const top = 34;
  const looked = state.rows.some((row) => row.target < 0);
  const causes = [...state.names.keys(), ...(looked ? [-1] : [])];
  const most = scale(state);
  const x = (column, value) => left + column * (wide + GAP) + 6 + ((wide - 12) * (value + most)) / (2 * most);
  const parts = state.names.map((name, j) => {
    const middle = left + j * (wide + GAP) + wide / 2;
    return make("text", { x: middle, y: 13, "text-anchor": "middle", class: goals.has(j) ? "goal" : "" }, goals.has(j) ? `◎ ${name}` : name);
  });
  parts.push(make("text", { x: x(0, -most) - 5, y: 28, class: "faint" }, number(-most)));
  parts.push(make("text", { x: x(0, most) + 5, y: 28, "text-anchor": "end", class: "faint" }, number(most)));
  const rest = state.names.map((_, j) => state.rows.filter((row) => row.target !== j && row.outcome[j] !== null).map((row) => row.outcome[j]));
  causes.forEach((cause, k) => {
    const y = top + k * (high + GAP);
    const middle = y + high / 2;
    parts.push(make("text", { x: 0, y: middle + 4 }, cause < 0 ? "looked" : `set ${state.names[cause]}`));
    const own = state.rows.filter((row) => row.target === cause);
    state.names.forEach((_, j) => {
      const same = cause === j;
      const classes = ["cell", same && "own", goals.has(j) && "goal"].filter(Boolean).join(" ");
      parts.push(make("rect", { x: left + j * (wide + GAP), y, width: wide, height: high, rx: 4, class: classes }));
      if (same) return;
      parts.push(make("line", { x1: x(j, 0), x2: x(j, 0), y1: y + 2, y2: y + high - 2, class: "axis" }));
      const ticks = rest[j].map((value) => `M ${x(j, value).toFixed(1)} ${middle - 5} v 10`).join(" ");
      if (ticks) parts.push(make("path", { d: ticks, class: "rest" }));
      for (const row of own) if (row.outcome[j] !== null) parts.push(mark(x(j, row.outcome[j]), middle, row.target < 0 ? 0 : row.value));
    });
  });
  const width = left + n * (wide + GAP);
  const height = top + causes.length * (high + GAP);
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.closest("figure").style.flexBasis = `${width}px`;
  svg.style.minWidth = `${0.9 * width}px`;
  svg.style.maxWidth = `${1.4 * width}px`;
  svg.setAttribute("role", "img");
  svg.replaceChildren(...parts);
}

function mark(x, y, value) {
  if (value > 0) return make("path", { d: `M ${x - 6} ${y + 6} h 12 l -6 -12 Z`, class: "high" });
  if (value < 0) return make("path", { d: `M ${x - 6} ${y - 6} h 12 l -6 12 Z`, class: "low" });
  return make("circle", { cx: x, cy: y, r: 3.5, class: "zero" });
}

/** The largest value that there has to be room for, round. */
function scale(state) {
  const all = [...state.rows.flatMap((row) => row.outcome), ...state.values.flat()];
  const largest = Math.max(...all.map((value) => Math.abs(value ?? 0)), 1e-6);
  const unit = 10 ** Math.floor(Math.log10(largest));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((k) => k * unit).find((round) => round >= largest);
}

/** The picture in words: how far high and low lie apart. */
export function summary(state) {
  const said = [];
  state.names.forEach((cause, i) => {
    const rows = state.rows.filter((row) => row.target === i);
    const [up, down] = [rows.filter((row) => row.value > 0), rows.filter((row) => row.value < 0)];
    if (!up.length || !down.length) return;
    const mean = (some, j) => some.reduce((sum, row) => sum + (row.outcome[j] ?? 0), 0) / some.length;
    const far = state.names.map((name, j) => (j === i ? null : `${name} by ${number(mean(up, j) - mean(down, j))}`));
    said.push(`${cause} set high rather than low moved ${far.filter(Boolean).join(", ")}`);
  });
  return said.length ? said.join("; ") : "No variable has been set both high and low yet; all values are in the table.";
}
