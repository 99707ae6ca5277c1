// Look back: the list of logs, and one log with its episodes, a replay and questions.
import { action, ask, data, make, number, say } from "./lab.js";
import { arrows, key, tally } from "./beliefs.js";
import { describe, drawGraph } from "./graph.js";
import { swatch } from "./players.js";

const $ = (selector) => document.querySelector(selector);
const CHECKING = 1000; // milliseconds between questions while logs are read through
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const PHASES = { observe: "observe", explore: "experiment", exploit: "use it" };

const size = (bytes) =>
  bytes < 1024 ? `${bytes} B` : bytes < 1 << 20 ? `${(bytes / 1024).toFixed(0)} KB` : `${(bytes / (1 << 20)).toFixed(1)} MB`;
const count = (n) => Number(n).toLocaleString("en");
const address = (path, fields) => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields))
    for (const one of Array.isArray(value) ? value : [value]) if (one !== "" && one !== null && one !== undefined) query.append(name, one);
  return `${path}?${query}`;
};
const head = (heads) => make("thead", {}, make("tr", {}, ...heads.map(([name, kind, more]) => make("th", { scope: "col", class: kind, ...more }, name))));
const cell = (value, kind) => make("td", kind ? { class: kind } : {}, value);

if ("roots" in data) showList();
else showLog();

// The list

async function showList() {
  $("#roots").textContent = `Only what lies under ${data.roots.join(", ")} is opened.`;
  $("#open").addEventListener("submit", async (event) => {
    event.preventDefault();
    const log = $("#path").value.trim();
    // Asked first, so that a wrong path is said here and stays to be corrected.
    await ask("GET", address("/api/look/log", { log }));
    location.href = address("/look/log", { log });
  });
  let listed = await ask("GET", "/api/look/logs");
  const { logs, more } = listed;
  $("#state").textContent = logs.length
    ? `${count(logs.length)} logs, the last changed first${more ? "; there may be more: give the path of one that is not here" : ""}.`
    : "None yet. Play a game, run a comparison, or write one: seedo watch dag --out logs/dag";
  $("#logs").hidden = !logs.length;
  let rows = [];
  const narrow = () => {
    const words = $("#words").value.toLowerCase().split(/\s+/);
    for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
  };
  const fill = () => {
    rows = listed.logs.map(logRow);
    $("#logs tbody").replaceChildren(...rows);
    narrow();
  };
  fill();
  $("#narrow").hidden = logs.length < 8;
  $("#words").addEventListener("input", narrow);
  while (listed.checking) {
    await new Promise((done) => setTimeout(done, CHECKING));
    listed = await ask("GET", "/api/look/logs");
    fill();
  }
}

/** Whether a log is whole: what is broken, what can be read all the same. */
function condition(log) {
  if (log.broken) {
    const more = log.broken > log.damage.length ? [`and ${log.broken - log.damage.length} more`] : [];
    const said = `${count(log.readable)} of ${count(log.rows)} episodes can be read; broken: ${count(log.broken)} of ${count(log.files)} files`;
    return make("td", { class: "state" }, make("strong", { class: "refusal" }, "Broken. "), said, make("span", { class: "soft small" }, ` (${[...log.damage, ...more].join("; ")})`));
  }
  const written = log.complete ? "complete" : "still being written";
  const checked = log.checked ? "" : log.checking ? ", being checked…" : ", read through only when opened";
  return make("td", { class: "state" }, written + checked);
}

function logRow(log) {
  const link = make("td", {}, make("a", { href: address("/look/log", { log: log.key }) }, log.shown));
  const changed = cell(new Date(1000 * log.changed).toISOString().slice(0, 16).replace("T", " "));
  if (log.why_not) return make("tr", {}, link, make("td", { class: "why", colspan: 6 }, make("strong", {}, "Cannot be opened. "), log.why_not), changed);
  const who = make("td", { class: "word" }, swatch(log.look), " ", log.label);
  return make("tr", {}, link, cell(log.world, "word"), cell(log.split, "word"), who, cell(`${count(log.rows)}${log.complete ? "" : " so far"}`), condition(log), cell(size(log.bytes)), changed);
}

// One log

let names = [];
let page = 0;
let about = null; // the log
let shown = null; // the episode: {at, ...}

