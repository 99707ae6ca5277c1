// Compare: choose, start, wait with partial results, read, take away.
import { ask, data, make, number, say } from "./lab.js";
import { swatch } from "./players.js";

const $ = (id) => document.getElementById(id);
const WAIT = 700; // ms between questions while it runs
const REDRAW = 2000; // ms between drawings of the figure while it runs
const OPEN = ["queued", "running"];

let run = data.run;
let drawn = { at: 0, of: "" };

// ---- what to compare

async function offer() {
  const { roles } = await ask("GET", `/api/compare/cast?s=${encodeURIComponent(data.code)}`);
  const chosen = new Set(data.asked ? data.asked.players : data.usual);
  const able = roles.filter((role) => !role.why_not);
  if (!able.some((role) => chosen.has(role.name))) able.slice(0, 2).forEach((role) => chosen.add(role.name));
  $("cast").replaceChildren(
    ...roles.map((role, i) => {
      const box = make("input", { type: "checkbox", value: role.name, disabled: Boolean(role.why_not), "aria-describedby": role.why_not ? `why-${i}` : null, onchange: update });
      box.checked = !role.why_not && chosen.has(role.name);
      const why = role.why_not ? make("span", { class: "why soft", id: `why-${i}` }, role.why_not) : null;
      return make("li", { class: role.why_not ? "cannot" : "" }, make("label", {}, box, swatch(role.look), role.label), why);
    }),
  );
  $("finding").hidden = true;
  update();
}

function players() {
  return [...$("cast").querySelectorAll("input:checked")].map((box) => box.value);
}

function values() {
  return $("sweep").value ? $("values").value.split(/[\s,;]+/).filter(Boolean).map(Number) : [];
}

function update() {
  const [who, at, episodes] = [players().length, $("sweep").value ? values().length : 1, Number($("episodes").value)];
  $("start").disabled = who < 1 || who > data.mostPlayers;
  const total = (who * at * episodes).toLocaleString("en");
  $("size").textContent = who > data.mostPlayers ? `At most ${data.mostPlayers} at once.` : who ? `${total} episodes in all` : "Choose someone.";
}

function chooseSweep() {
  const sweep = data.sweeps[$("sweep").value];
  $("values-label").hidden = !sweep;
  if (sweep) {
    $("values").value = sweep.usual.join(", ");
    $("values-help").textContent = `${sweep.whole ? "Whole numbers" : "Numbers"} from ${sweep.lowest} to ${sweep.highest}`;
  }
  update();
}

async function start(event) {
  event.preventDefault();
  if (values().some(Number.isNaN)) {
    say(`values: "${$("values").value}": write numbers, separated by spaces or commas`, true);
    $("values").focus();
    return;
  }
  $("start").disabled = true;
  try {
    const body = { scenario: data.code, players: players(), episodes: Number($("episodes").value), seed: Number($("seed").value), sweep: $("sweep").value, values: values() };
    run = await ask("POST", "/api/compare", body);
  } catch (error) {
    ({ values: $("values"), episodes: $("episodes"), seed: $("seed"), sweep: $("sweep") })[error.field]?.focus();
    return;
  } finally {
    update();
  }
  say("");
  drawn = { at: 0, of: "" };
  history.replaceState(null, "", `/compare?id=${run.id}`);
  show();
  list();
  $("results-title").scrollIntoView({ block: "start" });
  follow();
}

// ---- while it runs

async function follow() {
  const id = run.id;
  while (run && run.id === id && OPEN.includes(run.state)) {
    await new Promise((resolve) => setTimeout(resolve, WAIT));
    if (!run || run.id !== id) return;
    try {
      const answer = await ask("GET", `/api/compare/${id}`);
      if (run && run.id === id) run = answer;
    } catch (error) {
      if (error.status) return; // it is gone
      continue; // the lab is being restarted
    }
    show();
  }
  list();
}

function show() {
  $("results").hidden = !run;
  if (!run) return;
  const open = OPEN.includes(run.state);
  const [done, of] = [sum(run.cells, "done"), sum(run.cells.filter((cell) => cell.state !== "gap"), "of")];
  $("progress").hidden = !open;
  $("progress").value = of ? done / of : 0;
  $("state").textContent = stateLine(done, of);
  $("state").classList.toggle("refusal", run.state === "failed");
  $("cancel").hidden = !open;
  $("continue").hidden = !["cancelled", "failed"].includes(run.state);
  showTable();
  showFigure(open);
  showDownloads();
  showCommands();
}

function sum(cells, field) {
  return cells.reduce((total, cell) => total + cell[field], 0);
}

