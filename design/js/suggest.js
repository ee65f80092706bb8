// A search box that suggests while one types: a listbox below it, steered by keys (the ARIA
// pattern of a combobox). data-suggest answers with options; without script it is a form.
import { $, $$, mount, on, say } from "./dom.js";

let boxes = 0;
mount("form[data-suggest]", (form) => {
  const input = $("input[type=search]", form), list = document.createElement("ul"), told = document.createElement("span");
  list.id = "suggest-" + ++boxes;
  list.className = "suggest";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.getAttribute("aria-label"));
  told.className = "sr-only";
  told.setAttribute("role", "status");
  form.append(list, told);
  const put = (name, value) => input.setAttribute(name, value);
  put("role", "combobox");
  put("aria-autocomplete", "list");
  put("aria-controls", list.id);
  put("aria-expanded", "false");

  let at = -1, timer, asked = 0;
  const options = () => $$("[role=option]", list);
  const point = (to) => {
    at = to;
    input.removeAttribute("aria-activedescendant");
    options().forEach((o, i) => {
      o.setAttribute("aria-selected", String(i === at));
      if (i !== at) return;
      put("aria-activedescendant", o.id);
      o.scrollIntoView({ block: "nearest" });
    });
  };
  const show = (open) => {
    list.hidden = !open;
    put("aria-expanded", String(open));
    point(-1);
  };
  const ask = () => {
    clearTimeout(timer);
    const q = input.value.trim(), mine = ++asked;
    if (!q) { show(false); told.textContent = ""; return; }
    timer = setTimeout(async () => {
      const res = await fetch(form.dataset.suggest + "?q=" + encodeURIComponent(q)).catch(() => null);
      if (!res?.ok || mine !== asked || document.activeElement !== input) return;
      list.innerHTML = await res.text();
      const n = options().length;
      options().forEach((o, i) => { o.id = list.id + "-" + i; });
      told.textContent = n ? say("Suggested").replace("{n}", n) : "";
      show(n > 0);
    }, 160);
  };
  input.addEventListener("input", (e) => { if (!e.isComposing) ask(); });
  input.addEventListener("compositionend", ask);
  input.addEventListener("blur", () => { asked++; show(false); });
  input.addEventListener("keydown", (e) => {
    const n = options().length, open = !list.hidden;
    if (e.isComposing) return;
    if (e.key === "Escape" && open) show(false);
    else if (e.key === "Enter" && open && at >= 0) location.assign(options()[at].dataset.href);
    else if ((e.key === "ArrowDown" || e.key === "ArrowUp") && n) {
      if (!open) show(true);
      // Beyond either end stands the box itself.
      point(e.key === "ArrowDown" ? (at + 2) % (n + 1) - 1 : (at + n + 1) % (n + 1) - 1);
    } else return;
    e.preventDefault();
  });
});
// The box must not lose the focus, and with it the list, before the press is over.
on("mousedown", ".suggest", (e) => e.preventDefault());
on("click", ".suggest [role=option]", (_, option) => location.assign(option.dataset.href));
