// The tour: two real games on one system, the first by correlation, the second by experiment.
import { action, ask, data, make, number } from "./lab.js";

const $ = (id) => document.getElementById(id);
const signed = (value) => (value > 0 ? "+" : "") + number(value);
const STEPS = 5;
let asking = false;

/** Show a step: its number, heading and text; the heading gets the focus, so that it is read out. */
function step(number_, title, told) {
  $("at").textContent = `Step ${number_} of ${STEPS}`;
  $("step-title").textContent = title;
  $("told").textContent = told;
  $("result").textContent = "";
  $("ask").textContent = "";
  $("shown").replaceChildren();
  if (number_ > 1) $("step-title").focus();
}

function choices(question, ...buttons) {
  $("ask").textContent = question;
  $("choices").replaceChildren(...buttons);
}

const button = (text, onclick, kind = "") => make("button", { type: "button", class: kind, onclick: () => once(onclick) }, text);

/** One answer at a time, however often somebody presses. */
async function once(work) {
  if (asking) return;
  asking = true;
  try {
    await work();
  } finally {
    asking = false;
  }
}

/** A button for every setting of every variable but the goal. */
function settings(state, goal, chosen) {
  return state.names.flatMap((name, i) => (i === goal ? [] : state.values[i].map((value) => button(`${name} to ${signed(value)}`, () => chosen(i, value)))));
}

async function open(code) {
  const { game } = await ask("POST", "/api/play", { s: code });
  const base = `/api/play/${game}`;
  return { base, state: await ask("GET", base) };
}

const act = ({ base }, state, target, value) => ask("POST", `${base}/steps`, { step: state.step, target, value });

// -- the steps ------------------------------------------------------------------------------------

async function look() {
  const game = await open(data.first);
  const state = await ask("POST", `${game.base}/look`);
  const goal = state.goal;
  const name = state.names[goal];
  step(1, "What goes together", `Here are ${state.rows.length} rows of what happens by itself, nobody touching anything. Your goal: make ${name} as high as you can, by setting one other variable.`);
  const others = state.names.map((_, i) => i).filter((i) => i !== goal);
  $("shown").replaceChildren(...others.map((i) => scatter(state, i, goal)));
  const most = others.reduce((best, i) => (Math.abs(r(state, i, goal)) > Math.abs(r(state, best, goal)) ? i : best));
  $("result").textContent = `${state.names[most]} and ${name} go together most (r = ${number(r(state, most, goal))}): where one is high, so is the other.`;
  choices(`From this alone: what would you set, to raise ${name}?`, ...settings(state, goal, (i, value) => guessed(game, state, i, value)));
}

async function guessed(game, before, target, value) {
  await act(game, before, target, value);
  const [{ tries }, { sight }] = await Promise.all([
    ask("GET", `${game.base}/end?others=false`),
    ask("POST", "/api/build/look", { scenario: data.system }),
  ]);
  const [{ worth, goal }] = tries;
  const { names } = before;
  const { guess } = sight;
  const fell = guess.target === target && guess.value === value;
  step(2, fell ? "The correlation was wrong" : "What comes of it", fell ? `The rows said: raise ${names[target]}, and ${names[goal]} goes up. It goes down.` : `You did not do what the rows say. They say: ${action(names, guess.target, guess.value)}.`);
  const rows = [{ target, value, worth, who: "you" }, ...(fell ? [] : [{ ...guess, who: "the correlation" }])];
  $("shown").replaceChildren(make("table", {}, make("thead", {}, make("tr", {}, ...["Setting", `${names[goal]} on average`, "Choice of"].map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, make("td", {}, `${names[row.target]} to ${signed(row.value)}`), make("td", {}, number(row.worth)), make("td", {}, row.who))))));
  $("result").textContent = `${names[guess.target]} at ${signed(guess.value)} brings ${names[goal]} to ${number(guess.worth)} on average. Something that you cannot see lifts both, so they rise together; ${names[guess.target]} itself pulls ${names[goal]} down.`;
  choices("Setting a variable cuts off whatever usually drives it: an experiment shows what it does itself.", button("Experiment", () => experiment(), "primary"));
}

async function experiment() {
  const game = await open(data.second);
  let state = game.state;
  const { names } = state;
  const goal = names.length - 1;
  const all = state.phases.filter((phase) => phase === "explore").length;
  step(3, "Experiment", `The same system. Set a variable and see what ${names[goal]} does; ${all} times. Chance moves ${names[goal]} too, so try both ends of the same variable, and more than once.`);
  const shown = () => {
    $("shown").replaceChildren(strips(state, goal));
    choices(`${state.step} of ${all} done`, ...settings(state, goal, async (i, value) => {
      state = await act(game, state, i, value);
      const row = state.rows.at(-1);
      const told = `${names[i]} set to ${signed(value)}: ${names[goal]} is ${number(row.outcome[goal])}.`;
      if (state.phase !== "exploit") {
        shown();
        $("result").textContent = told;
      } else {
        raise(game, state, told);
      }
    }));
  };
  shown();
}

function raise(game, state, told) {
  const { names, goal } = state;
  step(4, `Now raise ${names[goal]}`, `${told} Your experiments are used up. What do you set, to make ${names[goal]} as high as you can?`);
  $("shown").replaceChildren(strips(state, goal));
  $("result").textContent = means(state, goal).map(({ text, mean }) => `${text}: ${number(mean)} on average`).join("; ");
  choices("This one counts.", ...settings(state, goal, (i, value) => finish(game, state, i, value)));
}

