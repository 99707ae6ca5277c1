// Games that show no graph: what may be chosen and what followed come in words.
import { make } from "./lab.js";
import { score, titled } from "./play_score.js";

const $ = (id) => document.getElementById(id);

/** What may be chosen now; `choose(event, target, value)` carries it out. */
export function showTurn(state, choose) {
  $("lead").textContent = state.lead;
  $("nothing").textContent = "Nothing yet. Choose something: what follows is told here.";
  const { title, task, lines, picture } = state.turn;
  $("now").classList.toggle("goal", state.phase === "exploit");
  $("now-title").textContent = title;
  $("task").textContent = task;
  $("sight").hidden = !picture;
  if (picture) $("sight").src = picture;
  const rows = lines.map(({ name, options }, i) => {
    const buttons = options.map(({ target, value, label }) => make("button", { type: "button", "data-row": i, onclick: (event) => choose(event, target, value) }, label));
    const said = lines.length === 1 || options.some(({ label }) => label.toLowerCase().includes(name.toLowerCase()));
    return make("div", { class: "line", role: "group", "aria-label": name }, said ? null : make("span", { class: "what" }, name), ...buttons);
  });
  $("choices").replaceChildren(...rows);
  $("keys").textContent = "Keys: arrows move, Enter chooses.";
}

/** What was done and what followed, the latest on top. */
export function showTold(state, fresh) {
  $("table").hidden = state.rows.length === 0;
  const heads = ["Step", "You", ...state.columns];
  const rows = state.rows.map((row, t) => make("tr", { class: fresh && t === state.rows.length - 1 ? "new" : "" }, make("td", {}, t + 1), make("td", { class: "words" }, row.did), ...row.cells.map((text) => make("td", { class: "words" }, text))));
  $("rows").replaceChildren(
    make("caption", { class: "soft small" }, "Everything that happened, the latest on top."),
    make("thead", {}, make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...rows.reverse()),
  );
}

/** The end: what was hidden, and what the others would have chosen. */
export function showPlainEnd(state, end) {
  score(state, end, "What each one’s choices earned.");
  $("truth").closest(".panel").hidden = $("bits").closest(".panel").hidden = true;
  $("hidden-truth").hidden = !end.truth.length;
  $("truth-lines").replaceChildren(...end.truth.map((line) => make("li", {}, line)));
  const rivals = end.rivals.filter((rival) => !rival.why_not);
  const heads = ["Step", "You", ...rivals.map(titled)];
  const body = state.rows.map((row, t) => make("tr", {}, make("td", {}, t + 1), make("td", {}, row.did), ...rivals.map((rival) => make("td", { class: rival.instead ? "" : "soft" }, rival.instead ? rival.instead[t] : "preparing…"))));
  $("instead").replaceChildren(make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...body));
}
