// The page of the gateway: a picture on the table, a question, the answer as it comes.
//
// A *sheet* is what was dropped: a file or a URL; its *pages* are the pictures on the table. A
// *conversation* holds pages and turns. Prices and sizes are the gateway's own; nothing is
// reckoned here but sums.

const $ = (id) => document.getElementById(id);

/** Make an element from properties and children; text is never read as markup. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const tokens = (number) => number.toLocaleString("en");
const count = (number, one, many = `${one}s`) => `${tokens(number)} ${number === 1 ? one : many}`;
const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);

/** Say dollars: two figures that count, never rounded to nothing; null where no price is known. */
function dollars(usd) {
  if (usd === null) return "price unknown";
  if (usd === 0) return "$0";
  if (usd >= 1) return `$${usd.toFixed(2)}`;
  return `$${usd.toFixed(Math.min(12, 1 - Math.floor(Math.log10(usd))))}`;
}

// --- what is known ------------------------------------------------------------------------------

const VIEWS_MAX = 6;
const IDEAS = ["What is in the picture?", "Read all the text.", "What is unusual here?"];
// A picture smaller than this is drawn larger, by a whole factor, so that its cells can be seen.
const TINY_PX = 384;
const NARROW = matchMedia("(max-width: 899px)");
const STATES = { asking: "asking", answering: "coming", stopped: "stopped", failed: "failed" };
const TOKEN = "eyeline-token";
// What is taken of a model that nobody has told us about.
const UNKNOWN = {
  group: "others", api: "chat", details: ["low", "high", "original"], counts_tokens: true,
  input_usd_per_million: null, output_usd_per_million: null,
};

const known = { engine: null, models: [], model: "", detail: "high", wanted: "high" };
known.token = sessionStorage.getItem(TOKEN) ?? "";
const conversations = [];
let table = newConversation();
let answering = null; // the AbortController of the answer on its way

function newConversation() {
  return { pages: [], turns: [], at: 0, waiting: 0 };
}

/** An error with what to do about it, as the gateway says it. */
class Fault extends Error {
  constructor(message, hint = "", status = 0) {
    super(message);
    this.hint = hint;
    this.status = status;
  }
}

const modelOf = (name) => known.models.find((model) => model.name === name) ?? { ...UNKNOWN, name };
const page = () => table.pages[table.at];
const choiceOf = (each, model = known.model, detail = known.detail) => each?.choices[model]?.[detail];

/** The detail a model would be asked with: the wanted one where it has it and takes the picture. */
function detailFor(model, each = page()) {
  const { details } = modelOf(model);
  const fits = (detail) => details.includes(detail) && !choiceOf(each, model, detail)?.refused;
  return [known.wanted, "high", ...details].find(fits) ?? "high";
}

// --- the gateway --------------------------------------------------------------------------------

const ENDS_IN_HINT = /^(.+?) \(([^()]+(?:\([^()]*\)[^()]*)*)\)$/s;

async function call(path, options = {}) {
  const headers = new Headers(options.headers);
  if (known.token) headers.set("authorization", `Bearer ${known.token}`);
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Fault("The gateway does not answer.", "Is eyeline serve still running?");
  }
  if (!response.ok) throw await faultOf(response);
  return response;
}

/** Read an error's words from a body of the gateway or of the API. */
async function faultOf(response) {
  const text = await response.text();
  let error = {};
  try {
    const body = JSON.parse(text);
    error = typeof body.error === "string" ? { message: body.error } : body.error ?? {};
  } catch { /* not JSON: a proxy, say */ }
  const message = String(error.message || `The gateway answered ${response.status}.`);
  // The gateway's own errors in the API's shape have no field for a hint, and end in it.
  const [, words = message, hint = ""] = (!error.hint && ENDS_IN_HINT.exec(message)) || [];
  return new Fault(words, error.hint ?? hint, response.status);
}

async function begin() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    keepToken(given);
    history.replaceState(null, "", location.pathname);
  }
  try {
    const found = await (await call("eyeline/models")).json();
    Object.assign(known, found, { wanted: found.detail });
    const isOther = !found.engine.is_local && found.engine.name !== "openai";
    if (isOther) known.models = (await served()) ?? found.models;
  } catch (error) {
    if (error.status === 401) return unlock();
    return complain(error, begin);
  }
  known.detail = detailFor(known.model);
  showEngine();
  showChoices();
}

/** The models that another server offers, with what the catalogue knows of them; null for none. */
async function served() {
  try {
    const { data } = await (await call("v1/models")).json();
    return data.length ? data.map(({ id }) => ({ ...modelOf(id), name: id })) : null;
  } catch {
    return null; // a server need not list them
  }
}

function keepToken(token) {
  known.token = token;
  sessionStorage.setItem(TOKEN, token);
}

function unlock() {
  const open = () => {
    keepToken($("token").value);
    begin();
  };
  $("locked").addEventListener("close", open, { once: true });
  const said = known.token ? "That is not its token. " : "";
  $("locked-why").textContent = `${said}Whoever runs eyeline serve has it.`;
  $("token").value = "";
  $("locked").showModal();
}

/** See a sheet as a model would at a detail: its pages, with all choices. Kept for a few. */
function view(sheet, model, detail) {
  const key = `${model} ${detail}`;
  if (!sheet.views.has(key)) {
    if (sheet.views.size === VIEWS_MAX) sheet.views.delete(sheet.views.keys().next().value);
    const seen = look(sheet, model, detail);
    seen.catch(() => sheet.views.delete(key));
    sheet.views.set(key, seen);
  }
  return sheet.views.get(key);
}

