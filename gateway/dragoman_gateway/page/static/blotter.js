// The tables of one account: positions, open orders, recent fills.

import { amount, money } from "./amounts.js";
import { Rows } from "./rows.js";
import { element, part, plain, setText } from "./text.js";
import { showsLocal, timeText } from "./times.js";

const STATUS_TONES = { OPEN: "good", PARTIALLY_FILLED: "good", PENDING: "warn", HELD: "quiet", UNKNOWN: "stop" };

export class Blotter {
  constructor(onSymbol) {
    this.onSymbol = onSymbol;
    const symbol = { label: "Symbol", name: "symbol", shape: (one) => one.symbol, fill: (cell, one) => this.symbol(cell, one) };
    this.positions = new Rows(part("positions"), {
      caption: "Positions", empty: "No position is held.", key: (one) => one.position_id,
      columns: [symbol, ...POSITION_COLUMNS],
    });
    this.orders = new Rows(part("orders"), {
      caption: "Open orders", empty: "No order is open.", key: (one) => one.client_order_id,
      columns: [symbol, ...ORDER_COLUMNS],
    });
    this.fills = new Rows(part("fills"), {
      caption: "Recent fills", empty: "", key: (one) => one.fill_id, mark: (one) => (one.is_busted ? "busted" : ""),
      columns: [whenColumn("Time", (one) => one.venue_time), symbol, ...FILL_COLUMNS],
    });
  }

  /** Show what one account holds, or held when it was last heard; null shows none. */
  show(book, isOld) {
    const isKnown = Boolean(book?.isLoaded);
    this.currency = book?.account?.currency ?? null;
    const wait = book ? "Not known yet." : "No account is shown.";
    this.put("positions", isKnown ? book.heldPositions() : [], isKnown ? `No position ${isOld ? "was" : "is"} held.` : wait);
    this.put("orders", isKnown ? book.openOrders() : [], isKnown ? `No order ${isOld ? "was" : "is"} open.` : wait);
    const fills = book?.recentFills() ?? [];
    this.put("fills", fills, isKnown ? "No fill is known." : wait);
    if (book) setText(part("fills-count"), [fills.length || "", plain(book.fillsNote)].filter(Boolean).join(" · "));
  }

  put(name, things, empty) {
    const beyond = this[name].show(things, empty, this.currency);
    setText(part(`${name}-count`), things.length === 0 ? "" : beyond ? `${things.length}, ${things.length - beyond} of them shown` : String(things.length));
  }

  symbol(cell, { symbol }) {
    const button = element("button", { type: "button", title: `Show quotes of ${plain(symbol)}` }, plain(symbol));
    button.addEventListener("click", () => this.onSymbol(symbol));
    cell.append(button);
  }
}

const POSITION_COLUMNS = [
  amountColumn("Quantity", (one) => one.quantity),
  amountColumn("Average", (one) => one.average_entry_price),
  amountColumn("Mark", (one) => one.mark_price),
  moneyColumn("Unrealized", (one) => one.unrealized_pnl, { isSigned: true }),
  moneyColumn("Realized", (one) => one.realized_pnl, { isSigned: true }),
];

const ORDER_COLUMNS = [
  sideColumn(),
  textColumn("Type", (one) => kindOf(one), "type"),
  amountColumn("Quantity", (one) => one.quantity ?? one.notional),
  amountColumn("Filled", (one) => one.filled_quantity),
  amountColumn("Limit", (one) => one.limit_price),
  amountColumn("Stop", (one) => one.stop_price),
  { label: "Status", name: "status", shape: (one) => `${one.status} ${one.pending}`, fill: fillStatus },
  idColumn("Order", (one) => one.client_order_id, "id"),
  whenColumn("Changed", (one) => one.updated_at ?? one.received_at),
];

const FILL_COLUMNS = [
  sideColumn(),
  amountColumn("Quantity", (one) => one.quantity),
  amountColumn("Price", (one) => one.price),
  moneyColumn("Fees", (one) => one.commission),
  textColumn("Kind", (one) => [one.is_busted ? "busted" : "", one.liquidity?.toLowerCase() ?? ""].filter(Boolean).join(" "), "note"),
  idColumn("Order", (one) => one.client_order_id, "id"),
];

function amountColumn(label, pick, options) {
  return {
    label, name: "amount-cell",
    shape: (one) => String(pick(one)),
    fill: (cell, one) => cell.append(amount(pick(one), options)),
  };
}

function moneyColumn(label, pick, options) {
  return {
    label, name: "amount-cell",
    shape: (one, usual) => `${pick(one)?.amount} ${pick(one)?.currency} ${usual}`,
    fill: (cell, one, usual) => cell.append(money(pick(one), { ...options, usual })),
  };
}

function textColumn(label, pick, name) {
  return { label, name, shape: pick, fill: (cell, one) => cell.append(plain(pick(one))) };
}

function idColumn(label, pick, name) {
  const fill = (cell, one) => {
    cell.title = plain(pick(one));
    cell.append(plain(pick(one)));
  };
  return { label, name, shape: pick, fill };
}

function whenColumn(label, pick) {
  const fill = (cell, one) => {
    cell.title = plain(pick(one) ?? "");
    cell.append(timeText(pick(one)));
  };
  return { label, name: "when", shape: (one) => `${showsLocal()} ${pick(one)}`, fill };
}

function sideColumn() {
  const fill = (cell, { side }) => cell.append(element("span", { class: side === "BUY" ? "buy" : "sell" }, plain(side.toLowerCase())));
  return { label: "Side", name: "side", shape: (one) => one.side, fill };
}

function kindOf(order) {
  const words = order.order_type.toLowerCase().replaceAll("_", " ");
  const marks = [order.time_in_force?.toLowerCase(), order.post_only && "post only", order.position_effect === "CLOSE" && "close"];
  return [words, ...marks].filter(Boolean).join(", ");
}

function fillStatus(cell, { status, pending }) {
  const words = status === "UNKNOWN" ? "fate unknown" : status.toLowerCase().replaceAll("_", " ");
  const chip = element("span", { class: "chip", "data-tone": STATUS_TONES[status] ?? "quiet" }, plain(words));
  if (status === "UNKNOWN") chip.title = "Not proved either way: it may be live at the venue.";
  cell.append(chip);
  if (pending) cell.append(" ", element("span", { class: "chip", "data-tone": "warn" }, `${plain(pending.toLowerCase())} pending`));
}
