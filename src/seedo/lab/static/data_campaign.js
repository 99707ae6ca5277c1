// A campaign: runs are proposed one after another, and what came of each is written down.
import { ask, make, say } from "./lab.js";
import { $, address, figure, fill, show, table, whenOpened, work } from "./data_table.js";

const form = $("#begin");
const value = (one) => (typeof one === "number" ? figure(one) : `${one ?? "–"}`);
const words = (setting) => Object.entries(setting).map(([name, one]) => `${name} = ${value(one)}`).join(", ");

whenOpened((found) => {
  const before = new Set(chosen());
  $("#knobs").replaceChildren(...found.variables.map((name) => make("label", { class: "check" }, make("input", { type: "checkbox", value: name, checked: before.has(name) }), name)));
  fill(form.elements.outcome, found.variables, found.variables.at(-1));
  form.querySelector("button").disabled = Boolean(found.error);
  showCampaign(found.campaign, found.campaign_error);
});

function chosen() {
  return [...$("#knobs").querySelectorAll("input:checked")].map((box) => box.value);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { outcome, aim, budget } = form.elements;
  if (!chosen().length) {
    say("Choose at least one knob: what can be set.", true);
    return;
  }
  say("");
  change(await ask("POST", address("/campaign"), { knobs: chosen(), outcome: outcome.value, aim: aim.value, budget: Number(budget.value) }));
  await next();
});

function change(campaign) {
  table().campaign = campaign;
  showCampaign(campaign, "");
}

async function next() {
  const found = await work("/campaign/next");
  if (found) change(found);
}

function showCampaign(campaign, error) {
  form.hidden = Boolean(campaign || error);
  $("#campaign").hidden = !campaign && !error;
  if (!campaign) {
    $("#campaign").replaceChildren(make("p", { class: "damage" }, error));
    return;
  }
  const goal = campaign.goals[0];
  const waiting = campaign.runs.filter((run) => run.state === "waits");
  const parts = [
    make("p", {}, `${campaign.made} of ${campaign.budget} runs made, to ${goal.aim} ${goal.reading} by ${campaign.knobs.map((knob) => knob.name).join(", ")}; chosen by ${campaign.player}.`),
    ...campaign.earlier.map((line) => make("p", { class: "small soft" }, line)),
    ...waiting.map((run) => waitingRun(run, campaign)),
  ];
  if (campaign.finished) parts.push(make("p", {}, `It is over: ${campaign.finished}.`));
  else if (!waiting.length) parts.push(make("button", { type: "button", class: "primary", onclick: next }, "Propose the next run"));
  const done = campaign.runs.filter((run) => run.state !== "waits");
  if (done.length) parts.push(runsTable(done, campaign), make("p", { class: "row" }, make("button", { type: "button", onclick: report }, "What was found so far")), make("div", { id: "found", role: "status" }));
  parts.push(
    make("p", { class: "small" }, "On the command line: ", make("code", {}, campaign.command)),
    make("p", { class: "row" }, make("button", { type: "button", class: "quiet", onclick: remove }, "Delete this campaign")));
  $("#campaign").replaceChildren(...parts);
}

function waitingRun(run, campaign) {
  const boxes = campaign.readings.map((name) => make("label", {}, name, make("input", { type: "text", "data-reading": name, inputmode: "decimal", autocomplete: "off", maxlength: 40 })));
  return make("form", {
    class: "proposal",
    onsubmit: async (event) => {
      event.preventDefault();
      const readings = {};
      for (const box of event.target.querySelectorAll("[data-reading]")) {
        const text = box.value.trim().replace("−", "-");
        if (text === "") continue;
        if (!Number.isFinite(Number(text))) {
          say(`${box.dataset.reading}: got “${text}”; give a number, or leave it empty.`, true);
          return;
        }
        readings[box.dataset.reading] = Number(text);
      }
      if (!Object.keys(readings).length) {
        say("Give what was read, or say that the run failed.", true);
        return;
      }
      await tell({ run: run.run, readings, state: "done" });
    },
  }, make("h3", {}, `Run ${run.run + 1}: set ${words(run.setting)}`), make("div", { class: "cells" }, ...boxes),
  make("div", { class: "row" }, make("button", { class: "primary" }, "Keep it and propose the next"),
    make("button", { type: "button", onclick: () => tell({ run: run.run, state: "failed" }) }, "The run failed"),
    make("button", { type: "button", class: "quiet", onclick: () => tell({ run: run.run, state: "skipped" }) }, "It was not made")));
}

async function tell(result) {
  say("");
  const campaign = await ask("POST", address("/campaign/runs"), result);
  change(campaign);
  if (!campaign.finished && !campaign.runs.some((run) => run.state === "waits")) await next();
}

function runsTable(runs, campaign) {
  const names = campaign.knobs.map((knob) => knob.name);
  const head = ["Run", ...names, ...campaign.readings, "State"];
  const rows = runs.slice(-100).map((run) => make("tr", {}, make("td", {}, `${run.run + 1}`), ...names.map((name) => make("td", { class: "set" }, value(run.setting[name]))), ...campaign.readings.map((name) => make("td", {}, value(run.readings[name]))), make("td", { class: "word" }, run.state)));
  return make("div", { class: "scroll tall", tabindex: 0, role: "region", "aria-label": "Runs of the campaign" },
    make("table", {}, make("thead", {}, make("tr", {}, ...head.map((name) => make("th", { scope: "col" }, name)))), make("tbody", {}, ...rows)));
}

async function report() {
  const found = await work("/campaign/found");
  if (!found) return;
  const parts = [];
  if (found.best) {
    const expected = found.best.expected.map((one) => `${one.reading} ${value(one.value)}${one.low === null ? "" : ` (${value(one.low)} to ${value(one.high)})`}, ${one.by}`).join("; ");
    parts.push(make("p", { class: "said-line" }, `To keep: ${found.best.words}. ${expected}.`));
  }
  for (const effect of found.effects) parts.push(make("p", { class: "small" }, effect.answer));
  for (const line of [...found.between, ...found.notes]) parts.push(make("p", { class: "damage" }, line));
  $("#found").replaceChildren(...(parts.length ? parts : [make("p", {}, "Nothing yet: no run has a result.")]));
}

async function remove() {
  if (!confirm("Delete this campaign with all its runs?")) return;
  await ask("DELETE", address("/campaign"));
  show(await ask("GET", address()));
}
