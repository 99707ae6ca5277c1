// How experimenters are drawn: each has its colour, marker and dash from the lab, on every page.
import { make } from "./lab.js";

const MARKERS = {
  o: "M 4 0 A 4 4 0 1 1 -4 0 A 4 4 0 1 1 4 0 Z",
  s: "M -3.5 -3.5 H 3.5 V 3.5 H -3.5 Z",
  D: "M 0 -5 L 5 0 L 0 5 L -5 0 Z",
  "^": "M 0 -4.5 L 4.5 3.5 H -4.5 Z",
  v: "M 0 4.5 L 4.5 -3.5 H -4.5 Z",
  P: "M -1.5 -4.5 H 1.5 V -1.5 H 4.5 V 1.5 H 1.5 V 4.5 H -1.5 V 1.5 H -4.5 V -1.5 H -1.5 Z",
  X: "M -4 -2 L -2 -4 L 0 -2 L 2 -4 L 4 -2 L 2 0 L 4 2 L 2 4 L 0 2 L -2 4 L -4 2 L -2 0 Z",
  "*": "M 0 -5 L 1.2 -1.6 L 4.8 -1.5 L 1.9 0.6 L 2.9 4 L 0 2 L -2.9 4 L -1.9 0.6 L -4.8 -1.5 L -1.2 -1.6 Z",
};

/** Give what is in an element the player's colour as --who. */
export function dress(element, look) {
  element.classList.add("who");
  element.style.setProperty("--who-light", look.light);
  element.style.setProperty("--who-dark", look.dark);
  return element;
}

/** The player's line and marker, for a legend or beside a name. */
export function swatch(look) {
  const line = make("line", { x1: 1, y1: 6, x2: 35, y2: 6, "stroke-dasharray": dashes(look) });
  return dress(make("svg", { class: "swatch", viewBox: "0 0 36 12", "aria-hidden": "true" }, line, marker(look, 18, 6)), look);
}

export function marker(look, x, y) {
  return make("path", { class: "marker", d: MARKERS[look.marker], transform: `translate(${x} ${y})` });
}

/** Of a line two units wide. */
export function dashes(look) {
  return look.dash.map((length) => 1.6 * length).join(" ") || null;
}
