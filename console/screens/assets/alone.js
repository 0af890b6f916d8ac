// A kiosk's page that is left alone goes back to the start, so the next person finds nothing.
"use strict";
(() => {
  const LEAVE_AFTER = 60;
  const start = document.querySelector("main").dataset.start;
  let quiet = 0;
  for (const kind of ["pointerdown", "keydown", "input"]) addEventListener(kind, () => { quiet = 0; }, { passive: true });
  setInterval(() => {
    quiet += 1;
    if (quiet >= LEAVE_AFTER) location.replace(start);
  }, 1000);
})();