async function look(sheet, model, detail) {
  const asked = new URLSearchParams({ model, detail, name: sheet.name });
  const options = sheet.file
    ? { body: sheet.file, headers: { "content-type": "application/octet-stream" } }
    : { body: JSON.stringify({ url: sheet.url }), headers: { "content-type": "application/json" } };
  return (await call(`eyeline/look?${asked}`, { method: "POST", ...options })).json();
}

// --- pictures onto the table --------------------------------------------------------------------

const PICTURE = /^(image\/|application\/pdf)|^$/;

/** Put files or URLs on the table: a new one where the present one has been talked about. */
async function lay(sources, { here = false } = {}) {
  if (!sources.length) return;
  if (!here && table.turns.length) anew();
  $("faults").replaceChildren();
  const onto = table;
  for (const source of sources) {
    const isUrl = typeof source === "string";
    const name = isUrl ? source.split("/").pop().slice(0, 60) : source.name || "pasted.png";
    const sheet = { file: isUrl ? null : source, url: isUrl ? source : "", name, views: new Map() };
    await laySheet(sheet, onto);
  }
}

async function laySheet(sheet, onto) {
  await begun;
  $("looking").textContent = `Looking at ${sheet.name}…`;
  say($("looking").textContent);
  onto.waiting += 1;
  show();
  try {
    const detail = modelOf(known.model).details.includes(known.wanted) ? known.wanted : "high";
    const { pages, left_out } = await view(sheet, known.model, detail).catch((error) => {
      if (detail === "high") throw error;
      return view(sheet, known.model, "high"); // `original` may refuse what `high` shrinks
    });
    onto.pages.push(...pages.map((each, number) => ({ ...each, sheet, number })));
    onto.at = onto.pages.length - pages.length;
    if (left_out) {
      const first = `the first ${count(pages.length, "page")} are on the table`;
      complain(new Fault(`${sheet.name}: ${first}, ${tokens(left_out)} more are not.`));
    }
    say(`${sheet.name} is on the table. ${figuresAloud()}`);
  } catch (error) {
    complain(error);
  } finally {
    onto.waiting -= 1;
    known.detail = detailFor(known.model);
    show();
  }
}

function anew() {
  answering?.abort();
  table = newConversation();
  $("faults").replaceChildren();
  show();
}

const isAsked = (each) => table.turns.some((turn) => turn.pages.includes(each));

function removePage() {
  table.pages.splice(table.at, 1);
  table.at = Math.max(0, table.at - 1);
  show();
  (page() ? $("film").children[table.at].firstChild : document.querySelector("#empty .pick")).focus();
}

// --- what is on the table -----------------------------------------------------------------------

function show() {
  const current = page();
  for (const id of ["bar", "frame", "strip"]) $(id).hidden = !current;
  $("looking").hidden = Boolean(current) || !table.waiting;
  $("empty").hidden = Boolean(current) || Boolean(table.waiting);
  $("anew").hidden = !current;
  $("notes").hidden = true;
  $("ideas").hidden = !current;
  if (current) {
    $("remove").hidden = isAsked(current);
    showFilm();
    showPicture();
  }
  showTurns();
  showChoices();
}

function showFilm() {
  const items = table.pages.map((each, number) => {
    const name = { "aria-label": `Picture ${number + 1}: ${each.source}` };
    const image = make("img", { src: each.url, alt: "" });
    const button = make("button", { type: "button", className: "tile", ...name }, image);
    if (number === table.at) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => {
      table.at = number;
      show();
      $("film").children[number].firstChild.focus();
    });
    return make("li", {}, button);
  });
  const more = { className: "tile", role: "img", "aria-label": "One more is coming" };
  if (table.waiting) items.push(make("li", {}, make("span", more, "…")));
  $("film").replaceChildren(...items);
}

function showPicture() {
  const current = page();
  $("picture").src = current.url;
  $("picture").alt = `${current.source}, as the model sees it`;
  fit();
}

/** Lay the picture out as large as the stage lets it, or pixel for pixel; only tiny ones grow. */
function fit() {
  const current = page();
  if (!current || $("frame").hidden) return;
  const isWhole = $("whole").checked;
  const scale = isWhole ? wholeScale(current) : roomyScale(current);
  $("stage").classList.toggle("whole", isWhole);
  $("frame").classList.toggle("coarse", scale > 1);
  $("frame").style.width = `${Math.max(1, Math.round(current.width_px * scale))}px`;
  $("frame").style.height = `${Math.max(1, Math.round(current.height_px * scale))}px`;
  drawLines();
}

/** One pixel as sent to one of the screen. */
function wholeScale(each) {
  return (choiceOf(each)?.width_px ?? each.width_px) / each.width_px / devicePixelRatio;
}

function roomyScale({ width_px, height_px }) {
  const { clientWidth, clientHeight } = $("stage");
  const room_px = NARROW.matches ? innerHeight * 0.56 : clientHeight;
  const longest_px = Math.max(width_px, height_px);
  const enlarged = longest_px < TINY_PX ? Math.floor(TINY_PX / longest_px) : 1;
  return Math.min(clientWidth / width_px, room_px / height_px, enlarged);
}

/** Draw the lines between patches or tiles, each one device pixel wide and on the pixel. */
function drawLines() {
  const chosen = choiceOf(page());
  const canvas = $("grid");
  canvas.width = Math.round($("frame").clientWidth * devicePixelRatio);
  canvas.height = Math.round($("frame").clientHeight * devicePixelRatio);
  if (!chosen?.cell_px || !$("lines").checked) return;
  const pen = canvas.getContext("2d");
  pen.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--lines");
  pen.beginPath();
  for (const x of between(chosen.cell_px, chosen.width_px, canvas.width)) {
    pen.moveTo(x, 0);
    pen.lineTo(x, canvas.height);
  }
  for (const y of between(chosen.cell_px, chosen.height_px, canvas.height)) {
    pen.moveTo(0, y);
    pen.lineTo(canvas.width, y);
  }
  pen.stroke();
}

