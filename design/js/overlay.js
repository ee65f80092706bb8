// Dialogs and menus. data-dialog="#id" opens, data-close closes; the element that opened
// gets the focus back, which <dialog> sees to by itself.
import { $, $$, on } from "./dom.js";

on("click", "[data-dialog]", (e, b) => {
  const d = $(b.dataset.dialog);
  if (!d?.showModal) return;
  e.preventDefault();
  b.closest("details.menu")?.removeAttribute("open");
  if (!d.open) d.showModal();
});
on("click", "[data-close]", (e, b) => {
  const d = b.closest("dialog");
  if (d) { e.preventDefault(); d.close(); }
});
on("click", "dialog", (e, d) => { if (e.target === d && !("modal" in d.dataset)) d.close(); });
document.addEventListener("click", (e) => {
  $$("details.menu[open], details.con-drawer[open]").forEach((m) => { if (!m.contains(e.target)) m.open = false; });
});
document.addEventListener("keydown", (e) => {
  if (e.key !== "Escape") return;
  const open = $$("details.menu[open], details.con-drawer[open]").pop();
  if (open) { open.open = false; $("summary", open)?.focus(); }
});
