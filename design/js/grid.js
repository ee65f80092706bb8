// A table that is typed into: the arrows up and down walk a column, Enter too; what is pasted
// from a spreadsheet fills the cells to the right and below.
import { $, $$, mount } from "./dom.js";

mount("[data-grid]", (form) => {
  const cells = () => $$("tbody tr", form).map((tr) => $$(".grid-cell", tr));
  const place = (el) => {
    const all = cells();
    for (let r = 0; r < all.length; r++) { const c = all[r].indexOf(el); if (c >= 0) return { all, r, c }; }
    return null;
  };
  const count = $("[data-grid-count]", form);
  const show = () => {
    let n = 0;
    for (const el of cells().flat()) {
      const was = el instanceof HTMLSelectElement ? [...el.options].find((o) => o.defaultSelected)?.value ?? el.options[0]?.value : el.defaultValue;
      const changed = el.value !== was;
      el.classList.toggle("grid-changed", changed);
      if (changed) n++;
    }
    if (count) count.textContent = n ? count.dataset.gridCount.replace("{n}", n) : "";
  };
  form.addEventListener("input", show);
  form.addEventListener("keydown", (e) => {
    if (!["ArrowUp", "ArrowDown", "Enter"].includes(e.key) || e.isComposing || e.altKey || e.metaKey || e.ctrlKey) return;
    if (!(e.target instanceof HTMLInputElement) || !e.target.classList.contains("grid-cell")) return;
    const at = place(e.target);
    const to = at?.all[at.r + (e.key === "ArrowUp" || e.shiftKey ? -1 : 1)]?.[at.c];
    e.preventDefault();
    to?.focus();
    to?.select?.();
  });
  form.addEventListener("paste", (e) => {
    const text = e.clipboardData?.getData("text/plain") ?? "";
    if (!/[\t\n]/.test(text.trimEnd())) return;
    const at = place(e.target);
    if (!at) return;
    e.preventDefault();
    text.trimEnd().split(/\r?\n/).forEach((line, i) => line.split("\t").forEach((value, j) => {
      const el = at.all[at.r + i]?.[at.c + j];
      if (el instanceof HTMLInputElement) el.value = value.trim();
    }));
    show();
  });
  show();
});
