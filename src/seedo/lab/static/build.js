// Build: every change is a scenario proposed to the lab, which accepts it or says why not.
import { action, ask, data, make, number, say } from "./lab.js";
import { circle } from "./graph.js";
import { seal } from "./seal.js";
import { emptiest, GraphEditor, keyboard } from "./graph_editor.js";

const $ = (id) => document.getElementById(id);
const DRAWN_KEEPS = ["observations", "experiments", "exploits", "weight_scale", "noise_variance", "noise_variance_sd"];
const MOST_UNDO = 50;
const WAIT = 120; // ms from the last movement of a slider to the question what it does

let view = null; // the last answer: {scenario, code, sight}
let draft = data.scenario; // what was proposed last
let asked = 0; // number of the last question; earlier answers no longer matter
let pending = Promise.resolve();
let timer = 0;
const past = remembered("past");
const future = remembered("future");
const casts = new Map(); // roles by settings

const editor = new GraphEditor($("graph"), {
  move: (places) => edit((drawn) => { drawn.places = places; }, { moves: true }),
  connect: addArrow,
  remove: removeVariable,
  pick: (from, to) => document.querySelector(`[data-arrow="${from}-${to}"] input`)?.focus(),
  say,
});

// -- changes ---------------------------------------------------------------------------------------

/** Ask the lab for a scenario; shown once accepted. false: refused, which has been said. */
async function propose(scenario, { keep = true, path = "/api/build/look", body = { scenario } } = {}) {
  clearTimeout(timer);
  const mine = ++asked;
  if (scenario) draft = scenario;
  const busy = setTimeout(() => working(true), 250);
  const answer = ask("POST", path, body);
  pending = answer.catch(() => {});
  try {
    const accepted = await answer;
    if (mine !== asked) return true;
    accept(accepted, keep);
    return true;
  } catch (error) {
    if (mine === asked) {
      draft = view?.scenario ?? draft;
      const loop = error.field === "graph" && /'([^']*)'/.exec(error.message);
      if (loop) say(`Not possible: ${loop[1].replaceAll("->", "→")} is a circle, and no variable may cause itself.`, true);
      if (view) render();
    }
    return false;
  } finally {
    clearTimeout(busy);
    if (mine === asked) working(false);
  }
}

function accept(answer, keep) {
  const before = view;
  view = answer;
  draft = answer.scenario;
  if (before && keep && before.code !== answer.code) {
    past.push(before.scenario);
    past.splice(0, past.length - MOST_UNDO);
    future.length = 0;
    say("");
  }
  const address = `/build?s=${answer.code}`;
  if (!before || before.code === answer.code) history.replaceState(answer.scenario, "", address);
  else if (keep !== "back") history.pushState(answer.scenario, "", address);
  remember();
  render();
}

function working(on) {
  const sampling = view === null || !draft.drawn;
  $("working").textContent = on ? (sampling ? "Drawing a system (with new settings this takes a few seconds) …" : "Checking …") : "";
  $("bench").setAttribute("aria-busy", String(on));
}

/** Change the system by hand; a sampled one becomes a drawn one. */
async function edit(change, { live = false, moves = false } = {}) {
  if (!draft.drawn) await pending;
  const scenario = structuredClone(draft);
  const wasDrawn = Boolean(scenario.drawn);
  const hidden = view.sight.hidden;
  scenario.drawn ??= {
    weights: structuredClone(view.sight.weights), noise: [...view.sight.noise], goal: view.sight.goals[0], places: [],
  };
  if (!scenario.drawn.places.length) scenario.drawn.places = circle(scenario.drawn.weights.length);
  const counts = { hidden: wasDrawn ? scenario.config.confounders : hidden };
  change(scenario.drawn, counts);
  Object.assign(scenario.config, {
    n: scenario.drawn.weights.length - counts.hidden, confounders: counts.hidden,
    split: "drawn", mechanism: "linear", noise_family: "gaussian", relevant: null, goals: "same",
  });
  fitted(scenario.called, scenario.config.n, counts.removed);
  if (live) return preview(scenario);
  if (moves) {
    draft = scenario;
    asked += 1; // an answer on its way does not know of this yet
    editor.show(graphOf(scenario, view.sight));
    clearTimeout(timer);
    timer = setTimeout(() => propose(draft), WAIT);
    return true;
  }
  const dropped = !wasDrawn && view.scenario.config.mechanism !== "linear";
  const accepted = await propose(scenario);
  if (accepted && dropped) say("What is drawn by hand is linear with Gaussian noise: the mechanism is now linear. Undo brings it back.");
  return accepted;
}

