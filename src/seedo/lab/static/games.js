// My games: the score over all of them, and each with its way back.
import { ask, data, make, number } from "./lab.js";

const $ = (id) => document.getElementById(id);
const percent = (value) => `${Math.round(100 * value)} %`;

function show({ share, games }) {
  const many = (count) => `${count} ${count === 1 ? "game" : "games"}`;
  const range = share.low === null ? "" : ` (95 % interval ${percent(share.low)} to ${percent(share.high)})`;
  $("share").textContent = !games.length ? "No game yet: the first one takes two minutes."
    : share.value === null ? `${many(games.length)}, of which none has a known best.`
      : `Over ${many(share.games)} you got ${percent(share.value)} of what whoever knows the systems gets${range}.`;
  $("note").textContent = games.length ? `Mean of yours by mean of the best. A system that you had played before counts once, the first time.${share.value !== null && share.low === null ? ` From ${data.fewest} games on, with an interval.` : ""}` : "";
  $("games").hidden = !games.length;
  $("games").tBodies[0].replaceChildren(...games.map((game) => make("tr", {},
    make("td", {}, game.created.slice(0, 16).replace("T", " ")),
    make("td", {}, game.about + (game.again ? " (played before)" : "")),
    ...[game.returns, game.best, game.chance].map((value) => make("td", {}, number(value))),
    make("td", {}, make("a", { href: `/play/${game.game}` }, "result"), " · ", make("a", { href: `/look/log?log=${encodeURIComponent(game.log)}` }, "look back")))));
}

for (;;) {
  const told = await ask("GET", "/api/games");
  show(told);
  if (told.ready) break;
  await new Promise((done) => setTimeout(done, 500));
}
