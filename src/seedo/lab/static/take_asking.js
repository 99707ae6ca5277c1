// Questions in words: before, between and after the tasks, and about the instructions.
import { make, say } from "./lab.js";
import { call, once, put, show, spent, where } from "./take_page.js";
import { t } from "./take_words.js";

const NUMBER = /^[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d{1,3})?$/i;

export function questions(view) {
  where(t("questions"));
  put(t("asked-many"), form_of(view.questions, t("finish"), (answers) => call("POST", "/answers", { answers, spent: spent() })));
}

export function ask(view) {
  where(t("questions"));
  const title = view.questions.length === 1 ? t("asked-one") : t("asked-many");
  put(title, form_of(view.questions, t("next"), (answers) => call("POST", "/ask", { item: view.item, answers, spent: spent() })));
}

export function quiz(view) {
  where(t("instructions"));
  put(
    t("quiz-title"),
    make("p", {}, t("quiz-what")),
    form_of(view.questions, t("quiz-send"), (answers) => call("POST", "/quiz", { number: view.try, answers, spent: spent() })),
  );
}

/** A form with these questions; send(answers) gives what comes next. */
function form_of(asked, text, send) {
  const fields = asked.map(field);
  const go = make("button", { type: "submit", class: "primary big" }, text);
  const form = make("form", { novalidate: true }, ...fields, go);
  const given = (q) => {
    const input = form.elements[q.id];
    if (q.kind === "slider" && !input.dataset.set) return "";
    const said = new FormData(form).get(q.id) ?? "";
    return q.kind === "number" ? said.trim().replace(",", ".") : said;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const missing = asked.find((q) => !q.optional && !given(q).trim());
    const odd = asked.find((q) => q.kind === "number" && given(q) && !NUMBER.test(given(q)));
    const wrong = missing ?? odd;
    if (wrong) {
      form.elements[wrong.id][0]?.focus?.() ?? form.elements[wrong.id].focus?.();
      say(t(missing ? "answer-please" : "answer-number", { text: wrong.text }), true);
      return;
    }
    const answers = Object.fromEntries(asked.map((q) => [q.id, given(q)]));
    once(go, async () => show((await send(answers)).view));
  });
  return form;
}

function field(question) {
  const text = question.optional ? t("optional", { text: question.text }) : question.text;
  const labels = question.labels ?? question.options;
  if (question.kind === "choice") {
    const options = question.options.map((option, at) =>
      make("label", { class: "option" }, make("input", { type: "radio", name: question.id, value: option }), labels[at]),
    );
    return make("fieldset", { class: "ask" }, make("legend", {}, text), ...options);
  }
  const id = `question-${question.id}`;
  if (question.kind === "slider") return slider(question.id, labels, text, id);
  const input =
    question.kind === "number"
      ? make("input", { id, name: question.id, inputmode: "decimal", autocomplete: "off" })
      : make("textarea", { id, name: question.id, maxlength: "2000" });
  return make("div", { class: "ask" }, make("label", { for: id }, text), input);
}

/** A slider that has no answer until it is touched: where it stands at first would pull people there. */
function slider(name, [low, high], text, id) {
  const said = make("output", { for: id, class: "soft" }, t("unset"));
  const input = make("input", { id, name, type: "range", min: "0", max: "100", value: "50", class: "unset" });
  const set = () => {
    input.dataset.set = "1";
    input.classList.remove("unset");
    said.textContent = input.value;
  };
  for (const what of ["input", "pointerup", "keyup"]) input.addEventListener(what, (event) => event.key !== "Tab" && set());
  const ends = make("p", { class: "ends soft", "aria-hidden": "true" }, make("span", {}, low), said, make("span", {}, high));
  input.setAttribute("aria-description", t("slider-ends", { low, high }));
  return make("div", { class: "ask" }, make("label", { for: id }, text), input, ends);
}