function stateLine(done, of) {
  const share = `${done.toLocaleString("en")} of ${of.toLocaleString("en")} episodes`;
  if (run.state === "queued") return run.ahead ? `Waiting: ${run.ahead} before this one.` : "Starting…";
  if (run.state === "failed") return `Failed after ${share}: ${run.error}`;
  if (run.state === "cancelled") return `Cancelled after ${share}. What is finished is kept.`;
  if (run.state === "done") return `Done: ${share}.`;
  const preparing = [...new Set(run.cells.filter((cell) => cell.state === "preparing").map((cell) => cell.label))];
  const rate = sum(run.cells, "rate");
  const said = [share];
  if (rate) said.push(`${Math.round(rate).toLocaleString("en")} a second`);
  if (preparing.length) said.push(`preparing (compiling) ${preparing.join(", ")}`);
  if (run.cells.some((cell) => cell.state === "reading")) said.push("working out the Bayes ratio");
  const more = run.awaited.length > 1 ? ` and ${run.awaited.length - 1} more` : "";
  if (run.eta !== null) said.push(`about ${duration(run.eta)} left`);
  else if (run.awaited.length) said.push(`time left: known after ${run.awaited[0]}${more}`);
  return said.join(" · ");
}

function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${number(seconds / 3600, 1)} h`;
}

// ---- results

function showTable() {
  const table = $("table");
  const head = [run.sweep || null, "Experimenter", "Mean return", "Return ratio", "Bayes ratio", "Episodes", "Logs"].filter(Boolean);
  table.classList.toggle("swept", Boolean(run.sweep));
  $("found").classList.toggle("swept", Boolean(run.sweep)); // lines against what varies take the whole width
  table.tHead.replaceChildren(make("tr", {}, ...head.map((name) => make("th", { scope: "col" }, name))));
  $("caption").textContent = `${run.players.length} experimenter${run.players.length > 1 ? "s" : ""}, seed ${run.seed}, ${run.episodes.toLocaleString("en")} episodes each${run.sweep ? ` for each value of ${run.sweep.toLowerCase()}` : ""}`;
  const rows = [];
  for (const value of run.values.length ? run.values : [null]) {
    const cells = run.cells.filter((cell) => cell.value === value);
    const known = cells.filter((cell) => cell.n).sort((a, b) => b.n - a.n)[0];
    cells.forEach((cell, i) => rows.push(row(cell, i === 0)));
    if (known) {
      rows.push(line("Random action (floor)", value, known.random_return, known.random_ratio));
      rows.push(line("Knows the system (ceiling)", value, known.oracle_return, { value: 1 }));
    }
  }
  table.tBodies[0].replaceChildren(...rows);
}

function at(value) {
  return run.sweep ? make("td", { class: "at" }, number(value, 4)) : null;
}

function row(cell, first) {
  const kind = first ? "first" : "";
  const name = make("th", { scope: "row" }, swatch(cell.look), " ", cell.label);
  if (cell.reason) return make("tr", { class: kind }, at(cell.value), name, make("td", { class: "why", colspan: 5 }, `Cannot act here: ${cell.reason}`));
  const logs = cell.state === "done" ? make("a", { href: `/api/compare/${run.id}/logs/${cell.index}.zip`, download: true, "aria-label": `Logs of ${cell.label}${run.sweep ? ` at ${cell.value}` : ""}` }, "Parquet") : cell.state;
  return make("tr", { class: kind }, at(cell.value), name, estimate(cell.mean_return), estimate(cell.return_ratio), estimate(cell.bayes_ratio, cell.above_one), make("td", {}, (cell.n ?? 0).toLocaleString("en")), make("td", {}, logs));
}

function line(name, value, returns, ratio) {
  return make("tr", { class: "line" }, at(value), make("th", { scope: "row" }, name), estimate(returns), estimate(ratio), make("td", {}), make("td", {}), make("td", {}));
}

function estimate(found, note = null) {
  if (!found || found.value === null) return make("td", { title: found?.reason ?? "" }, found?.reason ? make("small", { class: "note" }, found.reason) : "–");
  const known = Number.isFinite(found.low) && found.low < found.high;
  const range = !known ? null : make("small", {}, ` [${fixed(found.low)}, ${fixed(found.high)}]`);
  return make("td", { title: found.reason ?? "" }, fixed(found.value), range, note && make("small", { class: "note" }, note));
}

function fixed(value) {
  return value.toFixed(3).replace("-", "−");
}

function isDark() {
  return getComputedStyle(document.documentElement).colorScheme === "dark";
}

function showFigure(open) {
  $("figure").hidden = !run.cells.some((cell) => cell.n);
  const width = Math.min(data.widest, Math.max(data.narrowest, 20 * Math.floor($("figure").clientWidth / 20)));
  const state = JSON.stringify([run.id, run.state, sum(run.cells, "done"), isDark(), width]);
  if ($("figure").hidden || state === drawn.of || (open && performance.now() - drawn.at < REDRAW)) return;
  drawn = { at: performance.now(), of: state };
  // Shown only once it is there, so that the page does not jump.
  const next = new Image();
  next.onload = () => ($("plot").src = next.src);
  next.src = `/api/compare/${run.id}/figure.svg?dark=${isDark()}&width=${width}&v=${encodeURIComponent(state)}`;
  $("plot").alt = figureInWords();
}

function figureInWords() {
  const ends = run.players.map((label) => {
    const found = run.cells.filter((cell) => cell.label === label && cell.return_ratio?.value != null);
    const said = found.map((cell) => (run.sweep ? `${fixed(cell.return_ratio.value)} at ${number(cell.value, 4)}` : fixed(cell.return_ratio.value)));
    return `${label}: ${said.join(", ") || "no value"}`;
  });
  return `Return ratio${run.sweep ? ` against ${run.sweep.toLowerCase()}` : ""}. ${ends.join("; ")}. Intervals are in the table.`;
}

function showDownloads() {
  if ($("downloads").dataset.of === run.id) return;
  $("downloads").dataset.of = run.id;
  const files = [["Data (CSV)", "data.csv"], ["Data (JSON)", "data.json"], ["Figure (SVG)", "figure.svg?download=true"], ["Figure (PNG)", "figure.png"]];
  $("downloads").replaceChildren(...files.map(([name, file]) => make("a", { class: "button", href: `/api/compare/${run.id}/${file}`, download: true }, name)));
}

function showCommands() {
  const lines = run.cells.filter((cell) => cell.command && !cell.reason).map((cell) => cell.command);
  const folders = lines.map((text) => text.slice(text.lastIndexOf(" ") + 1));
  if (lines.length) lines.push(`seedo review ${folders.join(" ")} --out compare/report.html`);
  $("no-commands").hidden = !run.drawn;
  $("copy").hidden = $("lines").hidden = !lines.length;
  if ($("lines").textContent !== lines.join("\n")) $("lines").textContent = lines.join("\n");
}

async function list() {
  const { comparisons } = await ask("GET", "/api/compare");
  $("earlier").hidden = !comparisons.length;
  $("list").replaceChildren(
    ...comparisons.slice(0, 30).map((each) => {
      const when = new Date(1000 * each.created).toLocaleString();
      const what = each.sweep ? `${each.sweep}: ${each.values.join(", ")}` : "one world";
      const here = run && run.id === each.id;
      return make("li", {}, make("a", { href: `/compare?id=${each.id}`, "aria-current": here ? "true" : null }, `${what}; ${each.players.join(", ")}`), make("span", { class: "soft small" }, ` ${each.episodes.toLocaleString("en")} episodes, ${each.state}, ${when}`));
    }),
  );
}

// ---- the page

for (const [name, sweep] of Object.entries(data.sweeps)) $("sweep").append(make("option", { value: name }, sweep.label));
$("sweep").addEventListener("change", chooseSweep);
for (const id of ["values", "episodes"]) $(id).addEventListener("input", update);
$("form").addEventListener("submit", start);
$("cancel").addEventListener("click", async () => {
  run = await ask("POST", `/api/compare/${run.id}/cancel`);
  show();
});
$("continue").addEventListener("click", async () => {
  run = await ask("POST", `/api/compare/${run.id}/continue`);
  show();
  follow();
});
$("delete").addEventListener("click", async () => {
  if (!confirm("Delete this comparison and its logs?")) return;
  await ask("DELETE", `/api/compare/${run.id}`);
  run = null;
  history.replaceState(null, "", `/compare?s=${data.code}`);
  show();
  list();
});
$("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("lines").textContent);
  say("Copied.");
});
new ResizeObserver(() => run && showFigure(OPEN.includes(run.state))).observe($("results"));
new MutationObserver(() => run && show()).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => run && show());

if (data.asked) {
  $("sweep").value = data.asked.sweep;
  chooseSweep();
  $("values").value = data.asked.values.join(", ");
  $("episodes").value = data.asked.episodes;
  $("seed").value = data.asked.seed;
}
show();
offer();
list();
if (run) follow();
