// The next experiment, and what came of it.
import { ask, make, say } from "./lab.js";
import { $, address, figure, fill, lines, show, table, whenOpened, work } from "./data_table.js";
import { remember } from "./data_ask.js";

const form = $("#advise");

whenOpened((found, fresh) => {
  fill(form.elements.outcome, found.variables, found.variables.at(-1));
  form.querySelector("button").disabled = Boolean(found.error);
  showEntered(found);
  if (!fresh) return;
  const last = found.history.findLast((entry) => entry.kind === "advise");
  $("#advice").hidden = !last;
  if (!last) return;
  const [aim, ...name] = last.asked.split(" ");
  form.elements.aim.value = aim;
  if (found.variables.includes(name.join(" "))) form.elements.outcome.value = name.join(" ");
  showAdvice(last);
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  advise();
});

async function advise() {
  const fields = form.elements;
  const body = { goal: fields.aim.value ? `${fields.aim.value} ${fields.outcome.value}` : "", budget: Number(fields.budget.value), can_set: fields.can_set.value, prefer: fields.prefer.value };
  for (const name of ["values", "ranges", "constraints", "avoid", "costs"]) body[name] = lines(fields[name].value);
  const entry = await work("/advise", body);
  if (!entry) return;
  remember(entry);
  showAdvice(entry);
}

function showAdvice(entry) {
  const found = entry.result;
  const parts = [make("p", { class: "small" }, `From ${found.data}.`)];
  if (found.best_action) {
    const best = found.best_action;
    const what = best.settings ? Object.entries(best.settings).map(([name, value]) => `${name} = ${typeof value === "number" ? figure(value) : value}`).join(", ") : best.action;
    parts.push(make("p", {}, `Best as things stand: ${what}, mean ${figure(best.mean)} (${figure(best.low)} to ${figure(best.high)}).`));
  }
  if (found.entropy_bits !== undefined && found.entropy_bits !== null) parts.push(make("p", { class: "small soft" }, `Still open about the graph: ${figure(found.entropy_bits)} bits.`));
  for (const line of [...(found.remarks ?? []), ...(found.open ?? []), ...found.notes]) parts.push(make("p", { class: "damage" }, line));
  if (found.stop) parts.push(make("p", {}, found.stop));
  if (!found.experiments.length) parts.push(make("p", {}, "Nothing more is worth an experiment."));
  found.experiments.forEach((row, i) => parts.push(proposal(row, entry.to_set[i], i)));
  $("#advice").replaceChildren(...parts, trail());
  $("#advice").hidden = false;
}

function proposal(row, toSet, i) {
  const worth = [row.bits === null ? null : `${figure(row.bits)} bits`, row.gain === null || row.gain === undefined ? null : `gain ${figure(row.gain)} ± ${figure(2 * (row.gain_error ?? 0))}`, row.predicted === undefined || row.predicted === null ? null : `mean there ${figure(row.predicted)} (${figure(row.low)} to ${figure(row.high)})`, row.reason].filter(Boolean);
  return make("div", { class: "proposal" }, make("h3", {}, `${i + 1}. ${row.experiment}`), make("p", { class: "small" }, worth.join("; ")),
    make("details", { class: "result" }, make("summary", {}, "Enter what came out"), entry(toSet)));
}

/** A form for one row: what was set is marked, the rest is what was read. */
function entry(toSet) {
  const found = table();
  const columns = found.columns.filter((one) => !["ignored", "targets"].includes(one.role));
  const cells = columns.map((column) => {
    const set = make("input", { type: "checkbox", "data-set": column.name, checked: column.name in toSet, "aria-label": `${column.name} was set` });
    const named = column.levels?.length && column.level_count === column.levels.length && column.variable;
    const box = named
      ? make("select", { "data-value": column.name, "aria-label": column.name }, make("option", { value: "" }, "not read"), ...column.levels.map((level) => make("option", { value: level }, level)))
      : make("input", { type: "text", "data-value": column.name, "aria-label": column.name, inputmode: "decimal", maxlength: 200, autocomplete: "off" });
    if (column.name in toSet) box.value = toSet[column.name];
    return make("div", {}, make("label", {}, column.unit ? `${column.name} (${column.unit})` : column.name, box), make("label", { class: "small" }, set, " was set"));
  });
  return make("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      await send(event.target);
    },
  }, make("div", { class: "cells" }, ...cells), make("button", { class: "primary" }, "Keep this row and advise again"));
}

async function send(own) {
  const [set, values] = [{}, {}];
  for (const box of own.querySelectorAll("[data-value]")) {
    const name = box.dataset.value;
    const value = box.value.trim();
    if (own.querySelector(`[data-set="${CSS.escape(name)}"]`).checked) set[name] = value;
    else if (value) values[name] = value;
  }
  show(await ask("POST", address("/runs"), { set, values }));
  say("Kept.");
  await advise();
}

/** What was believed after each advice with the same goal. */
function trail() {
  const found = table().history.filter((one) => one.kind === "advise");
  if (found.length < 2) return make("div");
  const rows = found.slice(-20).map((one) => {
    const best = one.result.best_action;
    return make("tr", {}, make("td", {}, one.at.slice(0, 16).replace("T", " ")), make("td", { class: "word" }, one.asked || "to learn"), make("td", { class: "word" }, one.result.data), make("td", {}, figure(one.result.entropy_bits)), make("td", {}, best ? `${figure(best.mean)} (${figure(best.low)} to ${figure(best.high)})` : "–"));
  });
  return make("details", { open: true }, make("summary", {}, "How it went"), make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "How it went" },
    make("table", {}, make("thead", {}, make("tr", {}, ...["When", "Wanted", "Rows", "Open bits", "Mean at the best"].map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...rows))));
}

function showEntered(found) {
  const place = $("#entered");
  const another = make("details", {}, make("summary", {}, "Enter another row"), found.error ? make("p", {}, "It has to be read first.") : entry({}));
  if (!found.runs.length) {
    place.replaceChildren(another);
    return;
  }
  const names = Object.keys(found.runs[0].values);
  const rows = found.runs.slice(-50).map((run, i) => make("tr", {}, make("td", {}, `${found.runs.length - Math.min(50, found.runs.length) + i + 1}`), ...names.map((name) => make("td", { class: run.set.includes(name) ? "set" : null }, run.values[name] || "–", run.set.includes(name) ? " (set)" : ""))));
  place.replaceChildren(
    make("h3", {}, `${found.runs.length} entered`),
    make("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "What was entered" }, make("table", {}, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Row"), ...names.map((name) => make("th", { scope: "col" }, name)))), make("tbody", {}, ...rows))),
    make("p", { class: "row" }, make("button", { type: "button", class: "quiet", onclick: async () => show(await ask("DELETE", address("/runs/last"))) }, "Take the last row back")),
    make("p", { class: "small soft" }, "Kept beside the table as experiments.csv, and what was set as targets.csv: the command line goes on with them."),
    another,
  );
}