async function showLog() {
  about = await ask("GET", address("/api/look/log", { log: data.log }));
  names = about.names;
  setUpQuestions();
  if (data.table) {
    showTable();
    return;
  }
  setUpFilter();
  while (!about.ready) {
    showSummary();
    $("#count").textContent = `Reading file ${about.done + 1} of ${about.files}…`;
    await new Promise((done) => setTimeout(done, 400));
    about = await ask("GET", address("/api/look/log", { log: data.log }));
  }
  showSummary();
  const at = new URLSearchParams(location.search).get("at");
  await list();
  const first = at ?? $("#episodes tbody button")?.dataset.at;
  if (first) await open(first);
}

function showTable() {
  const rows = about.first.map((row) => make("tr", {}, ...row.map((text) => cell(text))));
  const more = about.columns > about.names.length ? `, ${about.names.length} shown` : "";
  $("#summary").replaceChildren(
    make("p", {}, `${count(about.rows)} rows, ${count(about.columns)} columns${more}, ${size(about.bytes)}. The first rows:`),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "First rows" }, make("table", {}, head(about.names.map((name) => [name])), make("tbody", {}, ...rows))),
  );
  for (const field of ["targets", "sources"])
    $(`[name=${field}]`).append(...about.names.map((name) => make("option", { value: name }, name)));
}

function estimate(term, found, note) {
  const known = found && found.value !== null;
  const ends = known && found.low !== null && found.low !== undefined ? [found.low, found.high].map((end) => number(end)) : null;
  const range = !ends ? "" : ends[0] === ends[1] ? "(the same in every episode)" : `(95 % interval: ${ends[0]} to ${ends[1]})`;
  return make("div", {}, make("dt", {}, term), make("dd", {}, known ? number(found.value) : "unknown", " ", make("span", { class: "range" }, known ? range : (found?.reason ?? "")), note ?? null));
}

function fact(term, value) {
  return make("div", {}, make("dt", {}, term), make("dd", {}, value));
}

function showSummary() {
  const { figures } = about;
  const rows = figures ? count(figures.episodes) : count(about.rows);
  const facts = [
    make("div", {}, make("dt", {}, "Player"), make("dd", {}, swatch(about.look), " ", about.label, about.label === about.player ? null : make("code", { class: "range" }, ` ${about.player}`))),
    fact("World", `${about.world}, split ${about.split || "–"}`),
    fact("Episodes", `${rows}${about.complete ? "" : ", still being written"}, ${about.steps} steps each`),
    fact("Variables", names.length > 12 ? `${names.length}` : names.join(", ")),
    fact("Size", `${size(about.bytes)} in ${count(about.files)} files`),
    fact("Seed", `${about.seed}${about.stream ? `, stream ${about.stream}` : ""}`),
  ];
  if (about.created) facts.push(fact("Recorded", about.created));
  if (about.people) facts.push(fact("Participants", count(about.people)));
  if (figures)
    facts.push(
      estimate("Mean return", figures.returns),
      estimate("Best possible", figures.oracle_return),
      estimate("At random", figures.random_return),
      estimate("Return ratio (of the best possible)", figures.return_ratio),
      estimate("Share of best actions", figures.best),
    );
  const damage = about.damage.map((line) => make("p", { class: "damage" }, `Left out: ${line}`));
  $("#summary").replaceChildren(make("h2", {}, "Summary"), make("dl", { class: "figures" }, ...facts), ...damage);
}

// Its episodes

function setUpFilter() {
  const form = $("#filter");
  form.elements.goal.append(...names.map((name, i) => make("option", { value: i }, name)));
  $("#said-in").hidden = !about.explained;
  form.elements.goal.parentElement.hidden = about.shape === "room";
  if (names.length <= 63 && about.shape !== "room") {
    $("#tested").hidden = false;
    $("#tested .row").append(
      ...names.map((name, i) => make("label", {}, make("input", { type: "checkbox", name: "tested", value: i }), name)),
    );
  }
  const again = () => {
    page = 0;
    return list();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    again();
  });
  form.elements.sort.addEventListener("change", again);
  form.addEventListener("reset", () => setTimeout(again));
  $("#before").addEventListener("click", () => turn(-1));
  $("#after").addEventListener("click", () => turn(1));
}