/** Where lines go between cells along a side that is drawn so long; the middle of a pixel each. */
function between(cell_px, side_px, drawn_px) {
  const lines = Math.ceil(side_px / cell_px) - 1;
  return Array.from({ length: lines }, (_, at) => Math.round(((at + 1) * cell_px * drawn_px) / side_px) + 0.5);
}

function showStrip() {
  const current = page();
  if (!current) return;
  const chosen = choiceOf(current);
  const place = table.pages.length > 1 ? `${table.at + 1} of ${table.pages.length}: ` : "";
  const [cells, kind] = CELLS.exec(chosen?.cells ?? "")?.slice(1) ?? ["none", "patches"];
  const isFree = known.engine.is_local && modelOf(known.model).counts_tokens;
  const figures = {
    "figure-name": `${place}${current.source}`,
    "figure-cells-name": kind.startsWith("tile") ? "Tiles" : "Patches",
    "lines-name": kind.startsWith("tile") ? "Tiles" : "Patches",
    "figure-cells": cells,
    "figure-tokens": chosen ? tokens(chosen.tokens) : "…",
    "figure-cost-name": isFree ? "Would cost" : "Picture costs",
    "figure-cost": chosen ? dollars(chosen.cost_usd) : "…",
    "figure-answer": answerFigure(table.turns.at(-1)),
    // The change of size stands in the strip already.
    notes: current.notes.filter((note) => !/^\d+×\d+ → /.test(note)).join(" · "),
  };
  for (const [id, text] of Object.entries(figures)) $(id).textContent = text;
  $("figure-size").replaceChildren(...sizes(current, chosen));
  $("notes").hidden = !figures.notes;
  $("lines").disabled = !chosen?.cell_px;
}

const CELLS = /^(.*) ([a-z]+)$/;

/** Say the size as it came and as it is sent, once where they are the same. */
function sizes(current, chosen) {
  const came = `${current.width_px}×${current.height_px}`;
  const sent = chosen ? `${chosen.width_px}×${chosen.height_px}` : "…";
  return came === sent ? [`${sent} px`] : [came, make("span", { className: "arrow" }, " → "), `${sent} px`];
}

function answerFigure(turn) {
  if (!turn) return "not asked";
  if (!turn.bill) return STATES[turn.state];
  return turn.bill.cached ? "from cache, $0" : dollars(turn.bill.usd);
}

function figuresAloud() {
  const chosen = choiceOf(page());
  return chosen ? `${count(chosen.tokens, "token")}, ${dollars(chosen.cost_usd)} with ${known.model}.` : "";
}

// --- model and detail ---------------------------------------------------------------------------

function showEngine() {
  const { engine } = known;
  $("engine").textContent = engine.is_local
    ? "Answers in this process" : `Sends to ${new URL(engine.base_url).host}`;
  $("offline").hidden = !engine.is_fallback;
}

/** Show model, details, figures and forecast for what is chosen now. */
function showChoices() {
  if (!known.engine) return;
  $("model").textContent = known.model;
  showDetails();
  showStrip();
  drawLines();
  showForecast().catch(complain);
  $("go").textContent = answering ? "Stop" : "Ask";
  $("go").disabled = !answering && (!table.pages.length || Boolean(table.waiting));
}

/** Say what all pictures of the next question take together; a long question has its own rate. */
async function showForecast() {
  const mine = {};
  showForecast.last = mine;
  const text = await forecast();
  if (mine === showForecast.last) $("forecast").textContent = text;
}

async function forecast() {
  if (known.engine.is_local) return "Answered here, costs nothing";
  const chosen = table.pages.map((each) => choiceOf(each));
  if (!chosen.length || !chosen.every((each) => each?.tokens >= 0)) return "";
  const input = sum(chosen.map((each) => each.tokens));
  if (chosen.length === 1) return `Picture ${tokens(input)} tok, ${dollars(chosen[0].cost_usd)}`;
  const usd = await costOf(known.model, { input, output: 0, cached: 0 });
  return `${chosen.length} pictures ${tokens(input)} tok, ${dollars(usd)}`;
}

function showDetails() {
  const { details, counts_tokens } = modelOf(known.model);
  $("details").hidden = !counts_tokens;
  const held = $("details").contains(document.activeElement);
  $("details").replaceChildren($("details").firstElementChild, ...details.map(detailLabel));
  if (held) $("details").querySelector(":checked")?.focus();
}

function detailLabel(detail) {
  const chosen = choiceOf(page(), known.model, detail);
  const refused = chosen?.refused ?? "";
  const input = make("input", {
    type: "radio", name: "detail", value: detail, className: "unseen",
    checked: detail === known.detail, disabled: Boolean(refused),
  });
  const priced = chosen && !refused ? [`${tokens(chosen.tokens)} tok`, dollars(chosen.cost_usd)] : [];
  const figures = (refused ? ["too large"] : priced).map((text) => make("span", {}, text));
  return make("label", { title: refused }, input, make("b", {}, detail), ...figures);
}

/** Take another model or detail: figures at once, pixels as soon as they are made. */
function choose(model, detail = null) {
  if (detail) known.wanted = detail;
  known.model = model;
  known.detail = detailFor(model);
  showChoices();
  say(`${known.model}, detail ${known.detail}. ${figuresAloud()}`);
  clearTimeout(choose.timer);
  choose.timer = setTimeout(() => refreshViews().catch(complain), 120);
}

