// A table whose rows come and go: each thing keeps its row, and only cells that differ are written.

import { element } from "./text.js";

const MOST_ROWS = 500;

/**
 * A column has `label`, `name` (its class), `shape(thing, unit)` (what its look depends on, as text)
 * and `fill(cell, thing, unit)`, which writes it; `unit` is the currency that needs no mention.
 */
export class Rows {
  constructor(table, { caption, columns, empty, key, mark }) {
    this.columns = columns;
    this.empty = empty;
    this.key = key;
    this.mark = mark ?? (() => "");
    this.rows = new Map();
    const titles = columns.map(({ label, name }) => element("th", { scope: "col", class: name }, label));
    this.body = element("tbody");
    this.nothing = element("tr", { class: "empty" }, element("td", { colspan: columns.length }, empty));
    table.append(element("caption", { class: "unseen" }, caption));
    table.append(element("thead", {}, element("tr", {}, ...titles)), this.body);
    this.body.append(this.nothing);
  }

  /** Show these things in this order; how many there are beyond what is shown is returned. */
  show(things, empty = this.empty, unit = null) {
    const shown = things.slice(0, MOST_ROWS);
    const names = new Set(shown.map((thing) => this.key(thing)));
    for (const [name, row] of this.rows) {
      if (!names.has(name)) {
        row.remove();
        this.rows.delete(name);
      }
    }
    shown.forEach((thing, index) => this.place(thing, index, unit));
    this.nothing.hidden = shown.length > 0;
    if (this.nothing.firstChild.textContent !== empty) this.nothing.firstChild.textContent = empty;
    return things.length - shown.length;
  }

  place(thing, index, unit) {
    const name = this.key(thing);
    const row = this.rows.get(name) ?? this.add(name);
    row.className = this.mark(thing);
    this.columns.forEach(({ shape, fill }, column) => {
      const cell = row.children[column];
      const look = shape(thing, unit);
      if (cell.look === look) return;
      cell.look = look;
      cell.replaceChildren();
      fill(cell, thing, unit);
    });
    const before = this.body.children[index];
    if (before !== row) this.body.insertBefore(row, before ?? this.nothing);
  }

  add(name) {
    const cells = this.columns.map(({ name: kind, label }) => element("td", { class: kind, "data-label": label }));
    const row = element("tr", {}, ...cells);
    this.rows.set(name, row);
    return row;
  }
}