function turn(by) {
  page += by;
  return list();
}

async function list() {
  $("#person").hidden = !about.people;
  const form = new FormData($("#filter"));
  const fields = Object.fromEntries(form.entries());
  const found = await ask("GET", address("/api/look/episodes", { ...fields, tested: form.getAll("tested"), log: data.log, page }));
  say("");
  const columns = [["Episode"], about.people ? ["Participant", "word"] : null, ...(about.shape === "room" ? [] : [["Goal", "word"], ["Did", "word"]]), ["Return"], ["Possible"], ["Best?", "word"]];
  $("#episodes thead").replaceWith(head(columns.filter(Boolean)));
  $("#episodes tbody").replaceChildren(...found.rows.map(episodeRow));
  const pages = Math.max(1, Math.ceil(found.count / found.size));
  $("#count").textContent = found.count ? `${count(found.count)} episodes` : "No episode passes this filter.";
  $("#page").textContent = `page ${count(page + 1)} of ${count(pages)}`;
  $("#paging").hidden = pages === 1;
  $("#before").disabled = page === 0;
  $("#after").disabled = page + 1 >= pages;
  mark();
}

function episodeRow(row) {
  const button = make("button", { type: "button", "data-at": row.at, onclick: () => open(row.at, true) }, `${row.id}`);
  const rooms = about.shape === "room";
  return make(
    "tr",
    { "data-at": row.at },
    make("td", {}, button),
    about.people ? cell(row.person, "word") : null,
    rooms ? null : cell(row.goal < 0 ? "–" : names[row.goal], "word"),
    rooms ? null : cell(row.goal < 0 ? "–" : row.target < -1 ? "several at once" : row.target < 0 ? "nothing" : `${names[row.target]} = ${number(row.value)}`, "word"),
    cell(number(row.returns)),
    cell(number(row.oracle_return)),
    cell(row.best === null ? "–" : row.best ? "✓ yes" : "✗ no", "word"),
  );
}

function mark() {
  for (const row of document.querySelectorAll("#episodes tbody tr")) {
    const own = row.dataset.at === shown?.at;
    row.classList.toggle("own", own);
    if (own) row.querySelector("button").setAttribute("aria-current", "true");
    else row.querySelector("button").removeAttribute("aria-current");
  }
}

// Its replay

let step = 0; // how many steps are over
let playing = null;

async function open(at, chosen = false) {
  stop();
  const found = await ask("GET", address("/api/look/episode", { log: data.log, at }));
  shown = { ...found, at, beliefs: null };
  const here = new URL(location.href);
  here.searchParams.set("at", at);
  history.replaceState(null, "", here);
  mark();
  showReplay();
  setAbout();
  if (chosen) $("#replay").focus({ preventScroll: innerWidth >= 1120 });
  if (shown.rooms) loadFrames(shown);
  else {
    loadHindsight(shown);
    loadStrategies(shown);
  }
}

function showReplay() {
  const s = shown;
  const goal = Math.max(-1, ...s.steps.map((one) => one.goal));
  s.goalVariable = goal < 0 ? null : goal;
  const worth = [
    s.returns === null ? null : `return ${number(s.returns)}`,
    s.oracle_return === null ? null : `best possible ${number(s.oracle_return)}`,
    s.random_return === null ? null : `at random ${number(s.random_return)}`,
  ].filter(Boolean);
  const slider = make("input", { type: "range", id: "scrub", min: 0, max: s.steps.length, step: 1, value: 0, "aria-label": "Steps over", oninput: () => go(Number(slider.value)) });
  const transport = make(
    "div",
    { class: "transport", role: "group", "aria-label": "Replay" },
    make("button", { type: "button", "aria-label": "To the start", onclick: () => go(0) }, "|◀"),
    make("button", { type: "button", "aria-label": "One step back", onclick: () => go(step - 1) }, "◀"),
    make("button", { type: "button", id: "run", onclick: toggle }, "Play"),
    make("button", { type: "button", "aria-label": "One step on", onclick: () => go(step + 1) }, "▶"),
    make("button", { type: "button", "aria-label": "To the end", onclick: () => go(s.steps.length) }, "▶|"),
    slider,
  );
  const who = s.person ? `, participant ${s.person}` : "";
  const parts = [
    make("h2", { id: "replay-heading" }, `Episode ${s.id}${who}`),
    make("p", { class: "soft" }, [s.goalVariable === null || s.rooms ? null : `Goal: raise ${names[goal]}`, ...worth].filter(Boolean).join(" · ")),
    transport,
    make("p", { class: "now", id: "now", role: "status" }),
    make("div", { class: "columns graphs", id: "pictures" }),
    make("div", { class: "deeds" }, make("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Steps" }, s.rooms ? roomTable(s) : stepTable(s)), make("div", { id: "others" })),
    make("p", { class: "row", id: "again" }),
  ];
  if (s.talk) parts.push(talk(s));
  $("#replay").replaceChildren(...parts);
  linkAgain();
  if (s.rooms) $("#pictures").append(make("p", { class: "soft", id: "preparing" }, "Drawing the rooms (the first time takes some seconds)…"));
  go(s.steps.length);
}

