// A participant's way through a study. The lab says which screen is next; nothing is decided here.
import { data, make, say } from "./lab.js";
import { ask, questions, quiz } from "./take_asking.js";
import { causes, choose, feedback, image } from "./take_causes.js";
import { machine, told } from "./take_machine.js";
import { found, rooms } from "./take_rooms.js";
import { button, call, leave, once, paragraphs, put, screens, show, spent, where } from "./take_page.js";
import { clocks, ready } from "./take_time.js";
import { own, rich, speak, t } from "./take_words.js";

// How a task is shown, and what is told when it is done, by the shape that the lab names.
const SHAPES = { causes: [causes, feedback], machine: [machine, told], rooms: [rooms, found] };

Object.assign(screens, { consent, full, late, instructions, quiz, ask, ready: (view) => ready(view, named(view)), task, check, questions, screened, end });

function consent() {
  if (data.refusal) return refused();
  where(t("consent"));
  put(
    t("consent-title"),
    paragraphs(own("consent")),
    make(
      "p",
      { class: "row actions" },
      button(t("consent-yes"), async () => {
        const link = Object.fromEntries(new URLSearchParams(location.search));
        const view = await call("POST", "/consent", { agree: true, link });
        history.replaceState(null, "", `/take/${data.study}`); // who somebody is stays out of the address
        await show(view);
      }),
      button(t("consent-no"), declined, { class: "big" }),
    ),
  );
}

function refused() {
  where("");
  put(t("refused-title"), make("p", {}, `${data.refusal[0].toUpperCase()}${data.refusal.slice(1).replace(/\.$/, "")}.`));
}

function declined() {
  where("");
  put(t("declined-title"), make("p", {}, t("declined")));
}

function full(view) {
  ended("full", view);
}

function late(view) {
  ended("late", view);
}

function screened(view) {
  ended("screened", view);
}

function ended(how, view) {
  where("");
  put(t(`${how}-title`), make("p", {}, t(how)), ...goodbye(view));
}

function instructions(view) {
  where(t("instructions"));
  put(
    t("instructions-title"),
    view.again ? make("p", { class: "note" }, t("instructions-again")) : null,
    paragraphs(own("instructions")),
    view.story ? paragraphs(view.story) : null,
    view.image ? make("img", { class: "picture", src: image(view.image), alt: view.alt }) : null,
    view.condition ? paragraphs(view.condition) : null,
    make("p", { class: "actions" }, button(t("start"), async () => show(await call("POST", "/ready", { spent: spent() })))),
  );
}

function task(view) {
  const of = named(view);
  where(of);
  const submit = async (target, value) => {
    const time = spent();
    const answer = await call("POST", "/step", { item: view.item, step: view.step, target, value, milliseconds: time.milliseconds, spent: time });
    if (answer.after) SHAPES[answer.after.shape][1](answer.after, answer.view, of);
    else await show(answer.view);
  };
  put(of, progress_of(view), clocks(view), ...SHAPES[view.shape][0](view, submit));
}

/** "Task 2 of 10". */
function named(view) {
  if (!view.practice) return t("task-of", view);
  return view.of > 1 ? t("practice-of", view) : t("practice");
}

function progress_of(view) {
  if (view.number === 1 || view.of === 1) return null;
  const done = view.number - 1;
  return make("progress", { max: view.of, value: done, "aria-label": t("progress", { number: done, of: view.of }) });
}

function check(view) {
  where(t("check"));
  put(
    t("check-title"),
    make("p", { class: "note" }, ...rich("check-what", { asked: view.asked })),
    choose(view, async (target, value) => {
      const answer = await call("POST", "/check", { item: view.item, target, value, spent: spent() });
      await show(answer.view, answer.warned && t("check-wrong"));
    }),
  );
}

function end(view) {
  where(t("end"));
  put(t("end-title"), paragraphs(view.text), ...goodbye(view));
}

/** The code, if there is one, and the way back to where somebody came from. */
function goodbye(view) {
  if (!view.code) return [];
  const copied = button(t("code-copy"), async () => copy(view.code), { class: "" });
  copied.addEventListener("click", () => setTimeout(() => (copied.disabled = false), 300));
  const back = view.back && make("a", { class: "button primary big", href: view.back, rel: "noreferrer" }, t("code-back"));
  return [
    make("p", {}, make("span", { class: "code", id: "code" }, view.code)),
    make("p", { class: "row actions" }, back, copied),
  ];
}

function again() {
  where("");
  document.getElementById("foot").hidden = true;
  put(
    t("again-title"),
    make("p", {}, t("again")),
    make("p", { class: "actions" }, button(t("again-go"), async () => {
      const view = await call("POST", "/resume", { token: data.token });
      history.replaceState(null, "", `/take/${data.study}`);
      await show(view);
    })),
  );
}

// -- at the foot ----------------------------------------------------------------------------------

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say(t("copied"));
  } catch {
    say(t("not-copied"), true);
  }
}

const sure = document.getElementById("sure");
document.getElementById("copy").addEventListener("click", () => copy(document.getElementById("resume").value));
document.getElementById("resume").addEventListener("focus", (event) => event.target.select());
document.getElementById("withdraw").addEventListener("click", () => sure.showModal());
document.getElementById("stay").addEventListener("click", () => sure.close());
document.getElementById("leave").addEventListener("click", (event) =>
  once(event.target, async () => {
    await call("DELETE", "");
    sure.close();
    leave();
    put(t("withdrawn-title"), make("p", {}, t("withdrawn")));
  }),
);

await speak(data.language);
if (data.token) again();
else await show(await call("GET", ""));
