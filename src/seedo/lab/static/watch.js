// Watch: all frames of a player come at once, so that every step is only a repaint.
import { action, ask, data, make, number } from "./lab.js";
import { arrows, key, tally } from "./beliefs.js";
import { describe, drawGraph } from "./graph.js";
import { dashes, dress, marker, swatch } from "./players.js";
import { raw, span } from "./raw.js";
import { load, paint } from "./rooms.js";

const PAUSE = { causes: 1200, room: 450, plain: 1200 }; // milliseconds between steps at speed 1
const POLL = 400;
const PHASES = ["watch only", "experiment", "use it"];
const $ = (id) => document.getElementById(id);

const role = Object.fromEntries(data.cast.map((one) => [one.name, one]));
let setting = null;
const known = ask("GET", `/api/watch/setting?${new URLSearchParams({ s: data.s, through: data.through })}`);
known.catch(() => null); // said below
let players = data.players.map(enter);
let step = data.step;
let timer = null;

// -- who acts -------------------------------------------------------------------------------------

function enter(name) {
  const panel = make("section", { class: "panel player", "aria-label": role[name].label, "data-player": name });
  const out = make("button", { type: "button", class: "quiet", "aria-label": `Remove ${role[name].label}`, onclick: () => toggle(name) }, "✕");
  const body = make("div", { class: "body" });
  panel.append(make("h2", {}, make("span", {}, swatch(role[name].look), " ", role[name].label), out), body);
  dress(panel, role[name].look);
  return { name, panel, body, state: "preparing", shown: null, parts: null };
}

function toggle(name) {
  const here = players.some((one) => one.name === name);
  if (!here && players.length >= data.most) return;
  players = here ? players.filter((one) => one.name !== name) : [...players, enter(name)];
  if (!here) fetchFrames(players.at(-1));
  arrange();
}

function arrange() {
  $("players").replaceChildren(...players.map((one) => one.panel));
  $("chosen").textContent = players.length;
  const full = players.length >= data.most;
  for (const box of $("cast").querySelectorAll("input")) {
    box.checked = players.some((one) => one.name === box.value);
    box.disabled = !box.checked && (full || Boolean(role[box.value].why_not));
  }
  extend();
  show(step);
}

function listCast() {
  $("cast").replaceChildren(
    ...data.cast.map((one) =>
      make(
        "li",
        {},
        make("label", {}, make("input", { type: "checkbox", value: one.name, onchange: () => toggle(one.name) }), swatch(one.look), one.label),
        one.why_not ? make("span", { class: "soft" }, `Cannot act here: ${one.why_not}`) : null,
      ),
    ),
  );
}

// -- frames ---------------------------------------------------------------------------------------

async function fetchFrames(player, begin = false) {
  try {
    const answer = await ask("POST", "/api/watch/frames", { s: data.s, player: player.name, through: data.through, begin });
    player.state = answer.state;
    if (answer.state === "ready") {
      await known; // what is the same for everyone
      player.shown = answer.shown;
      player.images = data.shape === "room" ? await load(answer.shown.pictures) : null;
      build(player);
      extend();
      show(step);
      if (player.parts.decoded?.isConnected) fetchDecoded(player);
    } else {
      wait(player, answer);
      if (answer.state === "preparing") setTimeout(() => players.includes(player) && fetchFrames(player), POLL);
    }
  } catch (error) {
    player.state = "failed";
    wait(player, { state: "failed", why: error.message });
  }
}

function wait(player, answer) {
  const say = (...parts) => player.body.replaceChildren(...parts);
  const button = (text) => make("button", { type: "button", onclick: () => { player.state = "preparing"; fetchFrames(player, true); } }, text);
  if (answer.state === "unavailable") say(make("p", { class: "refusal" }, `Cannot act here: ${answer.why}`));
  else if (answer.state === "failed") say(make("p", { class: "refusal" }, answer.why), button("Try again"));
  else if (answer.state === "waiting") {
    say(make("p", {}, "A language model: asking it may cost money."), button(`Ask ${role[player.name].label}`));
  } else {
    if (!player.body.querySelector("progress")) {
      say(make("p", { role: "status" }, `Preparing ${role[player.name].label}: programs are made ready the first time only…`), make("progress", { "aria-label": `Preparing ${role[player.name].label}` }), make("p", { class: "soft elapsed" }));
    }
    const bar = player.body.querySelector("progress");
    if (answer.total) Object.assign(bar, { max: answer.total, value: answer.done });
    const at = answer.done ? `, step ${answer.done} of ${answer.total}` : "";
    player.body.querySelector(".elapsed").textContent = `${answer.doing}${at}; ${Math.round(answer.seconds)} s so far`;
  }
}

