// Your data: bringing a table, and saying how its columns are to be read.
import { ask, data, make, say } from "./lab.js";
import { $, TABLES, figure, lines, sayOf, show, table, whenOpened } from "./data_table.js";
import "./data_ask.js";
import "./data_graph.js";
import "./data_next.js";
import "./data_campaign.js";

const csrf = document.querySelector("meta[name=csrf]").content;
const count = (n) => Number(n).toLocaleString("en");

// Bringing one

const drop = $("#drop");
for (const kind of ["dragenter", "dragover"])
  drop.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) bring(event.dataTransfer.files[0]);
});
// A file that misses the field must not take the place of the page.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
$("#file").addEventListener("change", () => {
  if ($("#file").files.length) bring($("#file").files[0]);
});

async function bring(file) {
  say("");
  if (file.size > data.bytes) {
    say(`${file.name}: ${count(file.size)} bytes; at most ${count(data.bytes)}: part it, or leave out columns.`, true);
    return;
  }
  $("#bringing").textContent = `Reading ${file.name}…`;
  try {
    const response = await fetch(`${TABLES}?${new URLSearchParams({ name: file.name })}`, { method: "POST", headers: { "X-CSRF-Token": csrf, "Content-Type": "application/octet-stream" }, body: file });
    const answer = await response.json();
    if (!response.ok) say(answer.error, true);
    else {
      open(answer);
      await list();
    }
  } catch {
    say(`${file.name} could not be sent: is it still there, and the lab running?`, true);
  }
  $("#bringing").textContent = "";
  $("#file").value = "";
}

async function list() {
  const { tables } = await ask("GET", TABLES);
  $("#tables").replaceChildren(
    ...tables.map((one) =>
      make("li", {},
        make("button", { type: "button", "aria-pressed": `${one.key === table()?.key}`, onclick: () => choose(one.key) }, `${one.name} (${count(one.rows)} × ${count(one.columns)})`),
        make("button", { type: "button", class: "quiet", "aria-label": `Delete ${one.name}`, title: "Delete", onclick: () => remove(one) }, "✕"))),
  );
  return tables;
}

async function choose(key) {
  say("");
  open(await ask("GET", `${TABLES}/${key}`));
  await list();
}

async function remove(one) {
  if (!confirm(`Delete ${one.name}, its answers and what was entered?`)) return;
  await ask("DELETE", `${TABLES}/${one.key}`);
  if (one.key === table()?.key) {
    $("#table").hidden = true;
    history.replaceState(null, "", "/data");
  }
  await list();
  say(`${one.name} is deleted.`);
}

function open(found) {
  show(found, true);
  $("#table").hidden = false;
  history.replaceState(null, "", `/data?table=${found.key}`);
  $("#columns-heading").focus({ preventScroll: true });
}

// Its columns

const form = $("#reading");

whenOpened((found) => {
  $("#columns-heading").textContent = found.name;
  const done = (found.set ?? []).map((one) => `${one.what}: ${count(one.rows)}`).join(", ");
  $("#about").textContent = `${count(found.rows)} rows, ${count(found.columns.length)} columns, ${found.variables.length} of them variables${done ? ` (${done})` : ""}. Kept in ${found.folder}, where the command line reads it the same way.`;
  $("#wrong").hidden = !found.error;
  $("#wrong").textContent = found.error ? `It cannot be asked yet. ${found.error}` : "";
  $("#notes").replaceChildren(...[...found.notes, ...mayBeDone(found)].map((line) => make("li", {}, line)));
  $("#columns tbody").replaceChildren(...found.columns.map((column) => columnRow(column, found)));
  const targets = form.elements.targets;
  targets.replaceChildren(make("option", { value: "" }, "nothing was done, or it was entered below"), ...found.columns.map((one) => make("option", { value: one.name }, one.name)));
  targets.value = found.said.targets;
  const { assumed } = found.said;
  const fields = $("#assume").elements;
  for (const name of ["require", "forbid", "believe"]) fields[name].value = assumed[name].join("\n");
  fields.graph.value = assumed.graph;
  fields.max_parents.value = assumed.max_parents ?? "";
  fields.form.value = assumed.form;
});

