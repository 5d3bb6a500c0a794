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

const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
const tokens = (number) => number.toLocaleString("en");
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
const NARROW = matchMedia("(max-width: 899px)");
const STATES = { asking: "asking", answering: "coming", stopped: "stopped", failed: "failed", answered: "" };
const UNREACHED = "The gateway does not answer.";

const known = { engine: null, models: [], model: "", detail: "high", token: sessionStorage.getItem("eyeline-token") ?? "" };
const conversations = [];
let table = newConversation();
let answering = null; // the AbortController of the answer on its way

function newConversation() {
  return { pages: [], turns: [], at: 0 };
}

/** An error with what to do about it, as the gateway says it. */
class Fault extends Error {
  constructor(message, hint = "") {
    super(message);
    this.hint = hint;
  }
}

const modelOf = (name) =>
  known.models.find((model) => model.name === name) ??
  { name, group: "others", api: "chat", details: ["low", "high", "original"], counts_tokens: true, input_usd_per_million: null, output_usd_per_million: null };
const page = () => table.pages[table.at];
const choiceOf = (each, model = known.model, detail = known.detail) => each?.choices[model]?.[detail];

/** The detail a model would be asked with: the chosen one where it has it and takes the picture. */
function detailFor(model, each = page()) {
  const fits = (detail) => modelOf(model).details.includes(detail) && !choiceOf(each, model, detail)?.refused;
  return [known.wanted, "high", ...modelOf(model).details].find(fits) ?? "high";
}

// --- the gateway --------------------------------------------------------------------------------

async function call(path, options = {}) {
  const headers = new Headers(options.headers);
  if (known.token) headers.set("authorization", `Bearer ${known.token}`);
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Fault(UNREACHED, "Is eyeline serve still running?");
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
    error = typeof body.error === "object" && body.error ? body.error : { message: body.error ?? body.detail };
  } catch { /* not JSON: a proxy, say */ }
  const message = String(error.message || `The gateway answered ${response.status}.`);
  // The gateway's own errors in the API's shape have no field for a hint.
  const [, words, hint] = (!error.hint && /^(.+?) \(([^()]+(?:\([^()]*\)[^()]*)*)\)$/s.exec(message)) || [];
  const fault = words ? new Fault(words, hint) : new Fault(message, error.hint ?? "");
  fault.status = response.status;
  return fault;
}

async function begin() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    known.token = given;
    sessionStorage.setItem("eyeline-token", given);
    history.replaceState(null, "", location.pathname);
  }
  try {
    const found = await (await call("eyeline/models")).json();
    Object.assign(known, found, { wanted: found.detail });
    if (!found.engine.is_local && found.engine.name !== "openai") known.models = (await served()) ?? found.models;
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

function unlock() {
  $("locked").addEventListener("close", () => {
    known.token = $("token").value;
    sessionStorage.setItem("eyeline-token", known.token);
    begin();
  }, { once: true });
  if (known.token) $("locked-why").textContent = "That is not its token. Whoever runs eyeline serve has it.";
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
  onto.waiting = (onto.waiting ?? 0) + 1;
  show();
  try {
    const detail = modelOf(known.model).details.includes(known.wanted) ? known.wanted : "high";
    const { pages, left_out } = await view(sheet, known.model, detail).catch((error) => {
      if (detail === "high") throw error;
      return view(sheet, known.model, "high"); // `original` may refuse what `high` shrinks
    });
    onto.pages.push(...pages.map((each, number) => ({ ...each, sheet, number })));
    onto.at = onto.pages.length - pages.length;
    if (left_out) complain(new Fault(`${sheet.name}: the first ${count(pages.length, "page")} are on the table, ${left_out} more are not.`));
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
    const button = make("button", { type: "button", className: "tile", ariaLabel: `Picture ${number + 1}: ${each.source}` }, make("img", { src: each.url, alt: "" }));
    if (number === table.at) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => {
      table.at = number;
      show();
      $("film").children[number].firstChild.focus();
    });
    return make("li", {}, button);
  });
  if (table.waiting) items.push(make("li", {}, make("span", { className: "tile", role: "img", ariaLabel: "One more is coming" }, "…")));
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
  const { width_px, height_px } = current;
  const { clientWidth, clientHeight } = $("stage");
  const room_px = NARROW.matches ? innerHeight * 0.56 : clientHeight;
  const longest = Math.max(width_px, height_px);
  const enlarged = longest < 384 ? Math.floor(384 / longest) : 1;
  const isWhole = $("whole").checked;
  const scale = isWhole ? choiceOf(current)?.width_px / width_px / devicePixelRatio || 1
    : Math.min(clientWidth / width_px, room_px / height_px, enlarged);
  $("stage").classList.toggle("whole", isWhole);
  $("frame").classList.toggle("coarse", scale > 1);
  $("frame").style.width = `${Math.max(1, Math.round(width_px * scale))}px`;
  $("frame").style.height = `${Math.max(1, Math.round(height_px * scale))}px`;
  drawLines();
}