/** How far the range goes: as far as anybody's episode. */
function extend() {
  const ready = players.filter((one) => one.shown).map((one) => one.shown.frames.length - 1);
  const known = setting?.phases ? setting.phases.length : 0;
  $("step").max = Math.max(known, 0, ...ready);
}

// -- decoded beliefs ------------------------------------------------------------------------------

async function fetchDecoded(player, begin = false) {
  try {
    player.decoded = await ask("POST", "/api/watch/decoded", { s: data.s, player: player.name, through: data.through, begin });
  } catch (error) {
    player.decoded = { state: "failed", why: error.message };
  }
  if (!players.includes(player)) return;
  if (player.decoded.state === "ready") return show(step);
  waitDecoded(player, player.decoded);
  if (player.decoded.state === "preparing") setTimeout(() => players.includes(player) && fetchDecoded(player), POLL);
}

function waitDecoded(player, answer) {
  const box = player.parts.decoded;
  const start = (text) => make("button", { type: "button", onclick: () => fetchDecoded(player, true) }, text);
  if (answer.state === "unavailable") box.replaceChildren(make("p", { class: "soft" }, `Not decoded: ${answer.why}.`));
  else if (answer.state === "failed") box.replaceChildren(make("p", { class: "refusal" }, answer.why), start("Try again"));
  else if (answer.state === "waiting") {
    box.replaceChildren(make("p", { class: "soft small" }, "Probes have first to be fitted on some hundred other episodes: once for this network and kind of system."), start("Fit probes"));
  } else {
    if (!box.querySelector("progress")) {
      box.replaceChildren(make("p", { role: "status" }, "Fitting probes (once)…"), make("progress", { "aria-label": `Probes of ${role[player.name].label}` }), make("p", { class: "soft elapsed" }));
    }
    const bar = box.querySelector("progress");
    if (answer.total) Object.assign(bar, { max: answer.total, value: answer.done });
    else bar.removeAttribute("value");
    box.querySelector(".elapsed").textContent = `${[answer.doing, `${Math.round(answer.seconds)} s so far`].filter(Boolean).join("; ")}`;
  }
}

/** Arrows as probes read them before the network's next choice, how well probes do, and all numbers. */
function paintDecoded(player, at, names, goal) {
  const { edges, auc, taught, tested } = player.decoded;
  const box = player.parts.decoded;
  const now = edges[at];
  if (!now) return box.replaceChildren(make("p", { class: "soft" }, "It chooses no more, so that there is no state to read."));
  const pairs = now.flatMap((row, i) => row.map((p, j) => [i, j, p])).filter(([i, j]) => i !== j);
  const withTruth = $("truth").checked;
  const drawn = arrows(pairs, withTruth ? visibleTruth() : null);
  const sure = drawn.filter((edge) => edge.style !== "truth");
  const svg = make("svg");
  const frame = player.shown.frames[at];
  drawGraph(svg, { names, edges: drawn, places: places(), goal: goal >= 0 ? goal : null, active: frame.target >= 0 ? frame.target : null, caption: `How probable a linear probe takes each arrow for. ${describe({ names, edges: sure })}` });
  const exact = new Map((frame.belief ?? []).map(([i, j, p]) => [`${i}-${j}`, p]));
  const known = (i, j) => exact.get(`${i}-${j}`) ?? 0; // what is not sent is below 1 %
  const apart = frame.belief ? pairs.reduce((sum, [i, j, p]) => sum + Math.abs(p - known(i, j)), 0) / pairs.length : null;
  const score = (one) => (one?.value == null ? "–" : `${number(one.value)}${one.low == null ? "" : ` [${number(one.low)}, ${number(one.high)}]`}`);
  const said = `A linear probe’s, not the network’s own word: fitted in ${taught} other episodes, tested in ${tested}. AUC before this choice: probe ${score(auc.found[at])}, exact posterior ${score(auc.known[at])}, probe of an untrained network ${score(auc.untrained[at])}.`;
  const heads = ["Arrow", "probe", ...(frame.belief ? ["exact"] : []), ...(withTruth ? ["true"] : [])];
  const rows = pairs.map(([i, j, p]) => make("tr", {}, make("th", { scope: "row" }, `${names[i]} → ${names[j]}`), ...[number(p), ...(frame.belief ? [number(known(i, j))] : []), ...(withTruth ? [truthOf(i, j) ? "yes" : "no"] : [])].map((cell) => make("td", {}, cell))));
  const open = box.querySelector("details")?.open;
  box.replaceChildren(
    svg,
    ...(apart === null ? [] : [make("p", { class: "small apart" }, `Apart from the exact posterior by ${number(apart)} an arrow on average`)]),
    make("p", { class: "soft small" }, said),
    make("details", { open: Boolean(open) }, make("summary", {}, "All arrows in numbers"), make("div", { class: "scroll" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...rows)))),
  );
}

