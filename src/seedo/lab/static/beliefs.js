// Beliefs about arrows beside the truth: which are drawn, how, what the styles mean.
import { make } from "./lab.js";

const SHOWN = 0.05; // least probability of an arrow that is drawn

/**
 * Arrows for drawGraph, in colour and dash by the truth where it is known.
 *
 * likely: [[from, to, p], ...]; truth: [[from, to, ...], ...] between the variables, or null: unknown.
 */
export function arrows(likely, truth) {
  const real = (i, j) => truth.some(([from, to]) => from === i && to === j);
  const drawn = likely
    .filter(([, , p]) => p >= SHOWN)
    .map(([from, to, p]) => ({ from, to, strength: p, style: truth ? (real(from, to) ? "right" : "wrong") : "belief" }));
  const missed = (truth ?? [])
    .filter(([from, to]) => !drawn.some((edge) => edge.from === from && edge.to === to))
    .map(([from, to]) => ({ from, to, strength: 0.35, style: "truth" }));
  return [...drawn, ...missed];
}

/** How many of the likely arrows are true, in words. */
export function tally(likely, truth) {
  const held = likely.filter(([, , p]) => p >= 0.5);
  if (!truth) return `${held.length} arrow${held.length === 1 ? "" : "s"} more likely than not`;
  const right = held.filter(([i, j]) => truth.some(([from, to]) => from === i && to === j)).length;
  return `${right} of ${truth.length} true arrows more likely than not, ${held.length - right} false`;
}

/** What the styles of `arrows` mean. */
export function key(truth) {
  const sample = (style, text) => {
    const picture = make("svg", { viewBox: "0 0 36 10", "aria-hidden": "true" }, make("g", { class: `edge ${style}` }, make("path", { class: "line", d: "M 1 5 L 28 5", "stroke-width": 2.5 }), make("path", { class: "head", d: "M 35 5 L 26 1 L 26 9 Z" })));
    return make("li", {}, picture, text);
  };
  const styles = truth
    ? [sample("right", "believed and true"), sample("wrong", "believed and false"), sample("truth", "true and not believed")]
    : [sample("belief", "believed; the truth is not known")];
  return make("ul", { class: "key" }, ...styles, make("li", {}, `The stronger an arrow, the more probable; drawn from ${100 * SHOWN} %.`));
}
