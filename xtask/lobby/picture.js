// The live picture: what has come, what is drawn of it, and what a person does with it.

import { $, byTest, clock, element, sentence, set } from "./dom.js";
import { Diagram, labelOf, lanesOf, standalone } from "./diagram.js";
import { Grouper, KINDS, titleOf } from "./groups.js";
import { entryOf, laneName } from "./words.js";

/** So many steps are drawn and listed; older ones go, some at a time. */
const MAX_DRAWN = 500;
const SOME = 50;

/** How long a step waits for what came before it and is told later: by another way. */
const HOLD_MS = 200;
/** Times further apart than that are of a clock that was moved, and say nothing about the order. */
const OVERTAKES_MS = 1000;

const svg = byTest("sequence");
const frame = $("picture-scroll");
const diagram = new Diagram(svg, $("picture-holder"));
const grouper = new Grouper((group) => diagram.rename(group));

let entries = [];
let waiting = [];
let isPaused = false;
let lanes = lanesOf([]);
let isAtEnd = true;
let isDue = false;
let count = 0;
let shown = null;
/** The row that Tab stops at. */
let stop = null;

// ---------------------------------------------------------------- coming in

/** Takes a step of the provider, of an app or of this page. */
export function take(step) {
  waiting.splice(placeOf(step), 0, step);
  if (isPaused) drawButtons();
  // One drawing for all that comes in one go: a page that is opened late gets hundreds. Not by
  // animation frame: this tab is mostly behind the app that is being used.
  else if (!isDue) {
    isDue = true;
    setTimeout(flush, HOLD_MS);
  }
}

/** Where among the undrawn a step belongs: what an app says of itself overtakes the provider. */
function placeOf({ at }) {
  let place = waiting.length;
  const isLater = (other) => other.at > at && other.at - at < OVERTAKES_MS;
  while (place && isLater(waiting[place - 1])) place -= 1;
  return place;
}

function flush() {
  isDue = false;
  if (!isPaused) draw(waiting.splice(0));
}

function draw(steps) {
  if (!steps.length) return;
  const fresh = steps.map((step) => {
    const entry = { id: (count += 1), ...entryOf(step) };
    entry.group = grouper.place(entry);
    return entry;
  });
  entries.push(...fresh);
  const isFull = entries.length > MAX_DRAWN + SOME;
  if (isFull) entries = entries.slice(-MAX_DRAWN);
  if (isFull || lanesOf(entries).length !== lanes.length) {
    redraw();
  } else {
    const visible = fresh.filter(isWanted);
    diagram.add(visible);
    list(visible);
    rove();
  }
  offerChoices();
  drawButtons();
  toEnd();
}

function redraw() {
  lanes = lanesOf(entries);
  diagram.begin(Math.max(280, frame.clientWidth), lanes);
  $("lanes").replaceChildren(
    ...lanes.map((lane) => {
      const name = element("span", `lane ${lane}`, laneName(lane));
      name.style.insetInlineStart = `${diagram.x(lane)}px`;
      return name;
    }),
  );
  const visible = entries.filter(isWanted);
  diagram.add(visible);
  $("log-list").replaceChildren();
  list(visible);
  rove();
  drawButtons();
  toEnd();
}

// ------------------------------------------------------------------ the list

/** The same data for those who read: every row of the drawing, and its group where it changes. */
function list(visible) {
  const log = $("log-list");
  const made = document.createDocumentFragment();
  for (const entry of visible) {
    const item = element("li");
    item.dataset.step = entry.step;
    item.dataset.entry = entry.id;
    const before = made.lastChild ?? log.lastChild;
    item.dataset.group = entry.group.id;
    if (before?.dataset.group !== item.dataset.group) {
      item.classList.add("begins");
      item.append(element("p", "group-name", titleOf(entry.group)));
    }
    const who = element("span", `chip ${entry.from}`, laneName(entry.from));
    const meta = element("p", "meta");
    const when = element("time", "", clock(entry.at));
    when.dateTime = new Date(entry.at).toISOString();
    meta.append(when);
    if (entry.from !== entry.to) meta.append(element("span", "", `to ${laneName(entry.to)}`));
    if (entry.spec) meta.append(element("span", "section", entry.spec));
    const cell = element("span", "who");
    cell.append(who);
    item.append(cell, element("p", "said", sentence(entry.text)), meta);
    made.append(item);
  }
  log.append(made);
}

// ---------------------------------------------------------------- following

// Read when the person scrolls, never while drawing: a look at the layout costs one.
frame.addEventListener("scroll", () => {
  isAtEnd = frame.scrollHeight - frame.scrollTop - frame.clientHeight < 60;
});

function toEnd() {
  if (!isAtEnd) return;
  requestAnimationFrame(() => {
    frame.scrollTop = frame.scrollHeight;
    const log = $("log");
    log.scrollTop = log.scrollHeight;
  });
}