// -- panels ---------------------------------------------------------------------------------------

function build(player) {
  player.parts = data.shape === "room" ? buildRoom(player) : buildDag(player);
}

function buildDag(player) {
  const { frames, called } = player.shown;
  const parts = {
    did: make("p", { class: "did" }),
    shown: make("div", { class: "shown" }),
    read: make("div", { class: "scroll" }),
    values: make("ul", { class: "values", "aria-label": "What was seen" }),
    replies: make("div", {}),
    belief: make("svg"),
    score: make("p", { class: "small" }),
    bits: make("div", { class: "bits" }),
    decoded: make("div", { class: "decoded" }),
    choices: make("ul", { class: "choices" }),
    reason: make("div", {}),
    outcome: make("p", { class: "outcome" }),
  };
  const spoken = frames.some((frame) => frame.replies);
  const names = setting.names.slice(0, setting.names.length - setting.hidden);
  const network = role[player.name].kind === "network" && !spoken;
  const told = called ? make("p", { class: "soft small" }, `It is told other names: ${names.map((name, i) => `${name} is ${called[i]}`).join(", ")}.`) : null;
  const believes = frames[0].belief
    ? [make("h3", {}, "What its data say"), ...(setting.through ? [make("p", { class: "soft small" }, "What was read taken for exact.")] : []), parts.belief, parts.score, parts.bits]
    : [make("h3", {}, "What its data say"), make("p", { class: "soft" }, `Not worked out: ${setting.no_belief}.`)];
  player.body.replaceChildren(
    parts.did,
    ...(setting.raw ? [parts.shown, parts.read] : [parts.values]),
    ...believes,
    ...(network ? [make("h3", {}, "What a linear probe reads off its state"), parts.decoded] : []),
    ...(spoken ? [make("h3", {}, "It said"), parts.replies] : [make("h3", {}, "How likely it was to do this"), parts.choices]),
    ...(told ? [told] : []),
    parts.reason,
    parts.outcome,
  );
  return parts;
}

function buildRoom(player) {
  const predicts = player.shown.frames.some((frame) => frame.expected !== undefined);
  const spoken = player.shown.frames.some((frame) => frame.replies);
  const parts = {
    canvas: make("canvas", { class: "room", role: "img" }),
    did: make("p", { class: "did" }),
    said: make("dd", {}),
    expected: make("dd", {}),
    possible: make("dd", {}),
    replies: make("div", {}),
    outcome: make("p", { class: "outcome" }),
  };
  const facts = make("dl", { class: "facts" }, make("dt", {}, "Said"), parts.said);
  if (predicts) facts.append(make("dt", {}, "It expected"), parts.expected);
  facts.append(make("dt", {}, "May decide"), parts.possible);
  player.body.replaceChildren(parts.canvas, parts.did, facts, ...(spoken ? [make("h3", {}, "It said"), parts.replies] : []), parts.outcome);
  return parts;
}

function paintDag(player, at) {
  const { frames } = player.shown;
  const { parts } = player;
  const frame = frames[at];
  const names = setting.names.slice(0, setting.names.length - setting.hidden);
  const goal = at > 0 ? (setting.goals?.[at - 1] ?? frame.goal) : -1;
  parts.did.textContent = at === 0 ? "Has seen nothing yet." : deed(frame, names, goal, setting.phases[at - 1]);
  parts.values.replaceChildren(
    ...(frame.outcome ?? []).map((value, i) =>
      make("li", { class: [i === frame.target && "set", i === goal && "goal"].filter(Boolean).join(" ") }, `${names[i]} ${number(value)}${i === frame.target ? " (set)" : ""}`),
    ),
  );
  if (setting.raw) paintRaw(player, at, names);
  parts.replies.replaceChildren(...replies(frame));
  if (frame.belief) paintBelief(player, frame, names, goal);
  if (player.decoded?.state === "ready") paintDecoded(player, at, names, goal);
  parts.choices.replaceChildren(...choices(frame, names));
  paintReason(parts.reason, frame, names);
  parts.outcome.textContent = at === frames.length - 1 ? result(player.shown) : "Its return is known at the end.";
}