/** Make every picture on the table as the chosen model sees it, and wait for that. */
async function refreshViews() {
  const on = table;
  const { model, detail } = known;
  for (const sheet of new Set(on.pages.map((each) => each.sheet))) {
    const { pages } = await view(sheet, model, detail);
    for (const each of on.pages.filter((one) => one.sheet === sheet)) {
      const { choices, ...seen } = pages[each.number];
      Object.assign(each, seen, { choices: { ...each.choices, ...choices } });
    }
  }
  if (on === table && page() && model === known.model && detail === known.detail) {
    $("picture").src = page().url;
    showChoices();
    fit();
  }
}

function showModels() {
  const sought = $("sought").value.trim().toLowerCase();
  const found = known.models.filter((model) => model.name.toLowerCase().includes(sought));
  $("models-head").textContent = page()
    ? `This picture at detail ${known.detail}: tokens, dollars`
    : "Dollars for a million tokens: in, out";
  const rows = [];
  for (const group of new Set(found.map((model) => model.group))) {
    rows.push(make("p", { className: "group", role: "presentation" }, group));
    rows.push(...found.filter((model) => model.group === group).map(modelRow));
  }
  const named = $("sought").value.trim();
  if (named && !known.models.some((model) => model.name === named)) rows.push(modelRow(modelOf(named)));
  $("models-list").replaceChildren(...rows);
}

function modelRow(model) {
  const checked = model.name === known.model;
  const input = make("input", { type: "radio", name: "model", value: model.name, checked });
  const figures = modelFigures(model).map((text) => make("span", { className: "number" }, text));
  const row = make("label", { className: "model" }, input, make("span", {}, model.name), ...figures);
  const notes = modelNotes(model).filter(Boolean).join(" · ");
  if (notes) row.append(make("small", {}, notes));
  return row;
}

/** Say what the picture takes with a model, or with no picture what a million tokens cost. */
function modelFigures(model) {
  const chosen = choiceOf(page(), model.name, detailFor(model.name));
  const { input_usd_per_million, output_usd_per_million } = model;
  const price = (usd) => (usd === null ? "" : dollars(usd).replace(".00", ""));
  if (!chosen) return [input_usd_per_million, output_usd_per_million].map(price);
  return [tokens(chosen.tokens), chosen.cost_usd === null ? "no price" : dollars(chosen.cost_usd)];
}

function modelNotes({ name, api, until, successor }) {
  const isKnown = known.models.some((model) => model.name === name);
  return [
    isKnown ? "" : "not in the catalogue: sent as it is, price unknown",
    api === "responses" ? "Responses API" : "",
    until ? `until ${until}${successor ? `, then ${successor}` : ""}` : "",
  ];
}

// --- asking -------------------------------------------------------------------------------------

/** Ask, and show the answer as it comes. */
async function ask(prompt) {
  const on = table;
  const { model, detail } = known;
  const pages = on.pages.filter((each) => !isAnswered(each, on));
  const turn = { prompt, model, detail, pages, text: "", state: "asking", started: Date.now() };
  on.turns = on.turns.filter((each) => each.state !== "failed");
  on.turns.push(turn);
  remember(on);
  const mine = new AbortController();
  answering = mine;
  say("Asking.");
  show();
  scrollDown(true);
  try {
    await refreshViews();
    turn.body = bodyOf(on);
    await receive(turn, on, mine.signal);
    turn.seconds = (Date.now() - turn.started) / 1000;
    await price(turn);
    turn.state = "answered";
    say(`Answer: ${turn.text} ${billOf(turn)}`);
  } catch (error) {
    turn.state = error.name === "AbortError" ? "stopped" : "failed";
    turn.fault = error;
    say(turn.state === "stopped" ? "Stopped." : "");
  }
  if (answering === mine) answering = null;
  if (on === table) {
    show();
    scrollDown();
  }
}

function isAnswered(each, on) {
  return on.turns.some((turn) => turn.state !== "failed" && turn.pages.includes(each));
}

/** The body of the conversation so far, in the shape of the API that the model speaks. */
function bodyOf(on) {
  const { model, detail } = on.turns.at(-1);
  const isChat = modelOf(model).api === "chat";
  const parts = (turn) => turn.pages.map((each) => isChat
    ? { type: "image_url", image_url: { url: each.url, detail } }
    : { type: "input_image", image_url: each.url, detail });
  const said = on.turns.flatMap((turn) => {
    const text = { type: isChat ? "text" : "input_text", text: turn.prompt };
    const answer = { role: "assistant", content: turn.text };
    return [{ role: "user", content: [text, ...parts(turn)] }, ...(turn.text ? [answer] : [])];
  });
  return isChat
    ? { model, messages: said, stream: true, stream_options: { include_usage: true } }
    : { model, input: said, stream: true, store: false };
}

async function receive(turn, on, signal) {
  const isChat = "messages" in turn.body;
  const response = await call(isChat ? "v1/chat/completions" : "v1/responses", {
    method: "POST", signal, body: JSON.stringify(turn.body),
    headers: { "content-type": "application/json", accept: "text/event-stream" },
  });
  turn.cached = response.headers.get("x-eyeline-cached") === "true";
  turn.state = "answering";
  showStrip();
  const read = isChat ? readChat : readResponses;
  for await (const event of events(response.body)) {
    if (read(event, turn)) showComing(turn, on);
  }
  if (!turn.ending) throw brokenOff();
}

function brokenOff() {
  return new Fault("The answer broke off before its end.", "What came so far stays; ask again for the whole.");
}