/** Show at once what a slider in motion would make; the lab's numbers follow. */
function preview(scenario) {
  draft = scenario;
  editor.show(graphOf(scenario, view.sight));
  clearTimeout(timer);
  const mine = ++asked;
  timer = setTimeout(async () => {
    const answer = await ask("POST", "/api/build/look", { scenario }).catch(() => null);
    if (answer && mine === asked) glance(answer);
  }, WAIT);
}

/** Change settings; `byLot`: the system is then drawn by lot. */
function settle(change, byLot) {
  const scenario = structuredClone(draft);
  if (byLot && scenario.drawn) {
    delete scenario.drawn;
    delete scenario.config.max_parents;
    scenario.config.split = "train";
  }
  change(scenario);
  fitted(scenario.called, scenario.config.n);
  return propose(scenario);
}

async function addArrow(from, to, weight = 1) {
  const names = view.sight.variables;
  const arrow = `${names[from]} → ${names[to]}`;
  if (view.sight.weights[from]?.[to]) return say(`${arrow} is there already: change its weight.`);
  if (await edit((drawn) => { drawn.weights[from][to] = weight; })) say(`${arrow} added.`);
}

async function addVariable(hidden) {
  const added = await edit((drawn, counts) => {
    const at = hidden ? drawn.weights.length : drawn.weights.length - counts.hidden;
    const free = emptiest(drawn.places, drawn.weights);
    drawn.weights.forEach((row) => row.splice(at, 0, 0));
    drawn.weights.splice(at, 0, Array(drawn.weights.length + 1).fill(0));
    drawn.noise.splice(at, 0, 1);
    drawn.places.splice(at, 0, free);
    if (hidden) counts.hidden += 1;
  });
  if (!added) return;
  const { variables, hidden: count } = view.sight;
  const name = hidden ? variables.at(-1) : variables[variables.length - count - 1];
  say(hidden ? `${name} added: nobody sees it; connect it to what it moves.` : `${name} added.`);
}

async function removeVariable(i) {
  const name = view.sight.variables[i];
  const removed = await edit((drawn, counts) => {
    const n = drawn.weights.length - counts.hidden;
    if (i >= n) counts.hidden -= 1;
    counts.removed = i;
    drawn.weights.splice(i, 1);
    for (const list of [...drawn.weights, drawn.noise, drawn.places]) list.splice(i, 1);
    if (drawn.goal === i) drawn.goal = Math.max(0, n - 2);
    else if (drawn.goal > i) drawn.goal -= 1;
  });
  if (removed) say(`${name} removed.`);
}

// -- undo ------------------------------------------------------------------------------------------

function remembered(name) {
  try {
    return JSON.parse(sessionStorage.getItem(`build-${name}`)) ?? [];
  } catch {
    return [];
  }
}

function remember() {
  try {
    sessionStorage.setItem("build-past", JSON.stringify(past));
    sessionStorage.setItem("build-future", JSON.stringify(future));
  } catch { /* a full store: undo then lasts as long as the page */ }
}

async function travel(from, to) {
  const scenario = from.pop();
  if (!scenario) return;
  to.push(view.scenario);
  await propose(scenario, { keep: false });
}

// -- showing ---------------------------------------------------------------------------------------

function render() {
  const { scenario, sight } = view;
  const causes = scenario.world === "dag";
  for (const id of ["dag-system", "dag-task", "dag-world"]) $(id).hidden = !causes;
  for (const id of ["rooms-system", "rooms-world"]) $(id).hidden = scenario.world !== "rooms";
  if (causes) {
    editor.show(graphOf(scenario, sight));
    arrows();
    variables();
    named();
  }
  glance(view);
  gallery();
  settings();
  links();
  cast();
}