/** Raw worlds: what was shown, and the variables: as an abstraction read them, and as they were. */
function paintRaw(player, at, names) {
  const { parts, shown } = player;
  const frame = shown.frames[at];
  player.most ??= span(shown.frames.map((one) => one.shown));
  parts.shown.replaceChildren(frame.shown ? raw(frame.shown, `Shown after step ${at}`, player.most) : make("p", { class: "soft" }, "Nothing is shown yet."));
  const truth = $("truth").checked;
  if (!truth && !setting.through) return parts.read.replaceChildren();
  const rows = names.map((name, i) => {
    const set = i === frame.target ? " (set)" : "";
    const error = setting.stated?.[i];
    const stated = error?.value == null ? "–" : `${number(error.value)} [${number(error.low)}, ${number(error.high)}]`;
    const cells = [...(setting.through ? [`${number(frame.outcome?.[i])}${set}`] : []), ...(truth ? [`${number(frame.true?.[i])}${setting.through ? "" : set}`] : []), ...(setting.through ? [stated] : [])];
    return make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((cell) => make("td", { class: i === frame.target ? "set" : "" }, cell)));
  });
  const heads = ["Variable", ...(setting.through ? ["read"] : []), ...(truth ? ["true"] : []), ...(setting.through ? ["said to be off by"] : [])];
  const caption = setting.through ? make("caption", { class: "soft small" }, `As ${setting.through} reads what is shown (what a knob was set to is known); its error is as it was when it was learnt, held out (root mean square, 95 %).`) : null;
  parts.read.replaceChildren(make("table", {}, caption ?? "", make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...rows)));
}

function deed(frame, names, goal, phase) {
  const aim = goal >= 0 ? `To raise ${setting.raw ? `what knob ${names[goal]} sets` : names[goal]}: ` : phase === 1 ? "Experiment: " : "";
  const what = action(setting.raw ? names.map((name) => `knob ${name}`) : names, frame.target, frame.value);
  return aim ? aim + what : what[0].toUpperCase() + what.slice(1);
}

function replies(frame) {
  const said = frame.replies ?? [];
  return said.length ? said.map((text) => make("p", { class: "said small" }, text || "(nothing)")) : [make("p", { class: "soft small" }, "–")];
}

function choices(frame, names) {
  if (frame.target === undefined) return [make("li", { class: "soft" }, "–")];
  if (frame.target < 0) return [make("li", { class: "soft" }, "It could only look.")];
  if (!frame.choices) return [make("li", { class: "taken plain" }, `✓ ${action(names, frame.target, frame.value)}: its choice; it names no probabilities`)];
  return frame.choices.map(([target, value, p]) => {
    const taken = target === frame.target && Math.abs(value - frame.value) < 1e-6;
    const fill = make("span");
    fill.style.width = `${100 * p}%`;
    return make("li", { class: taken ? "taken" : "" }, `${taken ? "✓ " : ""}${action(names, target, value)}`, make("div", { class: "bar" }, fill), `${Math.round(100 * p)} %`);
  });
}

function truthOf(i, j) {
  return setting.truth.some(([from, to]) => from === i && to === j);
}

/** The true arrows between the variables; null while the truth is not shown. */
function visibleTruth() {
  const count = setting.names.length - setting.hidden;
  return $("truth").checked ? setting.truth.filter(([from]) => from < count) : null;
}

function places() {
  const count = setting.names.length - setting.hidden;
  return setting.places.length ? setting.places.slice(0, count) : null;
}

function paintBelief(player, frame, names, goal) {
  const { parts } = player;
  const edges = arrows(frame.belief, visibleTruth());
  const sure = edges.filter((edge) => edge.style !== "truth");
  drawGraph(parts.belief, {
    names, edges, places: places(), goal: goal >= 0 ? goal : null, active: frame.target >= 0 ? frame.target : null,
    caption: `How probable each arrow is. ${describe({ names, edges: sure })}`,
  });
  parts.score.textContent = tally(frame.belief, visibleTruth());
  paintBits(player, frame);
}

