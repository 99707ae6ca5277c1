// The researcher's view of a running study, kept up to date.
import { ask, data, make, say } from "./lab.js";

const EVERY = 2000; // milliseconds
const STATES = { instructions: "reading", tasks: "in the tasks", questions: "at the questions", finished: "finished" };
const sure = document.getElementById("sure");
let chosen = null;
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
  const joined = state.participants.length;
  document.getElementById("places").textContent = `${joined} of at most ${state.places} participants.`;
  const columns = [...state.states.map((name) => STATES[name]), "all"];
  document.getElementById("counts").replaceChildren(
    head("Condition", ...columns),
    make("tbody", {}, ...state.conditions.map(({ label, counts }) => line(label, ...counts, sum(counts)))),
    make("tfoot", {}, line("all", ...state.states.map((_, i) => sum(state.conditions.map((c) => c.counts[i]))), joined)),
  );
  const table = document.getElementById("participants");
  const focused = document.activeElement?.dataset.delete;
  if (!joined) {
    table.replaceChildren(make("tbody", {}, make("tr", {}, make("td", {}, "Nobody yet."))));
    return;
  }
  table.replaceChildren(
    head("Participant", "Condition", "State", "Choices made", "Attention", "Since", ""),
    make("tbody", {}, ...state.participants.map(person)),
  );
  if (focused) table.querySelector(`[data-delete="${focused}"]`)?.focus();
}

function person(p) {
  const attention = p.attention === null ? "–" : p.attention ? "passed" : "failed";
  const remove = make("button", { type: "button", "data-delete": p.id, "aria-label": `Delete participant ${p.number}` }, "Delete");
  remove.addEventListener("click", () => {
    chosen = p;
    document.getElementById("whom").textContent = p.number;
    sure.showModal();
  });
  const since = new Date(p.since).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
  return line(String(p.number), p.condition, STATES[p.state], `${p.done} of ${p.all}`, attention, since, remove);
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
document.getElementById("keep").addEventListener("click", () => sure.close());
document.getElementById("delete").addEventListener("click", async () => {
  sure.close();
  await ask("DELETE", `/api/study/participants/${chosen.id}`);
  say(`Participant ${chosen.number} is deleted.`);
  await refresh();
});

await refresh();
setInterval(() => {
  if (!document.hidden) refresh().catch(() => {});
}, EVERY);
