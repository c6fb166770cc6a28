// Asking for the key of the gateway. It goes from the field to the wire and is shown nowhere.

import { part, setText } from "./text.js";

export class KeyDialog {
  constructor(wire, onForget) {
    this.wire = wire;
    this.dialog = part("key-dialog");
    this.field = part("key-text");
    part("key").addEventListener("click", () => this.open(""));
    part("key-leave").addEventListener("click", () => this.close());
    part("key-forget").addEventListener("click", () => {
      this.close();
      onForget();
      wire.useKey("");
    });
    part("key-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const key = this.field.value.trim();
      this.close();
      if (key) wire.useKey(key);
    });
    this.dialog.addEventListener("close", () => (this.field.value = ""));
  }

  /** Ask; `why` is told above the field. */
  open(why) {
    setText(part("key-why"), why);
    part("key-forget").hidden = !this.wire.key;
    if (!this.dialog.open) this.dialog.showModal();
    this.field.focus();
  }

  close() {
    this.field.value = "";
    if (this.dialog.open) this.dialog.close();
  }
}