function graphOf(scenario, sight) {
  const drawn = scenario.drawn;
  const weights = drawn?.weights ?? sight.weights;
  const turned = (word, i) => (sight.signs[i] < 0 ? `−${word}` : word);
  return {
    names: sight.variables,
    hidden: sight.hidden,
    weights,
    places: drawn?.places?.length ? drawn.places : circle(weights.length),
    goal: drawn?.goal ?? sight.goals[0],
    relevant: sight.relevant,
    words: plainly(scenario) ? null : sight.words.map(turned),
  };
}

/** Rows of a table, kept where they stay the same, so that nobody loses the focus. */
function fill(table, keys, row, update) {
  const body = table.tBodies[0];
  const old = [...body.rows].map((r) => r.dataset.key).join();
  if (old !== keys.join() || old === "") {
    const inside = body.contains(document.activeElement);
    body.replaceChildren(...keys.map((_, k) => row(k)));
    [...body.rows].forEach((r, k) => { r.dataset.key = keys[k]; });
    if (inside) (body.querySelector("input") ?? $("from")).focus();
  }
  [...body.rows].forEach((r, k) => update(r, k));
}

/** A slider and a number field for the same value. */
function knob(label, low, high, step, change) {
  const slide = make("input", { type: "range", min: low, max: high, step, "aria-label": `${label}, slider` });
  const exact = make("input", { type: "number", step: "any", "aria-label": `${label}, exact`, class: "exact", required: true });
  let last = 0;
  const value = () => {
    let v = Number(slide.value);
    if (v === 0 && low < 0) v = last > 0 ? -step : step; // an arrow of weight 0 is none: step over
    slide.value = v;
    return v;
  };
  slide.addEventListener("input", () => { last = value(); exact.value = last; change(last, true); });
  slide.addEventListener("change", () => change(Number(slide.value), false));
  exact.addEventListener("change", () => (exact.value === "" ? render() : change(Number(exact.value), false)));
  const set = (v) => {
    last = v;
    slide.min = Math.min(low, Math.floor(v));
    slide.max = Math.max(high, Math.ceil(v));
    slide.value = v;
    exact.value = Number(v.toFixed(3));
  };
  return { slide, exact, set };
}

function arrows() {
  const { sight } = view;
  const all = [];
  sight.weights.forEach((row, from) => row.forEach((w, to) => w !== 0 && all.push([from, to])));
  const names = sight.variables;
  fill($("arrows"), all.map((a) => a.join("-") + names.length), (k) => {
    const [from, to] = all[k];
    const label = `${names[from]} → ${names[to]}`;
    const weight = knob(`Weight of ${label}`, -3, 3, 0.1, (value, live) => edit((drawn) => { drawn.weights[from][to] = value; }, { live }));
    const remove = make("button", { type: "button", "aria-label": `Remove ${label}`, onclick: async () => {
      if (await edit((drawn) => { drawn.weights[from][to] = 0; })) say(`${label} removed.`);
    } }, "×");
    const row = make("tr", { "data-arrow": `${from}-${to}` }, make("th", { scope: "row" }, label), make("td", {}, weight.slide),
      make("td", {}, weight.exact), make("td", {}, remove));
    row.set = weight.set;
    row.addEventListener("focusin", () => row.classList.add("arrow-chosen"));
    row.addEventListener("focusout", () => row.classList.remove("arrow-chosen"));
    return row;
  }, (row, k) => row.set(sight.weights[all[k][0]][all[k][1]]));
  for (const id of ["from", "to"]) {
    const choices = id === "from" ? names : names.slice(0, names.length - sight.hidden);
    const chosen = $(id).value || (id === "to" ? "1" : "0");
    if ($(id).options.length !== choices.length) $(id).replaceChildren(...choices.map((name, i) => make("option", { value: i }, name)));
    $(id).value = Number(chosen) < choices.length ? chosen : "0";
  }
  const count = names.length - sight.hidden;
  $("add").disabled = count >= data.most.variables;
  $("add-hidden").disabled = sight.hidden >= data.most.hidden;
}