/** What is left to learn, as far as the steps are shown: the curve grows with them. */
function paintBits(player, frame) {
  const { frames } = player.shown;
  const { look } = role[player.name];
  const [width, height, edge] = [240, 64, 6];
  const at = Math.min(step, frames.length - 1);
  const bits = frames.slice(0, at + 1).map((one) => one.bits);
  const most = Math.max(frames[0].bits, ...bits, 1e-6);
  const point = (value, k) => [edge + (k / Math.max(1, frames.length - 1)) * (width - 2 * edge), height - edge - (value / most) * (height - 2 * edge)];
  const ticks = frames.map((_, k) => make("line", { class: "axis", x1: point(0, k)[0], x2: point(0, k)[0], y1: height - edge, y2: height - edge + 4 }));
  const axis = make("line", { class: "axis", x1: edge, x2: width - edge, y1: height - edge, y2: height - edge });
  const past = make("polyline", { points: bits.map((value, k) => point(value, k).join(",")).join(" "), "stroke-dasharray": dashes(look) });
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", "data-points": bits.length }, axis, ...ticks, past, marker(look, ...point(bits[at], at)));
  player.parts.bits.replaceChildren(svg, make("span", { class: "small" }, `${number(frame.bits, 1)} of ${number(frames[0].bits, 1)} bits left to learn`));
}

function paintReason(box, frame, names) {
  if (!frame.reason) return box.replaceChildren();
  const edges = arrows(frame.reason, visibleTruth());
  const svg = make("svg");
  drawGraph(svg, { names, edges, places: places(), caption: `The graph that it would give. ${describe({ names, edges })}` });
  box.replaceChildren(make("h3", {}, "The graph that it would give as its reason"), svg);
}

function result(shown) {
  if (data.shape === "room") {
    return shown.returns ? "In the trial that counts it took the odd one out." : "In the trial that counts it did not take the odd one out (at random: 1 in 4 does).";
  }
  const { oracle, random } = { ...setting, ...shown };
  const known = Number.isFinite(oracle) && Number.isFinite(random);
  const said = `Return ${number(shown.returns)}${known ? `; at best ${number(oracle)}, at random ${number(random)}` : ""}`;
  const share = known && oracle - random > 1e-6 ? ` (${Math.round((100 * (shown.returns - random)) / (oracle - random))} % of the way)` : "";
  return `${said}${share}.${shown.malformed ? ` Replies that were no action: ${shown.malformed}.` : ""}`;
}

function paintRoom(player, at) {
  const { frames, rooms } = player.shown;
  const { parts } = player;
  const frame = frames[at];
  const eyes = $("eyes").checked;
  const truth = $("truth").checked;
  paint(parts.canvas, player.images[eyes ? frame.view : frame.picture], truth && !eyes ? frame.odd : []);
  const odd = truth ? ` The hidden rule: ${setting.rule}.` : "";
  parts.canvas.setAttribute("aria-label", `The room: ${rooms[frame.room].join("; ")}.${odd}`);
  const trial = setting.trials > 1 ? `Trial ${frame.trial + 1} of ${setting.trials}${frame.counts ? ", which counts" : ""}: ` : "";
  const reward = frame.reward > 0 ? `; reward ${number(frame.reward)}` : "";
  parts.did.textContent = `${trial}${frame.did ?? "about to begin"}${reward}`;
  parts.said.textContent = frame.said || "–";
  if (frame.expected !== undefined) {
    const same = frame.expected === frame.said;
    parts.expected.className = same ? "agrees" : "differs";
    parts.expected.textContent = `${frame.expected || "–"} ${same ? "✓" : "✗"}`;
  } else parts.expected.textContent = "–";
  parts.possible.textContent = setting.cue ? `${setting.rule} (told)` : `${frame.possible.join(" or ") || "–"} (by its rewards so far)`;
  parts.replies.replaceChildren(...replies(frame));
  parts.outcome.textContent = at === frames.length - 1 ? result(player.shown) : "Whether it succeeds is known at the end.";
}

// -- the truth ------------------------------------------------------------------------------------