/** Take one event of Chat Completions; true where it brought text. */
function readChat(event, turn) {
  refuseError(event.error);
  if (event.usage) {
    const { prompt_tokens, completion_tokens, prompt_tokens_details } = event.usage;
    const cached = prompt_tokens_details?.cached_tokens ?? 0;
    turn.usage = { input: prompt_tokens, output: completion_tokens, cached };
  }
  const { delta, finish_reason } = event.choices?.[0] ?? {};
  if (finish_reason) turn.ending = finish_reason;
  const text = delta?.content ?? delta?.refusal ?? "";
  turn.text += text;
  return text;
}

/** Take one event of Responses; true where it brought text. */
function readResponses(event, turn) {
  if (event.type === "error") refuseError(event.error ?? event);
  if (event.type === "response.failed") refuseError(event.response.error ?? { message: "The model failed to answer." });
  if (event.type === "response.completed" || event.type === "response.incomplete") {
    const { usage, incomplete_details } = event.response;
    turn.ending = incomplete_details?.reason === "max_output_tokens" ? "length" : "stop";
    const cached = usage?.input_tokens_details?.cached_tokens ?? 0;
    if (usage) turn.usage = { input: usage.input_tokens, output: usage.output_tokens, cached };
  }
  const text = /^response\.(output_text|refusal)\.delta$/.test(event.type) ? event.delta : "";
  turn.text += text;
  return text;
}

function refuseError(error) {
  if (error) throw new Fault(error.message ?? String(error), error.hint ?? "");
}

/** Give each JSON event of a server-sent stream. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split(/\r?\n\r?\n/);
      rest = blocks.pop();
      for (const data of blocks.map(dataOf)) {
        if (data && data !== "[DONE]") yield JSON.parse(data);
      }
    }
  } catch (error) {
    throw error.name === "AbortError" ? error : brokenOff();
  } finally {
    reader.cancel().catch(() => {});
  }
}

function dataOf(block) {
  const lines = block.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.slice(5).trimStart()).join("\n");
}

/** Ask the gateway what the answer cost; what came from its cache costs nothing. */
async function price(turn) {
  turn.bill = { cached: turn.cached, usd: turn.cached ? 0 : null };
  if (turn.cached || !turn.usage) return;
  turn.bill.usd = await costOf(turn.model, turn.usage).catch(() => null);
}

async function costOf(model, { input, output, cached }) {
  const counts = { input_tokens: input, output_tokens: output, cached_tokens: cached };
  const asked = new URLSearchParams({ model, ...counts });
  return (await (await call(`eyeline/cost?${asked}`)).json()).cost_usd;
}

// --- the conversation ---------------------------------------------------------------------------

function showTurns() {
  $("first").hidden = table.turns.length > 0;
  const turns = $("turns");
  const wanted = [$("first"), ...table.turns.map(showTurn)];
  const isSame = wanted.length === turns.childElementCount && wanted.every((each) => each.parentNode === turns);
  if (!isSame) turns.replaceChildren(...wanted);
  const first = page() ? "Ask about the picture" : "Put a picture on the table first";
  $("prompt").placeholder = table.turns.length ? "Ask a follow-up" : first;
}

/** Give the element of a turn; one that is settled stays as it is, opened and selected. */
function showTurn(turn) {
  const isComing = turn.state === "asking" || turn.state === "answering";
  turn.element ??= make("article", { className: "turn" });
  if (turn.shown === turn.state) return turn.element;
  turn.shown = turn.state;
  const className = isComing ? "answer coming" : "answer";
  turn.answer = make("div", { className, "aria-busy": String(isComing) }, ...markdown(turn.text));
  turn.element.replaceChildren(make("h2", {}, turn.prompt), turn.answer, ...below(turn));
  return turn.element;
}

/** What stands below an answer, by how it ended. */
function below(turn) {
  const bill = (text) => make("p", { className: "bill" }, text);
  const code = turn.body ? [codeBox(turn, table)] : [];
  if (turn.state === "failed") return [faultBox(turn.fault, () => again(turn))];
  if (turn.state === "stopped") return [bill("Stopped. The provider may still bill what it had begun."), ...code];
  return turn.state === "answered" ? [bill(billOf(turn)), ...code] : [];
}

function billOf(turn) {
  const { usage, bill } = turn;
  const reader = known.models[0].name;
  const standsIn = known.engine.is_fallback && turn.model !== reader;
  return [
    standsIn ? `${reader} in place of ${turn.model}` : turn.model,
    usage?.input && `${tokens(usage.input)} in, ${tokens(usage.output)} out`,
    usage?.cached && !bill.cached ? `${tokens(usage.cached)} from the provider's cache` : "",
    bill.cached ? "from the cache, $0" : dollars(bill.usd),
    turn.ending === "length" ? "cut at the token limit" : "",
    turn.seconds ? `${turn.seconds.toFixed(turn.seconds < 0.1 ? 2 : 1)} s` : "",
  ].filter(Boolean).map((each) => each.replaceAll(" ", "\u00a0")).join(" · ");
}

/** Draw what has come, once a frame. */
function showComing(turn, on) {
  if (turn.drawing || on !== table) return;
  turn.drawing = requestAnimationFrame(() => {
    turn.drawing = 0;
    turn.answer.replaceChildren(...markdown(soFar(turn.text)));
    scrollDown();
  });
}

const scroller = () => (NARROW.matches ? document.scrollingElement : $("turns"));
let follows = true; // whether the reader is where the newest comes, and has not scrolled away