function variables() {
  const { sight } = view;
  const names = sight.variables;
  const n = names.length - sight.hidden;
  fill($("variables"), names.map((name) => name), (i) => {
    const name = names[i];
    const noise = knob(`Noise of ${name}`, 0.1, 3, 0.1, (value, live) => edit((drawn) => { drawn.noise[i] = value; }, { live }));
    const goal = i < n && make("input", { type: "radio", name: "goal", value: i, "aria-label": `${name} is the goal`, onchange: () => edit((drawn) => { drawn.goal = i; }) });
    const remove = make("button", { type: "button", "aria-label": `Remove ${name}`, onclick: () => removeVariable(i) }, "×");
    const row = make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, noise.slide), make("td", {}, noise.exact),
      make("td", {}, goal || "hidden"), make("td", {}, remove));
    row.set = noise.set;
    return row;
  }, (row, i) => {
    row.set(sight.noise[i]);
    const goal = row.querySelector("[type=radio]");
    if (goal) goal.checked = sight.goals[0] === i;
    row.querySelector("button").disabled = i < n && n <= 2;
  });
}

function named() {
  const { scenario, sight } = view;
  $("names").value = scenario.called ? "own" : scenario.names;
  $("own").hidden = !scenario.called;
  if (scenario.called) own(scenario.called);
  if (plainly(scenario) || scenario.called) return $("called").replaceChildren();
  const rows = sight.words.map((word, i) => make("tr", {}, make("th", { scope: "row" }, sight.variables[i]), make("td", {}, word),
    make("td", {}, sight.signs[i] < 0 ? "sign turned" : "as it is")));
  const head = make("tr", {}, ...["Here", "On stage", "Its values"].map((text) => make("th", { scope: "col" }, text)));
  $("called").replaceChildren(make("table", {}, make("caption", { class: "soft small" }, "What the players will read"), make("thead", {}, head), make("tbody", {}, ...rows)));
}

/** Whether players read the letters of this page. */
const plainly = (scenario) => scenario.names === "letters" && !scenario.called;

/** Names of one's own: a row for every variable, kept while nobody adds one. */
function own({ names, units, story }) {
  const letters = view.sight.variables;
  const change = (list, i, value) => settle((scenario) => { scenario.called[list][i] = value; });
  fill($("own-names"), names.map((_, i) => letters[i]), (i) => {
    const input = (list, label, most) => make("input", { "aria-label": `${label} of ${letters[i]}`, maxlength: most, autocomplete: "off", "data-list": list, onchange: (event) => change(list, i, event.target.value) });
    return make("tr", {}, make("th", { scope: "row" }, letters[i]), make("td", {}, input("names", "Name", 24)), make("td", {}, input("units", "Unit", 12)));
  }, (row, i) => {
    write(row.querySelector("[data-list=names]"), names[i]);
    write(row.querySelector("[data-list=units]"), units[i]);
  });
  write($("story"), story);
}

/** Whoever is writing is not written over. */
function write(field, text) {
  if (field !== document.activeElement) field.value = text;
}

/** As many names of one's own as there are variables; `changed`: at which one was added or removed. */
function fitted(called, n, changed = n) {
  if (!called) return;
  const more = n - called.names.length;
  // Its own letter, unless somebody has called another variable by it.
  const free = () => Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + ((called.names.length + i) % 26))).find((letter) => !called.names.some((name) => name.toUpperCase() === letter));
  if (more < 0) for (const list of [called.names, called.units]) list.splice(Math.min(changed, n), -more);
  for (let k = 0; k < more; k += 1) {
    called.names.push(free());
    called.units.push("");
  }
}

