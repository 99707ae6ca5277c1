// Rooms to walk about in, seen from above around oneself: by buttons or keys.
import { make } from "./lab.js";
import { button, put, show } from "./take_page.js";
import { rich, t } from "./take_words.js";

// As they stand around the player: [direction of the world, what the button shows, keys].
const WAYS = [
  [7, "↖", ["Home", "7"]], [0, "↑", ["ArrowUp", "8"]], [1, "↗", ["PageUp", "9"]],
  [6, "←", ["ArrowLeft", "4"]], null, [2, "→", ["ArrowRight", "6"]],
  [5, "↙", ["End", "1"]], [4, "↓", ["ArrowDown", "2"]], [3, "↘", ["PageDown", "3"]],
];
const COMPASS = ["n", "ne", "e", "se", "s", "sw", "w", "nw"];
const CHANGES = [[1, "colour", "c"], [2, "texture", "t"], [3, "shape", "s"]];
let keys = new AbortController();
let passing = false; // somebody has read a verdict, which lasts for some steps more

/** What the room is for, the picture, and what can be done; submit(target, value) is a step. */
export function rooms(view, submit) {
  const acts = new Map();
  let busy = false;
  const act = async (target, value) => {
    if (busy) return; // another step now would be one too many
    busy = true;
    try {
      await submit(target, value);
    } finally {
      busy = false;
    }
  };
  const does = (text, label, target, value, pressed) => {
    const go = () => act(target, value);
    for (const key of pressed) acts.set(key, go);
    return make("button", { type: "button", class: "step", "aria-label": label, title: label, onclick: go }, text);
  };
  const over = view.taken !== null;
  const walk = make(
    "div",
    { class: "compass", role: "group", "aria-label": t("rooms-walk") },
    ...WAYS.map((way) => (way ? does(way[1], t(`rooms-go-${COMPASS[way[0]]}`), 0, way[0], way[2]) : make("span", {}))),
  );
  const change = make(
    "div",
    { class: "row", role: "group", "aria-label": t("rooms-change") },
    make("span", {}, t("rooms-change")),
    ...CHANGES.map(([target, name, key]) => does(t(`rooms-${name}`), t(`rooms-change-${name}`), target, 1, [key])),
  );
  listen(acts, over);
  passing &&= over;
  if (passing) queueMicrotask(() => act(-1, 0));
  const said = over ? t(view.taken ? "rooms-right" : "rooms-wrong") : t("rooms-left", { n: view.left });
  return [
    make("p", { class: view.exploiting ? "note goal" : "note left" }, ...told(view)),
    make("div", { class: "room" }, make("img", { src: view.picture, alt: t("rooms-picture"), width: 396, height: 396 }), make("p", { role: "status" }, said)),
    over ? make("p", { class: "actions" }, goOn(submit)) : make("div", {}, walk, view.changes ? change : null, make("p", { class: "soft small" }, t(view.changes ? "rooms-keys-change" : "rooms-keys"))),
  ];
}

function told(view) {
  if (view.trials === 1) return rich("rooms-only", {});
  return rich(view.exploiting ? "rooms-counts" : "rooms-try", { trial: view.trial, trials: view.trials });
}

/** While the verdict lasts nothing can be done but to let it pass, up to the next room. */
function goOn(submit) {
  return button(t("next"), async () => {
    passing = true;
    await submit(-1, 0);
  });
}

function listen(acts, over) {
  keys.abort();
  keys = new AbortController();
  if (over) return;
  const heard = (event) => {
    const go = acts.get(event.key);
    if (!go || event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, textarea, dialog")) return;
    event.preventDefault();
    go();
  };
  document.addEventListener("keydown", heard, { signal: keys.signal });
}

/** What came of a task; then what is next. */
export function found(after, next, of) {
  keys.abort();
  passing = false;
  put(
    t("task-done", { task: of }),
    make("p", { class: "note goal effect" }, t(after.returns > 0 ? "rooms-found" : "rooms-missed")),
    make("p", { class: "actions" }, button(t("next"), () => show(next))),
  );
}
