// Where things lie on a page: what is cut off, what covers what. Evaluates to an object of functions;
// each returns its complaints as lines, none if all is well.
(() => {
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const visible = (e) => e.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const all = (selector) => [...document.querySelectorAll(selector)].filter(visible);

  function shown(element) {
    const text = (element.getAttribute?.("aria-label") || element.textContent || "").trim().replace(/\s+/g, " ");
    const id = element.id ? `#${element.id}` : "";
    return `<${element.localName}${id}> ${text.slice(0, 40)}`;
  }

  /** The page itself never scrolls sideways. */
  function page() {
    const [most, found] = [document.documentElement.clientWidth, document.scrollingElement.scrollWidth];
    if (found <= most) return [];
    const guilty = all("body *").filter((e) => e.getBoundingClientRect().right > most + 1 && !e.closest(".scroll, pre"));
    return [`the page is ${found} px wide in ${most}: ${guilty.slice(0, 3).map(shown).join("; ")}`];
  }

  const scrolls = (style) => ["auto", "scroll"].includes(style.overflowX);

  function* writing() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!node.textContent.trim() || element.closest("script, style, title, option, select, textarea, template, .skip")) continue;
      if (!visible(element)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      yield [element, [...range.getClientRects()].filter((box) => box.width > 0 && box.height > 0)];
    }
  }

  /** No text is cut off: neither by a box that hides what does not fit, nor by the window's edge. */
  function cut() {
    const lines = [];
    const most = document.documentElement.clientWidth;
    for (const [element, boxes] of writing()) {
      let frame = element;
      let hidden = null;
      for (; frame && !scrolls(getComputedStyle(frame)); frame = frame.parentElement) {
        const style = getComputedStyle(frame);
        const inline = style.display === "inline" || (frame instanceof SVGElement && frame.localName !== "svg");
        if (inline || style.overflowX === "visible" || frame === document.documentElement || frame === document.body) continue;
        const edge = frame.getBoundingClientRect();
        if (edge.width < 2 || edge.height < 2) break; // for screen readers alone
        hidden = boxes.find((box) => box.left < edge.left - 1 || box.right > edge.right + 1 || box.top < edge.top - 2 || box.bottom > edge.bottom + 2);
        if (hidden) break;
      }
      if (!frame || frame === document.documentElement) hidden = boxes.find((box) => box.left < -1 || box.right > most + 1);
      if (hidden) lines.push(`cut: ${shown(element)}`);
    }
    for (const field of all("input:not([type=range], [type=checkbox], [type=radio], [type=file]), select")) {
      if (!field.readOnly && field.localName !== "select" && field.value && field.scrollWidth > field.clientWidth + 1) lines.push(`cut: ${shown(field)} ${field.value}`);
    }
    return lines;
  }

  /** On a wide window no table has to be scrolled sideways. */
  function tables() {
    if (innerWidth < 1280) return [];
    return all("table").filter((table) => {
      const frame = table.closest(".scroll");
      return frame && frame.scrollWidth > frame.clientWidth + 1;
    }).map((table) => `does not fit: ${shown(table)}`);
  }

  /** No text lies on other text. */
  function overlaps() {
    const boxes = [];
    for (const [element, rects] of writing()) {
      if (element.closest("svg, dialog")) continue;
      for (const box of rects) boxes.push([element, box]);
    }
    boxes.sort((a, b) => a[1].top - b[1].top);
    const lines = new Set();
    for (let i = 0; i < boxes.length; i++) {
      const [one, a] = boxes[i];
      for (let j = i + 1; j < boxes.length && boxes[j][1].top < a.bottom - 3; j++) {
        const [other, b] = boxes[j];
        if (one === other || one.contains(other) || other.contains(one)) continue;
        const [wide, high] = [Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)];
        if (wide > 3 && high > 3 && !lifted(one) && !lifted(other) && !clipped(one, a) && !clipped(other, b)) lines.add(`text on text: ${shown(one)} and ${shown(other)}`);
      }
    }
    return [...lines];
  }

  const lifted = (element) => over(element) !== null;

  /** What has been scrolled out of its box. */
  function clipped(element, box) {
    for (let e = element.parentElement; e && e !== document.body; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.overflowX === "visible" && style.overflowY === "visible") continue;
      const edge = e.getBoundingClientRect();
      if (box.right > edge.right + 1 || box.left < edge.left - 1 || box.bottom > edge.bottom + 1 || box.top < edge.top - 1) return true;
    }
    return false;
  }

  /** What of an element's surroundings floats above the page. */
  function over(element) {
    for (let e = element; e && e !== document.body; e = e.parentElement) {
      const { position } = getComputedStyle(e);
      if (position === "fixed" || (position === "sticky" && !e.closest("table"))) return e;
    }
    return null;
  }

  /** At the top of the page nothing floats above a control, a row or a line; at its end, nothing at its foot. */
  function covered() {
    const lines = new Set();
    const before = scrollY;
    for (const at of [0, document.scrollingElement.scrollHeight]) {
      scrollTo({ top: at, behavior: "instant" });
      for (const element of [...all(CONTROLS), ...all("tr, main p, main li")]) {
        const box = element.getBoundingClientRect();
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        if (box.width < 1 || x < 0 || x > innerWidth || y < 0 || y > innerHeight) continue;
        const top = document.elementFromPoint(x, y);
        const above = top && !element.contains(top) && !top.contains(element) ? over(top) : null;
        const passing = at > 0 && above && above.getBoundingClientRect().top < innerHeight / 2; // scrolls on below it
        if (above && !passing && !above.contains(element)) lines.add(`${shown(above)} covers ${shown(element)}`);
      }
    }
    scrollTo({ top: before, behavior: "instant" });
    return [...lines];
  }

  return { all: () => [page, cut, tables, overlaps, covered].flatMap((check) => check()) };
})();
