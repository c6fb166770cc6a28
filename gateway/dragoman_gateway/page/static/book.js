// What is known of one account: the last state that was asked for, brought on by events. It knows
// neither the wire nor the document.

import { isZero } from "./amounts.js";

const MOST_FILLS = 200;
const MOST_RECENT = 2000;
const ENDED = new Set(["FILLED", "CANCELED", "EXPIRED", "REJECTED"]);

/** The name of an account among all: a provider's name and its account id. */
export function nameOf({ provider, account_id }) {
  return `${provider}\n${account_id}`;
}

export class Book {
  constructor({ provider, account_id, environment }) {
    this.provider = provider;
    this.accountId = account_id;
    this.environment = environment;
    this.symbol = null;
    this.forget();
  }

  /** Know nothing any more, as before the first answer. */
  forget() {
    this.health = null;
    this.isHalted = null;
    this.account = null;
    this.positions = new Map();
    this.orders = new Map();
    this.fills = new Map();
    this.connections = new Map();
    this.recent = [];
    this.heard = null;
    this.known = null;
    this.isLoaded = false;
    this.fillsNote = "asking for fills";
  }

  /** Take what the gateway answers about the account's health. */
  takeStatus(status) {
    this.environment = status.environment ?? this.environment;
    this.isHalted = status.is_halted;
    this.health = status.health;
  }

  /** Take a whole state; events that came after it are worked in again. False if some are gone. */
  takeState(state) {
    const later = this.recent.filter((event) => event.sequence > state.sequence);
    const isWhole = later.length < MOST_RECENT || later[0].sequence <= state.sequence + 1;
    this.takeStatus(state);
    if (!isWhole) return false;
    const before = [...this.positions.values()];
    if (state.account) this.takeAccount(state.account);
    this.positions = new Map(state.positions.map((one) => [one.position_id, one]));
    this.takeMarks(before);
    this.orders = new Map(state.open_orders.map((one) => [one.client_order_id, one]));
    this.known = state.sequence;
    this.isLoaded = true;
    later.forEach((event) => this.apply(event));
    return true;
  }

  /** Take totals that were read, unless newer ones are known. */
  takeAccount(account) {
    if (!this.account || compared(account.received_at, this.account.received_at) > 0) this.account = account;
  }

  /** Take what positions are worth, where their quantity is what events have told. */
  takeMarks(positions) {
    for (const one of positions) {
      const known = this.positions.get(one.position_id);
      const isSame = known?.quantity === one.quantity;
      if (isSame && compared(one.received_at, known.received_at) > 0) this.positions.set(one.position_id, one);
    }
  }

  /** Take fills that were read, whatever their order. */
  takeFills(fills) {
    fills.forEach((fill) => this.addFill(fill));
  }

  /** Take one event; true if anything here may look different now. */
  takeEvent(event) {
    if (event.sequence !== undefined && event.sequence !== null) {
      if (this.heard !== null && event.sequence <= this.heard) return false;
      this.heard = event.sequence;
      this.recent.push(event);
      if (this.recent.length > MOST_RECENT) this.recent.shift();
    }
    return this.apply(event);
  }

  /** Orders that are not known to have ended, newest first. */
  openOrders() {
    return [...this.orders.values()].sort((a, b) => compared(bornAt(b), bornAt(a)));
  }

  /** Positions by symbol. */
  heldPositions() {
    return [...this.positions.values()].sort((a, b) => compared(a.symbol, b.symbol));
  }

  /** Fills, newest first. */
  recentFills() {
    return [...this.fills.values()].sort((a, b) => compared(b.venue_time, a.venue_time)).slice(0, MOST_FILLS);
  }

  apply(event) {
    // What the state had seen already changes nothing but the list of fills, which it has not.
    const isKnown = this.known !== null && event.sequence <= this.known;
    if (isKnown && event.fill) this.addFill(event.fill);
    const take = isKnown ? undefined : TAKES[event.type];
    take?.(this, event);
    return isKnown ? Boolean(event.fill) : take !== undefined;
  }

  addFill(fill) {
    this.fills.set(fill.fill_id, fill);
    if (this.fills.size <= 2 * MOST_FILLS) return;
    this.fills = new Map(this.recentFills().map((one) => [one.fill_id, one]));
  }
}

const TAKES = {
  OrderEvent(book, { order, fill }) {
    if (ENDED.has(order.status)) book.orders.delete(order.client_order_id);
    else book.orders.set(order.client_order_id, order);
    if (fill) book.addFill(fill);
  },
  PositionEvent(book, { position }) {
    if (isZero(position.quantity)) book.positions.delete(position.position_id);
    else book.positions.set(position.position_id, position);
  },
  AccountEvent(book, { account }) {
    book.account = account;
  },
  HealthEvent(book, event) {
    book.health = { state: event.state, causes: event.causes, since: event.received_at };
    if (event.state === "HALTED") book.isHalted = true;
    else if (event.previous === "HALTED") book.isHalted = null;
  },
  ConnectionEvent(book, event) {
    book.connections.set(event.channel, { word: event.state, since: event.received_at, cause: event.cause });
  },
  Staleness(book, event) {
    book.connections.set(event.channel, { word: event.state, since: event.since, cause: null });
  },
};

function bornAt(order) {
  return order.created_at ?? order.received_at;
}

function compared(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