function stepTable(s) {
  const said = s.steps.some((one) => one.said);
  const likely = s.steps.some((one) => one.likely.length);
  const variables = names.map((name, i) => [s.relevant[i] ? name : `(${name})`, i === s.goalVariable ? "goal" : null, { title: s.relevant[i] ? null : "said to be irrelevant" }]);
  const heads = [["Step"], ["Phase", "word"], ["Did", "word"], ...variables, said ? ["Explanation", "word"] : null, likely ? ["Thought of", "word"] : null];
  const rows = s.steps.map((one, t) =>
    make(
      "tr",
      {},
      make("td", {}, stepButton(t)),
      cell(PHASES[one.phase], "word"),
      cell(one.did ?? action(names, one.target, one.value), "word"),
      ...one.outcome.map((value, i) => cell(number(value), [i === one.target ? "set" : "", i === s.goalVariable ? "goal" : ""].filter(Boolean).join(" "))),
      said ? cell(one.said, "said") : null,
      likely ? cell(one.likely.map((a) => `${names[a.target]}${a.value === null ? "" : ` = ${number(a.value)}`} ${Math.round(100 * a.p)} %`).join("\n"), "likely") : null,
    ),
  );
  return make("table", { id: "steps" }, head(heads.filter(Boolean)), make("tbody", {}, ...rows));
}

function roomTable(s) {
  const [reward, trial, object] = ["reward", "trial", "object"].map((name) => names.indexOf(name));
  const said = s.steps.some((one) => one.said);
  const heads = [["Step"], ["Trial"], ["Did", "word"], ["Reward"], ["Took object"], ...(said ? [["Said", "word"]] : [])];
  const rows = s.steps.map((one, t) =>
    make(
      "tr",
      {},
      make("td", {}, stepButton(t)),
      cell(one.outcome[trial] === null ? "–" : `${one.outcome[trial] + 1}${one.phase === "exploit" ? " (counts)" : ""}`),
      cell(one.did, "word"),
      cell(number(one.outcome[reward])),
      cell(one.outcome[object] === null ? "" : `${one.outcome[object] + 1}`),
      said ? cell(one.said, "said") : null,
    ),
  );
  return make("table", { id: "steps" }, head(heads), make("tbody", {}, ...rows));
}

function stepButton(t) {
  return make("button", { type: "button", class: "quiet", "aria-label": `Show step ${t + 1}`, onclick: () => go(t + 1) }, `${t + 1}`);
}

function inWords(t) {
  if (t === 0) return `Before the first of ${shown.steps.length} steps.`;
  const one = shown.steps[t - 1];
  const did = one.did ?? action(names, one.target, one.value);
  return `Step ${t} of ${shown.steps.length} (${PHASES[one.phase]}): ${did}${one.said ? `. ${shown.rooms ? "Said" : "Explanation"}: ${one.said}` : ""}`;
}

function go(to) {
  step = Math.max(0, Math.min(shown.steps.length, to));
  const slider = $("#scrub");
  slider.value = step;
  slider.setAttribute("aria-valuetext", inWords(step));
  $("#now").textContent = inWords(step);
  document.querySelectorAll("#steps tbody tr").forEach((row, t) => {
    row.classList.toggle("later", t >= step);
    if (t === step - 1) row.setAttribute("aria-current", "step");
    else row.removeAttribute("aria-current");
  });
  paint();
}

