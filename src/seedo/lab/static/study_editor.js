// A study as text, checked as it is written.
import { ask, make, say } from "./lab.js";

const PAUSE = 300; // milliseconds without a key before it is checked
const written = document.getElementById("written");
const checked = document.getElementById("checked");
const open = document.getElementById("open");
const pilot = document.getElementById("pilot");
let waiting = 0;
let asked = 0;

async function check() {
  const number = ++asked;
  const found = await ask("POST", "/api/study/check", { text: written.value });
  if (number !== asked) return; // something newer is under way
  const lines = found.error ? [found.error] : found.lines;
  checked.replaceChildren(...lines.map((line) => make("p", {}, line)));
  checked.classList.toggle("wrong", Boolean(found.error));
  open.disabled = pilot.disabled = Boolean(found.error);
}

written.addEventListener("input", () => {
  open.disabled = pilot.disabled = true;
  clearTimeout(waiting);
  waiting = setTimeout(() => check().catch(() => {}), PAUSE);
});
document.getElementById("editor").addEventListener("submit", async (event) => {
  event.preventDefault();
  await ask("POST", "/api/study/open", { text: written.value });
  location.assign("/study");
});
pilot.addEventListener("click", async () => {
  pilot.disabled = true;
  say("Scripted participants are at it…");
  try {
    const { lines } = await ask("POST", "/api/study/pilot", { text: written.value });
    document.getElementById("piloted").replaceChildren(...lines.map((line) => make("p", {}, line)));
    say("");
  } finally {
    pilot.disabled = false;
  }
});
await check();
