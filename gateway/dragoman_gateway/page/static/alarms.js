// What a person should look at, on top of the page until it is put away.

import { element, part, plain } from "./text.js";
import { timeText } from "./times.js";

const MOST = 50;

export class Alarms {
  constructor() {
    this.box = part("alarms");
  }

  /** Show an alarm of an account. */
  add(book, event) {
    const [title, text] = told(event);
    const away = element("button", { type: "button", "aria-label": `Put away: ${title}` }, "Put away");
    const line = element(
      "div", { class: "alarm" },
      element("b", {}, title),
      element("p", {}, text),
      element("span", { class: "number", title: plain(event.received_at) }, `${plain(book.provider)} ${plain(book.accountId)} · ${timeText(event.received_at)}`),
      away,
    );
    away.addEventListener("click", () => {
      line.remove();
      this.box.hidden = this.box.childElementCount === 0;
    });
    this.box.hidden = false;
    this.box.prepend(line);
    while (this.box.childElementCount > MOST) this.box.lastElementChild.remove();
  }
}

function told(event) {
  if (event.type === "Quarantined") return ["not understood", plain(`${event.channel}: ${event.error}`)];
  if (event.type === "ProtectionEvent") return [words(event.kind), plain(`${event.position_id}: ${event.cause}`)];
  const about = [event.symbol, event.client_order_id].filter(Boolean).join(" ");
  return [words(event.kind), plain(about ? `${event.cause} (${about})` : event.cause)];
}

function words(kind) {
  return plain(String(kind).toLowerCase().replaceAll("_", " "));
}