function paintSystem() {
  const box = $("system");
  const shown = $("truth").checked && setting && data.shape !== "plain";
  box.hidden = !shown;
  if (!shown) return;
  const caption = box.querySelector("figcaption");
  if (data.shape === "room") {
    caption.textContent = `Hidden rule: the object that is the odd one out by its ${setting.rule} is rewarded. A dashed ring marks it.`;
    return;
  }
  const goal = step > 0 ? setting.goals[step - 1] : -1;
  const svg = box.querySelector("svg") ?? box.insertBefore(make("svg"), caption);
  const few = setting.truth.length <= 8;
  const edges = setting.truth.map(([from, to, weight]) => ({ from, to, style: "plain", label: few && setting.linear ? number(weight, 1) : undefined }));
  drawGraph(svg, { names: setting.names, hidden: setting.hidden, edges, goal: goal >= 0 ? goal : null, places: setting.places.length ? setting.places : null, caption: `The hidden truth. ${describe({ names: setting.names, edges })}` });
  if (!caption.childElementCount) {
    const goals = [...new Set(setting.goals.filter((one) => one >= 0))].map((one) => setting.names[one]);
    caption.append(
      make("p", {}, `The hidden truth${setting.hidden ? " (H: causes that nobody sees)" : ""}. To be raised at the end: ${goals.join(", ")}.`),
      key(true),
    );
  }
}

// -- playback -------------------------------------------------------------------------------------

function show(to) {
  const most = Number($("step").max);
  step = Math.max(0, to);
  const at = Math.min(step, most);
  // A link may name a step that is known to exist only once everybody is ready.
  if (setting && !players.some((one) => one.state === "preparing")) step = at;
  $("step").value = at;
  const phase = setting?.phases && at > 0 ? `: ${PHASES[setting.phases[at - 1]]}` : "";
  const where = setting ? (at === 0 ? `Before the first of ${most} steps` : `Step ${at} of ${most}${phase}`) : "Preparing…";
  $("where").textContent = where;
  $("step").setAttribute("aria-valuetext", where);
  $("back").disabled = $("first").disabled = at === 0;
  $("forward").disabled = $("last").disabled = at === most;
  if (setting) paintSystem();
  for (const player of players) {
    if (!player.parts) continue;
    const own = Math.min(at, player.shown.frames.length - 1);
    (data.shape === "room" ? paintRoom : paintDag)(player, own);
  }
  remember();
}

function remember() {
  const query = new URLSearchParams({ s: data.s, ...(data.through ? { through: data.through } : {}) });
  for (const one of players) query.append("players", one.name);
  $("another").href = `/watch/new?${query}`;
  query.set("step", step);
  if (timer === null) history.replaceState(null, "", `/watch?${query}`);
}

function play(on) {
  clearTimeout(timer);
  timer = null;
  if (on && step >= Number($("step").max)) show(0);
  if (on) next();
  $("play").textContent = on ? "Pause" : "Play";
  remember();
}

function next() {
  timer = setTimeout(() => {
    show(step + 1);
    if (step >= Number($("step").max)) play(false);
    else next();
  }, PAUSE[data.shape] / Number($("speed").value));
}

function go(to) {
  play(false);
  show(Math.min(to, Number($("step").max)));
}

$("play").addEventListener("click", () => play(timer === null));
$("first").addEventListener("click", () => go(0));
$("back").addEventListener("click", () => go(step - 1));
$("forward").addEventListener("click", () => go(step + 1));
$("last").addEventListener("click", () => go(Number($("step").max)));
$("step").addEventListener("input", () => go(Number($("step").value)));
$("truth").addEventListener("change", () => show(step));
$("eyes")?.addEventListener("change", () => show(step));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const inside = event.target.closest("input:not([type=checkbox]), select, textarea");
  const pressed = event.target.closest("button, a, summary, [type=checkbox]");
  const keys = { ArrowLeft: () => go(step - 1), ArrowRight: () => go(step + 1), Home: () => go(0), End: () => go(Number($("step").max)) };
  // On a control the space bar is the control's own.
  if (!pressed && (!inside || inside.id === "step")) keys[" "] = () => play(timer === null);
  if (inside || !keys[event.key]) {
    if (inside?.id !== "step" || event.key !== " ") return;
  }
  event.preventDefault();
  keys[event.key]();
});

listCast();
arrange();
for (const player of players) wait(player, { state: "preparing", doing: "asking the lab", total: 0, done: 0, seconds: 0 });
for (const player of players) fetchFrames(player);
try {
  setting = await known;
  arrange();
} catch (error) {
  $("where").textContent = "This cannot be shown.";
  for (const player of players) player.body.replaceChildren(make("p", { class: "refusal" }, error.message));
}
