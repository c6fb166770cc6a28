// Amounts as the wire wrote them. No amount is ever a number here: digits are grouped by space
// between them, so what is selected and copied is the text that came.

import { element, plain } from "./text.js";

const AMOUNT = /^(-?)(\d+)(\.\d+)?$/;
const NOTHING = /^-?0*(\.0*)?$/;

/** Whether a text is zero, however it is written. */
export function isZero(text) {
  return NOTHING.test(text);
}

/** The class that colors an amount by its sign; none for zero and for what is not known. */
export function tone(text) {
  if (typeof text !== "string" || isZero(text)) return "";
  return text.startsWith("-") ? "loss" : "gain";
}

/** An amount for reading, in its unit; a dash where it is not known. */
export function amount(text, { unit = "", isSigned = false } = {}) {
  if (text === null || text === undefined) {
    return element("span", { class: "amount soft", title: "not known", "aria-label": "not known" }, "–");
  }
  const shown = element("span", { class: `amount ${isSigned ? tone(text) : ""}`.trim() });
  const parts = AMOUNT.exec(text);
  if (parts === null) {
    shown.append(plain(text));
  } else {
    shown.append(parts[1], ...grouped(parts[2]));
    if (parts[3]) shown.append(element("span", { class: "f" }, parts[3]));
  }
  if (unit) shown.append(element("span", { class: "unit" }, plain(unit)));
  return shown;
}

/** Money `{amount, currency}` for reading; the currency is left out if it is `usual`. */
export function money(value, { usual = null, ...options } = {}) {
  if (!value) return amount(null);
  return amount(value.amount, { ...options, unit: value.currency === usual ? "" : value.currency });
}

function grouped(digits) {
  const first = digits.length % 3 || 3;
  const rest = digits.slice(first).match(/\d{3}/g) ?? [];
  return [digits.slice(0, first), ...rest.map((three) => element("span", { class: "g" }, three))];
}