function glance({ scenario, sight, about: what }) {
  if (!sight) return $("glance").replaceChildren(make("p", {}, `${what}.`));
  const names = sight.variables;
  const goal = names[sight.goals[0]];
  const say = ({ target, value }) => {
    const plain = action(names, target, value);
    const word = plainly(scenario) ? "" : ` (on stage: ${sight.words[target]} to ${number(value * sight.signs[target])})`;
    return plain + word;
  };
  const about = sight.exact ? "" : "about ";
  const worth = (option) => `${say(option)}: ${goal} becomes ${about}${number(option.worth)} on average`;
  const flat = !sight.best || sight.best.worth < 1e-6;
  const [kind, verdict] = flat ? ["misleads", `Nothing raises ${goal}`]
    : sight.misleads ? ["misleads", "Tricky: correlation misleads here"] : ["plain", "Not tricky: correlation finds it too"];
  const same = (one, other) => one?.target === other?.target && one?.value === other?.value;
  const row = (r) => {
    const marks = [!flat && same(r, sight.best) && "best", same(r, sight.guess) && "correlation’s choice"].filter(Boolean);
    return make("tr", {}, make("th", { scope: "row" }, names[r.target]), make("td", {}, number(r.value)), make("td", {}, number(r.worth)),
      make("td", {}, number(r.correlation)), make("td", {}, marks.join(", ")));
  };
  const head = ["Set", "to", `${goal} then`, `r with ${goal}`, ""].map((text) => make(text ? "th" : "td", text ? { scope: "col" } : {}, text));
  // Every row is one setting: correlation's has its own where it is not the best of its variable.
  const rows = sight.rows.flatMap((r) => (r.target === sight.guess?.target && !same(r, sight.guess) ? [r, { ...sight.guess, correlation: r.correlation }] : [r]));
  const later = sight.goals.slice(1).map((g) => names[g]);
  $("glance").replaceChildren(
    make("p", { class: `verdict ${kind}`, id: "verdict" }, verdict),
    make("dl", {},
      make("dt", {}, "Goal"), make("dd", {}, `as much ${goal} as possible${later.length ? `, then ${later.join(", ")}` : ""}`),
      make("dt", {}, "Best"), make("dd", { id: "best" }, flat ? "leaving it alone: no single setting raises the goal" : worth(sight.best)),
      make("dt", {}, "Correlation says"), make("dd", { id: "guess" }, sight.guess ? worth(sight.guess) : `nothing goes together with ${goal}`),
      make("dt", {}, "At random"), make("dd", {}, number(sight.random))),
    make("div", { class: "scroll" }, make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows.map(row)))),
  );
}

function gallery() {
  const chosen = data.presets.find((preset) => preset.code === view.code);
  for (const button of $("gallery").children) button.setAttribute("aria-pressed", String(button.dataset.preset === chosen?.name));
  $("notice").textContent = chosen ? `What to notice: ${chosen.notice}` : "";
  $("undo").disabled = !past.length;
  $("redo").disabled = !future.length;
  const { scenario } = view;
  $("what").textContent = scenario.drawn ? "drawn by hand" : `drawn at random: seed ${scenario.seed}, number ${scenario.index}`;
}

const FIELDS = { // how a setting is shown where it is not as it is
  noise_variance: { show: Math.sqrt, read: (sd) => Math.round(1e4 * sd * sd) / 1e4 },
  relevant: { show: (v) => v ?? 0, read: (v) => (v < 2 ? null : v) },
};

function settings() {
  const { scenario } = view;
  const { config } = scenario;
  for (const field of document.querySelectorAll("[data-config]")) {
    const name = field.dataset.config;
    if (!(name in config)) continue;
    field.value = FIELDS[name] ? FIELDS[name].show(config[name]) : config[name];
    shown(field);
  }
  for (const name of ["seed", "index"]) $(name).value = scenario[name];
  $("world").value = scenario.world;
  $("drawn-note").hidden = !scenario.drawn;
  if (scenario.world !== "dag") return;
  $("preset").value = config.preset;
  $("split").value = config.split;
  $("do-values").value = config.do_values.map((v) => number(v, 4)).join(", ");
  $("reach").value = Math.max(...config.do_values.map(Math.abs));
  $("reach-shown").textContent = number(Math.max(...config.do_values.map(Math.abs)));
}

