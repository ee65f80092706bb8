// A bar says when the network is gone, with one button that tries again.
import { $, on } from "./dom.js";

const bar = () => $("#weak");
export function weak(is) { const b = bar(); if (b) b.hidden = !is; }

addEventListener("offline", () => weak(true));
addEventListener("online", () => weak(false));
document.addEventListener("htmx:error", (e) => { if (!e.detail?.ctx?.response) weak(true); });
on("click", "#weak button", () => {
  document.dispatchEvent(new CustomEvent("hufu:retry"));
  if (!$("[data-live]")) location.reload();
});
if (navigator.onLine === false) weak(true);
