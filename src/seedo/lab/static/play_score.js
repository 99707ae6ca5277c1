// Everyone’s score at the end of a game.
import { make, number } from "./lab.js";
import { dress, swatch } from "./players.js";

const $ = (id) => document.getElementById(id);

/** What a rival is called where there is little room. */
export const short = (rival) => rival.label.replace(/ \(.*/, "");

/** The same after its line and marker. */
export const titled = (rival) => [swatch(rival.look), ` ${short(rival)}`];

/** Everyone's returns as bars, the highest first; `note` says what they are. */
export function score(state, end, note) {
  $("score-note").textContent = note;
  const lines = [
    ...(end.score.best === null ? [] : [{ label: "Best possible (knows the system)", returns: end.score.best, kind: "best" }]),
    { label: "You", returns: end.score.you, kind: "you" },
    ...end.speakers.filter((one) => one.returns !== null).map((one) => ({ ...one, kind: "language" })),
    ...end.challengers.map(({ who, returns }) => ({ label: `${who} (challenge)`, returns, kind: "challenger" })),
    ...end.rivals.filter((rival) => !rival.why_not && rival.returns !== null),
  ];
  const values = [0, ...lines.map((one) => one.returns)];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const at = (value) => (100 * (value - low)) / (high - low || 1);
  // The sort keeps the order of equals.
  const known = lines.sort((a, b) => b.returns - a.returns || (a.kind === "best" ? -1 : 0)).map((one) => {
    const bar = make("span", { class: "bar" });
    bar.style.left = `${at(Math.min(0, one.returns))}%`;
    bar.style.width = `${Math.abs(at(one.returns) - at(0))}%`;
    const zero = make("span", { class: "zero" });
    zero.style.left = `${at(0)}%`;
    const name = one.kind === "you" ? "▸ You" : one.look ? [swatch(one.look), ` ${one.label}`] : one.label;
    const line = make("li", { class: one.kind, "data-who": one.name ?? one.kind }, make("span", {}, name), make("span", { class: "track", "aria-hidden": "true" }, bar, zero), make("span", { class: "value" }, number(one.returns)));
    return one.look ? dress(line, one.look) : line;
  });
  const others = end.rivals.filter((rival) => rival.why_not || rival.returns === null);
  const rest = others.map((rival) => make("li", { class: "cannot", "data-who": rival.name }, make("span", {}, titled(rival)), make("span", {}, rival.why_not ? `cannot play here: ${rival.why_not}` : "preparing…")));
  $("score").replaceChildren(...known, ...rest);
}
