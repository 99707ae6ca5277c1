// A machine that lights up for some objects, as a participant meets it.
import { make } from "./lab.js";
import { button, put, show } from "./take_page.js";
import { exploring, form_of, history_of, looking, picture } from "./take_causes.js";
import { rich, t } from "./take_words.js";

/** What is said above a choice, the machine, the form, and what happened so far. */
export function machine(view, submit) {
  return [
    make("p", { class: view.exploiting ? "note goal" : "note left" }, ...(view.exploiting ? rich("machine-goal", {}) : exploring(view, "machine-explore", "machine-explore-practice"))),
    view.exploiting ? null : drawn(view),
    view.exploiting ? asked(view, submit) : moved(view, submit),
    seen(view),
  ];
}

function called(view) {
  const own = view.names[view.on.length];
  // What the world calls it where nobody has named it is English.
  return { objects: view.names.slice(0, view.on.length), machine: own === "machine" ? t("machine-name") : own };
}

/** The machine with what is on it, in a box that is lit or not; the words say the same. */
function drawn(view) {
  const { objects, machine } = called(view);
  const on = objects.filter((_, i) => view.on[i]);
  const words = on.length ? t("machine-holds", { machine, objects: on.join(", ") }) : t("machine-empty", { machine });
  const light = view.light === null ? "" : t(view.light ? "machine-lit" : "machine-dark", { machine });
  const things = objects.flatMap((name, i) => (view.on[i] ? [make("span", { class: "thing" }, picture(view, i), name)] : []));
  return make(
    "div",
    { class: "machine-box" },
    make("div", { class: view.light ? "machine lit" : "machine", "aria-hidden": "true" }, ...things),
    make("p", { role: "status" }, `${words} ${light}`),
  );
}

function moved(view, submit) {
  const { objects, machine } = called(view);
  const rows = objects.map((name, i) => {
    const key = view.on[i] ? "machine-take" : "machine-put";
    const says = t(key, { name, machine });
    return { name, picture: picture(view, i), chips: [{ value: `${i} ${view.on[i] ? 0 : 1}`, text: t(`${key}-short`), label: says, says }] };
  });
  rows.push(looking(t("machine-look"), t("machine-look")));
  return form_of(t("machine-choose"), rows, submit, t("machine-first"));
}

function asked(view, submit) {
  const { objects, machine } = called(view);
  const name = objects[view.goal];
  const chips = [1, 0].map((value) => {
    const text = t(value ? "machine-yes" : "machine-no");
    return { value: `${view.goal} ${value}`, text, label: text, says: text };
  });
  return form_of(t("machine-question", { name, machine }), [{ name, picture: picture(view, view.goal), chips }], submit, t("machine-first"));
}

/** A row for each object, and one for the light. */
function seen(view) {
  if (!view.rows.length) return null;
  const { objects, machine } = called(view);
  const did = ({ target, value }) =>
    target < 0 ? t("results-looked") : t(value ? "machine-did-put" : "machine-did-take", { name: objects[target] });
  const cell = (yes, words, moved) => make("td", { class: moved ? "set" : null }, make("span", { "aria-hidden": "true" }, yes ? "●" : "·"), make("span", { class: "unseen" }, t(words)));
  const lines = objects.map((name, i) =>
    make("tr", {}, make("th", { scope: "row" }, picture(view, i), name), ...view.rows.map((row) => cell(row.on[i], row.on[i] ? "machine-on" : "machine-off", row.target === i))),
  );
  const light = view.rows.map((row) => make("td", { class: row.light ? "lit" : null }, t(row.light ? "machine-light" : "machine-no-light")));
  lines.push(make("tr", {}, make("th", { scope: "row" }, picture(view, objects.length), machine), ...light));
  return history_of(t("results"), view.rows.map(did), lines, t("machine-key"));
}

/** How many questions were answered rightly; then what is next. */
export function told(after, next, of) {
  const right = after.right.filter(Boolean).length;
  put(
    t("task-done", { task: of }),
    make("p", { class: "note goal effect" }, ...rich("machine-right", { right, of: after.right.length })),
    make("p", { class: "actions" }, button(t("next"), () => show(next))),
  );
}