/** Draw the lines between patches or tiles, each one device pixel wide and on the pixel. */
function drawLines() {
  const chosen = choiceOf(page());
  const { clientWidth, clientHeight } = $("frame");
  const canvas = $("grid");
  const ratio = devicePixelRatio;
  canvas.width = Math.round(clientWidth * ratio);
  canvas.height = Math.round(clientHeight * ratio);
  if (!chosen?.cell_px || !$("lines").checked) return;
  const pen = canvas.getContext("2d");
  pen.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--lines");
  pen.beginPath();
  const steps = (side_px, drawn) =>
    Array.from({ length: Math.ceil(side_px / chosen.cell_px) - 1 }, (_, at) => Math.round(((at + 1) * chosen.cell_px * drawn) / side_px) + 0.5);
  for (const x of steps(chosen.width_px, canvas.width)) { pen.moveTo(x, 0); pen.lineTo(x, canvas.height); }
  for (const y of steps(chosen.height_px, canvas.height)) { pen.moveTo(0, y); pen.lineTo(canvas.width, y); }
  pen.stroke();
}

function showStrip() {
  const current = page();
  if (!current) return;
  const chosen = choiceOf(current);
  const many = table.pages.length > 1 ? `${table.at + 1} of ${table.pages.length}: ` : "";
  $("figure-name").textContent = `${many}${current.source}`;
  const stored = `${current.width_px}×${current.height_px}`;
  const sent = chosen ? `${chosen.width_px}×${chosen.height_px}` : "…";
  const arrow = make("span", { className: "arrow" }, "→");
  $("figure-size").replaceChildren(...(sent === stored ? [`${stored} px`] : [stored, " ", arrow, " ", `${sent} px`]));
  const [cells, kind] = /^(.*) ([a-z]+)$/.exec(chosen?.cells ?? "")?.slice(1) ?? ["none", "patches"];
  $("figure-cells-name").textContent = /^tile/.test(kind) ? "Tiles" : "Patches";
  $("lines-name").textContent = $("figure-cells-name").textContent;
  $("lines").disabled = !chosen?.cell_px;
  $("figure-cells").textContent = cells.replace(" = ", " = ");
  $("figure-tokens").textContent = chosen ? tokens(chosen.tokens) : "…";
  const isFree = known.engine.is_local && modelOf(known.model).counts_tokens;
  $("figure-cost-name").textContent = isFree ? "Would cost" : "Picture costs";
  $("figure-cost").textContent = chosen ? dollars(chosen.cost_usd) : "…";
  const last = table.turns.at(-1);
  $("figure-answer").textContent = !last ? "not asked" : !last.bill ? STATES[last.state] : last.bill.cached ? "from cache, $0" : dollars(last.bill.usd);
  $("notes").textContent = current.notes.filter((note) => !/^\d+×\d+ → /.test(note)).join(" · ");
  $("notes").hidden = !$("notes").textContent;
}

const figuresAloud = () => {
  const chosen = choiceOf(page());
  return chosen ? `${count(chosen.tokens, "token")}, ${dollars(chosen.cost_usd)} with ${known.model}.` : "";
};

// --- model and detail ---------------------------------------------------------------------------

function showEngine() {
  const { engine } = known;
  $("engine").textContent = engine.is_local ? "Answers in this process" : `Sends to ${new URL(engine.base_url).host}`;
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
  if (known.engine.is_local) return void ($("forecast").textContent = "Answered here, costs nothing");
  const { model } = known;
  const chosen = table.pages.map((each) => choiceOf(each));
  const asked = showForecast.last = {};
  if (!chosen.length || !chosen.every((each) => each?.tokens >= 0)) return void ($("forecast").textContent = "");
  const total = sum(chosen.map((each) => each.tokens));
  const usd = chosen.length === 1 ? chosen[0].cost_usd : await costOf(model, { input: total, output: 0, cached: 0 });
  const what = chosen.length > 1 ? `${chosen.length} pictures` : "Picture";
  if (asked === showForecast.last) $("forecast").textContent = `${what} ${tokens(total)} tok, ${dollars(usd)}`;
}

