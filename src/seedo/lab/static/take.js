// A participant's way through a study. The lab says which screen is next; nothing is decided here.
import { data, make, number, say } from "./lab.js";

const screen = document.getElementById("screen");
const foot = document.getElementById("foot");
const progress = document.getElementById("progress");
const csrf = document.querySelector("meta[name=csrf]").content;
const here = `/api/take/${data.study}`;
let shownAt = 0;
let awaySince = null; // when another window took the focus
let away = 0; // milliseconds, on this screen
let left = false;

// -- talking to the lab ---------------------------------------------------------------------------

/** Ask; without an answer, ask again until there is one: the lab takes the same thing twice as once. */
async function call(method, path, body) {
  const slow = setTimeout(() => say("One moment…"), 1500);
  try {
    for (let wait = 1; ; wait = Math.min(2 * wait, 8)) {
      const answer = await attempt(method, path, body);
      if (answer !== null) return answer;
      clearTimeout(slow); // what follows says more
      say("No connection. What you chose is kept here and sent as soon as possible…", true);
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
  const answer = await response.json().catch(() => ({ error: `The study answered ${response.status}.` }));
  if (response.ok) {
    say("");
    return answer;
  }
  say(answer.error, true);
  throw Object.assign(new Error(answer.error), { field: answer.field, status: response.status });
}

/** A button that can be pressed once until what it started has failed. */
function button(text, act, attributes = {}) {
  const made = make("button", { type: "button", class: "primary big", ...attributes }, text);
  made.addEventListener("click", () => once(made, act));
  return made;
}

async function once(made, act) {
  if (made.disabled) return;
  made.disabled = true;
  try {
    await act();
  } catch (error) {
    if (!error.status) throw error;
    made.disabled = false;
    // Something happened elsewhere, in another tab or on another device: show where things stand.
    if (error.status === 404 || error.status === 409) show(await call("GET", ""), error.message);
  }
}

// -- screens --------------------------------------------------------------------------------------

function paragraphs(text) {
  const parts = text.trim().split(/\n\s*\n/);
  return make("div", { class: "text" }, ...parts.map((part) => make("p", {}, part)));
}

/** Replace the screen; its heading gets the focus, so that screen readers begin there. */
function put(title, ...children) {
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
function spent() {
  const now = performance.now();
  const elsewhere = away + (awaySince === null ? 0 : now - awaySince);
  return { milliseconds: Math.round(Math.min(now - shownAt, DAY)), away: Math.round(Math.min(elsewhere, DAY)) };
}

function where(text) {
  progress.textContent = text;
}

const SCREENS = { consent, full, late, instructions, quiz, ask, task, check, questions, screened, end };

function show(view, message) {
  if (left) return;
  foot.hidden = view.resume === undefined;
  if (view.resume) document.getElementById("resume").value = `${location.origin}/take/${data.study}/resume/${view.resume}`;
  SCREENS[view.screen](view);
  if (message) say(message, true);
}

function consent() {
  if (data.refusal) return refused();
  where("Consent");
  put(
    "Do you want to take part?",
    paragraphs(data.consent),
    make(
      "p",
      { class: "row actions" },
      button("I agree and take part", async () => {
        const link = Object.fromEntries(new URLSearchParams(location.search));
        const view = await call("POST", "/consent", { agree: true, link });
        history.replaceState(null, "", `/take/${data.study}`); // who somebody is stays out of the address
        show(view);
      }),
      button("I do not agree", declined, { class: "big" }),
    ),
  );
}

function refused() {
  where("");
  put("You cannot take part by this link", make("p", {}, `${data.refusal[0].toUpperCase()}${data.refusal.slice(1)}.`));
}

function declined() {
  where("");
  put("Thank you", make("p", {}, "You do not take part, and nothing was stored. You can close this page."));
}

function full(view) {
  where("");
  put("Thank you for your interest", make("p", {}, "The study has all the participants it needs."), ...goodbye(view));
}

function late(view) {
  where("");
  put(
    "You were away for too long",
    make("p", {}, "Your place in the study was given to somebody else. What you did is kept, unless you withdraw."),
    ...goodbye(view),
  );
}

function screened(view) {
  where("");
  put(
    "The study ends here for you",
    make("p", {}, "Your answers do not fit what the study needs. Thank you all the same."),
    ...goodbye(view),
  );
}

function instructions(view) {
  where("Instructions");
  put(
    "What you do",
    view.again ? make("p", { class: "note" }, "Not all of your answers were right. Please read once more, then try again.") : null,
    paragraphs(data.instructions),
    view.story ? paragraphs(view.story) : null,
    view.image ? make("img", { class: "picture", src: image(view.image), alt: view.alt }) : null,
    view.condition ? paragraphs(view.condition) : null,
    make("p", { class: "actions" }, button("Start", async () => show(await call("POST", "/ready", { spent: spent() })))),
  );
}

/** The address of a picture of the study. */
function image(id) {
  return `/take/${data.study}/image/${id}`;
}

/** The picture of a variable, or nothing; its name stands beside it. */
function picture(view, i) {
  const id = view.images?.[i];
  return id ? make("img", { class: "sign", src: image(id), alt: "" }) : null;
}

/** A value with the unit of its variable. */
function measured(view, i, value) {
  const unit = view.units?.[i];
  return unit ? `${number(value)}\u00a0${unit}` : number(value);
}

function task(view) {
  const what = view.practice ? "Practice" : "Task";
  const of = `${what}${view.of > 1 || !view.practice ? ` ${view.number} of ${view.of}` : ""}`;
  where(of);
  const goal = view.goal === null ? null : view.names[view.goal];
  const status = view.exploiting
    ? make(
        "p",
        { class: "note goal" },
        "Your goal: make ",
        make("strong", {}, goal),
        " as large as you can. Set one of the others; this is what counts",
        view.left > 1 ? `, and you choose ${view.left} times more.` : ".",
      )
    : make(
        "p",
        { class: "note left" },
        "Experiment: set something and see what happens. ",
        make("strong", {}, `${view.left} experiment${view.left === 1 ? "" : "s"} left`),
        view.practice ? "; this is practice and does not count." : ".",
      );
  const submit = async (target, value) => {
    const time = spent();
    const answer = await call("POST", "/step", { item: view.item, step: view.step, target, value, milliseconds: time.milliseconds, spent: time });
    if (answer.after) feedback(answer.after, answer.view, of);
    else show(answer.view);
  };
  put(
    of,
    view.number === 1 || view.of === 1 ? null : make("progress", { max: view.of, value: view.number - 1, "aria-label": `${view.number - 1} of ${view.of} done` }),
    status,
    view.relevant ? make("p", {}, `Only these matter here: ${view.names.filter((_, i) => view.relevant[i]).join(", ")}.`) : null,
    choose(view, submit),
    results(view, view.rows, view.goal),
  );
}

/** The form for one intervention; submit(target, value) is called with what was chosen. */
function choose(view, submit) {
  const go = make("button", { type: "submit", class: "primary big", disabled: true }, "Choose a value first");
  const rows = view.names.flatMap((name, i) => {
    const why = view.exploiting && (i === view.goal ? "the goal" : view.relevant && !view.relevant[i] ? "does not matter here" : "");
    if (why) return [make("span", { class: "name off" }, picture(view, i), name), make("span", { class: "soft" }, why)];
    const chips = view.values[i].map((value) => {
      const shown = measured(view, i, value);
      return chip(`${i} ${value}`, shown, `set ${name} to ${shown}`, () => `Set ${name} to ${shown}`);
    });
    return [make("span", { class: "name", "aria-hidden": "true" }, picture(view, i), name), make("span", { class: "chips" }, ...chips)];
  });
  if (view.screen === "task" && !view.exploiting) {
    const look = chip("-1 0", "Only look", "set nothing, only look", () => "Only look");
    rows.push(make("span", { class: "name", "aria-hidden": "true" }), make("span", { class: "chips" }, look));
  }
  function chip(value, text, label, says) {
    const input = make("input", { type: "radio", name: "choice", value, "aria-label": label });
    input.addEventListener("change", () => {
      go.disabled = false;
      go.textContent = says();
    });
    return make("span", { class: "chip" }, input, make("span", { "aria-hidden": "true" }, text));
  }
  const choices = make("fieldset", {}, make("legend", {}, "What do you set?"), make("div", { class: "choices" }, ...rows));
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
function results(view, rows, goal, title = "What happened so far") {
  if (!rows.length) return null;
  const names = view.names;
  const did = (row) => (row.target < 0 ? "only looked" : `set ${names[row.target]} to ${measured(view, row.target, row.value)}`);
  const called = (i) => (view.units?.[i] ? `${names[i]} (${view.units[i]})` : names[i]);
  const times = rows.map((row, at) => make("th", { scope: "col", "aria-label": `time ${at + 1}: ${did(row)}` }, `${at + 1}`));
  const lines = names.map((_, i) =>
    make(
      "tr",
      {},
      make("th", { scope: "row", class: i === goal ? "goal" : null }, picture(view, i), i === goal ? `${called(i)}, goal` : called(i)),
      ...rows.map((row) => make("td", { class: row.target === i ? "set" : null }, number(row.outcome[i]))),
    ),
  );
  const spacer = make("div", { class: "spacer" });
  const box = make(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
    make("table", {}, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Time"), ...times)), make("tbody", {}, ...lines)),
    spacer,
  );
  const key = make("p", { class: "soft small" });
  new ResizeObserver(() => {
    const more = toNewest(box, times, spacer);
    key.textContent = `Underlined: what you set.${more ? " Scroll sideways for the earlier ones." : ""}`;
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

function feedback(after, next, of) {
  const goal = after.names[after.goal];
  put(
    `${of}: done`,
    make("p", {}, `You set ${after.names[after.target]} to ${measured(after, after.target, after.value)}.`),
    make(
      "p",
      { class: "note goal effect" },
      after.exploits > 1 ? `Your choices bring ${goal} on average to ` : `On average, this brings ${goal} to `,
      make("strong", {}, measured(after, after.goal, after.returns)),
      ".",
    ),
    make("p", { class: "soft" }, "Chance left out: the larger, the better your choice."),
    results(after, [{ target: after.target, value: after.value, outcome: after.outcome }], after.goal, "What happened this time"),
    make("p", { class: "actions" }, button("Next", () => show(next))),
  );
}

function check(view) {
  where("A short question");
  put(
    "Are you still reading?",
    make("p", { class: "note" }, "This is not a task and has nothing to do with the others. To show that you read this, ", make("strong", {}, view.asked), "."),
    choose(view, async (target, value) => {
      const answer = await call("POST", "/check", { item: view.item, target, value, spent: spent() });
      show(answer.view, answer.warned && "That was not what was asked. Please read everything with care.");
    }),
  );
}

function questions(view) {
  where("Questions");
  put("A few questions", ask_form(view.questions, "Finish", (answers) => call("POST", "/answers", { answers, spent: spent() })));
}

function ask(view) {
  where("Questions");
  const title = view.questions.length === 1 ? "A question" : "A few questions";
  put(title, ask_form(view.questions, "Next", (answers) => call("POST", "/ask", { item: view.item, answers, spent: spent() })));
}

function quiz(view) {
  where("Instructions");
  put(
    "Is it clear?",
    make("p", {}, "These questions are about the instructions. All of them have to be right."),
    ask_form(view.questions, "Check my answers", (answers) => call("POST", "/quiz", { number: view.try, answers, spent: spent() })),
  );
}

/** A form with these questions; send(answers) gives what comes next. */
function ask_form(asked, text, send) {
  const fields = asked.map(field);
  const go = make("button", { type: "submit", class: "primary big" }, text);
  const form = make("form", { novalidate: true }, ...fields, go);
  const given = (q) => {
    const input = form.elements[q.id];
    return q.kind === "slider" && !input.dataset.set ? "" : (new FormData(form).get(q.id) ?? "");
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const missing = asked.find((q) => !q.optional && !given(q).trim());
    if (missing) {
      form.elements[missing.id][0]?.focus?.() ?? form.elements[missing.id].focus?.();
      say(`Please answer: ${missing.text}`, true);
      return;
    }
    const answers = Object.fromEntries(asked.map((q) => [q.id, given(q)]));
    once(go, async () => show((await send(answers)).view));
  });
  return form;
}

function field(question) {
  const text = question.optional ? `${question.text} (you may leave this out)` : question.text;
  if (question.kind === "choice") {
    const options = question.options.map((option) =>
      make("label", { class: "option" }, make("input", { type: "radio", name: question.id, value: option }), option),
    );
    return make("fieldset", { class: "ask" }, make("legend", {}, text), ...options);
  }
  const id = `question-${question.id}`;
  if (question.kind === "slider") return slider(question, text, id);
  const input =
    question.kind === "number"
      ? make("input", { id, name: question.id, inputmode: "decimal", autocomplete: "off" })
      : make("textarea", { id, name: question.id, maxlength: "2000" });
  return make("div", { class: "ask" }, make("label", { for: id }, text), input);
}

/** A slider that has no answer until it is touched: where it stands at first would pull people there. */
function slider(question, text, id) {
  const said = make("output", { for: id, class: "soft" }, "not set yet");
  const input = make("input", { id, name: question.id, type: "range", min: "0", max: "100", value: "50", class: "unset" });
  const set = () => {
    input.dataset.set = "1";
    input.classList.remove("unset");
    said.textContent = input.value;
  };
  for (const what of ["input", "pointerup", "keyup"]) input.addEventListener(what, (event) => event.key !== "Tab" && set());
  const [low, high] = question.options;
  const ends = make("p", { class: "ends soft", "aria-hidden": "true" }, make("span", {}, low), said, make("span", {}, high));
  input.setAttribute("aria-description", `0: ${low}; 100: ${high}`);
  return make("div", { class: "ask" }, make("label", { for: id }, text), input, ends);
}

function end(view) {
  where("Done");
  put("You are done", paragraphs(view.text), ...goodbye(view));
}

/** The code, if there is one, and the way back to where somebody came from. */
function goodbye(view) {
  if (!view.code) return [];
  const copied = button("Copy the code", async () => copy(view.code), { class: "" });
  copied.addEventListener("click", () => setTimeout(() => (copied.disabled = false), 300));
  const back = view.back && make("a", { class: "button primary big", href: view.back, rel: "noreferrer" }, "Go back, and send the code");
  return [
    make("p", {}, make("span", { class: "code", id: "code" }, view.code)),
    make("p", { class: "row actions" }, back, copied),
  ];
}

function again() {
  where("");
  foot.hidden = true;
  put(
    "Continue here?",
    make("p", {}, "You go on where you left off. The device you used before can then no longer be used for this study."),
    make("p", { class: "actions" }, button("Continue on this device", async () => {
      const view = await call("POST", "/resume", { token: data.token });
      history.replaceState(null, "", `/take/${data.study}`);
      show(view);
    })),
  );
}

// -- at the foot ----------------------------------------------------------------------------------

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    say("Could not be copied: select it and copy it yourself.", true);
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
    left = true;
    sure.close();
    foot.hidden = true;
    where("");
    put("You have withdrawn", make("p", {}, "Everything that was stored of you is deleted. Thank you all the same; you can close this page."));
  }),
);

if (data.token) again();
else call("GET", "").then(show);
