// Ctrl-K: pages by name, and what the server finds. data-suggest-url answers with <li>s. What
// is typed may be a phone number, so it is posted: it stands in no address and no log.
import { $, $$, on } from "./dom.js";

const box = $("#command");
if (box) {
  const form = $("form", box), input = form.elements.q, found = $("[data-found]", box);
  const links = () => $$("li:not([hidden]) a", box);
  let at = 0, timer, asked = 0;
  const mark = () => links().forEach((a, i) => {
    if (i !== at) { a.removeAttribute("aria-current"); return; }
    a.setAttribute("aria-current", "true");
    a.scrollIntoView({ block: "nearest" });
  });
  const filter = () => {
    const q = input.value.trim().toLowerCase();
    for (const li of $$("[data-pages] > li", box)) li.hidden = !!q && !li.textContent.toLowerCase().includes(q);
    at = 0;
    mark();
    clearTimeout(timer);
    const url = box.dataset.suggestUrl, mine = ++asked;
    if (!url || q.length < 2) { found.innerHTML = ""; return; }
    timer = setTimeout(async () => {
      const res = await fetch(url, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "Hufu-Fragment": "1" } }).catch(() => null);
      if (res?.ok && mine === asked) { found.innerHTML = await res.text(); mark(); }
    }, 160);
  };
  input.addEventListener("input", filter);
  input.addEventListener("keydown", (e) => {
    const n = links().length;
    if (e.key === "ArrowDown") at = (at + 1) % Math.max(n, 1);
    else if (e.key === "ArrowUp") at = (at - 1 + n) % Math.max(n, 1);
    else if (e.key === "Enter" && !e.isComposing) { const to = links()[at]; if (to) { e.preventDefault(); to.click(); } return; }
    else return;
    e.preventDefault();
    mark();
  });
  box.addEventListener("close", () => { input.value = ""; filter(); });
  mark();
}
