// A system of quantities as a participant meets it: what can be set, what was seen, what came of it.
import { data, make } from "./lab.js";
import { button, once, put, show } from "./take_page.js";
import { rich, shown, t } from "./take_words.js";

/** The address of a picture of the study. */
export function image(id) {
  return `/take/${data.study}/image/${id}`;
}

/** The picture of a variable, or nothing; its name stands beside it. */
export function picture(view, i) {
  const id = view.images?.[i];
  return id ? make("img", { class: "sign", src: image(id), alt: "" }) : null;
}

/** A value with the unit of its variable. */
function measured(view, i, value) {
  const unit = view.units?.[i];
  return unit ? `${shown(value)}\u00a0${unit}` : shown(value);
}

/** What is said above a choice, the form for it, and what happened so far; submit(target, value). */
export function causes(view, submit) {
  const goal = view.goal === null ? null : view.names[view.goal];
  const said = view.exploiting ? rich(view.left > 1 ? "goal-more" : "goal-once", { goal, left: view.left }) : exploring(view);
  return [
    make("p", { class: view.exploiting ? "note goal" : "note left" }, ...said),
    view.relevant ? make("p", {}, t("relevant", { names: view.names.filter((_, i) => view.relevant[i]).join(", ") })) : null,
    choose(view, submit),
    results(view, view.rows, view.goal),
  ];
}

/** How many experiments are left, in one of two sentences. */
export function exploring(view, plain = "explore", practice = "explore-practice") {
  const left = view.left === 1 ? t("left-one") : t("left-many", { n: view.left });
  return rich(view.practice ? practice : plain, { left });
}

/** The form for one intervention; submit(target, value) is called with what was chosen. */
export function choose(view, submit) {
  const rows = view.names.map((name, i) => {
    const why = view.exploiting && (i === view.goal ? t("the-goal") : view.relevant && !view.relevant[i] ? t("irrelevant") : "");
    const chips = view.values[i].map((value) => {
      const words = { name, value: measured(view, i, value) };
      return { value: `${i} ${value}`, text: words.value, label: t("set-label", words), says: t("set", words) };
    });
    return { name, picture: picture(view, i), why, chips };
  });
  if (view.screen === "task" && !view.exploiting) rows.push(looking(t("look"), t("look-label")));
  return form_of(t("choose"), rows, submit);
}

/** The row of who sets nothing. */
export function looking(text, label) {
  return { name: "", chips: [{ value: "-1 0", text, label, says: text }] };
}

/** A form of rows with chips, one of which is chosen: "target value"; `why` stands in their place. */
export function form_of(legend, rows, submit, first = t("choose-first")) {
  const go = make("button", { type: "submit", class: "primary big", disabled: true }, first);
  const lines = rows.flatMap(({ name, picture, why, chips }) => {
    if (why) return [make("span", { class: "name off" }, picture, name), make("span", { class: "soft" }, why)];
    return [make("span", { class: "name", "aria-hidden": "true" }, picture, name), make("span", { class: "chips" }, ...chips.map(chip))];
  });
  function chip({ value, text, label, says }) {
    const input = make("input", { type: "radio", name: "choice", value, "aria-label": label });
    input.addEventListener("change", () => {
      go.disabled = false;
      go.textContent = says;
    });
    return make("span", { class: "chip" }, input, make("span", { "aria-hidden": "true" }, text));
  }
  const choices = make("fieldset", {}, make("legend", {}, legend), make("div", { class: "choices" }, ...lines));
  const form = make("form", {}, choices, go);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = new FormData(form).get("choice");
    if (chosen === null) return;
    const [target, value] = chosen.split(" ").map(Number);
    choices.disabled = true; // another choice now would be one too many
    once(go, () => submit(target, value)).finally(() => (choices.disabled = false));
  });
  return form;
}

/** What happened so far: a row for each variable, a column for each time; the newest last. */
function results(view, rows, goal, title = t("results")) {
  if (!rows.length) return null;
  const did = ({ target, value }) =>
    target < 0 ? t("results-looked") : t("results-set", { name: view.names[target], value: measured(view, target, value) });
  const lines = view.names.map((bare, i) => {
    const name = view.units?.[i] ? `${bare} (${view.units[i]})` : bare;
    return make(
      "tr",
      {},
      make("th", { scope: "row", class: i === goal ? "goal" : null }, picture(view, i), i === goal ? t("results-goal", { name }) : name),
      ...rows.map((row) => make("td", { class: row.target === i ? "set" : null }, shown(row.outcome[i]))),
    );
  });
  return history_of(title, rows.map(did), lines);
}

/** A table of what happened: lines, with a column for each time; `did` says what was done then. */
export function history_of(title, did, lines, marked = t("results-key")) {
  const times = did.map((what, at) => make("th", { scope: "col", "aria-label": t("results-did", { n: at + 1, did: what }) }, `${at + 1}`));
  const spacer = make("div", { class: "spacer" });
  const box = make(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
    make("table", {}, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, t("results-time")), ...times)), make("tbody", {}, ...lines)),
    spacer,
  );
  const key = make("p", { class: "soft small" });
  new ResizeObserver(() => {
    const more = toNewest(box, times, spacer);
    key.textContent = more ? `${marked} ${t("results-more")}` : marked;
  }).observe(box);
  return make("section", { class: "results" }, make("h3", {}, title), box, key);
}

/**
 * Scroll to the newest column, whole columns only: a number cut off at the left has lost its sign.
 * Returns whether some are out of sight.
 */
function toNewest(box, times, spacer) {
  const names = times[0].previousElementSibling.offsetWidth;
  box.style.scrollPaddingLeft = `${names}px`;
  spacer.style.flexBasis = "0px";
  const over = box.scrollWidth - box.clientWidth;
  const stop = times.map((time) => time.offsetLeft - names).find((left) => left >= over - 1) ?? over;
  spacer.style.flexBasis = over > 0 ? `${Math.ceil(stop - over)}px` : "0px";
  box.scrollLeft = over > 0 ? stop : 0;
  return over > 0;
}

/** What came of a task; then what is next. */
export function feedback(after, next, of) {
  const goal = after.names[after.goal];
  const did = after.target < 0 ? t("you-set-nothing") : t("you-set", { name: after.names[after.target], value: measured(after, after.target, after.value) });
  const value = measured(after, after.goal, after.returns);
  put(
    t("task-done", { task: of }),
    make("p", {}, did),
    make("p", { class: "note goal effect" }, ...rich(after.exploits > 1 ? "worth-mean" : "worth", { goal, value })),
    make("p", { class: "soft" }, t("worth-chance")),
    results(after, [{ target: after.target, value: after.value, outcome: after.outcome }], after.goal, t("results-now")),
    make("p", { class: "actions" }, button(t("next"), () => show(next))),
  );
}