/** Keep the newest in view. */
function scrollDown(always = false) {
  follows ||= always;
  if (follows) scroller().scrollTop = scroller().scrollHeight;
}

function noteScroll() {
  const { scrollHeight, scrollTop, clientHeight } = scroller();
  follows = scrollHeight - scrollTop - clientHeight < 64;
}

function again(turn) {
  table.turns = table.turns.filter((each) => each !== turn);
  ask(turn.prompt);
}

function remember(conversation) {
  if (!conversations.includes(conversation)) conversations.unshift(conversation);
  $("show-history").hidden = false;
  $("show-history").textContent = `History ${conversations.length}`;
}

function showHistory() {
  $("past").replaceChildren(...conversations.map(pastItem));
  const turns = conversations.flatMap((conversation) => conversation.turns);
  const answers = count(turns.filter((turn) => turn.bill).length, "answer");
  $("session").textContent = `${answers}, ${dollars(spent(turns))}. Kept in this tab until it is closed.`;
}

const spent = (turns) => sum(turns.map((turn) => turn.bill?.usd ?? 0));

function pastItem(conversation) {
  const { turns, pages } = conversation;
  const time = new Date(turns[0].started).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const figures = [time, count(turns.length, "question"), dollars(spent(turns)), pages[0].source];
  const said = make("div", {}, make("b", {}, turns[0].prompt), make("span", {}, figures.join(" · ")));
  const button = make("button", { type: "button" }, make("img", { src: pages[0].url, alt: "" }), said);
  if (conversation === table) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => {
    if (conversation !== table) answering?.abort();
    table = conversation;
    $("history").hidePopover();
    show();
    $("turns").focus();
  });
  return make("li", {}, button);
}

// --- Markdown, as elements ----------------------------------------------------------------------

const FENCE = /^\s*```/;
const ITEM = /^\s*(?:[-*•]|(\d+)[.)])\s+(.*)$/;
const ROW = /^\s*\|(.+)\|\s*$/;
const RULE = /^\s*\|[\s:|-]+\|\s*$/;
const HEAD = /^#{1,6}\s+/;
const QUOTE = /^>\s?/;

/** Give the blocks of a text as elements. Links and images stay words: nothing is ever fetched. */
function markdown(text) {
  const lines = text.split("\n");
  const blocks = [];
  while (lines.length) {
    const line = lines[0];
    if (!line.trim()) lines.shift();
    else if (FENCE.test(line)) blocks.push(fenced(lines));
    else if (HEAD.test(line)) blocks.push(make("h3", {}, ...inline(lines.shift().replace(HEAD, ""))));
    else if (ITEM.test(line)) blocks.push(list(lines));
    else if (isTable(lines, 0)) blocks.push(rowsOf(lines));
    else if (QUOTE.test(line)) blocks.push(quote(lines));
    else blocks.push(make("p", {}, ...inline(paragraph(lines))));
  }
  return blocks;
}

const isTable = (lines, at) => ROW.test(lines[at]) && RULE.test(lines[at + 1] ?? "");

/** Take lines off the front, up to the first that ends what they are. */
function takeUntil(lines, isEnd) {
  const end = lines.findIndex(isEnd);
  return lines.splice(0, end < 0 ? lines.length : end);
}

function paragraph(lines) {
  const begins = (line) => !line.trim() || [FENCE, HEAD, ITEM, QUOTE].some((block) => block.test(line));
  return takeUntil(lines, (line, at) => at > 0 && (begins(line) || isTable(lines, at))).join("\n");
}

function quote(lines) {
  const quoted = takeUntil(lines, (line) => !QUOTE.test(line)).map((line) => line.replace(QUOTE, ""));
  return make("blockquote", {}, ...inline(quoted.join("\n")));
}

function fenced(lines) {
  lines.shift();
  const code = takeUntil(lines, (line) => FENCE.test(line));
  lines.shift();
  return make("pre", { tabIndex: 0 }, make("code", {}, code.join("\n")));
}

function list(lines) {
  const number = ITEM.exec(lines[0])[1];
  const texts = takeUntil(lines, (line) => !ITEM.test(line)).map((line) => ITEM.exec(line)[2]);
  const items = texts.map((text) => make("li", {}, ...inline(text)));
  return number ? make("ol", { start: Number(number) }, ...items) : make("ul", {}, ...items);
}

function rowsOf(lines) {
  const [head, , ...rows] = takeUntil(lines, (line) => !ROW.test(line)).map((line) => ROW.exec(line)[1].split("|"));
  const row = (cells, tag) => make("tr", {}, ...cells.map((cell) => make(tag, {}, ...inline(cell.trim()))));
  const body = make("tbody", {}, ...rows.map((cells) => row(cells, "td")));
  const table = make("table", {}, make("thead", {}, row(head, "th")), body);
  return make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": "Table" }, table);
}

// What may yet become a table's head or row, while the text is coming.
const HALF_A_TABLE = /(^|\n)\|[^\n]*(\n\|[\s:|-]*)?$/;

/** Give what has come of a text so that it reads well: no half a table, no open bold. */
function soFar(text) {
  const shown = text.replace(HALF_A_TABLE, "").replace(/\*+$/, "");
  return shown.split("**").length % 2 ? shown : `${shown}**`;
}

const SPAN = /`([^`]+)`|\*\*(.+?)\*\*|\*([^\s*][^*]*)\*|!?\[([^\]]*)\]\(([^)\s]+)\)|\n/g;

/** Give a line's words as texts and elements. */
function inline(text) {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(SPAN)) {
    found.push(text.slice(end, match.index), span(match));
    end = match.index + match[0].length;
  }
  return [...found, text.slice(end)];
}

