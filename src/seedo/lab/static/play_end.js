// The end of a game: score, what others would have done, what there was to learn, the hidden system.
import { ask, make, number, say } from "./lab.js";
import { drawGraph } from "./graph.js";
import { showPlainEnd } from "./play_plain.js";
import { score, short, titled } from "./play_score.js";
import { dress } from "./players.js";
import { raw, span } from "./raw.js";

const $ = (id) => document.getElementById(id);
const signed = (value) => (value > 0 ? "+" : "") + number(value);

/** Show the comparison and go on until all of it is there. */
export async function showEnd(state, base, justNow) {
  $("log").href = `${base}/log`;
  if (state.raw) unveil(state, base);
  const began = Date.now();
  for (let first = true; ; first = false) {
    const end = await ask("GET", `${base}/end`);
    draw(state, base, end, Math.round((Date.now() - began) / 1000));
    if (first && justNow) {
      $("verdict-title").focus();
      say(""); // the verdict has the word
    }
    const playing = end.speakers.some((one) => one.playing);
    if (end.done && !playing) return;
    await new Promise((resolve) => setTimeout(resolve, Date.now() - began < 3000 ? 250 : 1000));
  }
}

function draw(state, base, end, waited) {
  $("verdict").textContent = end.verdict;
  $("build").href = `/build?s=${end.code}`;
  $("watch").href = `/watch?s=${end.code}`;
  $("end").dataset.done = end.done;
  if (!end.plain) score(state, end, worth(state, end));
  const late = end.rivals.filter((rival) => !rival.why_not && rival.instead === null).map(short);
  if (!end.plain && end.learning.you === null && !end.learning.why_not) late.push("what your experiments say");
  const seconds = waited >= 2 ? `; ${waited} s so far` : "";
  $("preparing").textContent = late.length
    ? `Your score is final. Still to come: ${late.join(", ")}. The first time for a kind of system, each is compiled and kept for later games${seconds}…`
    : "";
  speakers(state, base, end);
  if (end.plain) return showPlainEnd(state, end);
  graphs(state, end);
  instead(state, end);
  bits(state, end);
}

/** Language models that the lab was started with: asked only by whoever wants it, as that may cost. */
function speakers(state, base, end) {
  const line = ({ name, label, playing, returns, malformed, why_not: why }) => {
    const press = async () => {
      await ask("POST", `${base}/speak`, { player: name });
      showEnd(state, base, false);
    };
    const slips = malformed ? ` ${malformed} of its replies ${malformed === 1 ? "was" : "were"} no action.` : "";
    if (returns !== null) return make("li", {}, `${label} has played.${slips}`);
    if (playing) return make("li", {}, `${label} is playing; it is asked at every step…`);
    return make("li", {}, why ? `${label} did not play: ${why} ` : "", make("button", { type: "button", onclick: press }, why ? `Ask ${label} again` : `Have ${label} play this too`));
  };
  $("speakers").replaceChildren(...end.speakers.map(line));
}

