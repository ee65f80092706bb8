// Toasts confirm in a word or two; errors never come as toasts.
import { $, $$, on } from "./dom.js";

export function toast(text, action) {
  const region = $("#toasts");
  if (!region || !text) return;
  const el = document.createElement("div");
  el.className = "toast";
  el.append(text);
  if (action) {
    const b = document.createElement("button");
    b.type = "button";
    b.textContent = action.label;
    b.addEventListener("click", () => { el.remove(); action.run(); });
    el.append(b);
  }
  region.append(el);
  expire(el);
}

function expire(el) {
  const life = el.querySelector("button, a") ? 10000 : 4000;
  let timer = setTimeout(() => el.remove(), life);
  el.addEventListener("pointerenter", () => clearTimeout(timer));
  el.addEventListener("pointerleave", () => { timer = setTimeout(() => el.remove(), life); });
}

$$("#toasts > .toast").forEach(expire);
on("hufu:toast", "*", (e) => toast(e.detail));
