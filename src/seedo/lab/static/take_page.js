// What every screen of a participation needs: the lab's answers, a screen to fill, time spent on it.
import { data, make, say } from "./lab.js";
import { refusal, speak, t } from "./take_words.js";

const screen = document.getElementById("screen");
const foot = document.getElementById("foot");
const progress = document.getElementById("progress");
const csrf = document.querySelector("meta[name=csrf]").content;
const here = `/api/take/${data.study}`;
let shownAt = 0;
let awaySince = null; // when another window took the focus
let away = 0; // milliseconds, on this screen
let left = false;

/** What shows each screen, by its name: takes the lab's view of it. */
export const screens = {};

// -- talking to the lab ---------------------------------------------------------------------------

/** Ask; without an answer, ask again until there is one: the lab takes the same thing twice as once. */
export async function call(method, path, body) {
  const slow = setTimeout(() => say(t("wait")), 1500);
  try {
    for (let wait = 1; ; wait = Math.min(2 * wait, 8)) {
      const answer = await attempt(method, path, body);
      if (answer !== null) return answer;
      clearTimeout(slow); // what follows says more
      say(t("offline"), true);
      await new Promise((done) => setTimeout(done, 1000 * wait));
    }
  } finally {
    clearTimeout(slow);
  }
}

/** One try: the answer, or null if the lab cannot be reached. */
async function attempt(method, path, body) {
  let response;
  try {
    response = await fetch(here + path, {
      method,
      headers: { "X-CSRF-Token": csrf, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    return null;
  }
  if (response.status >= 500) return null;
  const answer = await response.json().catch(() => ({ error: t("error-status", { status: response.status }) }));
  if (response.ok) {
    say("");
    return answer;
  }
  const line = refusal(answer);
  say(line, true);
  throw Object.assign(new Error(line), { field: answer.field, status: response.status });
}

/** A button that can be pressed once until what it started has failed. */
export function button(text, act, attributes = {}) {
  const made = make("button", { type: "button", class: "primary big", ...attributes }, text);
  made.addEventListener("click", () => once(made, act));
  return made;
}

export async function once(made, act) {
  if (made.disabled) return;
  made.disabled = true;
  try {
    await act();
  } catch (error) {
    if (!error.status) throw error;
    made.disabled = false;
    // Something happened elsewhere, in another tab or on another device: show where things stand.
    if (error.status === 404 || error.status === 409) await show(await call("GET", ""), error.message);
  }
}

// -- the screen -----------------------------------------------------------------------------------

export function paragraphs(text) {
  const parts = text.trim().split(/\n\s*\n/);
  return make("div", { class: "text" }, ...parts.map((part) => make("p", {}, part)));
}

/** Replace the screen; its heading gets the focus, so that screen readers begin there. */
export function put(title, ...children) {
  const heading = make("h2", { tabindex: "-1" }, title);
  screen.replaceChildren(heading, ...children.filter(Boolean));
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
  shownAt = performance.now();
  away = 0;
  if (awaySince !== null) awaySince = shownAt;
}

const DAY = 86_400_000;
addEventListener("blur", () => (awaySince ??= performance.now()));
addEventListener("focus", () => {
  if (awaySince !== null) away += performance.now() - awaySince;
  awaySince = null;
});

/** How long this screen has been shown, and how much of that somebody was elsewhere. */
export function spent() {
  const now = performance.now();
  const elsewhere = away + (awaySince === null ? 0 : now - awaySince);
  return { milliseconds: Math.round(Math.min(now - shownAt, DAY)), away: Math.round(Math.min(elsewhere, DAY)) };
}

export function where(text) {
  progress.textContent = text;
}

const OVER = ["end", "screened", "late"]; // nothing is left to go on with

/** Show what the lab says is next. */
export async function show(view, message) {
  if (left) return;
  if (view.language) await speak(view.language);
  foot.hidden = view.resume === undefined;
  foot.querySelector("details").hidden = OVER.includes(view.screen);
  if (view.resume) document.getElementById("resume").value = `${location.origin}/take/${data.study}/resume/${view.resume}`;
  screens[view.screen](view);
  if (message) say(message, true);
}

/** Whoever has withdrawn sees nothing more. */
export function leave() {
  left = true;
  foot.hidden = true;
  where("");
}
