// Which accounts there are and how each is doing: the list at the side, and the head of the one shown.

import { amount } from "./amounts.js";
import { nameOf } from "./book.js";
import { element, part, plain, setChip, setText } from "./text.js";
import { timeText } from "./times.js";

const TONES = {
  LIVE: "good", DEGRADED: "warn", RECONCILING: "warn", STALE: "bad", DOWN: "bad", AUTH_REQUIRED: "bad",
  HALTED: "stop", CLOSED: "quiet",
};
const WORDS = { AUTH_REQUIRED: "needs new credentials" };
const UNTRUE = new Set(["STALE", "DOWN", "RECONCILING", "AUTH_REQUIRED", "CLOSED"]);
const FIGURES = [
  ["Equity", "equity", false],
  ["Cash", "cash", false],
  ["Buying power", "buying_power", false],
  ["Margin used", "margin_used", false],
  ["Unrealized P&L", "unrealized_pnl", true],
  ["Realized P&L", "realized_pnl", true],
];

export class Overview {
  constructor(onSelect) {
    this.onSelect = onSelect;
    this.tabs = new Map();
    this.look = new Map();
  }

  /** Show every account in the list, and the head of the current one; null if there is none. What is
   * old is told as what was. */
  show(books, current, isOld) {
    this.isOld = isOld;
    this.list(books, current);
    this.head(current);
    this.once("figures", current && [current.account, current.isLoaded], () => figures(current?.account ?? null));
    this.once("balances", current?.account?.balances ?? [], () => balances(current?.account ?? null));
  }

  list(books, current) {
    const box = part("accounts");
    const names = new Set(books.map(addressed));
    for (const [name, tab] of this.tabs) {
      if (!names.has(name)) {
        tab.parentNode.remove();
        this.tabs.delete(name);
      }
    }
    if (books.length > 0) box.querySelector(".empty")?.remove();
    for (const book of books) {
      const tab = this.tabs.get(addressed(book)) ?? this.addTab(box, book);
      tab.setAttribute("aria-current", String(book === current));
      setChip(tab.querySelector(".chip"), ...this.health(book));
      this.once(tab, [book.account?.equity, book.account?.currency], () => {
        const { equity, currency } = book.account ?? {};
        tab.querySelector(".worth").replaceChildren(amount(equity, { unit: equity ? currency ?? "" : "" }));
      });
    }
  }

  addTab(box, book) {
    const tab = element(
      "button", { type: "button", class: "account-tab" },
      element("b", {}, plain(book.provider)), element("span", { class: "chip" }),
      element("span", { class: "who" }, `${plain(book.accountId)} · ${moneyOf(book)}`),
      element("span", { class: "worth" }),
    );
    tab.addEventListener("click", () => this.onSelect(addressed(book)));
    box.append(element("li", {}, tab));
    this.tabs.set(addressed(book), tab);
    return tab;
  }

  head(book) {
    const name = part("account-name");
    this.once("name", book && [book.provider, book.accountId, book.environment, book.account?.currency], () => {
      if (book === null) name.replaceChildren(element("span", { class: "soft" }, "no account"));
      else name.replaceChildren(`${plain(book.provider)} `, element("span", { class: "soft" }, about(book)));
    });
    setChip(part("health"), ...(book ? this.health(book) : ["not known", "quiet"]));
    setText(part("causes"), book ? reasons(book) : "");
  }

  health(book) {
    const [word, tone] = healthOf(book);
    return this.isOld && book.health ? [`was ${word}`, "quiet"] : [word, tone];
  }

  /** Write only what differs from what was written last. */
  once(what, shape, write) {
    const look = JSON.stringify(shape) ?? "";
    if (this.look.get(what) === look) return;
    this.look.set(what, look);
    write();
  }
}

function addressed(book) {
  return nameOf({ provider: book.provider, account_id: book.accountId });
}

function about(book) {
  const currency = book.account?.currency;
  return [plain(book.accountId), moneyOf(book), ...(currency ? [plain(currency)] : [])].join(" · ");
}

function moneyOf(book) {
  return book.environment === "LIVE" ? "real money" : plain((book.environment ?? "not known").toLowerCase());
}

function healthOf(book) {
  const state = book.health?.state;
  if (!state) return ["not known", "quiet"];
  return [plain(WORDS[state] ?? state.toLowerCase()), TONES[state] ?? "quiet"];
}

/** Since when it is so, why, and which channel is not as it should be. */
function reasons(book) {
  const { state, since, causes = [] } = book.health ?? {};
  const told = [];
  if (state && state !== "LIVE") {
    const prefix = UNTRUE.has(state) ? "what is shown may be old, since" : "since";
    told.push([`${prefix} ${timeText(since)}`, ...causes.map(plain)].join(" · "));
  }
  for (const [channel, { word, since: begun, cause }] of book.connections) {
    if (["CONNECTED", "RECONNECTED", "FRESH"].includes(word)) continue;
    told.push(`${plain(channel)} ${plain(word.toLowerCase())} since ${timeText(begun)}${cause ? `: ${plain(cause)}` : ""}`);
  }
  return told.map((one) => ` · ${one}`).join("");
}

function figures(account) {
  const rows = FIGURES.map(([label, field, isSigned]) => {
    const value = account?.[field] ?? null;
    return element("div", {}, element("dt", {}, label), element("dd", {}, amount(value, { isSigned })));
  });
  part("figures").replaceChildren(...rows);
  part("account-at").title = plain(account?.received_at ?? "");
  setText(part("account-at"), account ? `figures as of ${timeText(account.received_at)}` : "nothing is known yet");
}

function balances(account) {
  const found = account?.balances ?? [];
  const isNews = found.length > 1 || (found.length === 1 && account.currency !== found[0].currency);
  part("balances").hidden = !isNews;
  if (!isNews) return;
  const rows = found.slice(0, 60).map(({ currency, total }) =>
    element("div", {}, element("dt", {}, plain(currency)), element("dd", {}, amount(total))),
  );
  part("balances").replaceChildren(...rows);
}