function span([, code, strong, slanted, name, address]) {
  if (code) return make("code", {}, code);
  if (strong) return make("strong", {}, ...inline(strong));
  if (slanted) return make("em", {}, ...inline(slanted));
  return address ? `${name} (${address})` : make("br");
}

// --- the same elsewhere -------------------------------------------------------------------------

const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** What a page is called outside this page: the address or file it came from. */
function referenceTo(each) {
  const isPaged = each.source.endsWith(`#${each.number + 1}`);
  return each.sheet.url ? `${each.sheet.url}${isPaged ? `#${each.number + 1}` : ""}` : each.source;
}

function detailOf(turn) {
  return modelOf(turn.model).counts_tokens ? turn.detail : "";
}

const isNamedEngine = () => !known.engine.is_fallback && known.engine.name !== "openai";

/** One question is a call of `ask`; a conversation needs the official client, made right. */
function asPython(turn, turns) {
  if (turns.length > 1) return asPythonTalk(turn, turns);
  const lines = [turn.prompt, ...turn.pages.map(referenceTo)].map((each) => `    ${JSON.stringify(each)},`);
  lines.push(`    model=${JSON.stringify(turn.model)},`);
  if (detailOf(turn)) lines.push(`    detail=${JSON.stringify(turn.detail)},`);
  const engine = JSON.stringify(known.engine.name);
  const client = isNamedEngine() ? `client = eyeline.Client(engine=${engine})\nanswer = client` : "answer = eyeline";
  return `import eyeline\n\n${client}.ask(\n${lines.join("\n")}\n)\nprint(answer)\n`;
}

function asPythonTalk(turn, turns) {
  const body = named(turn, turns, referenceTo);
  const literal = (value) => (value === false ? "False" : JSON.stringify(value, null, 4).replaceAll("\n", "\n    "));
  const fields = Object.entries(body).map(([name, value]) => `    ${name}=${literal(value)},\n`).join("");
  const here = `base_url=${JSON.stringify(new URL("v1", location).href)}, api_key="any"`;
  const client = `client = OpenAI(${known.engine.name === "openai" ? "" : here})`;
  const [create, text] = "messages" in body
    ? ["chat.completions.create", "choices[0].message.content"] : ["responses.create", "output_text"];
  return `from eyeline import OpenAI\n\n${client}\nanswer = client.${create}(\n${fields})\nprint(answer.${text})\n`;
}

/** The body that was sent, to be answered whole, with each picture named instead of carried. */
function named(turn, turns, name) {
  const pages = turns.flatMap((each) => each.pages);
  const { stream, stream_options, ...body } = turn.body;
  const text = JSON.stringify(body, (key, value) => {
    const isPicture = typeof value === "string" && value.startsWith("data:");
    return (key === "url" || key === "image_url") && isPicture ? name(pages.shift()) : value;
  });
  return JSON.parse(text);
}

