// What every page's script needs: talking to the lab, making elements, saying things.

export const data = JSON.parse(document.getElementById("data").textContent);
const csrf = document.querySelector("meta[name=csrf]").content;

/** Ask the lab. A refusal is said on the page and thrown as an Error with `field`. */
export async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: { "X-CSRF-Token": csrf, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    say("The lab does not answer. Is it still running?", true);
    throw new Error("no answer");
  }
  const answer = await response.json().catch(() => ({ error: `The lab answered ${response.status}.` }));
  if (!response.ok) {
    say(answer.error, true);
    throw Object.assign(new Error(answer.error), { field: answer.field, status: response.status });
  }
  return answer;
}

const READ = 5000; // milliseconds until a plain message has been read
let reading = null;

/**
 * A line for everyone, screen readers included. It lies over the foot of the window until it has been
 * read: then, or as soon as the page is scrolled, it goes to its place below the page.
 */
export function say(text, wrong = false) {
  const line = document.getElementById("said");
  line.textContent = text;
  line.classList.toggle("refusal", wrong);
  line.classList.remove("read");
  clearTimeout(reading);
  if (!wrong) reading = setTimeout(() => line.classList.add("read"), READ);
}

addEventListener("scroll", () => document.getElementById("said").classList.add("read"), { passive: true });

/** An element: make("button", {type: "button", onclick: f, class: "x"}, "text", child, [more], ...). */
export function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "path", "circle", "line", "text", "rect", "title", "polyline", "defs", "marker"];
  const element = svg.includes(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** A number as people read it: at most two decimals, a true minus sign; "–" for none. */
export function number(value, decimals = 2) {
  if (value === null || value === undefined) return "–";
  return Number(value).toFixed(decimals).replace(/\.?0+$/, "").replace(/^-0$/, "0").replace("-", "−");
}

/** do(A = 2) in words. */
export function action(names, target, value) {
  return target < 0 ? "only look" : `set ${names[target]} to ${number(value)}`;
}
