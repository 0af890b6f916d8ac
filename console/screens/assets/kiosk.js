// The kiosk: start, menu by steps, options, review, order; back to the start when left alone.
"use strict";
(() => {
  const find = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const kiosk = find("#kiosk");
  const menu = JSON.parse(find("#menu-data").textContent);
  const isTotem = kiosk.dataset.totem === "yes";
  const base = `/loja/${kiosk.dataset.shop}/pedir`;
  const cart = new Cart(`cart-${kiosk.dataset.shop}`, !isTotem);
  const make = (tag, text = "", attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const say = (text) => { find("#said").textContent = text; };

  // Screens
  const screens = ["start", "menu", "review"];
  // Whoever signed in at a kiosk is gone when it begins again: the server forgets them there.
  const isKnown = kiosk.dataset.customer === "yes";
  const leave = () => location.replace(`${base}?totem=${kiosk.dataset.kiosk}`);
  const go = (name) => {
    if (name === "start" && isTotem && isKnown) { leave(); return; }
    if (name === "start") { cart.clear(); find("#checkout").reset(); shelf(shelves[0]); }
    for (const screen of screens) find(`#${screen}`).hidden = screen !== name;
    find("#fault").textContent = "";
    show();
    scrollTo(0, 0);
    find(`#${name}-title`).focus({ preventScroll: true });
  };
  const shelves = all("[data-shelf]").map((button) => button.dataset.shelf);
  const shelf = (id) => {
    for (const button of all("[data-shelf]")) {
      if (button.dataset.shelf === id) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
    }
    for (const each of all(".shelf")) each.hidden = each.id !== `shelf-${id}`;
    find("[data-next]").hidden = shelves.indexOf(id) === shelves.length - 1;
  };
  const next = () => {
    const here = shelves.indexOf(find("[data-shelf][aria-current]").dataset.shelf);
    shelf(shelves[here + 1]);
    scrollTo(0, 0);
    find(`[data-shelf="${shelves[here + 1]}"]`).focus();
  };

  // The cart on the screen
  const show = () => {
    const count = `${cart.count} ${cart.count === 1 ? "item" : "itens"}`;
    for (const each of all("[data-count]")) each.textContent = count;
    for (const each of all("[data-total]")) each.textContent = brl(cart.total);
    find('[data-go="review"]').disabled = !cart.count;
    find("#pay").disabled = !cart.count;
    find("#lines").replaceChildren(...cart.lines.map(shown));
  };
  const shown = (line, index) => {
    const item = make("li");
    if (line.refused) item.className = "refused";
    const what = make("div");
    what.append(make("b", line.name));
    for (const option of line.options) what.append(make("span", option.name, { class: "option" }));
    if (line.notes) what.append(make("em", line.notes, { class: "muted" }));
    if (line.refused) what.append(make("span", "Não está mais disponível", { class: "fault" }));
    const count = make("div", "", { class: "count" });
    const less = make("button", "−", { type: "button", "aria-label": `Menos um ${line.name}` });
    const more = make("button", "+", { type: "button", "aria-label": `Mais um ${line.name}` });
    less.addEventListener("click", () => step(index, -1));
    more.addEventListener("click", () => step(index, 1));
    count.append(less, make("output", String(line.quantity)), more);
    item.append(what, count, make("span", brl(line.price * line.quantity), { class: "num" }));
    return item;
  };
  const step = (index, by) => {
    const name = cart.lines[index].name;
    cart.change(index, by);
    show();
    say(`${name}: ${cart.lines[index]?.name === name ? cart.lines[index].quantity : 0}`);
    all("#lines li")[index]?.querySelectorAll("button")[by < 0 ? 0 : 1].focus();
    if (!cart.count) go("menu");
  };

  // One product: its options, how many, a note
  const dialog = find("#product");
  let chosen = null, count = 1;
  const groupsOf = (product) => [
    ...(product.slots || []).map((slot) => ({
      id: slot.id, name: slot.name, is_required: slot.is_required, minimum: 1, maximum: 1,
      options: slot.product_ids.map((id) => menu[id]).filter((p) => p && p.is_available)
        .map((p) => ({ id: p.id, name: p.name, price: "0.00" })),
    })),
    ...(product.option_groups || []),
  ];
  const open = (product) => {
    chosen = product;
    count = 1;
    find("form", dialog).reset();
    find("#product-name").textContent = product.name;
    find("#product-text").textContent = product.description || "";
    find("#product-fault").textContent = "";
    find("#product-options").replaceChildren(...groupsOf(product).map(fieldset));
    price();
    dialog.showModal();
  };
  const fieldset = (group) => {
    const set = make("fieldset");
    const hint = !group.is_required ? (group.maximum > 1 ? `até ${group.maximum}` : "opcional")
      : group.minimum === group.maximum ? `escolha ${group.minimum}` : `de ${group.minimum} a ${group.maximum}`;
    const legend = make("legend", group.name);
    legend.append(make("span", ` (${hint})`, { class: "muted" }));
    set.append(legend);
    const isOne = group.maximum === 1 && group.is_required;
    for (const option of group.options) {
      const label = make("label", "", { class: "choice" });
      const input = make("input", "", { type: isOne ? "radio" : "checkbox", name: `g-${group.id}`, value: option.id });
      const cents = centsOf(option.price);
      label.append(input, make("span", option.name), make("span", cents ? `+ ${brl(cents)}` : "", { class: "num" }));
      set.append(label);
    }
    return set;
  };
  const picks = () => groupsOf(chosen).map((group) => ({
    group,
    options: group.options.filter((option) =>
      all(`[name="g-${CSS.escape(group.id)}"]`, dialog).some((input) => input.checked && input.value === option.id)),
  }));
  const unit = () => centsOf(chosen.price) +
    picks().flatMap((pick) => pick.options).reduce((sum, option) => sum + centsOf(option.price), 0);
  const price = () => {
    find("#product-count").textContent = String(count);
    find("#product-price").textContent = brl(unit() * count);
  };
  const add = () => {
    for (const { group, options } of picks()) {
      const isWrong = (group.is_required || options.length) &&
        (options.length < group.minimum || options.length > group.maximum);
      if (isWrong) {
        const need = group.minimum === group.maximum ? group.minimum : `de ${group.minimum} a ${group.maximum}`;
        find("#product-fault").textContent = `${group.name}: escolha ${need}.`;
        find(`[name="g-${CSS.escape(group.id)}"]`, dialog)?.focus();
        return;
      }
    }
    cart.add({
      product_id: chosen.id, name: chosen.name, quantity: count, price: unit(),
      notes: find('[name="notes"]', dialog).value.trim(),
      options: picks().flatMap(({ group, options }) =>
        options.map((option) => ({ group_id: group.id, option_id: option.id, name: option.name }))),
    });
    dialog.close();
    show();
    say(`${chosen.name} no pedido. Total ${brl(cart.total)}.`);
  };

  // The order: a visit first, so that a repeat of the order is the same customer's
  const post = async (path, body, headers = {}) => {
    const answer = await fetch(base + path, {
      method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body),
    });
    const isJSON = (answer.headers.get("content-type") || "").includes("json");
    return { status: answer.status, body: isJSON ? await answer.json() : {} };
  };
  let visited = null;
  const visit = async (cpf) => {
    if (visited === cpf) return "";
    const { status, body } = await post("/visita", { kiosk: kiosk.dataset.kiosk, cpf });
    if (status === 201) { visited = cpf; return ""; }
    if (body.field === "cpf") find('[name="cpf"]').focus();
    return body.fault || "Não foi possível começar. Tente de novo.";
  };
  const pay = async () => {
    const form = find("#checkout"), button = find("#pay");
    button.disabled = true;
    button.textContent = "Um instante…";
    let fault = "";
    try {
      fault = await visit(form.elements.cpf.value.replace(/\D/g, ""));
      if (!fault) {
        const { status, body } = await post("/pedidos", cart.body(form.elements.name.value.trim()), { "Idempotency-Key": cart.key });
        if (status === 201) {
          cart.clear();
          location.assign(body.url);
          return;
        }
        fault = body.fault || "Não foi possível fazer o pedido. Tente de novo.";
        cart.lines.forEach((line, index) => { line.refused = (body.lines || []).includes(index); });
        if (status === 422) cart.changed();
      }
    } catch {
      fault = "Sem conexão. Nada foi cobrado; tente de novo.";
    }
    show();
    button.disabled = false;
    button.textContent = "Pagar com Pix";
    find("#fault").textContent = fault;
  };

  // Left alone: ask, then forget
  const ASK_AFTER = 45, FORGET_AFTER = 15;
  const idle = find("#idle");
  let quiet = 0;
  const stay = () => { quiet = 0; if (idle.open) idle.close(); };
  if (isTotem) {
    for (const kind of ["pointerdown", "keydown", "scroll"]) addEventListener(kind, () => { if (!idle.open) quiet = 0; }, { passive: true });
    setInterval(() => {
      if (!find("#start").hidden && !isKnown) { quiet = 0; return; }
      quiet += 1;
      const left = ASK_AFTER + FORGET_AFTER - quiet;
      find("#idle-left").textContent = String(Math.max(0, left));
      if (left <= 0) { stay(); dialog.close(); visited = null; go("start"); }
      else if (quiet >= ASK_AFTER && !idle.open) idle.showModal();
    }, 1000);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const data = button.dataset;
    if (data.service) { cart.service = data.service; cart.changed(); go("menu"); }
    else if (data.go) go(data.go);
    else if (data.shelf) shelf(data.shelf);
    else if (data.product) open(menu[data.product]);
    else if ("next" in data) next();
    else if ("stay" in data) stay();
    else if ("close" in data) dialog.close();
    else if ("less" in data) { count = Math.max(1, count - 1); price(); }
    else if ("more" in data) { count = Math.min(99, count + 1); price(); }
  });
  dialog.addEventListener("change", price);
  find("form", dialog).addEventListener("submit", (event) => { event.preventDefault(); add(); });
  find("#checkout").addEventListener("submit", (event) => { event.preventDefault(); pay(); });
  // A page that comes back from the history would show the last customer's order.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  if (cart.count) go("review"); else show();
})();