function shown(field) {
  const output = $(`${field.dataset.config}-shown`);
  if (!output || field.type !== "range") return;
  output.textContent = field.dataset.config === "relevant" && field.value < 2 ? "all" : number(field.value);
}

function links() {
  const query = `?s=${view.code}`;
  for (const page of ["play", "watch", "compare"]) $(page).href = `/${page}${query}`;
  $("play").hidden = $("challenge").disabled = $("seal").disabled = Boolean(view.no_game);
  $("no-game").textContent = view.no_game ? `No game: ${view.no_game}.` : "";
  $("link").value = `${data.address}/build${query}`;
  $("challenge-link").value = $("sealed").value = "";
  $("save").href = `/api/build/file${query}`;
}

async function cast() {
  const { scenario } = view;
  const key = JSON.stringify([scenario.world, scenario.config]);
  const show = (roles) => $("cast").replaceChildren(make("ul", { class: "roles" }, ...roles.map((role) =>
    make("li", { class: role.why_not ? "cannot" : "can" }, make("span", { class: "mark", "aria-hidden": "true" }, role.why_not ? "✗" : "✓"),
      role.why_not ? `${role.label}: cannot; ${role.why_not}` : role.label))));
  if (!casts.has(key)) {
    const slow = setTimeout(() => $("cast").replaceChildren(make("p", { class: "soft" }, "Asking everyone (networks are read the first time, which takes a while) …")), 200);
    const { roles } = await ask("POST", "/api/build/cast", { scenario }).catch(() => ({ roles: [] }));
    clearTimeout(slow);
    casts.set(key, roles);
  }
  if (key === JSON.stringify([view.scenario.world, view.scenario.config])) show(casts.get(key));
}

// -- what people do --------------------------------------------------------------------------------

$("gallery").append(...data.presets.map((preset) => {
  const tell = () => { $("notice").textContent = `${preset.label}: ${preset.notice}`; };
  return make("button", { type: "button", "data-preset": preset.name, title: preset.notice, onclick: () => propose(preset.scenario),
    onpointerenter: tell, onpointerleave: () => view && gallery(), onfocus: tell, onblur: () => view && gallery() }, preset.label);
}));

$("another").addEventListener("click", () => settle((scenario) => { scenario.index += 1; }, true));
$("empty").addEventListener("click", () => propose({
  world: "dag", names: "letters", seed: draft.seed, index: draft.index,
  config: { n: 3, split: "drawn", observations: 2, experiments: 4 },
  drawn: { weights: Array.from({ length: 3 }, () => [0, 0, 0]), noise: [1, 1, 1], goal: 2, places: [[0.2, 0.3], [0.8, 0.3], [0.5, 0.78]] },
}));
$("undo").addEventListener("click", () => travel(past, future));
$("redo").addEventListener("click", () => travel(future, past));
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.target.matches("input:not([type=range], [type=radio]), textarea")) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  if (key === "y" || event.shiftKey) travel(future, past);
  else travel(past, future);
});
window.addEventListener("popstate", (event) => event.state && propose(event.state, { keep: "back" }));

function mode(connecting) {
  $("move").setAttribute("aria-pressed", String(!connecting));
  $("connect").setAttribute("aria-pressed", String(connecting));
  const press = keyboard() ? "click" : "tap";
  const moving = keyboard()
    ? "Drag to move; drag with Shift to connect. With the keyboard: Tab to a variable, arrow keys move it, C starts an arrow, Enter ends it, Delete removes."
    : "Drag to move; “Connect” draws arrows.";
  $("hint").textContent = connecting ? `Drag from a cause to its effect, or ${press} one and then the other.` : moving;
  editor.mode(connecting);
}
$("move").addEventListener("click", () => mode(false));
$("connect").addEventListener("click", () => mode(true));
$("add").addEventListener("click", () => addVariable(false));
$("add-hidden").addEventListener("click", () => addVariable(true));
$("arrow").addEventListener("submit", (event) => {
  event.preventDefault();
  const weight = Number($("weight").value);
  if (weight === 0) return say("An arrow of weight 0 is none: choose another weight.", true);
  addArrow(Number($("from").value), Number($("to").value), weight);
});

