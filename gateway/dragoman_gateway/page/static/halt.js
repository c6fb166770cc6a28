// Stopping and resuming. Nothing is sent before the word is typed; what became of it is told as the
// gateway told it, and where no answer came that is told, too.

import { element, part, plain, setText } from "./text.js";
import { timeText } from "./times.js";
import { pathOf, Silence } from "./wire.js";

const STOP = {
  word: "HALT",
  title: (who) => `Halt trading on ${who}?`,
  button: "Halt trading",
  terms: [
    "From then on this gateway sends no order and no change of an order for this account. Cancels still go.",
    "Orders that work at the venue stay there unless you have them canceled below. Positions stay as they are.",
    "It holds until somebody resumes it, across restarts as well.",
  ],
};
const RESUME = {
  word: "RESUME",
  title: (who) => `Resume trading on ${who}?`,
  button: "Resume trading",
  terms: [
    "From then on orders for this account are sent again.",
    "A halt of the whole provider, or of all accounts, stays as it is.",
  ],
};
const REPORTED = [
  ["Not known to have ended", "open_orders"],
  ["Fate unknown, may be live", "unknown"],
  ["On their way", "sent"],
  ["Never sent", "unsent"],
  ["Positions held", "open_positions"],
  ["Problems", "problems"],
];

export class HaltDialog {
  constructor(wire, onDone) {
    this.wire = wire;
    this.onDone = onDone;
    this.dialog = part("halt-dialog");
    this.word = part("halt-word");
    this.go = part("halt-go");
    this.isBusy = false;
    this.word.addEventListener("input", () => this.arm());
    part("halt-leave").addEventListener("click", () => this.dialog.close());
    part("halt-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.go.disabled) this.run();
    });
  }

  /** Ask whether to halt the account of `book`. */
  stop(book) {
    this.open(book, STOP);
    const box = element("input", { type: "checkbox", id: "halt-cancel" });
    const label = element("label", { for: "halt-cancel" }, box, "Also cancel every open order, those placed elsewhere included");
    part("halt-choice").replaceChildren(label);
  }

  /** Ask whether to let it trade again. */
  resume(book) {
    this.open(book, RESUME);
  }

  open(book, plan) {
    this.book = book;
    this.plan = plan;
    this.isDone = false;
    setText(part("halt-title"), plan.title(`${plain(book.provider)} ${plain(book.accountId)}`));
    part("halt-terms").replaceChildren(element("ul", {}, ...plan.terms.map((one) => element("li", {}, one))));
    part("halt-choice").replaceChildren();
    part("halt-result").replaceChildren();
    setText(part("halt-prompt"), `Type ${plan.word} to confirm`);
    setText(part("halt-leave"), "Cancel");
    setText(this.go, plan.button);
    this.go.classList.toggle("danger", plan === STOP);
    this.word.value = "";
    this.word.disabled = false;
    this.go.hidden = false;
    this.arm();
    this.dialog.showModal();
    this.word.focus();
  }

  arm() {
    const isTyped = this.word.value.trim().toUpperCase() === this.plan.word;
    this.go.disabled = !isTyped || this.isBusy || this.isDone;
  }

  async run() {
    const { book, plan } = this;
    const mustCancel = part("halt-cancel")?.checked ?? false;
    this.isBusy = true;
    this.arm();
    this.tell("", element("p", {}, "Asking the gateway …"));
    try {
      const base = pathOf(book.provider, book.accountId);
      if (plan === STOP) {
        const body = { cause: "on the page of the gateway", cancel: mustCancel };
        this.report(await this.wire.request("POST", `${base}/halt`, body));
      } else {
        const status = await this.wire.request("POST", `${base}/resume`, {});
        book.takeStatus(status);
        if (status.is_halted) this.tell("bad", element("p", {}, "It is still halted: by a halt of all accounts, which is not resumed here."));
        else this.tell("good", element("p", {}, "Orders are sent again."));
      }
      this.isDone = true;
      this.word.disabled = true;
      this.go.hidden = true;
      setText(part("halt-leave"), "Close");
      part("halt-leave").focus();
    } catch (problem) {
      this.fail(problem);
    } finally {
      this.isBusy = false;
      this.arm();
      this.onDone(book);
    }
  }

  report(report) {
    const facts = REPORTED.filter(([, field]) => report[field]?.length > 0).flatMap(([label, field]) => [
      element("dt", {}, label),
      element("dd", {}, report[field].map(plain).join(", ")),
    ]);
    const flat = report.is_flat ? "Proved flat: nothing works at the venue and nothing is held." : "Not proved flat.";
    this.tell(
      report.problems?.length ? "bad" : "good",
      element("p", {}, element("b", {}, `Halted at ${timeText(report.halted_at)}. No order is sent any more.`)),
      element("p", {}, flat),
      element("dl", {}, ...facts),
    );
  }

  fail(problem) {
    const isSilent = problem instanceof Silence || problem.outcome === "UNKNOWN";
    const text = isSilent
      ? `No answer came, so it is not known whether this was done. ${this.plan === STOP ? "Do it again: halting twice does no harm." : "Look at the account's state before you do it again."}`
      : `Not done: ${plain(problem.message)}`;
    this.tell("bad", element("p", {}, text));
  }

  tell(tone, ...nodes) {
    const box = part("halt-result");
    box.dataset.tone = tone;
    box.replaceChildren(...nodes);
  }
}
