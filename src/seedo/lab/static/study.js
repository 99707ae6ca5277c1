// The researcher's view of a running study, kept up to date.
import { ask, data, make, number, say } from "./lab.js";

const EVERY = 2000; // milliseconds
const STATES = {
  instructions: "reading",
  quiz: "at the quiz",
  tasks: "in the tasks",
  questions: "at the questions",
  finished: "finished",
  screened: "sent away",
};
const sure = document.getElementById("sure");
const some = document.getElementById("some");
const chosen = new Set();
let doomed = [];
let people = [];
let last = "";

async function refresh() {
  const state = await ask("GET", "/api/study");
  const text = JSON.stringify(state);
  if (text !== last && !sure.open) {
    last = text;
    draw(state);
  }
}

function draw(state) {
  people = state.participants;
  for (const id of chosen) if (!people.some((p) => p.id === id)) chosen.delete(id);
  const joined = people.length;
  document.getElementById("places").textContent = `${state.held} of ${state.places} places are taken; ${joined} have joined.`;
  const columns = [...state.states.map((name) => STATES[name]), "all", "of them away too long", "score"];
  const all = state.states.map((_, i) => sum(state.conditions.map((c) => c.counts[i])));
  const late = sum(state.conditions.map((c) => c.late));
  document.getElementById("counts").replaceChildren(
    head("Condition", ...columns),
    make("tbody", {}, ...state.conditions.map((c) => line(c.label, ...c.counts, sum(c.counts), left(c), score(c.score)))),
    make("tfoot", {}, line("all", ...all, joined, share(late, joined), "")),
  );
  const table = document.getElementById("participants");
  const focused = document.activeElement?.dataset.delete;
  document.getElementById("late").disabled = !people.some((p) => p.late);
  count();
  if (!joined) {
    table.replaceChildren(make("tbody", {}, make("tr", {}, make("td", {}, "Nobody yet."))));
    return;
  }
  table.replaceChildren(
    head("Participant", "Condition", "State", "Choices made", "Attention", "Code", "Score", "Since", ""),
    make("tbody", {}, ...people.map(person)),
  );
  if (focused) table.querySelector(`[data-delete="${focused}"]`)?.focus();
}

/** How many left, and where most of them did. */
function left(condition) {
  const where = Object.entries(condition.left_at).sort((a, b) => b[1] - a[1])[0];
  const most = where ? `, most ${STATES[where[0]]}` : "";
  return share(condition.late, sum(condition.counts)) + most;
}

function share(part, whole) {
  return part ? `${part} (${Math.round((100 * part) / whole)} %)` : "0";
}

/** Mean of those who finished, with its 95 % interval. */
function score(estimate) {
  if (estimate.value === null) return "–";
  const span = estimate.low === null ? "" : ` (${number(estimate.low)} to ${number(estimate.high)})`;
  return `${number(estimate.value)}${span}, n = ${estimate.n}`;
}

function person(p) {
  const attention = p.attention === null ? "–" : p.attention ? "passed" : "failed";
  const remove = make("button", { type: "button", "data-delete": p.id, "aria-label": `Delete participant ${p.number}` }, "Delete");
  remove.addEventListener("click", () => doom([p]));
  const pick = make("input", { type: "checkbox", "aria-label": `Choose participant ${p.number}`, checked: chosen.has(p.id) });
  pick.addEventListener("change", () => {
    chosen[pick.checked ? "add" : "delete"](p.id);
    count();
  });
  const since = new Date(p.since).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
  const where = p.late ? `away, ${STATES[p.state]}` : STATES[p.state];
  const choices = `${p.done} of ${p.all}`;
  return line(String(p.number), p.condition, where, choices, attention, p.code || "–", number(p.score), since, make("span", { class: "row" }, pick, remove));
}

function count() {
  some.disabled = !chosen.size;
  some.textContent = chosen.size ? `Delete the chosen ${chosen.size}` : "Delete the chosen";
}

/** Ask whether these are really to be deleted. */
function doom(whom) {
  doomed = whom;
  document.getElementById("whom").textContent = whom.length === 1 ? `participant ${whom[0].number}` : `${whom.length} participants`;
  sure.showModal();
}

function head(...texts) {
  return make("thead", {}, make("tr", {}, ...texts.map((text) => make("th", { scope: "col" }, text))));
}

function line(first, ...rest) {
  return make("tr", {}, make("th", { scope: "row" }, first), ...rest.map((cell) => make("td", {}, cell)));
}

function sum(numbers) {
  return numbers.reduce((a, b) => a + b, 0);
}

document.getElementById("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(data.invitation);
    say("Copied.");
  } catch {
    say("Could not be copied: select it and copy it yourself.", true);
  }
});
document.getElementById("late").addEventListener("click", () => {
  for (const p of people) if (p.late) chosen.add(p.id);
  last = "";
  refresh();
});
some.addEventListener("click", () => doom(people.filter((p) => chosen.has(p.id))));
document.getElementById("keep").addEventListener("click", () => sure.close());
document.getElementById("delete").addEventListener("click", async () => {
  sure.close();
  const { deleted } = await ask("POST", "/api/study/delete", { participants: doomed.map((p) => p.id) });
  say(doomed.length === 1 ? `Participant ${doomed[0].number} is deleted.` : `${deleted} participants are deleted.`);
  await refresh();
});

await refresh();
setInterval(() => {
  if (!document.hidden) refresh().catch(() => {});
}, EVERY);
