// A study as text, checked as it is written.
import { ask, make, say } from "./lab.js";

const PAUSE = 300; // milliseconds without a key before it is checked
const written = document.getElementById("written");
const checked = document.getElementById("checked");
const open = document.getElementById("open");
const pilot = document.getElementById("pilot");
const preregister = document.getElementById("preregister");
const piloted = document.getElementById("piloted");
const images = document.getElementById("images");
const buttons = [open, pilot, preregister];
let waiting = 0;
let asked = 0;

async function check() {
  const number = ++asked;
  const found = await ask("POST", "/api/study/check", { text: written.value });
  if (number !== asked) return; // something newer is under way
  const lines = found.error ? [found.error] : found.lines;
  checked.replaceChildren(...lines.map((line) => make("p", {}, line)));
  checked.classList.toggle("wrong", Boolean(found.error));
  able(!found.error);
}

written.addEventListener("input", () => {
  able(false);
  clearTimeout(waiting);
  waiting = setTimeout(() => check().catch(() => {}), PAUSE);
});
document.getElementById("editor").addEventListener("submit", async (event) => {
  event.preventDefault();
  await ask("POST", "/api/study/open", { text: written.value });
  location.assign("/study");
});
function able(yes) {
  for (const each of buttons) each.disabled = !yes;
}

/** What scripted participants, who take a moment, have to say. */
async function ask_scripts(path) {
  able(false);
  say("Scripted participants are at it…");
  try {
    const found = await ask("POST", path, { text: written.value });
    say("");
    return found;
  } finally {
    able(true);
  }
}

pilot.addEventListener("click", async () => {
  const { lines } = await ask_scripts("/api/study/pilot");
  piloted.replaceChildren(...lines.map((line) => make("p", {}, line)));
});
preregister.addEventListener("click", async () => {
  const { text } = await ask_scripts("/api/study/preregistration");
  const label = make("label", { for: "preregistration" }, "Fill in what stands in square brackets");
  piloted.replaceChildren(make("p", {}, label), make("textarea", { id: "preregistration", rows: "20" }, text));
});

// Another example, in place of what is written, unless somebody has written on it.
const kind = document.getElementById("kind");
const first = written.value;
let example = first;
let shownKind = kind.value;
kind.addEventListener("change", async () => {
  if (written.value !== example && !confirm("Replace what you have written?")) {
    kind.value = shownKind;
    return;
  }
  shownKind = kind.value;
  const address = `/study/example.toml?kind=${kind.value}`;
  written.value = example = kind.value ? await (await fetch(address)).text() : first;
  await check();
});

/** Pictures that the study names: kept by the lab, then looked at again. */
images.addEventListener("change", async () => {
  const kept = [];
  try {
    for (const file of images.files) {
      await keep(file);
      kept.push(file.name);
    }
    if (kept.length) say(`Kept: ${kept.join(", ")}. Name it in a [[wording]].`);
  } finally {
    images.value = "";
    await check();
  }
});

async function keep(file) {
  const token = document.querySelector("meta[name=csrf]").content;
  const path = `/api/study/images/${encodeURIComponent(file.name)}`;
  const response = await fetch(path, { method: "PUT", headers: { "X-CSRF-Token": token }, body: file });
  if (response.ok) return;
  const answer = await response.json().catch(() => ({ error: `The lab answered ${response.status}.` }));
  say(answer.error, true);
  throw new Error(answer.error);
}
await check();
