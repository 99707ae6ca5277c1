// What is believed of the graph, and which levers move an outcome most.
import { make } from "./lab.js";
import { drawGraph } from "./graph.js";
import { $, figure, fill, quote, sayOf, table, whenOpened, work } from "./data_table.js";
import { remember } from "./data_ask.js";

const percent = (p) => `${p > 0.995 && p < 1 ? ">99" : p < 0.005 && p > 0 ? "<1" : Math.round(100 * p)} %`;

whenOpened((found, fresh) => {
  fill($("#rank").elements.outcome, found.variables, found.variables.at(-1));
  $("#weigh").disabled = $("#rank button").disabled = Boolean(found.error);
  if (fresh) $("#graph").hidden = $("#levers").hidden = true;
});

// The graph

$("#weigh").addEventListener("click", async () => {
  const found = await work("/graph");
  if (!found) return;
  const names = found.variables;
  const at = Object.fromEntries(names.map((name, i) => [name, i]));
  const edges = found.pairs.flatMap((pair) =>
    [[pair.a, pair.b, pair.forward], [pair.b, pair.a, pair.backward]]
      .filter(([, , p]) => p >= 0.05)
      .map(([from, to, p]) => ({ from: at[from], to: at[to], strength: p, style: "belief", label: names.length <= 8 && p >= 0.3 ? percent(p) : "" })));
  drawGraph($("#belief"), { names, edges });
  $("#edges tbody").replaceChildren(...found.pairs.map(edgeRow));
  const amiss = [found.misfit, found.converged ? "" : "the chains over graphs do not agree yet: probabilities are rough", ...found.doubtful.map(([a, b]) => `nothing is said of ${a} and ${b}: observations contradict experiments`)].filter(Boolean);
  $("#misfit").hidden = !amiss.length;
  $("#misfit").textContent = amiss.join("; ");
  $("#graph").hidden = false;
});

function edgeRow(pair) {
  const forward = pair.forward >= pair.backward;
  const [from, to] = forward ? [pair.a, pair.b] : [pair.b, pair.a];
  const way = pair.told ? `${from} → ${to} ${percent(Math.max(pair.forward, pair.backward))}` : `open: ${pair.a} → ${pair.b} ${percent(pair.forward)}, ${pair.b} → ${pair.a} ${percent(pair.backward)}. ${pair.why}`;
  const state = (list, a, b, text) => make("button", { type: "button", class: "quiet", "aria-label": `${a} to ${b}: ${text}`, onclick: () => settle(list, a, b) }, `${a} → ${b} ${text}`);
  return make("tr", {}, make("th", { scope: "row", class: "word" }, pair.told ? `${from} → ${to}` : `${pair.a} – ${pair.b}`), make("td", {}, percent(pair.probability)), make("td", { class: "why" }, way),
    make("td", { class: "word" }, state("require", from, to, "is there"), " ", state("forbid", from, to, "is not"), " ", pair.told ? null : state("require", to, from, "is there")));
}

async function settle(list, from, to) {
  const edge = `${quote(from)}->${quote(to)}`;
  const { assumed } = table().said;
  const without = (texts) => texts.filter((text) => text !== edge);
  const changed = { ...assumed, require: without(assumed.require), forbid: without(assumed.forbid) };
  changed[list] = [...changed[list], edge];
  await sayOf({ assumed: changed });
  $("#granted").open = true;
  $("#weigh").click();
}

// Levers

$("#rank").addEventListener("submit", async (event) => {
  event.preventDefault();
  const entry = await work("/levers", { outcome: event.target.elements.outcome.value });
  if (!entry) return;
  remember(entry);
  showLevers(entry);
});

function showLevers(entry) {
  const levers = entry.levers;
  const most = Math.max(1e-12, ...levers.flatMap((one) => [one.low, one.high].filter((x) => x !== null).map(Math.abs)));
  const rows = levers.map((one) => {
    const moved = one.start ? `from ${one.start} to ${one.end}` : "–";
    const effect = one.known ? `${figure(one.effect)} [${figure(one.low)}, ${figure(one.high)}]` : one.low === null ? "not known" : `not identified: between ${figure(one.low)} and ${figure(one.high)}`;
    return make("tr", { class: one.known ? null : "open" },
      make("th", { scope: "row" }, one.known ? one.name : `${one.name} (open)`),
      make("td", { class: "word" }, moved), make("td", { class: "word" }, effect), make("td", {}, interval(one, most, effect)),
      make("td", { class: "why" }, one.known ? "" : one.experiment ? `To settle it: ${one.experiment}.` : "", one.why_not ? make("details", {}, make("summary", {}, "Why it is open"), one.why_not) : null));
  });
  const heads = ["Column", "Moved", `Change of ${entry.asked}, 95 %`, "", "What would settle it"];
  $("#levers").replaceChildren(
    make("p", { class: "small soft" }, "By how far each column, moved alone over what was seen, changes the mean. What is open stands where the largest effect that is possible would put it; where nothing can be said, at the end."),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Levers by size" },
      make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((head, i) => (i === 3 ? make("td", {}) : make("th", { scope: "col", class: "word" }, head))))), make("tbody", {}, ...rows))),
    ...entry.result.warnings.map((line) => make("p", { class: "damage" }, `Warning: ${line}`)),
    make("details", {}, make("summary", {}, "What this takes for granted"), make("ul", { class: "small" }, ...entry.result.assumes.map((line) => make("li", {}, line)))),
  );
  $("#levers").hidden = false;
}

function interval(one, most, words) {
  const x = (value) => 88 + (80 * value) / most;
  const parts = [make("line", { class: "zero", x1: 88, x2: 88, y1: 1, y2: 19 })];
  if (one.low !== null) parts.push(make("line", { x1: x(one.low), x2: Math.max(x(one.high), x(one.low) + 1), y1: 10, y2: 10, class: one.known ? null : "open" }));
  if (one.known) parts.push(make("circle", { cx: x(one.effect), cy: 10, r: 4 }));
  return make("svg", { viewBox: "0 0 176 20", class: "interval", role: "img", "aria-label": words }, ...parts);
}