new ResizeObserver(() => {
  if (frame.clientWidth && frame.clientWidth !== Number(svg.getAttribute("width"))) redraw();
}).observe(frame);

// ------------------------------------------------------------------- details

const hover = (event) => event.target.closest?.("[data-entry]");
// On the frame: Chromium makes a drawing itself a stop of Tab when it listens for the focus.
frame.addEventListener("pointerover", (event) => hover(event) && detail(hover(event)));
frame.addEventListener("focusin", (event) => hover(event) && detail(hover(event)));

// One stop for Tab, arrow keys inside: five hundred stops would be a trap (ARIA practices, listbox).
frame.addEventListener("keydown", (event) => {
  const rows = [...diagram.rows.querySelectorAll("[data-entry]")];
  const at = rows.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  const next = rows[Math.min(Math.max(to, 0), rows.length - 1)];
  detail(next);
  next.focus();
});

/** Tab reaches the row whose details are shown, or the last one. */
function rove() {
  const current = shown && diagram.rows.querySelector(`[data-entry="${shown}"]`);
  const next = current || diagram.rows.lastElementChild;
  if (stop !== next) stop?.setAttribute("tabindex", "-1");
  stop = next;
  stop?.setAttribute("tabindex", "0");
  current?.setAttribute?.("aria-selected", "true");
}

function detail(row) {
  if (row.dataset.entry === shown) return;
  diagram.rows.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
  shown = row.dataset.entry;
  rove();
  const entry = entries.find((one) => String(one.id) === shown);
  if (!entry) return;
  const facts = [
    ["Step", entry.step],
    ["When", clock(entry.at)],
    ...(entry.spec ? [["Section", entry.spec]] : []),
    ...(entry.check ? [["Check that decided", `${entry.check.name}: ${entry.check.outcome}`]] : []),
    ...(entry.user ? [["User", entry.user]] : []),
    ...entry.received.map(([name, value]) => [name, String(value)]),
  ];
  const terms = element("dl", "facts");
  for (const [name, value] of facts) {
    const pair = element("div");
    pair.append(element("dt", "", name), element("dd", "", value));
    terms.append(pair);
  }
  const title = element("p", "detail-title", labelOf(entry));
  $("detail").replaceChildren(title, element("p", "", sentence(entry.text)), terms);
  $("detail").scrollTop = 0;
}

// ------------------------------------------------------------------ controls

function isWanted(entry) {
  const [lane, kind] = [$("filter-lane").value, $("filter-group").value];
  const isOfLane = !lane || entry.from === lane || entry.to === lane || entry.client === lane;
  return isOfLane && (!kind || entry.group.kind === kind);
}

/** Lanes and kinds that there are; what a person has chosen stays chosen. */
function offerChoices() {
  offer($("filter-lane"), lanes.map((lane) => [lane, laneName(lane)]));
  const kinds = [...new Set(entries.map((entry) => entry.group.kind))];
  offer($("filter-group"), kinds.map((kind) => [kind, KINDS[kind][0]]));
}

function offer(select, choices) {
  for (const [value, text] of choices) {
    const has = [...select.options].some((option) => option.value === value);
    if (!has) select.add(new Option(text, value));
  }
}

function drawButtons() {
  const [pause, step] = [byTest("sequence-pause"), byTest("sequence-step")];
  set(pause, isPaused ? "Go on" : "Pause");
  step.disabled = !isPaused || !waiting.length;
  set(step, isPaused && waiting.length ? `Step (${waiting.length})` : "Step");
  byTest("sequence-clear").disabled = !entries.length;
  byTest("sequence-save").disabled = !entries.length;
  $("picture-empty").hidden = entries.length > 0;
}

byTest("sequence-pause").addEventListener("click", () => {
  isPaused = !isPaused;
  if (!isPaused) draw(waiting.splice(0));
  drawButtons();
});

byTest("sequence-step").addEventListener("click", () => {
  isAtEnd = true;
  draw(waiting.splice(0, 1));
});

byTest("sequence-clear").addEventListener("click", () => {
  entries = [];
  shown = null;
  $("detail").replaceChildren(element("p", "muted", $("detail").dataset.hint));
  redraw();
  byTest("sequence-pause").focus();
});

for (const id of ["filter-lane", "filter-group"]) $(id).addEventListener("change", redraw);

byTest("sequence-save").addEventListener("click", async () => {
  const css = await (await fetch("/lobby/diagram.css")).text();
  const file = new Blob([standalone(entries.filter(isWanted), resolved(css))], {
    type: "image/svg+xml",
  });
  const link = element("a");
  link.href = URL.createObjectURL(file);
  link.download = "gatepass-sequence.svg";
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
});

/** The style sheet with every colour as it is on this page now, light or dark. */
function resolved(css) {
  const probe = element("span");
  document.body.append(probe);
  const colours = css.replace(/var\((--[\w-]+)\)/g, (_, name) => {
    if (name.startsWith("--font")) return "system-ui, sans-serif";
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  });
  probe.remove();
  return colours;
}

redraw();