function toggle() {
  if (playing) return stop();
  if (step === shown.steps.length) go(0);
  $("#run").textContent = "Pause";
  playing = setInterval(() => (step < shown.steps.length ? go(step + 1) : stop()), calm.matches ? 1500 : shown.rooms ? 350 : 900);
}

function stop() {
  clearInterval(playing);
  playing = null;
  if ($("#run")) $("#run").textContent = "Play";
}

addEventListener("keydown", (event) => {
  if (!shown || event.target.closest("input, select, textarea, .scroll") || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "ArrowLeft") go(step - 1);
  else if (event.key === "ArrowRight") go(step + 1);
  else return;
  event.preventDefault();
});

// What one could have known by then

async function loadHindsight(s) {
  if (s.no_belief && s.truth) return drawTruth();
  const figures = $("#pictures");
  const waiting = make("p", { class: "soft" }, "Working out what these data say about the graph (the first time takes some seconds)…");
  figures.append(waiting);
  try {
    Object.assign(s, await ask("GET", address("/api/look/hindsight", { log: data.log, at: s.at })));
  } catch (error) {
    waiting.textContent = error.message;
    return;
  }
  if (s !== shown) return;
  waiting.remove();
  drawTruth();
  linkAgain();
}

function drawTruth() {
  const s = shown;
  const figures = [];
  const known = s.truth ? seenTruth() : null;
  if (s.beliefs)
    figures.push(make("figure", {}, make("figcaption", {}, "What these steps say about the graph (exact posterior)"), make("svg", { id: "belief" }), make("p", { class: "small", id: "tally" }), make("p", { class: "soft small", id: "bits" }), key(known)));
  if (s.truth)
    figures.push(make("figure", {}, make("figcaption", {}, `The true graph${s.truth.source === "logged" ? "" : " (found again from the seed)"}`), make("svg", { id: "truth" })));
  if (!s.beliefs) figures.push(make("p", { class: "soft small" }, `No posterior: ${s.why_not || s.no_belief}.`));
  $("#pictures").replaceChildren(...figures);
  paint();
}

/** The true arrows between the variables; hidden causes come last. */
function seenTruth() {
  return shown.truth.edges.filter((edge) => edge.from < names.length).map((edge) => [edge.from, edge.to]);
}

function paint() {
  const s = shown;
  if (s.frames) return paintFrame();
  const active = step > 0 && s.steps[step - 1].target >= 0 ? s.steps[step - 1].target : null;
  if ($("#truth")) {
    const hidden = Array.from({ length: s.truth.hidden }, (_, i) => `H${i + 1}`);
    const edges = s.truth.edges.map((edge) => ({ from: edge.from, to: edge.to, style: "plain", label: s.truth.edges.length <= 16 ? number(edge.weight, 1) : "" }));
    drawGraph($("#truth"), { names: [...names, ...hidden], hidden: hidden.length, edges, goal: s.goalVariable, active });
  }
  if ($("#belief")) {
    const belief = s.beliefs[step];
    const likely = belief.edges.flatMap((row, from) => row.map((p, to) => [from, to, p]));
    const known = s.truth ? seenTruth() : null;
    const edges = arrows(likely, known);
    for (const edge of edges) if (edge.style !== "truth" && edge.strength >= 0.3 && names.length <= 6) edge.label = `${Math.round(100 * edge.strength)} %`;
    const believed = edges.filter((edge) => edge.style !== "truth");
    drawGraph($("#belief"), { names, edges, goal: s.goalVariable, active, caption: `How probable each arrow is. ${describe({ names, edges: believed })}` });
    $("#tally").textContent = `${tally(likely, known)}.`;
    const before = step > 0 ? s.beliefs[step - 1].bits - belief.bits : 0;
    $("#bits").textContent = `Still open: ${number(belief.bits)} bits${step ? (before >= 0 ? `; this step settled ${number(before)}` : `; this step reopened ${number(-before)}`) : ""}.`;
  }
}

