// Every account the key may see, kept up to date: which events are asked for, where they go on after
// a break, and what is asked again from time to time because no event tells it.

import { Book, nameOf } from "./book.js";
import { pathOf } from "./wire.js";

const STATE_EVERY_MS = 5000;
const OTHERS_EVERY_MS = 30_000;
const MARKS_EVERY_MS = 20_000;
const FILLS_SINCE_MS = 24 * 3600 * 1000;
const FILL_PAGES = 5;
const SYMBOLS = 300;
const PRIVATE = { orders: true, positions: true, account: true };

/**
 * The listener has onBooks() (something may look different), onQuote(book, quote),
 * onBreak(book, why) (quotes are missing), onAlarm(book, event), onSymbol(book, problem).
 */
export class Watch {
  constructor(wire, listener) {
    this.wire = wire;
    this.listener = listener;
    this.books = new Map();
    this.scopes = [];
    this.current = null;
    this.symbols = new Map();
    this.shown = [];
    this.waiting = new Map();
    this.lastId = 0;
    this.polledAt = new Map();
    setInterval(() => this.poll(), STATE_EVERY_MS);
    setInterval(() => this.askMarks(), MARKS_EVERY_MS);
  }

  /** The book of the account that is looked at; null before there is one. */
  get book() {
    return this.books.get(this.current) ?? null;
  }

  /** Whether the key has this scope. */
  may(scope) {
    return this.scopes.includes(scope);
  }

  /** Know and show nothing any more: who looks now may not see it. */
  forget() {
    this.books.clear();
    this.symbols.clear();
    this.waiting.clear();
    this.current = null;
    this.scopes = [];
    this.shown = [];
    this.listener.onBooks();
  }

  /** Look at another account. */
  select(name) {
    if (name === this.current || !this.books.has(name)) return;
    this.leaveQuotes();
    this.current = name;
    this.askState(this.book);
    this.askSymbols(this.book);
    this.askQuotes();
    this.listener.onBooks();
  }

  /** Look at another symbol's quotes. */
  selectSymbol(symbol) {
    const book = this.book;
    if (book === null || !symbol) return;
    this.leaveQuotes();
    book.symbol = symbol;
    this.askQuotes();
    this.listener.onBooks();
  }

  /** Begin, or go on after a break, with the accounts that the gateway names. */
  welcome({ accounts, scopes }) {
    this.scopes = scopes;
    this.waiting.clear();
    const named = new Map(accounts.map((one) => [nameOf(one), one]));
    for (const name of this.books.keys()) if (!named.has(name)) this.books.delete(name);
    for (const [name, one] of named) if (!this.books.has(name)) this.books.set(name, new Book(one));
    if (!this.books.has(this.current)) this.current = this.books.keys().next().value ?? null;
    this.shown = [];
    if (this.may("READ")) {
      for (const book of this.books.values()) this.follow(book);
      if (this.book) this.askSymbols(this.book);
      this.askQuotes();
    }
    this.listener.onBooks();
  }

  /** Take a frame of the socket. */
  take(frame) {
    const book = this.books.get(nameOf(frame));
    if (frame.type === "event" && book) this.takeEvent(book, frame.event);
    else if (frame.type === "subscribed" || frame.type === "error") this.takeAnswer(frame);
  }

  /** Ask anew for what one account is like. */
  async askState(book) {
    this.polledAt.set(book, Date.now());
    try {
      const state = await this.wire.request("GET", `${pathOf(book.provider, book.accountId)}/state`);
      book.takeState(state);
      this.chooseSymbol(book);
      this.listener.onBooks();
    } catch {
      // The age of what is shown tells it, and it is asked for again.
    }
  }

  /** Ask the venue what is worth what by now, while somebody looks: no event tells it. */
  async askMarks() {
    const book = this.book;
    if (this.wire.state !== "live" || !this.may("READ") || !book?.isLoaded || document.hidden) return;
    const base = pathOf(book.provider, book.accountId);
    try {
      book.takeAccount(await this.wire.request("GET", `${base}/account`));
      const { positions } = await this.wire.request("GET", `${base}/positions?refresh=true`);
      book.takeMarks(positions);
      this.listener.onBooks();
    } catch {
      // What is shown keeps the time that it is as of.
    }
  }

  follow(book) {
    const since = book.heard;
    const frame = { ...addressOf(book), channels: PRIVATE };
    if (since !== null) frame.since = since;
    this.ask({ type: "subscribe", ...frame }, (answer) => this.followed(book, since, answer));
  }

