// What raw worlds show: a picture, signals as lines, numbers as bars, or a line of words.
import { make, number } from "./lab.js";

const WIDTH = 192;
const ROW = 26; // height of a signal
const HEIGHT = 96; // of bars

/** How far lines and bars reach in any of these, so that all are drawn to one scale. */
export function span(list) {
  const numbers = list.flatMap((shown) => shown?.bars ?? shown?.lines?.flat() ?? []);
  return Math.max(1e-6, ...numbers.map(Math.abs));
}

/** An element that shows it; `said` is its text for those who cannot see it. */
export function raw(shown, said, most) {
  if (shown.text !== undefined) return make("p", { class: "raw" }, shown.text);
  if (shown.picture) return make("img", { class: "raw", src: shown.picture, alt: said, width: 160, height: 160 });
  return shown.lines ? lines(shown.lines, said, most) : bars(shown.bars, said, most);
}

function frame(height, said, ...parts) {
  return make("svg", { class: "raw", viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": said }, ...parts);
}

function lines(list, said, most) {
  const parts = list.flatMap((samples, k) => {
    const middle = ROW * (k + 0.5);
    const at = (value, t) => `${((WIDTH * t) / (samples.length - 1)).toFixed(1)},${(middle - (0.46 * ROW * value) / most).toFixed(1)}`;
    return [make("line", { x1: 0, x2: WIDTH, y1: middle, y2: middle, class: "axis" }), make("polyline", { points: samples.map(at).join(" ") })];
  });
  return frame(ROW * list.length, `${said}, ${list.length} signals`, ...parts);
}

function bars(list, said, most) {
  const wide = WIDTH / list.length;
  const middle = HEIGHT / 2;
  const parts = list.map((value, k) => {
    const high = Math.max(0.5, (0.48 * HEIGHT * Math.abs(value)) / most);
    return make("rect", { x: (k + 0.12) * wide, width: 0.76 * wide, y: value > 0 ? middle - high : middle, height: high, class: value > 0 ? "high" : "low" });
  });
  const axis = make("line", { x1: 0, x2: WIDTH, y1: middle, y2: middle, class: "axis" });
  return frame(HEIGHT, `${said}: ${list.map((value) => number(value, 1)).join(", ")}`, axis, ...parts);
}