/** A column of other columns' names, read as what was seen, would make experiments observations. */
function mayBeDone(found) {
  if (found.said.targets) return [];
  const names = new Set(found.columns.map((one) => one.name));
  const told = found.columns.filter(({ levels }) => levels?.length && levels.every((one) => one.split(";").every((part) => names.has(part))));
  return told.map(({ name }) => `${name} holds names of other columns: if it says what was set in each row, choose it below at “What was done”`);
}

function columnRow(column, found) {
  const said = column.said ?? {};
  const choice = (field, guess, options) => {
    const usual = guess ? `${guess} (guessed)` : "guess";
    const select = make("select", { "data-field": field, "aria-label": `${field} of ${column.name}`, class: said[field] ? "said" : null }, make("option", { value: "" }, said[field] ? "guess" : usual), ...options.map((one) => make("option", { value: one }, one)));
    select.value = said[field] ?? "";
    return make("td", { class: "word" }, select);
  };
  const text = (field, value, hint) => make("td", {}, make("input", { type: "text", "data-field": field, value, placeholder: hint, maxlength: 1000, "aria-label": `${field} of ${column.name}`, autocomplete: "off", spellcheck: "false" }));
  const decimal = make("select", { "data-field": "decimal", "aria-label": `decimal of ${column.name}` }, ...[["", "as seen"], [".", "point"], [",", "comma"]].map(([value, name]) => make("option", { value }, name)));
  decimal.value = said.decimal ?? "";
  return make("tr", { "data-column": column.name },
    make("th", { scope: "row" }, column.unit ? `${column.name} (${column.unit})` : column.name),
    choice("type", column.type, found.types), choice("role", column.role, found.roles),
    make("td", { class: "why" }, seen(column)),
    make("td", {}, column.missing ? count(column.missing) : column.read ? "0" : "–"),
    text("missing", said.missing ?? "", column.codes?.join(";") ?? ""),
    text("levels", (said.levels ?? []).join(" | "), ""),
    make("td", {}, decimal),
    make("td", { class: "why" }, (column.notes ?? []).join("; ")));
}

function seen(column) {
  if (column.low !== undefined) return `${figure(column.low)} to ${figure(column.high)}, mean ${figure(column.mean)}`;
  if (column.counts) {
    const more = column.level_count > column.levels.length ? `, and ${column.level_count - column.levels.length} more` : "";
    return column.levels.map((level, i) => `${level} ${count(column.counts[i] ?? 0)}`).join(", ") + more;
  }
  return "";
}

function saidColumns() {
  return [...document.querySelectorAll("#columns tbody tr")]
    .map((row) => {
      const of = (field) => row.querySelector(`[data-field=${field}]`).value.trim();
      const levels = of("levels").split("|").map((level) => level.trim()).filter(Boolean);
      const before = table().said.columns.find((one) => one.name === row.dataset.column);
      return { name: row.dataset.column, type: of("type"), role: of("role"), levels, unit: before?.unit ?? "", missing: of("missing"), decimal: of("decimal") };
    })
    .filter((one) => one.type || one.role || one.levels.length || one.unit || one.missing || one.decimal);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  await sayOf({ columns: saidColumns(), targets: form.elements.targets.value });
  say(table().error ? "Read like this, it cannot be asked yet: see above." : "It is read like this now.", Boolean(table().error));
});
$("#guess").addEventListener("click", () => sayOf({ columns: [], targets: "" }));

$("#assume").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = event.target.elements;
  const assumed = { ...table().said.assumed, graph: fields.graph.value, form: fields.form.value, max_parents: fields.max_parents.value === "" ? null : Number(fields.max_parents.value) };
  for (const name of ["require", "forbid", "believe"]) assumed[name] = lines(fields[name].value);
  await sayOf({ assumed });
  say("Answers from now on take this for granted.");
});

const tables = await list();
const wanted = new URLSearchParams(location.search).get("table");
if (tables.some((one) => one.key === wanted)) await choose(wanted);
