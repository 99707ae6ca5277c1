// The sentences of the participant's page, in their language.
import { data, make, number } from "./lab.js";

let told = { words: {} };

/** Take over a language: its sentences, also where the page shows some already. */
export async function speak(language) {
  if (told.language === language) return;
  const response = await fetch(`/api/take/${data.study}/words/${encodeURIComponent(language)}`);
  if (!response.ok) throw new Error(`no words in ${language}`);
  told = await response.json();
  document.documentElement.lang = told.language;
  document.querySelector("h1").textContent = told.title;
  document.title = `${told.title} · Seedo`;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = told.words[element.dataset.word];
  const dark = document.getElementById("theme");
  dark.title = told.words.dark;
  dark.setAttribute("aria-label", told.words.dark);
}

/** The study's own text: title, consent or instructions. */
export function own(part) {
  return told[part];
}

/** A sentence with these values filled in. */
export function t(key, values = {}) {
  return told.words[key].replace(/\{([^{}]*)\}/g, (hole, name) => values[name] ?? hole);
}

/** The sentence of a refusal, or what the lab said. */
export function refusal(answer) {
  return told.words[answer.field] ?? answer.error;
}

/** The same as an array of nodes, values in bold. */
export function rich(key, values) {
  const parts = told.words[key].split(/\{([^{}]*)\}/);
  return parts.map((part, at) => (at % 2 ? make("strong", {}, values[part] ?? "") : part));
}

/** A number as people write it in this language. */
export function shown(value) {
  return number(value).replace(".", told.words.decimal);
}