function showDetails() {
  const { details, counts_tokens } = modelOf(known.model);
  $("details").hidden = !counts_tokens;
  const held = $("details").contains(document.activeElement);
  const labels = details.map((detail) => {
    const chosen = choiceOf(page(), known.model, detail);
    const input = make("input", { type: "radio", name: "detail", value: detail, className: "unseen", checked: detail === known.detail, disabled: Boolean(chosen?.refused) });
    const figures = chosen?.refused ? ["too large", ""] : chosen ? [`${tokens(chosen.tokens)} tok`, dollars(chosen.cost_usd)] : [];
    const label = make("label", {}, input, make("b", {}, detail), ...figures.map((text) => make("span", {}, text)));
    if (chosen?.refused) label.title = chosen.refused;
    return label;
  });
  $("details").replaceChildren($("details").firstElementChild, ...labels);
  if (held) $("details").querySelector(":checked")?.focus();
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
  const on = table, { model, detail } = known;
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
  const current = page();
  $("models-head").textContent = current
    ? `This picture at detail ${known.detail}: tokens, dollars`
    : "Dollars for a million tokens: in, out";
  const rows = [];
  for (const group of new Set(found.map((model) => model.group))) {
    rows.push(make("p", { className: "group", role: "presentation" }, group));
    rows.push(...found.filter((model) => model.group === group).map((model) => modelRow(model, current)));
  }
  if (sought && !known.models.some((model) => model.name === sought)) rows.push(modelRow(modelOf($("sought").value.trim()), null, "not in the catalogue: sent as it is, price unknown"));
  $("models-list").replaceChildren(...rows);
}

function modelRow(model, current, note = "") {
  const input = make("input", { type: "radio", name: "model", value: model.name, checked: model.name === known.model });
  const chosen = current && choiceOf(current, model.name, detailFor(model.name));
  const rates = [model.input_usd_per_million, model.output_usd_per_million];
  const price = (usd) => (usd == null ? "" : dollars(usd).replace(".00", ""));
  const figures = chosen ? [tokens(chosen.tokens), dollars(chosen.cost_usd).replace("price unknown", "no price")] : rates.map(price);
  const notes = [note, model.api === "responses" && "Responses API", model.until && `until ${model.until}${model.successor ? `, then ${model.successor}` : ""}`].filter(Boolean);
  const row = make("label", { className: "model" }, input, make("span", {}, model.name), ...figures.map((text) => make("span", { className: "number" }, text)));
  if (notes.length) row.append(make("small", {}, notes.join(" · ")));
  return row;
}

// --- asking -------------------------------------------------------------------------------------

