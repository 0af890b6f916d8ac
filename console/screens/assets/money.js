// Cents in, "R$ 1.234,56" out; the contexts alone decide what is charged.
"use strict";
const brl = (cents) => {
  const whole = String(Math.floor(cents / 100)).replace(/\B(?=(\d{3})+$)/g, ".");
  return `R$\u00a0${whole},${String(cents % 100).padStart(2, "0")}`;
};
const centsOf = (text) => {
  const [reais, cents = ""] = text.split(".");
  return Number(reais) * 100 + Number(cents.padEnd(2, "0"));
};
