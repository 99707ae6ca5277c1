// What is left of the time for a choice or a task. The lab's clock counts; this one only shows it.
import { make, say } from "./lab.js";
import { button, call, put, show, where } from "./take_page.js";
import { t } from "./take_words.js";

const SAID = [60, 30, 10, 5]; // seconds left at which it is said aloud
const TICK = 200; // milliseconds

/** Before a task whose time is limited. */
export function ready(view, of) {
  where(of);
  put(
    of,
    make("h3", {}, t("ready-title")),
    view.task_seconds ? make("p", {}, t("ready-task", { seconds: view.task_seconds })) : null,
    view.choice_seconds ? make("p", {}, t("ready-choice", { seconds: view.choice_seconds })) : null,
    make("p", {}, t(`ready-end-${view.at_end}`)),
    make("p", { class: "actions" }, button(t("ready-go"), async () => show((await call("POST", "/begin", { item: view.item })).view))),
  );
}

/** The clocks of a view, or nothing; while they run, until they are off the page. */
export function clocks(view) {
  if (!view.clocks) return null;
  const began = performance.now();
  const faces = Object.entries(view.clocks).map(([of, left]) => ({ of, left, face: make("span", { class: "clock" }) }));
  const aloud = make("span", { class: "unseen", role: "status" });
  const box = make("p", { class: "clocks", role: "timer" }, ...faces.map(({ face }) => face));
  const whole = make("div", {}, box, aloud);
  const first = Math.min(...faces.map(({ left }) => left));
  let said = Math.ceil(first / 1000);
  let ended = false;
  const tick = () => {
    if (!whole.isConnected) return clearInterval(ticking);
    const gone = performance.now() - began;
    for (const { of, left, face } of faces) face.textContent = t(`time-${of}`, { time: minutes(left - gone) });
    const now = Math.ceil((first - gone) / 1000);
    const mark = SAID.find((each) => said > each && now <= each);
    if (mark && now > 0) aloud.textContent = t("time-left", { n: now });
    box.classList.toggle("short", now <= 10);
    said = now;
    if (now <= 0 && !ended) {
      ended = true;
      over(view, first - gone);
    }
    if (ended && view.at_end !== "late") clearInterval(ticking);
  };
  const ticking = setInterval(tick, TICK);
  queueMicrotask(tick);
  return whole;
}

/** The time is over: what was not sent by now is lost, unless one may be late. */
function over(view, late) {
  if (view.at_end === "late") {
    say(t("time-late"), true);
    return;
  }
  for (const form of document.querySelectorAll("#screen fieldset, #screen form button")) form.disabled = true;
  say(t("time-up"), true);
  const heading = document.querySelector("#screen h2");
  setTimeout(async () => {
    // A choice that was on its way may have brought another screen meanwhile.
    if (heading.isConnected) await show(await call("GET", ""), t("time-up"));
  }, Math.max(0, view.grace + late) + TICK);
}

/** 75000 as "1:15". */
function minutes(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