for (const field of document.querySelectorAll("[data-config]")) {
  const name = field.dataset.config;
  field.addEventListener("input", () => shown(field));
  field.addEventListener("change", () => {
    const numeric = field.type === "range" || field.type === "number";
    if (numeric && field.value === "") return render();
    const raw = numeric ? Number(field.value) : field.value;
    const value = FIELDS[name] ? FIELDS[name].read(raw) : raw;
    settle(({ config }) => {
      if (name === "n" && config.experiments === config.n) config.experiments = value;
      config[name] = value;
    }, !DRAWN_KEEPS.includes(name));
  });
}
for (const name of ["seed", "index"]) {
  $(name).addEventListener("change", () => ($(name).value === "" ? render() : settle((scenario) => { scenario[name] = Number($(name).value); })));
}
for (const name of ["preset", "split"]) {
  $(name).addEventListener("change", () => settle((scenario) => {
    const { n, observations, exploits, do_values } = scenario.config;
    const own = ["train", "drawn", "longer", "shifted-mechanism", "shifted-noise"].includes($("split").value);
    scenario.config = { preset: $("preset").value, split: $("split").value, observations, exploits, do_values, ...(own ? { n } : {}) };
    delete scenario.drawn;
  }));
}
$("world").addEventListener("change", () => propose({ world: $("world").value, seed: draft.seed, index: draft.index, config: {} }));
$("names").addEventListener("change", () => settle((scenario) => {
  const chosen = $("names").value;
  const names = view.sight.variables.slice(0, scenario.config.n);
  scenario.called = chosen === "own" ? { names, units: names.map(() => ""), story: "" } : null;
  scenario.names = chosen === "own" ? "letters" : chosen;
}));
$("story").addEventListener("change", () => settle((scenario) => { scenario.called.story = $("story").value.replaceAll(/\s+/g, " ").trim(); }));
$("reach").addEventListener("input", () => { $("reach-shown").textContent = number($("reach").value); });
$("reach").addEventListener("change", () => settle(({ config }) => {
  const scale = Number($("reach").value) / Math.max(...config.do_values.map(Math.abs));
  config.do_values = Number.isFinite(scale) ? config.do_values.map((v) => Math.round(1e4 * v * scale) / 1e4) : [-2, 2];
}));
$("do-values").addEventListener("change", () => {
  const values = $("do-values").value.replaceAll("−", "-").split(/[,;\s]+/).filter(Boolean).map(Number);
  if (!values.length || values.some((v) => !Number.isFinite(v))) {
    settings();
    return say("Do-values: use numbers with commas, such as −2, 2.", true);
  }
  settle(({ config }) => { config.do_values = values; });
});

async function copy(field, what) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    say(`${what} copied.`);
  } catch {
    say(keyboard() ? `${what} is marked: press Ctrl+C to copy it.` : `${what} is marked: copy it.`);
  }
}
$("copy").addEventListener("click", () => copy($("link"), "Link"));
$("challenge").addEventListener("click", async () => {
  const { link } = await ask("POST", "/api/build/challenge", { scenario: view.scenario });
  $("challenge-link").value = data.address + link;
  await copy($("challenge-link"), "Challenge link");
});
$("seal").addEventListener("click", async () => {
  await seal("/api/challenge/seal", { scenario: view.scenario }, $("sealed"));
  await copy($("sealed"), "Code (the file is saved)");
});
$("file").addEventListener("change", async () => {
  const [file] = $("file").files;
  $("file").value = "";
  if (!file) return;
  if (file.size > data.most.file) return say(`${file.name}: larger than 64 KB, so not a system of this lab.`, true);
  const text = await file.text();
  if (await propose(null, { path: "/api/build/open", body: { text } })) say(`${file.name} opened.`);
});

mode(false);
$("lot").open = matchMedia("(min-width: 48rem)").matches;
if (!(await propose(data.scenario, { keep: false }))) {
  const why = $("said").textContent;
  await propose(data.presets[0].scenario, { keep: false });
  say(why, true);
}
