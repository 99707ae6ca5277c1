// One game: choices, what followed, and at the end how it compares.
import { action, ask, data, make, number, say } from "./lab.js";
import { drawEffects, summary } from "./play_effects.js";
import { showEnd } from "./play_end.js";
import { showTold, showTurn } from "./play_plain.js";
import { raw, span } from "./raw.js";
import { seal } from "./seal.js";

const $ = (id) => document.getElementById(id);
const base = `/api/play/${data.game}`;
let state = null;
let busy = false;
let laidOut = ""; // which choices are on the page

const signed = (value) => (value > 0 ? "+" : "") + number(value);
const arrow = (value) => (value > 0 ? "↑" : value < 0 ? "↓" : "·");
const kind = (value) => (value > 0 ? "high" : value < 0 ? "low" : "zero");

// -- acting ---------------------------------------------------------------------------------------

async function send(path, body) {
  if (busy) return;
  busy = true;
  try {
    show(await ask("POST", `${base}${path}`, body));
  } catch (error) {
    if (error.status === 409) show(await ask("GET", base)); // played on in another window
  } finally {
    busy = false;
  }
}

function choose(event, target, value) {
  if (event.detail > 1) return; // a double click is one choice
  send("/steps", { step: state.step, target, value });
}

// -- showing --------------------------------------------------------------------------------------

function show(next) {
  const before = state;
  state = next;
  $("waiting").hidden = true;
  $("board").hidden = false;
  $("kinds").hidden = state.step > 0;
  if (state.raw && state.phase !== "end") {
    $("lead").textContent = "Something hidden makes variables move one another, and of them you only see what is shown: which part of it is which variable nobody says. A knob sets a variable of its own. When your experiments are used up you are told which knob’s variable to raise, by turning another knob; only that counts.";
    $("nothing").textContent = "Nothing yet. Turn a knob: what follows is shown here.";
  }
  $("story").hidden = !state.story;
  $("story").textContent = state.story ?? "";
  showNow();
  showRows(before !== null);
  if (before && state.rows.length > before.rows.length) announce(before);
  if (state.phase === "end") {
    $("board").classList.add("over");
    $("lead").textContent = "The game is over: how your choices compare with the best and with what others do on the same system and the same noise.";
    $("end").hidden = false;
    showEnd(state, base, before !== null);
  }
}

function announce(before) {
  const row = state.rows.at(-1);
  if (state.plain) return say(`${sentence(row.did)}: ${state.columns.map((name, i) => `${name} ${row.cells[i]}`).join(", ")}.`);
  const goal = state.goal >= 0 && before.goal !== state.goal ? ` Now raise ${state.raw ? "what " : ""}${state.names[state.goal]}${state.raw ? " sets" : ""}.` : "";
  const many = state.rows.length - before.rows.length > 1;
  const done = sentence(action(state.names, row.target, row.value));
  const followed = state.raw ? "" : `: ${state.names.map((name, i) => (i === row.target ? null : `${name} ${number(row.outcome[i])}`)).filter(Boolean).join(", ")}`;
  const what = many ? `${state.rows.length} observations` : done + followed;
  say(`${what}.${goal}`);
}

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

/** Number within its phase, and how many there are. */
function place() {
  const first = state.phases.indexOf(state.phase);
  return [state.step - first + 1, state.phases.filter((phase) => phase === state.phase).length];
}

function showNow() {
  if (state.phase === "end") return;
  const over = state.at ?? state.step;
  $("dots").replaceChildren(
    ...state.phases.map((phase, t) => make("span", { class: phase === "exploit" ? "goal" : "" }, t < over ? "●" : phase === "exploit" ? "◎" : "○")),
  );
  if (state.plain) {
    const focused = $("choices").contains(document.activeElement) || laidOut === "";
    laidOut = "plain";
    showTurn(state, choose);
    if (focused) $("now-title").focus({ preventScroll: true });
    return;
  }
  const [now, all] = place();
  const exploit = state.phase === "exploit";
  const goal = state.names[state.goal];
  $("now").classList.toggle("goal", exploit);
  $("now-title").textContent = {
    observe: "First, look",
    explore: `Experiment ${now} of ${all}`,
    exploit: `${all > 1 ? "Raise" : "Now raise"} ${state.raw ? `what ${goal} sets` : goal}${all > 1 ? `: try ${now} of ${all}` : ""}`,
  }[state.phase];
  const task = $("task");
  if (exploit) {
    const left = all - now + 1;
    const [what, other] = state.raw ? [`what ${goal} sets`, "Turn another knob"] : [goal, "Set one other variable"];
    task.replaceChildren("Your goal: make ", make("span", { class: "goal" }, what), ` as high as you can. ${other}; you have ${left === 1 ? "one try" : `${left} tries`}.`);
  } else if (state.phase === "observe") {
    task.replaceChildren(`Before you touch anything, see ${all - now + 1} rows of what happens by itself.`);
  } else {
    task.replaceChildren(`Choose a ${state.raw ? "knob" : "variable"} and a value. Whatever usually drives ${state.raw ? "its variable" : "it"} is cut off; all others react.`);
  }
  layOut();
}