async function loadFrames(s) {
  const image = new Image();
  image.src = address("/api/look/frames", { log: data.log, at: s.at });
  try {
    await image.decode();
  } catch {
    const reason = await fetch(image.src).then((response) => response.json()).catch(() => ({ error: "no pictures" }));
    if (s === shown) $("#preparing").textContent = `No pictures: ${reason.error}`;
    return;
  }
  if (s !== shown) return;
  s.frames = image;
  $("#pictures").replaceChildren(make("figure", {}, make("canvas", { id: "frame", role: "img", width: 396, height: 396 }), make("figcaption", {}, "What was seen before the step")));
  paintFrame();
}

function paintFrame() {
  const canvas = $("#frame");
  const t = Math.max(0, step - 1);
  const pen = canvas.getContext("2d");
  pen.imageSmoothingEnabled = false;
  pen.drawImage(shown.frames, 99 * (t % 10), 99 * Math.floor(t / 10), 99, 99, 0, 0, 396, 396);
  canvas.setAttribute("aria-label", `The room. ${inWords(step)}`);
}

async function loadStrategies(s) {
  const place = $("#others");
  place.replaceChildren(make("p", { class: "soft" }, "Asking what others would have done with the same history…"));
  let found;
  try {
    found = await ask("GET", address("/api/look/strategies", { log: data.log, at: s.at }));
  } catch (error) {
    found = { why_not: error.message, steps: [] };
  }
  if (s !== shown) return;
  if (found.why_not) {
    place.replaceChildren(make("p", { class: "soft small" }, `What others would have done: ${found.why_not}.`));
    return;
  }
  const inShort = (actions) => (actions.length ? actions.slice(0, 4).map((a) => `${names[a.target]} = ${number(a.value)}`).join(" or ") + (actions.length > 4 ? ` or ${actions.length - 4} more` : "") : "nothing legal");
  const tables = found.steps.flatMap((one) => [
    make("h3", {}, `With the same history, at step ${one.step + 1}`),
    make("p", { class: "small" }, `The player: ${inShort(one.did)}${one.worth === null ? "" : `, expected ${number(one.worth)}`}.`),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "What others would have done" },
      make("table", { class: "strategies" },
        head([["Strategy"], ["Would have set", "word"], ["Expected goal"], ["Same choice?", "word"]]),
        make("tbody", {}, ...one.strategies.map((other) => make("tr", {}, cell(other.name), cell(inShort(other.actions), "word"), cell(number(other.worth)), cell(other.agrees ? "✓ yes" : "✗ no", "word")))))),
  ]);
  const missing = found.missing.map((line) => make("p", { class: "soft small" }, line));
  place.replaceChildren(...tables, ...missing);
}

function linkAgain() {
  const s = shown;
  const place = $("#again");
  if (!s.again) {
    place.replaceChildren(make("span", { class: "soft small" }, s.why_not_again ? `Cannot be played again: ${s.why_not_again}.` : ""));
    return;
  }
  const query = { s: s.again };
  place.replaceChildren(
    make("a", { class: "button", href: address("/play", query) }, "Play this very system"),
    make("a", { class: "button", href: address("/watch", query) }, "Watch others on it"),
    make("span", { class: "soft small" }, s.again_note),
  );
}

function talk(s) {
  const list = make("ol", { class: "talk" });
  const details = make("details", {}, make("summary", {}, "The conversation"), list);
  details.addEventListener("toggle", async () => {
    if (!details.open || list.childElementCount) return;
    const { messages } = await ask("GET", address("/api/look/conversation", { log: data.log, at: s.at }));
    const who = { system: "Instructions", user: "World", assistant: "Player" };
    list.replaceChildren(...messages.map((one) => make("li", { class: one.role === "assistant" ? "assistant" : null }, make("b", {}, who[one.role] ?? one.role), one.said)));
    if (!messages.length) list.append(make("li", {}, "Nothing was kept of this episode."));
  });
  return details;
}

// Questions

const remembered = `ask ${data.log}`;

