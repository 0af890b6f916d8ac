// The cart of one visit: it lives in this page, and on a phone survives a reload.
"use strict";
class Cart {
  constructor(name, keep) {
    this.name = name;
    this.keep = keep;
    this.clear();
    try {
      const saved = keep && JSON.parse(sessionStorage.getItem(name) || "null");
      if (saved) Object.assign(this, { lines: saved.lines, service: saved.service, key: saved.key });
    } catch { /* What cannot be read is an empty cart. */ }
  }

  clear() {
    this.lines = [];
    this.service = "dine_in";
    this.changed();
  }

  // The key names this very content: whatever changes makes another order of it.
  changed() {
    this.key = crypto.randomUUID();
    if (!this.keep) return;
    try {
      sessionStorage.setItem(this.name, JSON.stringify({ lines: this.lines, service: this.service, key: this.key }));
    } catch { /* A browser that keeps nothing still orders. */ }
  }

  add(line) {
    const alike = this.lines.find((l) => l.product_id === line.product_id && l.notes === line.notes &&
      JSON.stringify(l.options) === JSON.stringify(line.options));
    if (alike) alike.quantity = Math.min(99, alike.quantity + line.quantity);
    else this.lines.push(line);
    this.changed();
  }

  change(index, by) {
    const line = this.lines[index];
    line.quantity = Math.min(99, line.quantity + by);
    if (line.quantity < 1) this.lines.splice(index, 1);
    this.changed();
  }

  get count() { return this.lines.reduce((sum, line) => sum + line.quantity, 0); }
  get total() { return this.lines.reduce((sum, line) => sum + line.quantity * line.price, 0); }

  body(name) {
    return {
      service: this.service,
      name,
      lines: this.lines.map((line) => ({
        product_id: line.product_id,
        quantity: line.quantity,
        notes: line.notes,
        options: line.options.map(({ group_id, option_id }) => ({ group_id, option_id })),
      })),
    };
  }
}