function layOut() {
  const wanted = `${state.phase} ${state.goal}`;
  if (wanted === laidOut) return;
  // Not on a choice: its ring would look like advice.
  const focused = $("choices").contains(document.activeElement) || laidOut === "";
  laidOut = wanted;
  const lines = [];
  if (state.phase === "observe") {
    const look = make("button", { type: "button", class: "primary look", onclick: () => send("/look") }, "Look");
    lines.push(make("div", { class: "line" }, look));
  } else {
    state.names.forEach((name, i) => lines.push(line(name, i)));
    if (state.phase === "explore") {
      const look = make("button", { type: "button", class: "look", "data-row": state.names.length, onclick: (event) => choose(event, -1, 0) }, "Only look");
      lines.push(make("div", { class: "line" }, look));
    }
  }
  $("choices").replaceChildren(...lines);
  const most = Math.min(9, state.names.length);
  $("keys").textContent = state.phase === "observe" ? "" : `Keys: arrows move, Enter chooses, 1–${most} jump to a ${state.raw ? "knob" : "variable"}.`;
  if (focused) $("now-title").focus({ preventScroll: true });
}

function line(name, i) {
  const exploit = state.phase === "exploit";
  const why = !exploit ? "" : i === state.goal ? "the goal itself cannot be set" : state.relevant[i] ? "" : "has no part in this";
  const buttons = state.values[i].map((value) =>
    make(
      "button",
      { type: "button", class: kind(value), disabled: why !== "", "data-row": i, title: why || sentence(action(state.names, i, value)), onclick: (event) => choose(event, i, value) },
      `${name} ${arrow(value)} ${signed(value)}${state.units[i]}`,
    ),
  );
  const note = why || (state.relevant[i] ? "" : "(has no part in the goal)");
  return make("div", { class: "line", role: "group", "aria-label": name }, ...buttons, note ? make("span", { class: "why" }, note) : null);
}

function showRows(fresh) {
  const some = state.rows.length > 0;
  $("nothing").hidden = some;
  if (state.raw) return showPictures();
  if (state.plain) return showTold(state, fresh);
  $("effects").hidden = $("table").hidden = !some;
  if (!some) return;
  const goals = new Set([state.goal, ...state.rows.map((row) => row.goal)].filter((goal) => goal >= 0));
  const table = $("rows");
  if (!table.tBodies.length) {
    const caption = make("caption", { class: "soft small" }, "Everything that happened, the latest on top.");
    table.replaceChildren(caption, make("thead"), make("tbody"));
  }
  table.tHead.replaceChildren(head(goals));
  const body = table.tBodies[0];
  const shown = body.rows.length;
  for (const row of body.rows) row.classList.remove("new");
  body.prepend(...state.rows.slice(shown).map((row, k) => result(row, shown + k, fresh)).reverse());
  drawEffects($("picture"), state, goals);
  $("picture").setAttribute("aria-label", summary(state));
}

/** Raw worlds: what was shown after every step, the latest first. */
function showPictures() {
  const most = span(state.rows.map((row) => row.shown));
  $("shows").hidden = state.rows.length === 0;
  $("shows").replaceChildren(
    ...state.rows.map((row, t) => {
      const did = row.target < 0 ? "only looked" : `${state.names[row.target]} at ${signed(row.value)}`;
      return make("li", {}, make("figure", {}, raw(row.shown, `Shown after step ${t + 1}`, most), make("figcaption", {}, `${t + 1}: ${did}`)));
    }).reverse(),
  );
}

function head(goals) {
  const names = state.names.map((name, i) => make("th", { scope: "col", class: goals.has(i) ? "goal" : "", title: goals.has(i) ? "the goal" : "" }, state.units[i] ? `${name} (${state.units[i].trim()})` : name));
  return make("tr", {}, make("th", { scope: "col" }, "Step"), ...names);
}

function result(row, t, fresh) {
  const what = row.target < 0 ? "looked" : `${state.names[row.target]} ${arrow(row.value)}`;
  const cells = row.outcome.map((value, i) => {
    const classes = [i === row.target && "set", i === row.goal && "goal"].filter(Boolean).join(" ");
    return make("td", { class: classes }, number(value));
  });
  return make("tr", { class: fresh ? "new" : "" }, make("td", {}, `${t + 1} ${what}`), ...cells);
}

// -- keys -----------------------------------------------------------------------------------------

// Only while a choice or its heading has the focus, so that no key surprises anybody elsewhere.
$("now").addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const lines = [...document.querySelectorAll("#choices .line")].map((each) => [...each.querySelectorAll("button:not(:disabled)")]).filter((each) => each.length);
  const y = lines.findIndex((each) => each.includes(document.activeElement));
  const x = y < 0 ? -1 : lines[y].indexOf(document.activeElement);
  let to = null;
  if (y < 0 && event.key === "ArrowDown") to = lines[0]?.[0];
  else if (/^[1-9]$/.test(event.key)) to = lines.find((each) => each[0].dataset.row === String(event.key - 1))?.[0];
  else if (event.key === "ArrowLeft") to = lines[y]?.[x - 1];
  else if (event.key === "ArrowRight") to = lines[y]?.[x + 1];
  else if (event.key === "ArrowUp") to = lines[y - 1]?.[Math.min(x, lines[y - 1].length - 1)];
  else if (event.key === "ArrowDown") to = lines[y + 1]?.[Math.min(x, lines[y + 1].length - 1)];
  else return;
  event.preventDefault();
  to?.focus();
});

// -- another --------------------------------------------------------------------------------------

async function again(same) {
  const { game } = await ask("POST", `${base}/again`, { same });
  location.assign(`/play/${game}`);
}
$("another").addEventListener("click", () => again(false));
$("same").addEventListener("click", () => again(true));
$("seal").addEventListener("click", () => seal(`/api/challenge/seal/${data.game}?who=${encodeURIComponent($("who").value)}`, undefined, $("sealed")));

async function begin() {
  try {
    show(data.state ?? (await ask("GET", base)));
  } catch (error) {
    $("waiting").textContent = error.message;
  }
}
begin();
