// Questions to the table, answers, and what was asked so far.
import { ask, make, say } from "./lab.js";
import { $, address, fill, quote, rowsTable, table, whenOpened, work } from "./data_table.js";

const simple = $("#simple");
const words = $("#words");

whenOpened((found, fresh) => {
  const names = found.variables;
  const last = found.columns.find((one) => one.role === "outcome" && names.includes(one.name))?.name ?? names.at(-1);
  fill(simple.elements.cause, names, names.find((name) => name !== last));
  fill(simple.elements.outcome, names, last);
  if (fresh) $("#answer").hidden = true;
  const [x, y] = [names.find((name) => name !== last), last].map((name) => quote(name ?? ""));
  const examples = names.length < 2 ? [] : [`effect of ${x} on ${y}`, `does ${x} cause ${y}?`, `what raises ${y}?`, `what causes ${y}?`, `why was ${y} low in row 0?`, "which edges are certain?", "are there hidden confounders?"];
  $("#examples").replaceChildren(...examples.map((text) => make("button", { type: "button", class: "quiet", onclick: () => put(text) }, text)));
  showHistory(found);
});

function put(text) {
  words.elements.question.value = text;
  words.requestSubmit();
}

simple.addEventListener("submit", (event) => {
  event.preventDefault();
  const { cause, outcome, start, end } = simple.elements;
  if (!start.value.trim() !== !end.value.trim()) {
    say("Give both “from” and “to”, or neither.", true);
    return;
  }
  // A level is quoted as a name is; a number is not.
  const value = (text) => (text.trim() !== "" && Number.isFinite(Number(text)) ? text.trim() : quote(text.trim()));
  const change = start.value.trim() ? ` from ${value(start.value)} to ${value(end.value)}` : "";
  put(`effect of ${quote(cause.value)} on ${quote(outcome.value)}${change}`);
});

words.addEventListener("submit", async (event) => {
  event.preventDefault();
  const entry = await work("/ask", { question: words.elements.question.value, refute: words.elements.refute.checked });
  if (!entry) return;
  $("#answer").hidden = false;
  $("#answer").replaceChildren(answer(entry));
  remember(entry);
});

/** Add an answer to what was asked so far. */
export function remember(entry) {
  table().history.push(entry);
  showHistory(table());
}

function showHistory(found) {
  $("#kept").hidden = !found.history.length;
  $("#export").href = address("/history");
  $("#history").replaceChildren(...found.history.toReversed().map((entry) => {
    const told = entry.kind === "advise" ? `${entry.result.experiments.length} experiments proposed` : entry.result.answer;
    const details = make("details", {}, make("summary", {}, make("strong", {}, asked(entry)), ` ${told.slice(0, 160)}${told.length > 160 ? "…" : ""}`));
    // Filled when it is opened: hundreds of answers are a long page.
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) details.append(entry.kind === "advise" ? ending(entry) : answer(entry, `Answer ${entry.number + 1} in full`));
    });
    return make("li", { value: entry.number + 1 }, details);
  }));
}

function asked(entry) {
  if (entry.kind === "advise") return entry.asked ? `Next experiment, to ${entry.asked}:` : "Next experiment:";
  return entry.kind === "levers" ? `What moves ${entry.asked} most?` : entry.asked;
}

function answer(entry, name = "Answer in full") {
  const found = entry.result;
  const parts = [
    make("p", { class: "soft small" }, found.question),
    make("p", { class: found.refused ? "said-line refusal" : "said-line" }, found.answer),
  ];
  if (found.table.length) parts.push(rowsTable(found.table, name));
  for (const line of found.warnings) parts.push(make("p", { class: "damage" }, `Warning: ${line}`));
  for (const one of found.refutations) parts.push(make("p", { class: one.verdict === "noticed" ? "damage" : "small" }, `${one.verdict}: ${one.line}`));
  for (const line of found.notes) parts.push(make("p", { class: "small soft" }, line));
  if (found.rests_on) parts.push(make("p", { class: "small" }, `Rests on ${found.rests_on}`));
  if (found.checks.length) parts.push(make("p", { class: "small" }, `Checked and held: ${found.checks.join(", ")}`));
  parts.push(make("details", { open: true }, make("summary", {}, "What this takes for granted"), make("ul", { class: "small" }, ...found.assumes.map((line) => make("li", {}, line)))));
  return make("div", { class: "answer" }, ...parts, ending(entry));
}

function ending(entry) {
  return make("p", { class: "small" }, "The same on the command line: ", make("code", {}, entry.command), " ", make("a", { href: address(`/history/${entry.number}`) }, "as JSON"));
}

$("#forget").addEventListener("click", async () => {
  if (!confirm("Forget all questions and answers about this table?")) return;
  await ask("DELETE", address("/history"));
  table().history = [];
  showHistory(table());
});
