// Puts the page together: what the wire tells goes to the watch, what the watch knows to the parts.

import { Alarms } from "./alarms.js";
import { amount } from "./amounts.js";
import { Blotter } from "./blotter.js";
import { Chart, SPANS } from "./chart.js";
import { HaltDialog } from "./halt.js";
import { KeyDialog } from "./keys.js";
import { Overview } from "./overview.js";
import { element, part, plain, setChip, setText } from "./text.js";
import { clockText, showsLocal, timeOfDay, timeText, turnZone } from "./times.js";
import { Watch } from "./watch.js";
import { Wire } from "./wire.js";

const STATES = {
  connecting: ["connecting", "quiet"],
  live: ["live", "good"],
  lost: ["offline", "bad"],
  locked: ["needs a key", "warn"],
};

const alarms = new Alarms();
const chart = new Chart(part("chart"));
const wire = new Wire({ onState: showLink, onWelcome, onFrame: (frame) => watch.take(frame) });
const watch = new Watch(wire, {
  onBooks: showSoon,
  onQuote,
  onBreak: (book) => book === watch.book && chart.interrupt(),
  onAlarm: (book, event) => alarms.add(book, event),
  onSymbol,
});
const keys = new KeyDialog(wire, () => watch.forget());
const halting = new HaltDialog(wire, (book) => watch.may("READ") && watch.askState(book));
const overview = new Overview(selectAccount);
const blotter = new Blotter(selectSymbol);

let lastState = null;
let lastAccount = null;
let lastSymbol = null;
let isDue = false;
let lastQuote = null;

function onWelcome(frame) {
  watch.welcome(frame);
  keys.close();
}

function selectAccount(name) {
  watch.select(name);
}

function selectSymbol(symbol) {
  watch.selectSymbol(symbol);
  part("symbol").value = "";
}

function onQuote(book, quote) {
  chart.add(quote);
  if (lastQuote === null) requestAnimationFrame(showQuote);
  lastQuote = quote;
}

/** Show the last of the quotes that came since the last frame. */
function showQuote() {
  const quote = lastQuote;
  lastQuote = null;
  if (quote === null) return;
  const side = (name, word) => element(
    "span", { class: name }, `${word} `, element("b", {}, amount(quote[`${name}_price`])), " ",
    element("span", { class: "soft" }, "× ", amount(quote[`${name}_size`])),
  );
  const at = element("span", { class: "at", title: plain(quote.received_at) }, timeText(quote.received_at));
  part("quote").replaceChildren(side("bid", "bid"), side("ask", "ask"), at);
}

function onSymbol(book, problem) {
  if (!problem) return;
  chart.clear("no quotes");
  part("quote").replaceChildren(element("span", { class: "loss" }, `No quotes of ${plain(book.symbol)}: ${plain(problem)}`));
}

/** Show all that is known, once for everything that changes until the next frame. */
function showSoon() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    show();
  }, 60);
}

function show() {
  const book = watch.book;
  overview.show([...watch.books.values()], book, isOld());
  blotter.show(book, isOld());
  showMarket(book);
  showControls(book);
  part("blotter").setAttribute("aria-busy", String(!book?.isLoaded && watch.may("READ")));
}

function showMarket(book) {
  const symbol = book?.symbol ?? null;
  if (book !== lastAccount) {
    lastAccount = book;
    lastSymbol = undefined;
  }
  const names = book ? watch.symbols.get(book) ?? [] : [];
  const list = part("symbols");
  if (list.childElementCount !== names.length || list.firstElementChild?.value !== names[0]) {
    list.replaceChildren(...names.map((name) => element("option", { value: name })));
  }
  if (symbol === lastSymbol) return;
  lastSymbol = symbol;
  lastQuote = null;
  part("market-title").replaceChildren(...(symbol === null ? ["Quotes"] : [element("span", { class: "unseen" }, "Quotes of "), plain(symbol)]));
  part("quote").replaceChildren();
  chart.clear(symbol === null ? "choose a symbol" : "no quote yet");
}

function showControls(book) {
  const mayHalt = watch.may("HALT") && wire.state === "live" && book !== null;
  part("halt").disabled = !mayHalt;
  part("resume").disabled = !mayHalt;
  part("resume").hidden = book?.isHalted === false || book === null;
  part("halt").hidden = book?.isHalted === true;
  const why = book === null || wire.state !== "live" || mayHalt ? "" : "halting needs a key with the halt scope";
  setText(part("halt-why"), why);
}

/** Say plainly how old all of this is. */
function showLink() {
  const now = Date.now();
  setText(part("now"), timeOfDay(now));
  setChip(part("link"), ...STATES[wire.state]);
  document.body.toggleAttribute("data-old", isOld());
  setText(part("as-of"), ageText(now));
  if (wire.state !== lastState) turned();
}

/** Whether what is shown is what was, because the gateway isn't heard any more. */
function isOld() {
  return wire.state !== "live" && wire.heardAt !== null;
}

function ageText(now) {
  const heard = wire.heardAt === null ? "" : clockText(wire.heardAt);
  if (wire.state === "live") return `as of ${heard}`;
  const again = wire.nextTryAt === null ? "trying now" : `next try in ${Math.max(0, Math.ceil((wire.nextTryAt - now) / 1000))} s`;
  const plan = wire.state === "locked" ? "waiting for a key" : again;
  return heard ? `Old data: stale since ${heard} · ${plan}` : `nothing heard yet · ${plan}`;
}

function turned() {
  const was = lastState;
  lastState = wire.state;
  if (wire.state === "live") setText(part("announcer"), was === null ? "" : "Connected: what is shown is live.");
  else if (was === "live") {
    setText(part("announcer"), `The connection was lost: what is shown is old, stale since ${clockText(wire.heardAt)}.`);
    chart.interrupt();
  }
  if (wire.state === "locked") keys.open(wire.why);
  showSoon();
}

function startTools() {
  part("zone").addEventListener("click", () => {
    turnZone();
    setText(part("zone"), showsLocal() ? "Local" : "UTC");
    overview.look.clear();
    showLink();
    chart.redraw();
    show();
  });
  part("symbol-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const symbol = part("symbol").value.trim();
    if (symbol) selectSymbol(symbol);
  });
  part("halt").addEventListener("click", () => watch.book && halting.stop(watch.book));
  part("resume").addEventListener("click", () => watch.book && halting.resume(watch.book));
  for (const minutes of SPANS) {
    const state = { "aria-pressed": String(minutes === chart.minutes), "aria-label": `${minutes} minutes` };
    const button = element("button", { type: "button", ...state }, `${minutes}m`);
    button.addEventListener("click", () => {
      chart.show(minutes);
      for (const one of part("spans").children) one.setAttribute("aria-pressed", String(one === button));
    });
    part("spans").append(button);
  }
}

startTools();
wire.open();
