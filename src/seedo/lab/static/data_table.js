// The table that is open, who wants to know when it changes, and work in the background.
import { ask, make, number, say } from "./lab.js";

export const $ = (selector) => document.querySelector(selector);
export const TABLES = "/api/data/tables";

let view = null; // as the lab shows it
const listeners = [];

export const table = () => view;
export const address = (rest = "") => `${TABLES}/${view.key}${rest}`;
export const whenOpened = (listener) => listeners.push(listener);

/** Show this table; `fresh`: another one than before. */
export function show(found, fresh = false) {
  view = found;
  for (const listener of listeners) listener(found, fresh);
}

/** What is said of the table, with changes. */
export async function sayOf(changes) {
  say("");
  const said = { ...view.said, ...changes };
  show(await ask("PUT", address(), said));
}

export const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
export const quote = (name) => (/^[\p{L}_][\p{L}\p{N}_.]*$/u.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
export const figure = (value) => {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return size !== 0 && (size < 0.01 || size >= 1e6) ? Number(value).toExponential(1).replace("-", "−") : number(value, size < 1 ? 3 : 2);
};

/** Fill a select with names, keeping what was chosen. */
export function fill(select, names, usual = "") {
  const before = select.value;
  select.replaceChildren(...names.map((name) => make("option", { value: name }, name)));
  select.value = names.includes(before) ? before : usual || names[0] || "";
}

/** Have something worked out; its result, or null if it failed or was stopped, which is said. */
export async function work(path, body = {}) {
  say("");
  const { job } = await ask("POST", address(path), body);
  const panel = $("#working");
  const [line, bar, button] = panel.children;
  let stopped = false;
  button.onclick = () => {
    stopped = true;
    ask("DELETE", `/api/data/work/${job}`);
  };
  for (let wait = 60; ; wait = Math.min(500, 1.5 * wait)) {
    const state = await ask("GET", `/api/data/work/${job}`);
    if (state.over || stopped) {
      panel.hidden = true;
      if (state.error || stopped) say(stopped ? "Stopped." : state.error, !stopped);
      return stopped ? null : state.result;
    }
    const left = state.done ? ` (about ${Math.ceil((state.seconds / state.done) * (state.total - state.done))} s left)` : "";
    line.textContent = `${state.doing}…${left} ${Math.round(state.seconds)} s`;
    if (state.total) [bar.max, bar.value] = [state.total, state.done];
    else bar.removeAttribute("value");
    panel.hidden = state.seconds < 0.3;
    await new Promise((done) => setTimeout(done, wait));
  }
}

/** A table of rows that are objects with the same keys, mostly. */
export function rowsTable(rows, name) {
  const heads = [...new Set(rows.flatMap(Object.keys))];
  const shown = (value) => (typeof value === "number" ? figure(value) : Array.isArray(value) ? value.join(", ") : `${value ?? "–"}`);
  const body = rows.slice(0, 100).map((row) =>
    make("tr", {}, ...heads.map((key) => make("td", { class: shown(row[key]).length > 30 ? "why" : null }, shown(row[key])))),
  );
  return make("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": name },
    make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((key) => make("th", { scope: "col" }, key)))), make("tbody", {}, ...body)));
}
