// The drawing: rows of arrows between lanes, in plain SVG. No library measured draws a growing
// sequence diagram without laying all of it out again for each arrow, and what is needed here is
// lines and words.
//
// Rows are only ever added at the end: a row knows its height before it is drawn, because texts are
// of one size and never measured. What changes where rows are (another width, a new lane, a filter)
// draws everything again.

import { sentenceOf, titleOf } from "./groups.js";
import { laneName } from "./words.js";

const ROW = 44;
const HEAD = 14;
const LINE = 19;
/** Room for a section at the right, where there is some. */
const SPEC = 150;
/** So many pixels more at a time. */
const LEAP = 2000;
/** Characters of the page's font, on average, at 13 px. */
const GLYPH = 6.7;

/** Draws rows into `svg`, which is as wide as the person's screen allows. */
export class Diagram {
  #svg;
  #holder;
  #room = 0;
  #rails = make("g", { class: "rails", "aria-hidden": "true" });
  #rows = make("g", { role: "presentation" });
  #width = 720;
  #lanes = [];
  #bottom = 0;
  #last = null;
  #heads = new Map();
  #told = new Set();

  /** Draws into `svg`, of which `holder` shows the upper part. */
  constructor(svg, holder) {
    this.#svg = svg;
    this.#holder = holder;
    svg.append(this.#rails, this.#rows);
  }

  get rows() {
    return this.#rows;
  }

  /** Begins anew, for a width and lanes. */
  begin(width, lanes) {
    this.#width = width;
    this.#lanes = lanes;
    this.#bottom = this.#room = 0;
    this.#last = null;
    this.#heads = new Map();
    this.#told = new Set();
    this.#rows.replaceChildren();
    this.#rails.replaceChildren(
      ...lanes.map((lane) => make("line", { class: `rail ${lane}`, x1: this.x(lane), x2: this.x(lane) })),
    );
    this.#fit();
  }