/** Raw worlds: which part was whose, and how the variables truly were. */
async function unveil(state, base) {
  const { unveiled } = await ask("GET", `${base}/unveiled`);
  const { parts, sets, rows, apart } = unveiled;
  const most = span(parts.flatMap((part) => [part.low, part.high]));
  const also = sets.flatMap((set, i) => (set.length > 1 ? [`${state.names[i]} also set the variable of ${set.filter((j) => j !== i).map((j) => state.names[j]).join(", ")}`] : []));
  $("unveiled-note").textContent = `Without noise, each variable alone at ${number(-apart)} and at ${number(apart)}, all others at 0; where both differ is its own part.${also.length ? ` ${also.join("; ")}.` : ""}`;
  const show = (shown, said) => make("td", {}, raw(shown, said, most));
  const whose = (i) => `the variable of ${state.names[i]}`;
  $("parts").replaceChildren(
    make("thead", {}, make("tr", {}, ...["Variable of", `at ${number(-apart)}`, `at ${number(apart)}`, "differ"].map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...parts.map((part, i) => make("tr", {}, make("th", { scope: "row" }, state.names[i]), show(part.low, `${whose(i)} low`), show(part.high, `${whose(i)} high`), show(part.change, `What changes with ${whose(i)}`)))),
  );
  $("true-rows").replaceChildren(
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Step"), ...state.names.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...rows.map((values, t) => make("tr", {}, make("td", {}, `${t + 1}`), ...values.map((value, i) => make("td", { class: i === state.rows[t].target ? "set" : "" }, number(value)))))),
  );
  $("unveiled").hidden = false;
}

function worth(state, end) {
  const goals = [...new Set(end.tries.map((one) => state.names[one.goal]))].join(", ");
  const tries = end.tries.length > 1 ? ` (mean of ${end.tries.length} tries)` : "";
  return `How high ${goals} is on average under each one’s choice, noise aside${tries}. Picking blindly gives ${number(end.score.chance)} on average; one game says little, so play a few.${end.told ? " All the others are told the variables, which you had to find in what was shown." : ""}`;
}

function graphs(state, end) {
  const goal = end.tries.at(-1).goal;
  const { names, hidden, places } = end.graph;
  const real = new Set(end.graph.edges.map((edge) => `${edge.from}-${edge.to}`));
  const crowded = end.graph.edges.length > 9;
  const strongest = Math.max(...end.graph.edges.map((edge) => Math.abs(edge.weight)), 1e-6);
  drawGraph($("truth"), {
    names, hidden, places, goal,
    edges: end.graph.edges.map((edge) => ({ ...edge, strength: 0.3 + (0.7 * Math.abs(edge.weight)) / strongest, style: "plain", label: crowded ? "" : signed(edge.weight) })),
    caption: `The hidden system: ${end.graph.edges.map((edge) => `${names[edge.from]} → ${names[edge.to]} ${signed(edge.weight)}`).join(", ") || "no arrows"}`,
  });
  const belief = end.graph.belief;
  $("belief").toggleAttribute("hidden", belief === null);
  if (belief === null) {
    $("belief-note").textContent = end.learning.why_not ? `Not worked out: ${end.learning.why_not}.` : "Working out what your experiments say…";
    return;
  }
  $("belief-note").textContent = `${state.raw ? "What follows from all your steps for whoever is told the variables" : "What follows from all you saw"}: the darker, the likelier. Blue, solid: the arrow is there; orange, dotted: it is not.`;
  const visible = names.slice(0, names.length - hidden);
  const edges = [];
  belief.forEach((row, from) => row.forEach((p, to) => {
    if (p >= 0.1) edges.push({ from, to, strength: p, style: real.has(`${from}-${to}`) ? "right" : "wrong", label: p >= (crowded ? 0.6 : 0.3) ? `${Math.round(100 * p)} %` : "" });
  }));
  const said = edges.map((edge) => `${visible[edge.from]} → ${visible[edge.to]} ${Math.round(100 * edge.strength)} %${edge.style === "right" ? "" : " (not there)"}`);
  drawGraph($("belief"), { names: visible, places: places?.slice(0, visible.length), goal, edges, caption: `What your experiments say: ${said.join(", ") || "no arrow is likely"}` });
}

function instead(state, end) {
  const rivals = end.rivals.filter((rival) => !rival.why_not);
  const known = end.learning.you !== null;
  if (end.told) $("instead-note").textContent = "What each would have done at each of your steps, told what the variables were until then.";
  const heads = ["Step", "You", ...(known ? ["Bits learnt"] : []), ...rivals.map(titled)];
  const said = ([target, value]) => (target < 0 ? "look" : `${state.names[target]} ${signed(value)}${state.units[target]}`);
  const body = state.rows.map((row, t) => {
    const yours = [row.target, row.value];
    const cells = rivals.map((rival) => {
      if (rival.instead === null) return make("td", { class: "soft" }, "preparing…");
      const [target, value] = rival.instead[t];
      const same = target === yours[0] && (target < 0 || Math.abs(value - yours[1]) < 1e-6);
      return make("td", { class: same ? "same" : "" }, said(rival.instead[t]));
    });
    if (known) cells.unshift(make("td", { class: "number" }, number(end.learning.you[0] - end.learning.you[t + 1], 1)));
    const goal = row.goal >= 0 ? `: raise ${state.names[row.goal]}` : "";
    return row.phase === "observe" ? null : make("tr", { class: row.phase === "exploit" ? "tried" : "" }, make("td", {}, `${t + 1}${goal}`), make("td", {}, said(yours)), ...cells);
  });
  $("instead").replaceChildren(make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...body));
}