async function finish(game, state, target, value) {
  await act(game, state, target, value);
  const { tries, verdict, graph } = await ask("GET", `${game.base}/end?others=false`);
  const [{ worth, best, most, chosen }] = tries;
  const { names, goal } = state;
  const won = worth > 0;
  step(5, won ? "That is what experiments are for" : "Not yet", won && worth < most - 1e-3 ? `It works: ${names[chosen[0]]} at ${signed(chosen[1])} raises ${names[goal]}. Best would have been ${names[best[0]]} at ${signed(best[1])}.` : won ? `You found the best there is: ${names[best[0]]} at ${signed(best[1])}.` : "Try the experiments again: set both ends of the variable that you doubt.");
  $("result").textContent = verdict;
  const said = graph.edges.map((edge) => `${edge.from < names.length ? graph.names[edge.from] : "something hidden"} → ${graph.names[edge.to]} (${signed(edge.weight)})`);
  $("shown").replaceChildren(make("p", {}, `The system was: ${said.join(", ")}.`));
  const go = (text, href, kind) => make("a", { class: `button ${kind}`, href }, text);
  const next = [go("Play a game of your own", "/play", won ? "primary" : ""), go("See the system in Build", `/build?s=${data.second}`, ""), go("Watch others on it", `/watch?s=${data.second}`, "")];
  choices("", ...(won ? next : [button("Experiment again", () => experiment(), "primary"), ...next]));
}

// -- pictures -------------------------------------------------------------------------------------

/** Pearson's correlation of two columns of what was seen. */
function r(state, i, j) {
  const [x, y] = [i, j].map((k) => state.rows.map((row) => row.outcome[k]));
  const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
  const [mx, my] = [mean(x), mean(y)];
  const sum = (f) => x.reduce((total, _, t) => total + f(t), 0);
  return sum((t) => (x[t] - mx) * (y[t] - my)) / Math.sqrt(sum((t) => (x[t] - mx) ** 2) * sum((t) => (y[t] - my) ** 2));
}

function scatter(state, i, goal) {
  const points = state.rows.map((row) => [row.outcome[i], row.outcome[goal]]);
  const most = [0, 1].map((k) => Math.max(...points.map((point) => Math.abs(point[k]))));
  const at = (value, k) => 100 + (88 * value) / most[k];
  const said = `${state.names[goal]} against ${state.names[i]}, ${points.length} rows, correlation ${number(r(state, i, goal))}`;
  const svg = make("svg", { viewBox: "0 0 200 200", role: "img", "aria-label": said },
    make("rect", { x: 1, y: 1, width: 198, height: 198, class: "frame" }),
    make("line", { x1: 100, x2: 100, y1: 4, y2: 196, class: "axis" }), make("line", { x1: 4, x2: 196, y1: 100, y2: 100, class: "axis" }),
    ...points.map(([x, y]) => make("circle", { cx: at(x, 0), cy: 200 - at(y, 1), r: 3, class: "dot" })),
    make("text", { x: 194, y: 114, "text-anchor": "end" }, state.names[i]), make("text", { x: 105, y: 16 }, state.names[goal]));
  return make("figure", {}, svg, make("figcaption", {}, `${state.names[i]} and ${state.names[goal]}: r = ${number(r(state, i, goal))}`));
}

/** What followed every setting that was tried, and its mean. */
function means(state, goal) {
  const found = new Map();
  for (const row of state.rows) {
    if (row.target < 0) continue;
    const text = `${state.names[row.target]} at ${signed(row.value)}`;
    found.set(text, [...(found.get(text) ?? []), row.outcome[goal]]);
  }
  return [...found].sort().map(([text, values]) => ({ text, values, mean: values.reduce((a, b) => a + b, 0) / values.length }));
}

function strips(state, goal) {
  const rows = means(state, goal);
  if (!rows.length) return make("p", { class: "soft" }, "Nothing tried yet.");
  const most = Math.max(...rows.flatMap((row) => row.values.map(Math.abs)), 1);
  const x = (value) => 230 + (120 * value) / most;
  const height = 24 * rows.length + 20;
  const said = rows.map((row) => `${row.text}: ${row.values.map((v) => number(v)).join(", ")}`).join("; ");
  const svg = make("svg", { viewBox: `0 0 360 ${height}`, role: "img", "aria-label": `${state.names[goal]} after each setting. ${said}` },
    make("line", { x1: 230, x2: 230, y1: 4, y2: height - 16, class: "axis" }), make("text", { x: 230, y: height - 2, "text-anchor": "middle" }, `0 of ${state.names[goal]}`),
    ...rows.flatMap((row, k) => {
      const y = 16 + 24 * k;
      return [make("text", { x: 0, y: y + 4 }, row.text), ...row.values.map((value) => make("circle", { cx: x(value), cy: y, r: 4, class: value < 0 ? "dot low" : "dot" })), make("line", { x1: x(row.mean), x2: x(row.mean), y1: y - 9, y2: y + 9, class: "mean" })];
    }));
  return make("figure", {}, svg, make("figcaption", {}, `What ${state.names[goal]} was after each setting; bar: mean.`));
}

await once(look);