function asCurl(turn, turns) {
  const url = new URL("messages" in turn.body ? "v1/chat/completions" : "v1/responses", location);
  const files = new Map();
  const carried = (each) => {
    if (each.sheet.url && referenceTo(each) === each.sheet.url) return each.sheet.url;
    const mark = `PICTURE-${files.size}-${turn.started}`;
    files.set(mark, `data:${each.media_type};base64,$(base64 < ${quoted(each.sheet.name)} | tr -d '\\n')`);
    return mark;
  };
  const body = JSON.stringify(named(turn, turns, carried), null, 2).replace(/[\\$`]/g, "\\$&");
  const filled = [...files].reduce((text, [mark, data]) => text.replace(mark, () => data), body);
  const token = known.token ? ` \\\n  -H "Authorization: Bearer $TOKEN"` : "";
  return `curl ${quoted(url.href)} \\\n  -H 'Content-Type: application/json'${token} \\\n  -d @- <<END\n${filled}\nEND\n`;
}

function asShell(turn, turns) {
  const pictures = turns.flatMap((each) => each.pages).map(referenceTo);
  const words = ["eyeline ask", ...[turn.prompt, ...pictures].map(quoted)];
  words.push("-m", quoted(turn.model));
  if (detailOf(turn)) words.push("--detail", turn.detail);
  if (isNamedEngine()) words.push("--engine", quoted(known.engine.name));
  const note = turns.length > 1 ? "# One question at a time: what was said before is not sent along.\n" : "";
  return `${note}${words.join(" ")}\n`;
}

const CODES = { Python: asPython, curl: asCurl, Shell: asShell };

function codeBox(turn, on) {
  const turns = on.turns.slice(0, on.turns.indexOf(turn) + 1);
  const box = make("details", { className: "code" }, make("summary", {}, "The same in Python, curl, shell"));
  box.addEventListener("toggle", () => {
    if (box.open && box.childElementCount === 1) fillCode(box, turn, turns);
    if (box.open) box.scrollIntoView({ block: "nearest" });
  });
  return box;
}

function fillCode(box, turn, turns) {
  const text = make("code");
  const copy = make("button", { type: "button", className: "plain" }, "Copy");
  const tabs = Object.keys(CODES).map((name) => make("button", { type: "button", role: "tab" }, name));
  const select = (chosen) => {
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
    }
    text.textContent = CODES[chosen.textContent](turn, turns);
  };
  const row = make("div", { role: "tablist", className: "tabs", "aria-label": "Languages" }, ...tabs);
  row.addEventListener("click", ({ target }) => tabs.includes(target) && select(target));
  row.addEventListener("keydown", ({ key }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    select(next);
    next.focus();
  });
  copy.addEventListener("click", () => copyText(text, copy));
  box.append(row, make("pre", { role: "tabpanel", tabIndex: 0 }, text), copy);
  select(tabs[0]);
}

async function copyText(source, button) {
  say("");
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source); // no clipboard outside localhost and https
    button.textContent = "Selected, press Ctrl C";
  }
  say(button.textContent);
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

// --- faults and what is said aloud --------------------------------------------------------------

function say(text) {
  $("status").textContent = text;
}

function faultBox(error, retry = null) {
  const words = make("div", {}, make("p", { className: "what" }, error.message));
  if (error.hint) words.append(make("p", { className: "hint" }, ...inline(error.hint)));
  const box = make("div", { className: "fault", role: "alert" }, words);
  const button = make("button", { type: "button" }, retry ? "Try again" : "Dismiss");
  button.addEventListener("click", () => {
    box.remove();
    retry?.();
  });
  box.append(button);
  return box;
}

function complain(error, retry = null) {
  $("faults").append(faultBox(error, retry));
}

// --- hands --------------------------------------------------------------------------------------

for (const place of document.querySelectorAll(".sources")) {
  place.append($("sources").content.cloneNode(true));
  const here = Boolean(place.closest("#add"));
  const files = place.querySelector(".files");
  const add = (sources) => {
    if (here) $("add").hidePopover();
    lay(sources, { here });
  };
  place.querySelector(".pick").addEventListener("click", () => files.click());
  files.addEventListener("change", () => {
    add([...files.files]);
    files.value = "";
  });
  place.querySelector(".fetch").addEventListener("submit", (event) => {
    event.preventDefault();
    const address = event.target.querySelector("input");
    add([address.value]);
    address.value = "";
  });
}

for (const idea of IDEAS) {
  const button = make("button", { type: "button" }, idea);
  button.addEventListener("click", () => page() && !answering && ask(idea));
  $("ideas").append(button);
}

let dragged = 0;
addEventListener("dragenter", () => document.body.classList.toggle("dragging", ++dragged > 0));
addEventListener("dragleave", () => document.body.classList.toggle("dragging", --dragged > 0));
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  dragged = 0;
  document.body.classList.remove("dragging");
  const files = [...event.dataTransfer.files].filter((file) => PICTURE.test(file.type));
  const address = event.dataTransfer.getData("text/uri-list").split("\n")[0].trim();
  if (files.length) lay(files);
  else if (/^https?:/.test(address)) lay([address]);
  else complain(new Fault("That is no picture.", "Drop an image, a PDF, or the address of one."));
});
addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files].filter((file) => PICTURE.test(file.type));
  const text = event.clipboardData.getData("text/plain").trim();
  const isTyping = /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName);
  if (files.length) lay(files);
  else if (!isTyping && /^https?:\/\/\S+$/.test(text)) lay([text]);
  else return;
  event.preventDefault();
});

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if (answering) return answering.abort();
  const prompt = $("prompt").value.trim();
  if (!prompt || $("go").disabled) return;
  $("prompt").value = "";
  ask(prompt);
});
$("prompt").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!answering) $("ask").requestSubmit();
});
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && answering && !document.querySelector(":popover-open")) answering.abort();
});

$("details").addEventListener("change", ({ target }) => choose(known.model, target.value));
$("models-list").addEventListener("change", ({ target }) => choose(target.value));
$("models-list").addEventListener("pointerup", ({ target }) => {
  const input = target.closest(".model")?.querySelector("input");
  if (!input) return;
  if (input.value !== known.model) choose(input.value);
  $("models").hidePopover();
});
$("models").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const found = [...$("models-list").querySelectorAll("input")].map((input) => input.value);
  const sought = $("sought").value.trim();
  const chosen = found.includes(sought) ? sought : found[0];
  if (event.target === $("sought") && sought && chosen) choose(chosen);
  $("models").hidePopover();
});
$("models").addEventListener("toggle", ({ newState }) => {
  if (newState === "open") $("models-list").querySelector(":checked")?.scrollIntoView({ block: "center" });
});
$("sought").addEventListener("input", showModels);
$("sought").addEventListener("keydown", (event) => {
  const first = $("models-list").querySelector(":checked") ?? $("models-list").querySelector("input");
  if (event.key !== "ArrowDown" || !first) return;
  event.preventDefault();
  first.focus();
});
$("history").addEventListener("toggle", ({ newState }) => {
  if (newState === "open") $("past").querySelector("button")?.focus();
});

/** Fill a popover, and put it below the button that opens it. */
function place(popover, button, fill = () => {}) {
  popover.addEventListener("beforetoggle", ({ newState }) => {
    if (newState !== "open") return;
    fill();
    const { left, right, bottom } = button.getBoundingClientRect();
    const isRight = left > innerWidth / 2;
    popover.style.left = isRight ? "auto" : `${left}px`;
    popover.style.right = isRight ? `${Math.max(8, innerWidth - right - 16)}px` : "auto";
    popover.style.top = `${bottom + 8}px`;
  });
}

place($("add"), $("show-add"));
place($("history"), $("show-history"), showHistory);
place($("models"), $("show-models"), () => {
  $("sought").value = "";
  $("models").style.width = `${$("show-models").offsetWidth + 32}px`;
  showModels();
});

$("anew").addEventListener("click", () => {
  anew();
  document.querySelector("#empty .pick").focus();
});
$("remove").addEventListener("click", removePage);
$("lines").addEventListener("change", drawLines);
$("whole").addEventListener("change", fit);
for (const scrolled of [$("turns"), document]) scrolled.addEventListener("scroll", noteScroll);
new ResizeObserver(() => requestAnimationFrame(fit)).observe($("stage"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawLines);

const begun = begin();
show();
