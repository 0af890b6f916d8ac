// The customer's order: the time that is left, copying, what is said aloud, and a kiosk's way back.
"use strict";
(() => {
  const find = (selector) => document.querySelector(selector);
  const page = find("#order");
  const isTotem = page.dataset.totem === "yes";
  const LEAVE_AFTER = 20, FORGET_AFTER = 300;
  let status = find("#now").dataset.status, settled = 0, quiet = 0;
  const words = {
    RECEIVED: "Pagamento recebido. Sua senha é", IN_PREPARATION: "Em preparação, senha",
    READY: "Pedido pronto! Retire no balcão, senha", COMPLETED: "Pedido entregue, senha",
    CANCELLED: "Pedido cancelado, senha", PAYMENT_FAILED: "O pagamento não foi feito, senha",
  };

  const changed = () => {
    const now = find("#now");
    if (now.dataset.status === status) return;
    status = now.dataset.status;
    if (words[status]) find("#said").textContent = `${words[status]} ${now.dataset.number}.`;
  };
  const tick = () => {
    const left = find("#left");
    if (left) {
      const seconds = Math.max(0, Math.floor((Date.parse(left.dataset.until) - Date.now()) / 1000));
      left.textContent = seconds ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : "0:00";
      left.closest("p").classList.toggle("fault", seconds < 60);
    }
    if (!isTotem) return;
    quiet += 1;
    // Whoever paid has their number; who walked away without paying leaves the kiosk to the next.
    settled = status === "PENDING_PAYMENT" ? 0 : settled + 1;
    const rest = status === "PENDING_PAYMENT" ? FORGET_AFTER - quiet : LEAVE_AFTER - settled;
    find("#leaving").textContent = rest <= 30 ? `Voltando ao início em ${Math.max(0, rest)} s` : "";
    if (rest <= 0) location.assign(page.dataset.start);
  };

  document.addEventListener("click", async (event) => {
    if (event.target.id !== "copy") return;
    const code = find("#code");
    try {
      await navigator.clipboard.writeText(code.value);
    } catch {
      code.select();
      document.execCommand("copy");
    }
    event.target.textContent = "Copiado!";
    find("#said").textContent = "Código copiado.";
  });
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !confirm(question)) event.preventDefault();
  });
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { quiet = 0; }, { passive: true });

  const state = find("#state"), live = find("#live");
  state.addEventListener("htmx:sse:after:message", () => { live.hidden = true; changed(); tick(); });
  state.addEventListener("htmx:sse:error", () => {
    live.hidden = false;
    live.dataset.state = "lost";
    live.textContent = "Sem conexão; tentando de novo…";
  });
  tick();
  setInterval(tick, 1000);
})();