  /** Where a lane stands, in pixels. */
  x(lane) {
    const side = this.#isWide ? 56 : 34;
    const room = this.#width - 2 * side - (this.#isWide ? SPEC : 0);
    const steps = Math.max(1, this.#lanes.length - 1);
    return Math.round(side + (Math.max(0, this.#lanes.indexOf(lane)) * room) / steps);
  }

  /** Draws entries below what is there. */
  add(entries) {
    const made = document.createDocumentFragment();
    for (const entry of entries) {
      if (entry.group !== this.#last) made.append(this.#head(entry.group));
      this.#last = entry.group;
      made.append(this.#row(entry));
    }
    this.#rows.append(made);
    this.#fit();
  }

  /** Says what a group turned out to be. */
  rename(group) {
    for (const head of this.#heads.get(group.id) ?? []) this.#write(head, group);
  }

  get height() {
    return this.#bottom;
  }

  get #isWide() {
    return this.#width >= 640;
  }

  /** The drawing grows by leaps, and its holder shows what is drawn: another size of the drawing
   * would lay out every text of it again. */
  #fit() {
    const height = this.#bottom + 8;
    if (this.#holder) this.#holder.style.blockSize = `${height}px`;
    const room = Math.ceil(height / LEAP) * LEAP;
    if (room === this.#room) return;
    this.#room = room;
    this.#svg.setAttribute("width", this.#width);
    this.#svg.setAttribute("height", room);
    for (const rail of this.#rails.children) {
      rail.setAttribute("y1", 0);
      rail.setAttribute("y2", room);
    }
  }

  #take(height) {
    const y = this.#bottom;
    this.#bottom += height;
    return y;
  }

  /** A group's title and sentence; where it only goes on after another, the title alone. */
  #head(group) {
    const goesOn = this.#told.has(group.id);
    this.#told.add(group.id);
    const lines = goesOn ? 0 : this.#isWide ? 1 : 3;
    const height = HEAD + LINE * (1 + lines) + 8;
    const y = this.#take(height);
    const head = make("g", { class: "head", "aria-hidden": "true", "data-y": y });
    head.append(
      make("rect", { class: "ground", x: 0, y, width: this.#width, height: height - 4 }),
      make("line", { class: "seam", x1: 0, x2: this.#width, y1: y + 0.5, y2: y + 0.5 }),
      make("text", { class: "title", x: 12, y: y + HEAD + 11 }),
    );
    for (let line = 0; line < lines; line += 1) {
      head.append(make("text", { class: "sentence", x: 12, y: y + HEAD + 11 + LINE * (line + 1) }));
    }
    head.dataset.goesOn = String(goesOn);
    this.#write(head, group);
    this.#heads.set(group.id, [...(this.#heads.get(group.id) ?? []), head]);
    return head;
  }

  #write(head, group) {
    const [title, ...lines] = head.querySelectorAll("text");
    head.dataset.kind = group.kind;
    title.textContent = head.dataset.goesOn === "true" ? `${titleOf(group)}, goes on` : titleOf(group);
    const words = broken(sentenceOf(group), lines.length, Math.floor((this.#width - 24) / GLYPH));
    lines.forEach((line, at) => (line.textContent = words[at] ?? ""));
  }

  #row(entry) {
    const y = this.#take(ROW);
    const look = `${entry.from === entry.to ? "note" : "arrow"} ${colourOf(entry)}`;
    const row = make("g", {
      class: `row ${look}${entry.answer ? " answer" : ""}${entry.isBad ? " bad" : ""}`,
      role: "option",
      id: `row-${entry.id}`,
      tabindex: "-1",
      "aria-selected": "false",
      // The words that are seen, in their order, are part of it (WCAG 2.5.3).
      "aria-label": `${labelOf(entry)} ${short(entry.spec)}`.trim(),
      "data-step": entry.step,
      "data-entry": entry.id,
      "data-y": y,
    });
    if (entry.client) row.dataset.client = entry.client;
    row.append(make("rect", { class: "hit", x: 1, y: y + 1, width: this.#width - 2, height: ROW - 2, rx: 6 }));
    if (entry.from === entry.to) this.#note(row, entry, y);
    else this.#arrow(row, entry, y);
    if (this.#isWide && entry.spec) {
      row.append(make("text", { class: "spec", x: this.#width - 10, y: y + 27 }, ` ${short(entry.spec)}`));
    }
    return row;
  }

  #arrow(row, entry, y) {
    const [from, to] = [this.x(entry.from), this.x(entry.to)];
    const way = Math.sign(to - from);
    const at = y + 30;
    row.append(
      make("path", { class: "line", d: `M${from + 4 * way} ${at}H${to - 9 * way}` }),
      make("circle", { class: "start", cx: from, cy: at, r: 3 }),
      make("path", { class: "point", d: `M${to - 2 * way} ${at}l${-9 * way} -5v10z` }),
      this.#label(entry.label, (from + to) / 2, y + 20),
    );
  }

  #note(row, entry, y) {
    const width = Math.min(entry.label.length * GLYPH + 22, this.#width - 8);
    const middle = this.#within(this.x(entry.from), width);
    row.append(
      make("rect", { class: "box", x: middle - width / 2, y: y + 8, width, height: 28, rx: 8 }),
      make("text", { class: "label", x: middle, y: y + 26.5 }, entry.label),
    );
  }

  #label(text, middle, y) {
    return make("text", { class: "label", x: this.#within(middle, text.length * GLYPH), y }, text);
  }

  /** Moves the middle of something so wide until it is inside the drawing. */
  #within(middle, width) {
    const half = width / 2 + 4;
    return Math.min(Math.max(middle, half), this.#width - half);
  }
}

/** The lanes of entries, in the order in which they stand. */
export function lanesOf(entries) {
  const lanes = ["you", "pied-piper", "hooli", "idp"];
  for (const { from, to } of entries) {
    for (const lane of [from, to]) if (!lanes.includes(lane)) lanes.push(lane);
  }
  return lanes;
}

/** A row in words: what a screen reader says of it. */
export function labelOf(entry) {
  const [from, to] = [laneName(entry.from), laneName(entry.to)];
  const way = entry.from === entry.to ? from : `${from} to ${to}`;
  return `${way}: ${entry.label}`;
}

/** A drawing of its own, for a file: lanes named, styles inside. */
export function standalone(entries, css) {
  const width = 1000;
  const svg = make("svg", { xmlns: SVG, class: "sequence" });
  const drawing = new Diagram(svg, null);
  const lanes = lanesOf(entries);
  drawing.begin(width, lanes);
  drawing.add(entries);
  const height = drawing.height + 56;
  svg.setAttribute("viewBox", `0 -44 ${width} ${height}`);
  svg.setAttribute("height", height);
  for (const rail of svg.querySelectorAll(".rail")) rail.setAttribute("y2", height - 44);
  for (const dead of svg.querySelectorAll("[tabindex]")) {
    for (const name of ["tabindex", "role", "aria-selected", "id"]) dead.removeAttribute(name);
  }
  const style = make("style", {}, css);
  const ground = make("rect", { class: "ground", x: 0, y: -44, width, height });
  const names = lanes.map((lane) => make("text", { class: "lane-name", x: drawing.x(lane), y: -16 }, laneName(lane)));
  svg.prepend(style, ground, ...names);
  return new XMLSerializer().serializeToString(svg);
}

const SVG = "http://www.w3.org/2000/svg";

function make(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** An app's colour where an app takes part. */
function colourOf({ from, to, client }) {
  const app = [from, to, client].find((lane) => lane === "pied-piper" || lane === "hooli");
  return app ?? "nobody";
}

/** `OIDC Core 3.1.2.1` has room; longer names lose their middle. */
function short(spec) {
  return spec.replace("Back-Channel Logout", "BC Logout").replace("RP-Initiated Logout", "RP Logout");
}

/** A sentence in at most `count` lines of so many characters; what is too long ends in dots. */
function broken(sentence, count, room) {
  const lines = [];
  let rest = sentence;
  while (rest && lines.length < count) {
    if (rest.length <= room) return [...lines, rest];
    if (lines.length === count - 1) return [...lines, `${rest.slice(0, room - 1)}…`];
    const cut = rest.lastIndexOf(" ", room);
    lines.push(rest.slice(0, cut > 0 ? cut : room));
    rest = rest.slice(cut > 0 ? cut + 1 : room);
  }
  return lines;
}
