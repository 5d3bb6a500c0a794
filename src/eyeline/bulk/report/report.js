"use strict";
/* Lays out the rows of a run. All text goes in as text; nothing is fetched, but the picture of an open row from disk. */
(() => {

const $ = (id) => document.getElementById(id);
const facts = JSON.parse($("facts").textContent);
const rows = JSON.parse($("rows").textContent);
$("rows").textContent = "";

const columns = facts.columns;
const at = Object.fromEntries(columns.map((column, index) => [column.name, index]));
const PICTURE = columns.length, PLACE = columns.length + 1;
const answers = columns.filter((column) => column.role === "answer");
const kept = columns.filter((column) => column.role === "kept");
const of = (row, name) => row[at[name]];
const isFailed = (row) => of(row, "status") === "failed";

// --- words ----------------------------------------------------------------------------------------

const count = (number) => number.toLocaleString("en-US");

/** Say dollars: two figures that count, never rounded to nothing. */
function dollars(usd) {
  if (usd === null || usd === undefined) return "no price";
  if (usd === 0) return "$0";
  if (usd >= 1) return `$${usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${usd.toFixed(Math.min(12, 1 - Math.floor(Math.log10(usd))))}`;
}

function seconds(s) {
  if (s === null || s === undefined) return "";
  if (s < 1) return `${s.toFixed(2)} s`;
  return s < 10 ? `${s.toFixed(1)} s` : duration(s);
}

function duration(s) {
  s = Math.round(s);
  if (s < 60) return `${s} s`;
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h ? `${h}h${String(m).padStart(2, "0")}m` : `${m}m${String(s % 60).padStart(2, "0")}s`;
}

/** Say a number as shortly as it is exact enough to read; in a column with as many places as the others. */
function figure(number, places) {
  if (Number.isInteger(number) && !places) return count(number);
  if (Math.abs(number) >= 1e15 || (number && Math.abs(number) < 1e-4)) return number.toExponential(2);
  if (places !== undefined) return number.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
  return Number(number.toPrecision(4)).toLocaleString("en-US", { maximumFractionDigits: 8 });
}

/** Give the places after the point that show three figures of most numbers; 0 for whole ones. */
function placesOf(numbers) {
  if (numbers.every(Number.isInteger)) return 0;
  const sizes = numbers.map(Math.abs).filter(Boolean).sort((a, b) => a - b);
  const middle = sizes[Math.floor(sizes.length / 2)];
  return Math.min(6, Math.max(1, 2 - Math.floor(Math.log10(middle))));
}

function said(value) {
  if (value === null || value === undefined) return "–";
  if (value === true) return "yes";
  if (value === false) return "no";
  if (typeof value === "number") return figure(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function kindName(kind) {
  return kind ? kind.replace(/_/g, " ") : "unknown";
}

/** Make an element: its attributes, then what is in it, text or elements. */
function make(tag, attributes, ...inside) {
  const svg = tag === "svg" || tag === "rect";
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...inside.filter((each) => each !== null && each !== undefined));
  return made;
}

// --- what is shown ----------------------------------------------------------------------------------

/** The filters. Each of `tests` belongs to a plot or facet by name, so that its own counts leave it out. */
const shown = { status: "all", words: [], sort: "input", tests: new Map(), order: [] };
const texts = new Array(rows.length);

function textOf(index) {
  return (texts[index] ??= rows[index].slice(0, PICTURE).map((cell) => (cell === null ? "" : typeof cell === "object" ? JSON.stringify(cell) : cell)).join("\n").toLowerCase());
}

const STATUSES = {
  all: () => true,
  done: (row) => !isFailed(row),
  failed: isFailed,
  cached: (row) => of(row, "cached") === true,
};

function passes(index, except) {
  const row = rows[index];
  if (except !== "status" && !STATUSES[shown.status](row)) return false;
  for (const [name, { test }] of shown.tests) if (name !== except && !test(row)) return false;
  return shown.words.every((word) => textOf(index).includes(word));
}

function filtered(except) {
  const found = [];
  for (let index = 0; index < rows.length; index++) if (passes(index, except)) found.push(index);
  return found;
}

const SORTS = {
  input: ["as in the input", null],
  cost: ["dearest first", (row) => -(of(row, "cost_usd") ?? -1)],
  latency: ["slowest first", (row) => -(of(row, "latency_s") ?? -1)],
  source: ["by name", (row) => of(row, "source") ?? ""],
};

function apply() {
  shown.order = filtered();
  const key = SORTS[shown.sort]?.[1];
  if (key) {
    const keys = new Map(shown.order.map((index) => [index, key(rows[index])]));
    shown.order.sort((a, b) => (keys.get(a) < keys.get(b) ? -1 : keys.get(a) > keys.get(b) ? 1 : a - b));
  }
  for (const draw of drawings) draw();
  const isAll = shown.order.length === rows.length;
  $("counted").textContent = `${count(shown.order.length)}${isAll ? "" : ` of ${count(rows.length)}`} ${rows.length === 1 ? "row" : "rows"}`
    + (facts.rows > rows.length ? `, a selection of ${count(facts.rows)}: failed ones first, the others spread evenly` : "");
  $("clear").hidden = !(shown.tests.size || shown.words.length || shown.status !== "all");
  $("none").hidden = shown.order.length > 0;
  list.lay();
}

/** What is drawn anew when filters change. */
const drawings = [];

let waiting = 0;
function soon() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(apply);
}

function setTest(name, test, more) {
  if (test) shown.tests.set(name, { test, ...more });
  else shown.tests.delete(name);
  soon();
}

// --- plots ------------------------------------------------------------------------------------------

const BINS = 32;

/** Draw how the numbers of a column are spread; a bar, or several by dragging, choose their rows. */
function histogram(place, name, title, valueOf, say) {
  const values = rows.map(valueOf).filter((value) => typeof value === "number");
  const places = placesOf(values.length ? values : [0]);
  if (say === figure) say = (value) => figure(value, places);
  const heading = make("h3");
  if (!values.length) {
    place.classList.add("plot");
    heading.append(title);
    place.append(heading, make("p", { class: "nothing" }, "nothing to plot"));
    return;
  }
  const sorted = Float64Array.from(values).sort();
  if (sorted[0] === sorted[sorted.length - 1]) {
    place.classList.add("plot");
    heading.append(title);
    place.append(heading, make("p", { class: "same" }, say(sorted[0]), make("small", {}, values.length === 1 ? "" : " each")));
    return;
  }
  const low = sorted[0], high = sorted[Math.floor((sorted.length - 1) * 0.99)], end = sorted[sorted.length - 1];
  const whole = values.every(Number.isInteger) && high - low < BINS;
  const bins = whole ? high - low + 1 : BINS;
  const width = whole ? 1 : (high - low || end - low) / bins;
  const binOf = (value) => Math.min(bins - 1, Math.max(0, Math.floor((value - low) / width)));
  const edge = (bin) => (bin >= bins ? end : low + bin * width);
  const counts = (indexes) => {
    const found = new Array(bins).fill(0);
    for (const index of indexes) { const value = valueOf(rows[index]); if (typeof value === "number") found[binOf(value)]++; }
    return found;
  };
  const svg = make("svg", { viewBox: `0 0 ${bins} 100`, preserveAspectRatio: "none", role: "group", "aria-label": title });
  const bars = [], hits = [];
  let chosen = null, from = null;
  const clear = make("button", { type: "button", class: "plain", onclick: () => choose(null) }, "Clear");
  const choose = (range) => {
    chosen = range;
    setTest(name, range && ((row) => { const value = valueOf(row); return typeof value === "number" && binOf(value) >= range[0] && binOf(value) <= range[1]; }), { clear: () => { chosen = null; } });
  };
  const reach = (a, b) => [Math.min(a, b), Math.max(a, b)];
  for (let bin = 0; bin < bins; bin++) {
    bars.push(make("rect", { class: "bar", x: bin + 0.06, width: 0.88 }));
    hits.push(make("rect", {
      class: "hit", x: bin, y: 0, width: 1, height: 100, role: "button", tabindex: bin ? -1 : 0,
      onpointerdown: (event) => { event.target.releasePointerCapture(event.pointerId); from = bin; choose(chosen && chosen[0] === bin && chosen[1] === bin ? null : [bin, bin]); },
      onpointerenter: (event) => { if (from !== null && event.buttons) choose(reach(from, bin)); },
      onkeydown: (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        const to = hits[bin + (step ?? 0)];
        if (step && to) { to.focus(); if (event.shiftKey) choose(reach(chosen ? (chosen[0] === bin ? chosen[1] : chosen[0]) : bin, bin + step)); event.preventDefault(); }
        if (event.key === "Enter" || event.key === " ") { choose(chosen && chosen[0] === bin && chosen[1] === bin ? null : [bin, bin]); event.preventDefault(); }
        if (event.key === "Escape" && chosen) { choose(null); event.stopPropagation(); }
      },
    }));
  }
  addEventListener("pointerup", () => { from = null; });
  svg.append(...bars, ...hits);
  const middle = sorted[Math.floor(sorted.length / 2)];
  const axis = make("p", { class: "axis" }, make("span", {}, say(low)), make("span", {}, `median ${say(middle)}`), make("span", {}, `${end > high ? "to " : ""}${say(end)}`));
  place.classList.add("plot");
  place.append(heading, svg, axis);
  drawings.push(() => {
    const found = counts(filtered(name)), most = Math.max(1, ...found);
    place.classList.toggle("chosen", chosen !== null);
    found.forEach((number, bin) => {
      const height = number ? Math.max(2, (96 * number) / most) : 0;
      bars[bin].setAttribute("y", 100 - height);
      bars[bin].setAttribute("height", height);
      bars[bin].classList.toggle("out", chosen !== null && (bin < chosen[0] || bin > chosen[1]));
      const range = whole ? say(edge(bin)) : `${say(edge(bin))} to ${say(edge(bin + 1))}`;
      const label = `${range}: ${count(number)} ${number === 1 ? "row" : "rows"}`;
      hits[bin].setAttribute("aria-label", label);
      hits[bin].setAttribute("aria-pressed", chosen !== null && bin >= chosen[0] && bin <= chosen[1]);
    });
    heading.replaceChildren(title);
    if (chosen) heading.append(make("b", {}, chosen[0] === chosen[1] && whole ? say(edge(chosen[0])) : `${say(edge(chosen[0]))} to ${say(edge(chosen[1] + 1))}`), clear);
    else heading.append(make("b", { class: "under" }, hovered.get(name) ?? ""));
  });
  svg.addEventListener("pointerover", (event) => { hovered.set(name, event.target.getAttribute("aria-label")); const under = heading.querySelector(".under"); if (under) under.textContent = hovered.get(name) ?? ""; });
  svg.addEventListener("pointerleave", () => { hovered.delete(name); const under = heading.querySelector(".under"); if (under) under.textContent = ""; });
}
const hovered = new Map();

/** List the values of a column with how many rows hold each; pressed ones are shown. */
function choices(place, name, title, valueOf, values, say) {
  const pressed = new Set();
  const heading = make("h3");
  const clear = make("button", { type: "button", class: "plain", onclick: () => { pressed.clear(); test(); } }, "Clear");
  const test = () => setTest(name, pressed.size ? (row) => pressed.has(valueOf(row)) : null, { clear: () => pressed.clear() });
  const buttons = values.map((value) => {
    const [number, share] = [make("span", { class: "number" }), make("i")];
    const button = make("button", { type: "button", class: "choice", onclick: () => { pressed.has(value) ? pressed.delete(value) : pressed.add(value); test(); } },
      make("span", { class: "name", title: say(value) }, say(value)), number, make("span", { class: "share", "aria-hidden": "true" }, share));
    return { value, button, number, share };
  });
  place.append(heading, ...buttons.map(({ button }) => button));
  drawings.push(() => {
    const counts = new Map();
    for (const index of filtered(name)) { const value = valueOf(rows[index]); counts.set(value, (counts.get(value) ?? 0) + 1); }
    const most = Math.max(1, ...values.map((value) => counts.get(value) ?? 0));
    for (const { value, button, number, share } of buttons) {
      const found = counts.get(value) ?? 0;
      number.textContent = count(found);
      share.style.width = `${(100 * found) / most}%`;
      button.setAttribute("aria-pressed", pressed.has(value));
    }
    heading.replaceChildren(title);
    if (pressed.size) heading.append(clear);
  });
}

/** Give the distinct values of a column, the most frequent first; null where there are too many to list. */
function valuesOf(valueOf, most) {
  const counts = new Map();
  for (const row of rows) {
    const value = valueOf(row);
    if (value === undefined) continue;
    if (value !== null && typeof value === "object") return null;
    counts.set(value, (counts.get(value) ?? 0) + 1);
    if (counts.size > most) return null;
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([value]) => value);
}

function layFacets() {
  let made = 0;
  for (const column of [...answers, ...kept]) {
    // What failed has no answer; it is not a value of the field.
    const valueOf = (row) => (column.role === "answer" && isFailed(row) ? undefined : of(row, column.name));
    const values = valuesOf(valueOf, 12);
    const place = make("section", { class: "facet", "aria-label": column.label });
    const many = column.kind === "number" && (values === null || values.length > 6);
    if (many) histogram(place, column.name, column.label, valueOf, figure);
    else if (values !== null && values.length > 1) choices(place, column.name, column.label, valueOf, values, said);
    else continue;
    $("facets").append(place);
    made++;
  }
  $("body").classList.toggle("bare", !made);
  // On a wide screen they stand beside the rows; where they go above, they open when asked for.
  const wide = matchMedia("(min-width: 1024px)");
  const open = () => { $("filters").open = wide.matches; };
  wide.addEventListener("change", open);
  open();
}

function layFailures() {
  const place = $("failures");
  const valueOf = (row) => (isFailed(row) ? of(row, "error_kind") : undefined);
  const kinds = valuesOf(valueOf, 1000) ?? [];
  if (kinds.length) choices(place, "error_kind", "Failures", valueOf, kinds, kindName);
  else place.append(make("h3", {}, "Failures"), make("p", { class: "nothing" }, "none"));
}

// --- the list ---------------------------------------------------------------------------------------

/** Keeps only the rows near the window in the page; the list has its whole height. */
const list = {
  height: 97, beyond: 8, laid: new Map(),

  lay() {
    for (const element of this.laid.values()) element.remove();
    this.laid.clear();
    $("list").style.height = `${shown.order.length * this.height + 1}px`;
    this.fill();
  },

  range() {
    const top = $("list").getBoundingClientRect().top;
    const first = Math.floor(-top / this.height) - this.beyond;
    const last = Math.ceil((innerHeight - top) / this.height) + this.beyond;
    return [Math.max(0, first), Math.min(shown.order.length, last)];
  },

  fill() {
    const [first, last] = this.range();
    for (const [position, element] of this.laid) {
      if ((position < first || position >= last) && !element.contains(document.activeElement)) {
        element.remove();
        this.laid.delete(position);
      }
    }
    for (let position = first; position < last; position++) {
      if (!this.laid.has(position)) this.put(position);
    }
  },

  put(position) {
    const element = rowElement(position);
    element.style.top = `${position * this.height}px`;
    this.laid.set(position, element);
    // In reading order, for who goes by keys or hears the page.
    const after = [...this.laid.keys()].filter((each) => each > position).sort((a, b) => a - b)[0];
    $("list").insertBefore(element, after === undefined ? null : this.laid.get(after));
  },

  focus(position) {
    if (position < 0 || position >= shown.order.length) return;
    const bar = $("top").getBoundingClientRect().height;
    const top = $("list").getBoundingClientRect().top + position * this.height;
    if (top < bar) scrollBy(0, top - bar);
    else if (top + this.height > innerHeight) scrollBy(0, top + this.height - innerHeight);
    this.fill();
    this.laid.get(position)?.firstChild.focus({ preventScroll: true });
  },
};

function rowElement(position) {
  const row = rows[shown.order[position]];
  const button = make("button", {
    type: "button",
    onclick: () => detail.open(position),
    onkeydown: (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 }[event.key];
      if (step) { list.focus(Math.min(shown.order.length - 1, Math.max(0, position + step))); event.preventDefault(); }
    },
  }, thumb(row), words(row), figures(row));
  const made = make("li", { class: "row", "aria-setsize": shown.order.length, "aria-posinset": position + 1 }, button);
  made.style.setProperty("--row", `${list.height}px`);
  return made;
}

function thumb(row) {
  const picture = row[PICTURE];
  const inside = picture ? make("img", { src: `data:image/jpeg;base64,${picture}`, alt: "", decoding: "async" }) : "no picture";
  return make("div", { class: "thumb" }, inside);
}

function words(row) {
  const source = make("p", { class: "source" }, of(row, "source") ?? "");
  if (isFailed(row)) {
    return make("div", { class: "words" }, source, make("p", { class: "said fault" }, `${kindName(of(row, "error_kind"))}: ${of(row, "error") ?? ""}`));
  }
  if (!columnsShown.length) return make("div", { class: "words" }, source, make("p", { class: "said" }, of(row, "text") ?? ""));
  const fields = columnsShown.map((column) => {
    const value = of(row, column.name);
    const text = typeof value === "number" ? figure(value, column.places) : said(value);
    return make("div", { class: column.kind }, make("dt", {}, column.label), make("dd", { title: text.length > 16 ? text : null }, text));
  });
  return make("div", { class: "words" }, source, make("dl", { class: "fields" }, ...fields.flatMap((field) => [field, " "])));
}

/** The fields that a row has room for, each with the width its values ask for. */
const columnsShown = answers.slice(0, 7);

function layColumns() {
  const widths = columnsShown.map((column) => {
    const values = rows.slice(0, 500).map((row) => of(row, column.name)).filter((value) => value !== null);
    if (column.kind === "number") column.places = placesOf(values.length ? values : [0]);
    const lengths = values.map((value) => (typeof value === "number" ? figure(value, column.places) : said(value)).length).sort((a, b) => a - b);
    const usual = lengths[Math.floor(lengths.length * 0.9)] ?? 0;
    return Math.min(40, Math.max(usual, Math.min(12, column.label.length), 4));
  });
  // A little more for short ones: what is short should never be cut.
  $("answers").style.setProperty("--fields", widths.map((width) => `minmax(0, ${width + 4}fr)`).join(" "));
  $("heads").replaceChildren(...columnsShown.map((column) => make("span", { class: column.kind, title: column.label }, column.label)));
  $("heads").hidden = !columnsShown.length;
}

function figures(row) {
  const tokens = (of(row, "input_tokens") ?? 0) + (of(row, "output_tokens") ?? 0);
  const state = of(row, "cached") ? "cached" : seconds(of(row, "latency_s"));
  const cost = isFailed(row) && of(row, "cost_usd") === null ? "failed" : dollars(of(row, "cost_usd"));
  return make("div", { class: "figures" }, make("b", {}, cost), make("span", {}, state), make("span", {}, tokens ? `${count(tokens)} tok` : ""));
}

// --- one row ----------------------------------------------------------------------------------------

const detail = {
  position: 0,

  open(position) {
    this.position = position;
    this.fill();
    if (!$("detail").open) $("detail").showModal();
  },

  step(by) {
    const to = this.position + by;
    if (to >= 0 && to < shown.order.length) this.open(to);
  },

  fill() {
    const row = rows[shown.order[this.position]];
    $("detail-source").textContent = of(row, "source") ?? "";
    $("detail-source").title = of(row, "source") ?? "";
    $("previous").disabled = this.position === 0;
    $("next").disabled = this.position === shown.order.length - 1;
    $("detail-picture").replaceChildren(...this.picture(row));
    $("detail-answer").replaceChildren(...this.answer(row));
    $("detail-figures").replaceChildren(...this.figures(row));
    $("detail-words").scrollTop = 0;
  },

  /** Show the picture itself where it lies as it did; else the small one. */
  picture(row) {
    const small = row[PICTURE] ? make("img", { src: `data:image/jpeg;base64,${row[PICTURE]}`, alt: of(row, "source") ?? "" }) : null;
    if (location.protocol !== "file:" || !row[PLACE]) return [small ?? make("p", {}, "no picture")];
    const whole = new Image();
    whole.alt = of(row, "source") ?? "";
    whole.onload = () => { if (whole.isShown !== false) $("detail-picture").replaceChildren(whole); };
    const others = $("detail-picture").whole;
    if (others) others.isShown = false;
    $("detail-picture").whole = whole;
    whole.src = row[PLACE];
    return [small ?? make("p", {}, "no picture")];
  },

  answer(row) {
    const made = [];
    if (isFailed(row)) made.push(make("p", { class: "fault" }, `${kindName(of(row, "error_kind"))}: ${of(row, "error") ?? ""}`));
    const told = answers.filter((column) => of(row, column.name) !== null);
    if (told.length) {
      made.push(make("dl", {}, ...told.flatMap((column) => [make("dt", {}, column.label), make("dd", {}, spread(of(row, column.name)))])));
    } else if (of(row, "text")) {
      made.push(make("p", {}, of(row, "text")));
    }
    return made;
  },

  figures(row) {
    const pairs = [
      ["Status", of(row, "cached") ? `${of(row, "status")}, cached` : of(row, "status")],
      ["Cost", of(row, "cost_usd") === null ? null : dollars(of(row, "cost_usd"))],
      ["Latency", seconds(of(row, "latency_s"))],
      ["Tokens in", of(row, "input_tokens")],
      ["of these the picture", of(row, "image_tokens")],
      ["Tokens out", of(row, "output_tokens")],
      ["Attempts", of(row, "attempts")],
      ["Model", of(row, "model")],
      ["Key", of(row, "key")],
      ...kept.map((column) => [column.label, of(row, column.name)]),
    ];
    return pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").map(([label, value]) => make("div", {}, make("dt", {}, label), make("dd", {}, said(value))));
  },
};

function spread(value) {
  return value !== null && typeof value === "object" ? make("pre", {}, JSON.stringify(value, null, 2)) : said(value);
}

// --- the run ----------------------------------------------------------------------------------------

function laySummary() {
  $("title").textContent = facts.title;
  $("notes").textContent = facts.notes.join(" · ");
  $("prompt").textContent = facts.prompt;
  const long = facts.prompt.length > 240;
  $("prompt").classList.toggle("long", long);
  $("prompt").classList.toggle("clipped", long);
  $("more-prompt").hidden = !long;
  $("more-prompt").onclick = () => { $("prompt").classList.remove("clipped"); $("more-prompt").hidden = true; };
  $("about").textContent = `Asked ${facts.model} about ${facts.source}`;
  const pair = (label, value, small, fault) => make("div", {}, make("dt", {}, label), make("dd", fault ? { class: "fault" } : {}, value, small ? make("small", {}, ` ${small}`) : null));
  const spent = facts.spent_usd === null ? null : Number(facts.spent_usd);
  $("strip").append(...[
    pair("Rows", count(facts.rows)),
    pair("Done", count(facts.done)),
    pair("Failed", count(facts.failed), null, facts.failed > 0),
    facts.cached ? pair("Cached", count(facts.cached)) : null,
    pair("Cost", dollars(spent), facts.budget_usd === null ? null : `of ${dollars(Number(facts.budget_usd))}`),
    facts.in_doubt_usd === null ? null : pair("In doubt", dollars(Number(facts.in_doubt_usd)), "at most", true),
    pair("Tokens in", count(facts.input_tokens)),
    pair("Tokens out", count(facts.output_tokens)),
    facts.wall_s === null ? null : pair("Time", duration(facts.wall_s)),
  ].filter(Boolean));
}

function layBar() {
  const counts = { all: rows.length, done: 0, failed: 0, cached: 0 };
  for (const row of rows) { counts[isFailed(row) ? "failed" : "done"]++; counts.cached += of(row, "cached") === true; }
  for (const [name, label] of [["all", "All"], ["done", "Done"], ["failed", "Failed"], ["cached", "Cached"]]) {
    if (name === "cached" && !counts.cached) continue;
    const input = make("input", { type: "radio", name: "status", value: name, checked: name === "all", onchange: () => { shown.status = name; soon(); } });
    $("status").append(make("label", {}, input, label, " ", make("small", {}, count(counts[name]))));
  }
  for (const [name, [label]] of Object.entries(SORTS)) $("sort").append(make("option", { value: name }, label));
  $("sort").onchange = () => { shown.sort = $("sort").value; soon(); };
  $("sought").oninput = () => { shown.words = $("sought").value.toLowerCase().split(/\s+/).filter(Boolean); soon(); };
  $("clear").onclick = () => {
    for (const { clear } of shown.tests.values()) clear();
    shown.tests.clear();
    shown.words = [];
    shown.status = "all";
    $("sought").value = "";
    document.querySelector("#status input").checked = true;
    soon();
  };
}

function listen() {
  addEventListener("scroll", () => list.fill(), { passive: true });
  addEventListener("resize", () => list.fill());
  $("close").onclick = () => $("detail").close();
  $("previous").onclick = () => detail.step(-1);
  $("next").onclick = () => detail.step(1);
  $("detail").addEventListener("close", () => list.focus(detail.position));
  $("detail").addEventListener("click", (event) => { if (event.target === $("detail")) $("detail").close(); });
  $("detail").addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, k: -1, j: 1 }[event.key];
    if (step) detail.step(step);
  });
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !(event.target instanceof HTMLInputElement)) { $("sought").focus(); event.preventDefault(); }
  });
}

laySummary();
layBar();
histogram($("plot-cost"), "cost_usd", "Dollars a row", (row) => (of(row, "cached") ? undefined : of(row, "cost_usd") ?? undefined), dollars);
histogram($("plot-latency"), "latency_s", "Seconds a row", (row) => (of(row, "cached") || isFailed(row) ? undefined : of(row, "latency_s") ?? undefined), seconds);
layFailures();
layFacets();
layColumns();
listen();
apply();

})();