  followed(book, since, answer) {
    const isRefused = answer.type === "error";
    if (isRefused && since === null) {
      book.fillsNote = answer.error?.message ?? "refused";
      this.listener.onBooks();
      return;
    }
    if (isRefused || (since !== null && answer.sequence < since)) {
      // Another journal: nothing of what was known goes on there.
      book.forget();
      if (isRefused) this.follow(book);
    }
    if (isRefused) return;
    if (book.heard === null) {
      book.heard = answer.sequence;
      this.askFills(book);
    }
    this.askState(book);
  }

  takeEvent(book, event) {
    if (event.type === "Quote") {
      if (book === this.book && this.shown.includes(event.symbol)) this.listener.onQuote(book, event);
      return;
    }
    if (event.type === "Alarm" || event.type === "ProtectionEvent" || event.type === "Quarantined") {
      this.listener.onAlarm(book, event);
    } else if (event.type === "Gap" || event.type === "ConnectionEvent" || event.type === "Staleness") {
      if (!["CONNECTED", "FRESH"].includes(event.state)) this.listener.onBreak(book, event);
    }
    if (book.takeEvent(event)) this.listener.onBooks();
    if (book.isHalted === null) this.askState(book);
  }

  takeAnswer(frame) {
    const answer = this.waiting.get(frame.id);
    this.waiting.delete(frame.id);
    answer?.(frame);
  }

  ask(frame, answer) {
    this.lastId += 1;
    this.waiting.set(this.lastId, answer);
    if (!this.wire.send({ ...frame, id: this.lastId })) this.waiting.delete(this.lastId);
  }

  askQuotes() {
    const book = this.book;
    if (book?.symbol && this.may("READ")) {
      const symbol = book.symbol;
      const frame = { type: "subscribe", ...addressOf(book), channels: { quotes: [symbol] } };
      this.ask(frame, (answer) => this.quotesAnswered(book, symbol, answer));
    }
  }

  quotesAnswered(book, symbol, answer) {
    if (book !== this.book || symbol !== book.symbol) return;
    this.shown = answer.type === "error" ? [] : [symbol, ...(answer.channels?.quotes ?? [])];
    this.listener.onSymbol(book, answer.type === "error" ? answer.error?.message ?? "refused" : "");
  }

  leaveQuotes() {
    const book = this.book;
    this.shown = [];
    if (!book?.symbol) return;
    this.ask({ type: "unsubscribe", ...addressOf(book), channels: { quotes: [book.symbol] } }, () => {});
  }

  chooseSymbol(book) {
    if (book.symbol !== null || !book.isLoaded) return;
    const seen = book.heldPositions()[0] ?? book.openOrders()[0];
    const symbol = seen?.symbol ?? this.symbols.get(book)?.[0];
    if (symbol === undefined) return;
    book.symbol = symbol;
    if (book === this.book) this.askQuotes();
  }

  async askFills(book) {
    const start = new Date(Date.now() - FILLS_SINCE_MS).toISOString();
    const path = `${pathOf(book.provider, book.accountId)}/fills?limit=1000&start=${encodeURIComponent(start)}`;
    let cursor = null;
    try {
      for (let page = 0; page < FILL_PAGES && (page === 0 || cursor); page += 1) {
        const next = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
        const found = await this.wire.request("GET", path + next);
        book.takeFills(found.fills);
        cursor = found.next_cursor;
      }
      book.fillsNote = cursor ? "not all of the last 24 hours" : "last 24 hours";
    } catch (problem) {
      book.fillsNote = `earlier ones could not be read: ${problem.message}`;
    }
    this.listener.onBooks();
  }

  async askSymbols(book) {
    if (this.symbols.has(book)) return;
    this.symbols.set(book, []);
    try {
      const path = `${pathOf(book.provider, book.accountId)}/instruments?limit=${SYMBOLS}`;
      const { instruments } = await this.wire.request("GET", path);
      this.symbols.set(book, instruments.map((one) => one.symbol));
    } catch {
      this.symbols.delete(book);
    }
    this.chooseSymbol(book);
    this.listener.onBooks();
  }

  poll() {
    if (this.wire.state !== "live" || !this.may("READ")) return;
    for (const book of this.books.values()) {
      const isDue = Date.now() - (this.polledAt.get(book) ?? 0) > OTHERS_EVERY_MS;
      if (book === this.book || isDue) this.askState(book);
    }
  }
}

function addressOf(book) {
  return { provider: book.provider, account_id: book.accountId };
}
