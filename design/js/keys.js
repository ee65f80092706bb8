// Keyboard: ? help, / and Ctrl-K search, g + letter to go, j k x e on lists. Single keys
// can be switched off (WCAG 2.1.4) in the help dialog; Ctrl-K and Esc always work.
import { $, on, store, typing } from "./dom.js";
import { openRow, tickRow, walk } from "./table.js";

const local = store("localStorage");
const off = () => local.get("hufu.keys") === "off";
let g = 0;

const openDialog = (id) => { const d = $(id); if (d && !d.open) d.showModal(); return !!d; };

document.addEventListener("keydown", (e) => {
  if ((e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === "k") {
    if (openDialog("#command")) e.preventDefault();
    return;
  }
  if (off() || e.ctrlKey || e.metaKey || e.altKey || e.isComposing || typing(e.target) || $("dialog[open]")) return;
  const after = Date.now() - g < 1200;
  g = 0;
  if (after) {
    const to = $(`a[data-go="${CSS.escape(e.key)}"]`);
    if (to) { e.preventDefault(); to.click(); }
    return;
  }
  switch (e.key) {
    case "?": if (!openDialog("#keys")) return; break;
    case "/": { const s = $("main input[type=search]"); if (s) s.focus(); else if (!openDialog("#command")) return; break; }
    case "g": g = Date.now(); return;
    case "j": walk(1); break;
    case "k": walk(-1); break;
    case "x": tickRow(); break;
    case "e": openRow(true); break;
    default: return;
  }
  e.preventDefault();
});

const box = $("#keys-on");
if (box) box.checked = !off();
on("change", "#keys-on", (e, b) => local.set("hufu.keys", b.checked ? "on" : "off"));