/** Ask, and show the answer as it comes. */
async function ask(prompt) {
  const on = table;
  const turn = { prompt, model: known.model, detail: known.detail, pages: on.pages.filter((each) => !isAnswered(each, on)), text: "", state: "asking", started: Date.now() };
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

const isAnswered = (each, on) => on.turns.some((turn) => turn.state !== "failed" && turn.pages.includes(each));

/** The body of the conversation so far, in the shape of the API that the model speaks. */
function bodyOf(on) {
  const { model, detail } = on.turns.at(-1);
  const isChat = modelOf(model).api === "chat";
  const parts = (turn) => turn.pages.map((each) => isChat
    ? { type: "image_url", image_url: { url: each.url, detail } }
    : { type: "input_image", image_url: each.url, detail });
  const said = on.turns.flatMap((turn) => [
    { role: "user", content: [{ type: isChat ? "text" : "input_text", text: turn.prompt }, ...parts(turn)] },
    ...(turn.text && turn !== on.turns.at(-1) ? [{ role: "assistant", content: turn.text }] : []),
  ]);
  return isChat
    ? { model, messages: said, stream: true, stream_options: { include_usage: true } }
    : { model, input: said, stream: true, store: false };
}

async function receive(turn, on, signal) {
  const isChat = "messages" in turn.body;
  const response = await call(isChat ? "v1/chat/completions" : "v1/responses", {
    method: "POST", signal, body: JSON.stringify(turn.body), headers: { "content-type": "application/json", accept: "text/event-stream" },
  });
  const header = (name) => response.headers.get(`x-eyeline-${name}`);
  turn.cached = /^(1|true|yes|hit)$/i.test(header("cached") ?? "");
  turn.notes = header("notes") ?? "";
  turn.state = "answering";
  showStrip();
  const read = isChat ? readChat : readResponses;
  for await (const event of events(response.body)) {
    if (read(event, turn)) showComing(turn, on);
  }
  if (!turn.ending) throw new Fault("The answer broke off before its end.", "What came so far is above; ask again for the whole.");
}

/** Take one event of Chat Completions; true where it brought text. */
function readChat(event, turn) {
  refuseError(event.error);
  if (event.usage) turn.usage = { input: event.usage.prompt_tokens, output: event.usage.completion_tokens, cached: event.usage.prompt_tokens_details?.cached_tokens ?? 0 };
  const { delta, finish_reason } = event.choices?.[0] ?? {};
  if (finish_reason) turn.ending = finish_reason;
  const text = delta?.content ?? delta?.refusal ?? "";
  turn.text += text;
  return text;
}

/** Take one event of Responses; true where it brought text. */
function readResponses(event, turn) {
  if (event.type === "error") refuseError(event.error ?? event);
  if (event.type === "response.failed") refuseError(event.response?.error ?? { message: "The model failed to answer." });
  if (event.type === "response.completed" || event.type === "response.incomplete") {
    const { usage, incomplete_details } = event.response;
    turn.ending = incomplete_details?.reason === "max_output_tokens" ? "length" : "stop";
    if (usage) turn.usage = { input: usage.input_tokens, output: usage.output_tokens, cached: usage.input_tokens_details?.cached_tokens ?? 0 };
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
      for (const block of blocks) {
        const data = block.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart()).join("\n");
        if (data && data !== "[DONE]") yield JSON.parse(data);
      }
    }
  } catch (error) {
    if (error.name === "AbortError" || error instanceof Fault) throw error;
    throw new Fault("The answer broke off before its end.", "What came so far is above; ask again for the whole.");
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Ask the gateway what the answer cost; what came from its cache costs nothing. */
async function price(turn) {
  turn.bill = { cached: turn.cached, usd: turn.cached ? 0 : null };
  if (turn.cached || !turn.usage) return;
  turn.bill.usd = await costOf(turn.model, turn.usage).catch(() => null);
}

async function costOf(model, { input, output, cached }) {
  const asked = new URLSearchParams({ model, input_tokens: input, output_tokens: output, cached_tokens: cached });
  return (await (await call(`eyeline/cost?${asked}`)).json()).cost_usd;
}

// --- the conversation ---------------------------------------------------------------------------

function showTurns() {
  $("first").hidden = table.turns.length > 0;
  const wanted = [$("first"), ...table.turns.map(showTurn)];
  const isSame = wanted.length === $("turns").childElementCount && wanted.every((each) => each.parentNode === $("turns"));
  if (!isSame) $("turns").replaceChildren(...wanted);
  $("prompt").placeholder = table.turns.length ? "Ask a follow-up" : page() ? "Ask about the picture" : "Put a picture on the table first";
}

/** Give the element of a turn; one that is settled stays as it is, opened and selected. */
function showTurn(turn) {
  const isComing = turn.state === "asking" || turn.state === "answering";
  turn.element ??= make("article", { className: "turn" });
  if (turn.shown === turn.state) return turn.element;
  turn.shown = turn.state;
  const answer = make("div", { className: isComing ? "answer coming" : "answer", ariaBusy: String(isComing) });
  answer.append(...markdown(turn.text));
  turn.answer = answer;
  turn.element.replaceChildren(make("h2", {}, turn.prompt), answer);
  if (turn.state === "failed") turn.element.append(faultBox(turn.fault, () => again(turn)));
  if (turn.state === "stopped") turn.element.append(make("p", { className: "bill" }, "Stopped. The provider may still bill what it had begun."));
  if (turn.state === "answered") turn.element.append(make("p", { className: "bill" }, billOf(turn)));
  if (turn.state !== "failed" && turn.body && !isComing) turn.element.append(codeBox(turn, table));
  return turn.element;
}

function billOf(turn) {
  const { usage, bill } = turn;
  const standsIn = known.engine.is_fallback && turn.model !== known.models[0].name;
  return [
    standsIn ? `${known.models[0].name} in place of ${turn.model}` : turn.model,
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

/** Keep the newest in view, unless the reader has scrolled away from it. */
function scrollDown(always = false) {
  const turns = getComputedStyle($("turns")).overflowY === "visible" ? document.scrollingElement : $("turns");
  const below = turns.scrollHeight - turns.scrollTop - turns.clientHeight;
  if (always || below < 160) turns.scrollTop = turns.scrollHeight;
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
  const items = conversations.map((conversation) => {
    const { turns, pages } = conversation;
    const usd = sum(turns.map((turn) => turn.bill?.usd ?? 0));
    const time = new Date(turns[0].started).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const said = make("div", {}, make("b", {}, turns[0].prompt), make("span", {}, [time, count(turns.length, "question"), dollars(usd), pages[0].source].join(" · ")));
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
  });
  $("past").replaceChildren(...items);
  const answers = conversations.flatMap(({ turns }) => turns).filter((turn) => turn.bill);
  $("session").textContent = `${count(answers.length, "answer")}, ${dollars(sum(answers.map((turn) => turn.bill.usd ?? 0)))}. Kept in this tab until it is closed.`;
}

// --- Markdown, as elements ----------------------------------------------------------------------

const FENCE = /^\s*```/;
const ITEM = /^\s*(?:[-*•]|(\d+)[.)])\s+(.*)$/;
const ROW = /^\s*\|(.+)\|\s*$/;

/** Give the blocks of a text as elements. Links and images stay words: nothing is ever fetched. */
function markdown(text) {
  const lines = text.split("\n");
  const blocks = [];
  while (lines.length) {
    const line = lines[0];
    if (!line.trim()) lines.shift();
    else if (FENCE.test(line)) blocks.push(fenced(lines));
    else if (/^#{1,6}\s/.test(line)) blocks.push(make("h3", {}, ...inline(lines.shift().replace(/^#+\s+/, ""))));
    else if (ITEM.test(line)) blocks.push(list(lines));
    else if (ROW.test(line) && /^\s*\|[\s:|-]+\|\s*$/.test(lines[1] ?? "")) blocks.push(grid(lines));
    else if (/^>\s?/.test(line)) blocks.push(make("blockquote", {}, ...inline(take(lines, /^>\s?/).join("\n").replace(/^>\s?/gm, ""))));
    else blocks.push(make("p", {}, ...inline(paragraph(lines).join("\n"))));
  }
  return blocks;
}

function take(lines, pattern) {
  const end = lines.findIndex((line) => !pattern.test(line));
  return lines.splice(0, end < 0 ? lines.length : end);
}

function paragraph(lines) {
  const end = lines.findIndex((line, at) => at > 0 && (!line.trim() || FENCE.test(line) || /^#{1,6}\s/.test(line) || ITEM.test(line)));
  return lines.splice(0, end < 0 ? lines.length : end);
}

function fenced(lines) {
  lines.shift();
  const end = lines.findIndex((line) => FENCE.test(line));
  const code = lines.splice(0, end < 0 ? lines.length : end);
  lines.shift();
  return make("pre", { tabIndex: 0 }, make("code", {}, code.join("\n")));
}

function list(lines) {
  const isNumbered = Boolean(ITEM.exec(lines[0])[1]);
  const start = Number(ITEM.exec(lines[0])[1] ?? 1);
  const items = take(lines, ITEM).map((line) => make("li", {}, ...inline(ITEM.exec(line)[2])));
  return isNumbered ? make("ol", { start }, ...items) : make("ul", {}, ...items);
}

function grid(lines) {
  const rows = take(lines, ROW).map((line) => ROW.exec(line)[1].split("|").map((cell) => cell.trim()));
  const row = (cells, tag) => make("tr", {}, ...cells.map((cell) => make(tag, {}, ...inline(cell))));
  const body = rows.slice(2).map((cells) => row(cells, "td"));
  return make("div", { className: "scroll" }, make("table", {}, make("thead", {}, row(rows[0], "th")), make("tbody", {}, ...body)));
}

// What may yet become a table's head or row, while the text is coming.
const HALF_A_TABLE = /(^|\n)\|[^\n]*(\n\|[\s:|-]*)?$/;

/** Give what has come of a text so that it reads well: no half a table, no open bold. */
function soFar(text) {
  const shown = text.replace(HALF_A_TABLE, "").replace(/\*+$/, "");
  return (shown.split("**").length % 2 ? shown : `${shown}**`);
}

const SPAN = /`([^`]+)`|\*\*(.+?)\*\*|\*([^\s*][^*]*)\*|!?\[([^\]]*)\]\(([^)\s]+)\)|\n/;

function inline(text) {
  const found = SPAN.exec(text);
  if (!found) return text ? [text] : [];
  const [all, code, strong, slanted, name, address] = found;
  const element = code ? make("code", {}, code)
    : strong ? make("strong", {}, ...inline(strong))
    : slanted ? make("em", {}, ...inline(slanted))
    : address ? `${name} (${address})` : make("br");
  return [...(found.index ? [text.slice(0, found.index)] : []), element, ...inline(text.slice(found.index + all.length))];
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

function asPython(turn, turns) {
  if (turns.length > 1) return asPythonTalk(turn, turns);
  const lines = [turn.prompt, ...turn.pages.map(referenceTo)].map((each) => `    ${JSON.stringify(each)},`);
  lines.push(`    model=${JSON.stringify(turn.model)},`);
  if (detailOf(turn)) lines.push(`    detail=${JSON.stringify(turn.detail)},`);
  const client = isNamedEngine() ? `\nclient = eyeline.Client(engine=${JSON.stringify(known.engine.name)})\n` : "\n";
  return `import eyeline\n${client}answer = ${client.trim() ? "client" : "eyeline"}.ask(\n${lines.join("\n")}\n)\nprint(answer)\n`;
}

function asPythonTalk(turn, turns) {
  const { stream, stream_options, ...body } = named(turn, turns, referenceTo);
  const fields = Object.entries(body).map(([name, value]) => `    ${name}=${JSON.stringify(value, null, 4).replaceAll("\n", "\n    ").replace(/^false$/, "False")},`);
  const isChat = "messages" in body;
  const made = isChat ? "chat.completions" : "responses";
  const client = known.engine.name === "openai" ? "" : `base_url=${JSON.stringify(new URL("v1", location).href)}, api_key="any"`;
  return `from eyeline import OpenAI\n\nclient = OpenAI(${client})\nanswer = client.${made}.create(\n${fields.join("\n")}\n)\nprint(answer.${isChat ? "choices[0].message.content" : "output_text"})\n`;
}

/** The body that was sent, with each picture named instead of carried. */
function named(turn, turns, name) {
  const pages = turns.flatMap((each) => each.pages);
  const text = JSON.stringify(turn.body, (key, value) => {
    const found = typeof value === "string" && value.startsWith("data:") ? pages.shift() : null;
    return found ? name(found) : value;
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
  const { stream, stream_options, ...whole } = named(turn, turns, carried);
  const body = JSON.stringify(whole, null, 2).replace(/[\\$`]/g, "\\$&");
  const filled = [...files].reduce((text, [mark, data]) => text.replace(mark, () => data), body);
  const token = known.token ? ` \\\n  -H "Authorization: Bearer $TOKEN"` : "";
  return `curl ${quoted(url.href)} \\\n  -H 'Content-Type: application/json'${token} \\\n  -d @- <<END\n${filled}\nEND\n`;
}

function asShell(turn, turns) {
  const words = ["eyeline ask", quoted(turn.prompt), ...turns.flatMap((each) => each.pages).map((each) => quoted(referenceTo(each)))];
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
  const row = make("div", { role: "tablist", className: "tabs", ariaLabel: "Languages" }, ...tabs);
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
$("history").addEventListener("toggle", ({ newState }) => newState === "open" && $("past").querySelector("button")?.focus());

/** Put a popover beside the button that opens it. */
for (const [over, button] of [["models", "show-models"], ["add", "show-add"], ["history", "show-history"]]) {
  $(over).addEventListener("beforetoggle", ({ newState }) => {
    if (newState !== "open") return;
    if (over === "history") showHistory();
    if (over === "models") {
      $("sought").value = "";
      showModels();
    }
    const { left, right, bottom } = $(button).getBoundingClientRect();
    const toRight = left > innerWidth / 2;
    $(over).style.left = toRight ? "auto" : `${left}px`;
    $(over).style.right = toRight ? `${Math.max(16, innerWidth - right)}px` : "auto";
    $(over).style.top = `${bottom + 8}px`;
    if (over !== "models") return;
    $(over).style.width = `${right - left + 32}px`;
    $(over).style.right = `${Math.max(8, innerWidth - right - 16)}px`;
  });
}

$("anew").addEventListener("click", () => {
  anew();
  document.querySelector("#empty .pick").focus();
});
$("remove").addEventListener("click", removePage);
$("lines").addEventListener("change", drawLines);
$("whole").addEventListener("change", fit);
new ResizeObserver(() => requestAnimationFrame(fit)).observe($("stage"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawLines);

const begun = begin();
show();
