// Tables: a click anywhere on a row opens it; ticks gather rows for the bulk bar.
import { $, $$, mount, on, typing } from "./dom.js";

on("click", "tr[data-href]", (e, tr) => {
  if (e.defaultPrevented || e.target.closest("a, button, input, label, summary, .pick") || String(getSelection())) return;
  const link = $("a.row-link", tr);
  if (e.metaKey || e.ctrlKey) open(tr.dataset.href, "_blank", "noopener");
  else if (link) link.click();
  else location.assign(tr.dataset.href);
});

mount("[data-bulk]", (root) => {
  const all = $("input[data-all]", root), bar = $(".bulk", root);
  const ticks = () => $$("tbody input.tick", root);
  let last = null;
  const show = () => {
    const on = ticks().filter((t) => t.checked);
    for (const t of ticks()) t.closest("tr").setAttribute("aria-selected", String(t.checked));
    if (all) { all.checked = on.length > 0 && on.length === ticks().length; all.indeterminate = on.length > 0 && !all.checked; }
    if (bar) { bar.hidden = on.length === 0; const n = $("[data-count]", bar); if (n) n.textContent = n.dataset.count.replace("{n}", on.length); }
  };
  root.addEventListener("click", (e) => {
    const t = e.target;
    if (!(t instanceof HTMLInputElement) || !t.classList.contains("tick")) return;
    if (t === all) ticks().forEach((x) => { x.checked = all.checked; });
    else if (e.shiftKey && last) {
      const list = ticks(), [a, b] = [list.indexOf(last), list.indexOf(t)].sort((x, y) => x - y);
      list.slice(a, b + 1).forEach((x) => { x.checked = t.checked; });
    }
    last = t;
    show();
  });
  root.addEventListener("hufu:tick", show);
  on("click", "[data-bulk-clear]", () => { ticks().forEach((x) => { x.checked = false; }); show(); });
  show();
});

// j and k walk the rows, x ticks, e and Enter open; keys.js calls these.
let at = -1;
const rows = () => $$("table[data-rows] tbody tr");
export function walk(step) {
  const list = rows();
  if (!list.length) return;
  list[at]?.classList.remove("cursor");
  at = Math.max(0, Math.min(list.length - 1, at + step));
  list[at].classList.add("cursor");
  list[at].scrollIntoView({ block: "nearest" });
  $("a.row-link", list[at])?.focus({ preventScroll: true });
}
export function tickRow() {
  const t = $("input.tick", rows()[at] ?? document.createElement("i"));
  if (t) { t.checked = !t.checked; t.dispatchEvent(new CustomEvent("hufu:tick", { bubbles: true })); }
}
export function openRow(edit) {
  const row = rows()[at];
  if (!row || (edit && typing(document.activeElement))) return;
  const to = (edit && row.dataset.edit) || row.dataset.href;
  if (to) location.assign(to);
}
