// What can be told of a page's accessibility from inside it. Evaluates to an object of functions;
// each returns its complaints as lines, none if all is well.
(() => {
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  const visible = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const all = (selector, root = document) => [...root.querySelectorAll(selector)].filter(visible);
  const controls = () => all(CONTROLS).filter((element) => !element.disabled && element.tabIndex >= 0);

  function shown(element) {
    const text = (element.getAttribute("aria-label") || element.textContent || "").trim().replace(/\s+/g, " ");
    const id = element.id ? `#${element.id}` : "";
    const type = element.type ? `[${element.type}]` : "";
    return `<${element.localName}${id}${type}> ${text.slice(0, 40)}`;
  }

  function rgba(color) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  }

  const over = ([r, g, b, a], under) => [r, g, b].map((c, i) => a * c + (1 - a) * under[i]);

  function luminance(rgb) {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function ratio(one, other) {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }

  const paper = () => over(rgba(getComputedStyle(document.documentElement).backgroundColor), [255, 255, 255]);

  function chain(element) {
    const found = [];
    for (let e = element; e; e = e.parentElement) found.unshift(e);
    return found;
  }

  function behind(element) {
    return chain(element).reduce((under, e) => over(rgba(getComputedStyle(e).backgroundColor), under), paper());
  }

  // What an SVG text stands on: the shapes drawn before it that cover its middle.
  function behindDrawn(text) {
    const box = text.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const svg = text.ownerSVGElement;
    let under = behind(svg.parentElement);
    for (const shape of svg.querySelectorAll("circle, rect, ellipse")) {
      if (!(shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING)) continue;
      const s = shape.getBoundingClientRect();
      if (x < s.left || x > s.right || y < s.top || y > s.bottom) continue;
      const style = getComputedStyle(shape);
      if (style.fill === "none" || style.pointerEvents === "none" && style.fill === "transparent") continue;
      const [r, g, b, a] = rgba(style.fill);
      under = over([r, g, b, a * style.fillOpacity * style.opacity], under);
    }
    return under;
  }

  function faded(element) {
    return chain(element).reduce((product, e) => product * Number(getComputedStyle(e).opacity), 1);
  }

  function texts() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = new Set();
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (node.textContent.trim() && !element.closest("script, style, title, desc, option, template")) found.add(element);
    }
    return [...found].filter(
      (e) => visible(e) && !e.closest(":disabled, [aria-disabled=true], .skip:not(:focus)") && e.getClientRects().length,
    );
  }

  function contrast() {
    const lines = [];
    for (const element of texts()) {
      // A weak arrow is faint because it is weak; the text that describes the graph says how much.
      if (element.closest("svg .edge")) continue;
      const style = getComputedStyle(element);
      const drawn = element instanceof SVGElement;
      const under = drawn ? behindDrawn(element) : behind(element);
      const [r, g, b, a] = rgba(drawn ? style.fill : style.color);
      const size = parseFloat(style.fontSize);
      const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
      const found = ratio(over([r, g, b, a * faded(element)], under), under);
      if (found < least) lines.push(`contrast ${found.toFixed(2)} < ${least}: ${shown(element)}`);
    }
    for (const element of all("input:not([type=range], [type=checkbox], [type=radio]), select, textarea")) {
      const found = ratio(over(rgba(getComputedStyle(element).borderTopColor), paper()), behind(element.parentElement));
      if (!element.disabled && found < 3) lines.push(`border ${found.toFixed(2)} < 3: ${shown(element)}`);
    }
    return lines;
  }

  function structure() {
    const lines = [];
    const need = (good, line) => good || lines.push(line);
    need(document.documentElement.lang, "no language");
    need(document.title.trim(), "no title");
    need(all("h1").length === 1, `${all("h1").length} h1`);
    need(all("main").length === 1, `${all("main").length} main`);
    need(document.querySelector("[role=status][aria-live]"), "no live region");
    // The words of a participant's screen are the study's; what the screen is for is its heading.
    const first = all("main p")[0];
    const said = first?.classList.contains("lead") && first.textContent.trim();
    need(said || all("#screen > h2").length, `first paragraph is no lead: ${first?.textContent}`);
    let level = 1;
    for (const heading of all("h1, h2, h3, h4, h5, h6")) {
      const next = Number(heading.localName[1]);
      need(next <= level + 1, `from h${level} to h${next}: ${shown(heading)}`);
      level = next;
    }
    for (const element of document.querySelectorAll("[tabindex]")) need(element.tabIndex <= 0, `tabindex ${element.tabIndex}: ${shown(element)}`);
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    for (const id of new Set(ids)) need(ids.indexOf(id) === ids.lastIndexOf(id), `two of #${id}`);
    for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls", "for"])
      for (const element of document.querySelectorAll(`[${attribute}]`))
        for (const id of element.getAttribute(attribute).split(/\s+/))
          need(document.getElementById(id), `${attribute}="${id}" leads nowhere: ${shown(element)}`);
    for (const table of all("table")) need(table.querySelector("th") || table.querySelectorAll("td").length < 2, `table without headings: ${shown(table)}`);
    return lines;
  }

  // At least 24 px, or so far from every other target that a circle of 24 px hits none (WCAG 2.5.8).
  function targets() {
    const found = [];
    for (const element of all("a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button]")) {
      if (element.disabled || element.tabIndex < 0 || element.matches(".skip")) continue;
      const style = getComputedStyle(element);
      if (element.localName === "a" && style.display === "inline" && getComputedStyle(element, "::after").position !== "absolute") continue;
      const boxes = [element, ...(element.labels ?? [])].map((e) => e.getBoundingClientRect());
      const [width, height] = ["width", "height"].map((side) => Math.max(...boxes.map((box) => box[side])));
      found.push({ element, width, height, box: boxes[0], small: width < 23.5 || height < 23.5 });
    }
    const far = (one, other) => {
      const [x, y] = [one.box.x + one.box.width / 2, one.box.y + one.box.height / 2];
      const b = other.box;
      if (other.small) return Math.hypot(x - b.x - b.width / 2, y - b.y - b.height / 2) >= 23.5;
      return Math.hypot(Math.max(b.left - x, 0, x - b.right), Math.max(b.top - y, 0, y - b.bottom)) >= 11.75;
    };
    return found
      .filter((one) => one.small && !found.every((other) => other === one || far(one, other)))
      .map(({ element, width, height }) => `target ${width.toFixed(0)}×${height.toFixed(0)}: ${shown(element)}`);
  }

  function width() {
    const most = document.documentElement.clientWidth;
    const found = document.scrollingElement.scrollWidth;
    if (found <= most) return [];
    const guilty = [...document.body.querySelectorAll("*")].filter(
      (e) => visible(e) && e.getBoundingClientRect().right > most + 1 && !e.closest(".scroll, svg *, .skip"),
    );
    return [`${found} px wide in ${most}: ${guilty.slice(0, 4).map(shown).join("; ")}`];
  }

  function motion() {
    const lines = [];
    for (const element of document.body.querySelectorAll("*")) {
      const style = getComputedStyle(element);
      const moves = style.transitionDuration.split(",").some((time) => parseFloat(time) > 0) || style.animationName !== "none";
      if (moves && visible(element)) lines.push(`moves: ${shown(element)}`);
    }
    return lines;
  }

  // How an element, what is in it and the box around it look: whatever may show the focus.
  function look(element) {
    const near = [element, element.parentElement, ...element.querySelectorAll("*"), ...(element.labels ?? [])];
    return near.map((e) => {
      const s = getComputedStyle(e);
      return [s.outlineStyle === "none" ? "" : s.outlineWidth + s.outlineColor, s.boxShadow, s.borderColor, s.stroke, s.strokeWidth, s.backgroundColor].join("|");
    }).join("\n");
  }

  let kept;
  function beforeFocus() {
    document.activeElement?.blur();
    kept = new Map(controls().map((element) => [element, look(element)]));
    window.scrollTo(0, 0);
    // Tab goes on from where the focus was last: from the very beginning, then.
    const start = document.createElement("span");
    start.tabIndex = -1;
    document.body.prepend(start);
    start.focus();
    start.remove();
  }

  // Called after every Tab: false when the round is over.
  const reached = new Set();
  const lines = [];
  function focused() {
    const element = document.activeElement;
    if (!element || element === document.body || reached.has(element)) return false;
    reached.add(element);
    if (kept.has(element) && kept.get(element) === look(element)) lines.push(`focus not visible: ${shown(element)}`);
    const box = element.getBoundingClientRect();
    if (box.bottom <= 0 || box.top >= innerHeight) lines.push(`focus out of sight: ${shown(element)}`);
    return true;
  }

  function afterFocus() {
    for (const element of controls()) {
      const group = element.type === "radio" && [...reached].some((e) => e.type === "radio" && e.name === element.name);
      if (!reached.has(element) && !group) lines.push(`not reached by Tab: ${shown(element)}`);
    }
    return lines;
  }

  return { structure, contrast, targets, width, motion, beforeFocus, focused, afterFocus };
})();
