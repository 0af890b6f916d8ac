// What the staff's screens do by themselves: ages, sound, keys, and a word when the line is lost.
"use strict";
(() => {
  const SECOND = 1000, GREEN = 8 * 60, YELLOW = 12 * 60, ORANGE = 15 * 60;
  // A board that has heard nothing for so long may not be believed.
  const LOST_AFTER = 6 * SECOND;
  const csrf = document.querySelector('meta[name="csrf"]').content;
  const live = document.getElementById("live");
  const board = document.getElementById("board");
  const stream = board || document.getElementById("calls");
  let heardAt = 0, silent = false, known = null;

  document.addEventListener("htmx:config:request", (event) => {
    event.detail.ctx.request.headers["X-CSRF"] = csrf;
  });

  // Ages are counted here, so that time passing costs the server nothing.
  const age = (since) => Math.max(0, (Date.now() - Date.parse(since)) / SECOND);
  const written = (seconds) => seconds < 60 ? `${Math.floor(seconds)} s` :
    seconds < 3600 ? `${Math.floor(seconds / 60)} min` :
    `${Math.floor(seconds / 3600)} h ${String(Math.floor(seconds / 60) % 60).padStart(2, "0")}`;
  const colour = (seconds) => seconds < GREEN ? "fresh" : seconds < YELLOW ? "warm" :
    seconds < ORANGE ? "late" : "overdue";
  const tick = () => {
    for (const card of document.querySelectorAll(".card[data-since]")) {
      const seconds = age(card.dataset.since);
      card.querySelector(".age").textContent = written(seconds);
      card.dataset.age = card.dataset.status === "READY" ? "done" : colour(seconds);
    }
    tell();
  };

  const tell = () => {
    if (!live) return;
    const quiet = Date.now() - heardAt;
    const state = heardAt === 0 ? "waiting" : quiet > LOST_AFTER ? "lost" : silent ? "silent" : "live";
    const words = {
      waiting: "Conectando…", live: "Ao vivo",
      silent: "Sem notícias dos pedidos; o quadro pode estar atrasado",
      lost: `Sem conexão há ${Math.round(quiet / SECOND)} s; o quadro pode estar atrasado`,
    }[state];
    if (live.dataset.state !== state || state === "lost") live.textContent = words;
    live.dataset.state = state;
    document.documentElement.dataset.line = state;
  };

  // A short chime, made here: no file to load.
  const sound = document.getElementById("sound");
  let audio = null;
  const chime = (tones) => {
    if (!audio) return;
    tones.forEach((tone, index) => {
      const from = audio.currentTime + index * 0.18;
      const voice = audio.createOscillator(), gain = audio.createGain();
      voice.frequency.value = tone;
      gain.gain.setValueAtTime(0.25, from);
      gain.gain.exponentialRampToValueAtTime(0.001, from + 0.17);
      voice.connect(gain).connect(audio.destination);
      voice.start(from);
      voice.stop(from + 0.18);
    });
  };
  const toggle = (button, action) => button && button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    action(on, button);
  });
  toggle(sound, (on, button) => {
    audio = on ? audio || new AudioContext() : null;
    button.textContent = on ? "Som ligado" : "Som desligado";
    chime([880]);
  });
  toggle(document.getElementById("large"), (on) => {
    document.documentElement.classList.toggle("large", on);
    try { localStorage.setItem("large", on ? "1" : ""); } catch { /* It is only a preference. */ }
  });
  try {
    if (localStorage.getItem("large")) document.getElementById("large")?.click();
  } catch { /* As above. */ }

  const ids = (selector) => new Set([...document.querySelectorAll(selector)].map((e) => e.id));
  const announce = () => {
    const now = board ? ids('.card[data-status="RECEIVED"]') : ids("[data-ready]");
    if (known && [...now].some((id) => !known.has(id))) {
      document.documentElement.dataset.rang = String(Number(document.documentElement.dataset.rang || 0) + 1);
      chime(board ? [660, 880] : [880, 660, 880]);
      if (!board) for (const id of now) if (!known.has(id)) document.getElementById(id).classList.add("called");
    }
    known = now;
  };

  if (stream) {
    const heard = () => { heardAt = Date.now(); tell(); };
    stream.addEventListener("htmx:sse:after:message", () => { heard(); tick(); announce(); });
    stream.addEventListener("htmx:sse:after:connection", heard);
    stream.addEventListener("alive", () => { silent = false; });
    stream.addEventListener("silent", () => { silent = true; });
    stream.addEventListener("htmx:sse:error", (event) => {
      // Who is not signed in any more is led to the door.
      if (event.detail.status === 401) location.reload();
    });
  }

  // A bump bar is a keyboard: digits bump, arrows walk, 0 takes the last step back.
  const cards = () => [...document.querySelectorAll(".card")];
  const walk = (key, card) => {
    const column = card.closest(".column");
    const siblings = [...column.querySelectorAll(".card")];
    const index = siblings.indexOf(card);
    if (key === "ArrowDown") return siblings[index + 1];
    if (key === "ArrowUp") return siblings[index - 1];
    const columns = [...document.querySelectorAll(".column")].filter((c) => c === column || c.querySelector(".card"));
    const next = columns[columns.indexOf(column) + (key === "ArrowRight" ? 1 : -1)];
    return next && next.querySelectorAll(".card")[Math.min(index, next.querySelectorAll(".card").length - 1)];
  };
  if (board) document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input, textarea, select")) return;
    const card = event.target.closest(".card");
    let goal = null;
    if (/^[1-9]$/.test(event.key)) document.querySelector(`[data-key="${event.key}"]`)?.click();
    else if (event.key === "0") document.querySelector("#toast .undo")?.click();
    else if (event.key === "Enter" && event.target === card) card.querySelector(".step").click();
    else if (event.key.startsWith("Arrow")) goal = card ? walk(event.key, card) : cards()[0];
    else return;
    event.preventDefault();
    goal?.focus();
  });

  // What was done is said for a while, and can be taken back as long as it is said.
  const SAID_FOR = 8 * SECOND;
  let fading = 0;
  const saying = () => {
    clearTimeout(fading);
    fading = setTimeout(() => document.getElementById("toast").replaceChildren(), SAID_FOR);
  };

  // A card that moved keeps the focus of whoever works by keyboard.
  let focused = null;
  document.addEventListener("focusin", (event) => { focused = event.target.closest(".card")?.id || null; });
  document.addEventListener("htmx:after:swap", () => {
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
    if (document.querySelector("#toast .toast:not([data-timed])")) {
      document.querySelector("#toast .toast").dataset.timed = "";
      saying();
    }
    tick();
  });

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !confirm(question)) event.preventDefault();
  });

  if (stream) announce();
  tick();
  setInterval(tick, SECOND);
})();

// A sheet is checked first; only one that is fine can be imported.
(() => {
  "use strict";
  const form = document.getElementById("sheet");
  if (!form) return;
  const csrf = document.querySelector('meta[name="csrf"]').content;
  const outcome = document.getElementById("outcome");
  const ready = form.querySelector('[value="import"]');
  // Spreadsheets in Brazil still write Windows-1252 now and then.
  const decoded = (bytes) => {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return new TextDecoder("windows-1252").decode(bytes);
    }
  };
  form.addEventListener("change", () => { ready.disabled = true; outcome.replaceChildren(); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const isCheck = event.submitter?.value !== "import";
    const text = decoded(await form.elements.file.files[0].arrayBuffer());
    let answer = null;
    try {
      answer = await fetch(`${form.dataset.url}?conferir=${isCheck}`, {
        method: "POST", body: text, headers: { "Content-Type": "text/csv; charset=utf-8", "X-CSRF": csrf },
      });
    } catch { /* Said below. */ }
    if (!answer?.ok) {
      outcome.textContent = "Não foi possível agora. Tente de novo.";
      return;
    }
    outcome.innerHTML = await answer.text();
    ready.disabled = !isCheck || !outcome.querySelector("[data-fine]");
  });
})();
