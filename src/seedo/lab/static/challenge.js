// A sealed challenge from elsewhere: opened, told what may be told, played.
import { ask, make, number, say } from "./lab.js";

const $ = (id) => document.getElementById(id);
const MOST = 65536; // bytes

async function open(text) {
  const { link, about, scores } = await ask("POST", "/api/challenge/open", { text });
  say("");
  $("about").textContent = `${about[0].toUpperCase()}${about.slice(1)}.`;
  $("scores").replaceChildren(...scores.map((score) => make("li", {}, `${score.who}: ${number(score.returns)}`)));
  $("play").href = link;
  $("found").hidden = false;
  $("found-title").focus();
}

$("open").addEventListener("submit", (event) => {
  event.preventDefault();
  open($("code").value).catch(() => { $("found").hidden = true; });
});
$("file").addEventListener("change", async () => {
  const [file] = $("file").files;
  $("file").value = "";
  if (!file) return;
  if (file.size > MOST) return say(`${file.name}: larger than 64 KB, so no challenge.`, true);
  open(await file.text()).catch(() => { $("found").hidden = true; });
});