function setUpQuestions() {
  if (about.no_questions) {
    $("#ask").replaceWith(make("p", { class: "soft" }, about.no_questions));
    return;
  }
  const quote = (name) => (/^[\p{L}_][\p{L}\p{N}_.-]*$/u.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
  const usable = data.table ? about.names : names;
  const [x, y] = [usable[0], usable.at(-1)].map(quote);
  const examples = [`effect of ${x} on ${y}`, `what raises ${y}?`, `P(${y} > 1 | do(${x} = 2))`, "which edges are likely?", `what causes ${y}?`, "what should be tried next?"];
  $("#question").placeholder = examples[0];
  $("#examples").replaceChildren(
    ...examples.map((text) =>
      make("button", { type: "button", class: "quiet", onclick: () => { $("#question").value = text; $("#ask").requestSubmit(); } }, text),
    ),
  );
  $("#ask").addEventListener("submit", (event) => {
    event.preventDefault();
    sendQuestion();
  });
  const before = sessionStorage.getItem(remembered);
  if (before) follow(before).catch(() => sessionStorage.removeItem(remembered));
}

function setAbout() {
  if (about.no_questions) return;
  const select = $("#ask").elements.about;
  const whole = make("option", { value: "", selected: about.pooled }, "the whole log");
  const own = make("option", { value: shown.at, selected: !about.pooled }, `episode ${shown.id}`);
  select.replaceChildren(own, whole);
  $("#about").hidden = false;
}

async function sendQuestion() {
  const form = $("#ask").elements;
  const several = (name) => (form[name]?.value ?? "").split(/[,\n]/).map((text) => text.trim()).filter(Boolean);
  const body = {
    log: data.log,
    question: form.question.value,
    at: form.about.value || null,
    targets: form.targets?.value || null,
    sources: form.sources?.value || null,
    drop: several("drop"),
    keep: several("keep"),
    require: several("require"),
    forbid: several("forbid"),
    believe: several("believe"),
    max_parents: form.max_parents.value === "" ? null : Number(form.max_parents.value),
    graph: form.graph.value,
    nonlinear: form.nonlinear.checked,
  };
  const { job } = await ask("POST", "/api/look/ask", body);
  sessionStorage.setItem(remembered, job);
  await follow(job);
}

let following = 0;

async function follow(job) {
  const turn = ++following;
  const panel = $("#asking");
  const [line, bar, button] = panel.children;
  button.onclick = () => ask("DELETE", `/api/look/ask/${job}`);
  for (let wait = 60; ; wait = Math.min(500, 1.5 * wait)) {
    const state = await ask("GET", `/api/look/ask/${job}`);
    if (turn !== following) return;
    if (state.over) {
      panel.hidden = true;
      showAnswer(state);
      return;
    }
    const left = state.done ? ` (about ${Math.ceil((state.seconds / state.done) * (state.total - state.done))} s left)` : "";
    line.textContent = `${state.doing}…${left}`;
    if (state.total) [bar.max, bar.value] = [state.total, state.done];
    else bar.removeAttribute("value");
    panel.hidden = state.seconds < 0.3;
    await new Promise((done) => setTimeout(done, wait));
  }
}

function showAnswer({ answer, error }) {
  const place = $("#answer");
  place.hidden = false;
  if (!answer) {
    place.replaceChildren(make("p", { class: "refusal" }, error));
    return;
  }
  say("");
  const parts = [make("p", { class: "soft small" }, answer.question), make("p", { class: answer.refused ? "said refusal" : "said" }, answer.answer)];
  if (answer.table.length) {
    const heads = Object.keys(answer.table[0]);
    const shown = (value) => (typeof value === "number" ? number(value, 3) : Array.isArray(value) ? value.join(", ") : `${value ?? "–"}`);
    parts.push(
      make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Answer in full" },
        make("table", {}, head(heads.map((name) => [name])),
          make("tbody", {}, ...answer.table.slice(0, 50).map((row) => make("tr", {}, ...heads.map((name) => cell(shown(row[name])))))))),
    );
  }
  const lines = [...answer.warnings.map((text) => `Warning: ${text}`), ...answer.notes];
  parts.push(...lines.map((text) => make("p", { class: "damage" }, text)));
  parts.push(make("p", { class: "small" }, `Rests on ${answer.rests_on}`));
  parts.push(make("details", { open: true }, make("summary", {}, "What this takes for granted"), make("ul", { class: "small" }, ...answer.assumes.map((text) => make("li", {}, text)))));
  if (answer.command) parts.push(make("p", { class: "small" }, "The same on the command line: ", make("code", {}, answer.command)));
  place.replaceChildren(...parts);
}