function bits(state, end) {
  const { you, most, why_not: why } = end.learning;
  $("bits").toggleAttribute("hidden", you === null);
  if (you === null) {
    $("bits-note").textContent = why ? `Not worked out: ${why}.` : "Working it out…";
    return;
  }
  const learnt = (path) => path.map((entropy) => path[0] - entropy);
  const yours = learnt(you);
  const theirs = most ? learnt(most) : null;
  const [got, can] = [number(yours.at(-1), 1), theirs && number(theirs.at(-1), 1)];
  $("bits-note").textContent =
    `Of ${number(you[0], 1)} bits that were unknown about the graph, ${state.raw ? "your steps, to whoever is told the variables, settle" : "what you saw settles"} ${got}` +
    (theirs ? `; the Bayesian’s own experiments, each chosen to tell most, settle ${can}.` : ". (The Bayesian’s own are not known yet.)");
  // As wide as it is shown, so that letters keep their size.
  const width = Math.max(280, Math.min(560, $("bits").clientWidth || 560));
  const [height, left, top, right, bottom] = [200, 40, 10, 100, 30];
  const all = [...yours, ...(theirs ?? []), 0];
  const [low, high] = [Math.min(...all), Math.max(...all, 0.1)];
  const x = (t) => left + ((width - left - right) * t) / (yours.length - 1);
  const y = (value) => top + ((height - top - bottom) * (high - value)) / (high - low);
  const lines = [make("line", { x1: left, x2: width - right, y1: y(0), y2: y(0), class: "axis" }), make("line", { x1: left, x2: left, y1: top, y2: height - bottom, class: "axis" })];
  const points = (path) => path.map((value, t) => `${x(t).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  if (theirs) {
    lines.push(make("polyline", { points: points(theirs), class: "most" }));
    theirs.forEach((value, t) => lines.push(make("rect", { x: x(t) - 3, y: y(value) - 3, width: 6, height: 6 })));
  }
  lines.push(make("polyline", { points: points(yours), class: "you" }));
  yours.forEach((value, t) => lines.push(make("circle", { cx: x(t), cy: y(value), r: 4 })));
  // Labels that would cover each other move apart.
  let [yourLabel, theirLabel] = [y(yours.at(-1)) + 4, theirs ? y(theirs.at(-1)) + 4 : 0];
  if (theirs && Math.abs(yourLabel - theirLabel) < 14) {
    const middle = (yourLabel + theirLabel) / 2;
    [yourLabel, theirLabel] = yours.at(-1) >= theirs.at(-1) ? [middle - 7, middle + 7] : [middle + 7, middle - 7];
  }
  lines.push(make("text", { x: width - right + 10, y: yourLabel }, `you ${got}`));
  if (theirs) lines.push(make("text", { x: width - right + 10, y: theirLabel }, `Bayesian ${can}`));
  lines.push(make("text", { x: left - 6, y: y(high) + 8, "text-anchor": "end" }, number(high, 1)), make("text", { x: left - 6, y: y(0) + 4, "text-anchor": "end" }, "0"));
  const every = Math.ceil(yours.length / 12);
  yours.forEach((_, t) => {
    if (t % every === 0) lines.push(make("text", { x: x(t), y: height - 12, "text-anchor": "middle", class: "soft" }, t));
  });
  lines.push(make("text", { x: (left + width - right) / 2, y: height, "text-anchor": "middle", class: "soft" }, "after step"));
  const svg = $("bits");
  svg.setAttribute("viewBox", `0 0 ${width} ${height + 4}`);
  const bayesian = end.rivals.find((rival) => rival.name === "bayes:eig");
  if (bayesian) dress(svg, bayesian.look);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Bits learnt after each step. You: ${yours.map((v) => number(v, 1)).join(", ")}.${theirs ? ` Bayesian: ${theirs.map((v) => number(v, 1)).join(", ")}.` : ""}`);
  svg.replaceChildren(...lines);
}
