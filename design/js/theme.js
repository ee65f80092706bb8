// The switch of theme is a form that works without script; with it, nothing reloads.
import { $$, on } from "./dom.js";

on("click", "button[name=theme]", (e, b) => {
  e.preventDefault();
  const v = b.value;
  if (v === "auto") delete document.documentElement.dataset.theme; else document.documentElement.dataset.theme = v;
  document.cookie = `hufu_theme=${v}; Path=/; Max-Age=31536000; SameSite=Lax` + (location.protocol === "https:" ? "; Secure" : "");
  $$("button[name=theme]").forEach((x) => x.setAttribute("aria-pressed", String(x.value === v)));
});
