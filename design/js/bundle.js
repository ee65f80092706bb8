// What an offer is composed of. Every step is the server's, as without script: its buttons
// answer with the list anew instead of the page. While one types, what the parts come to is
// asked for anew.
import { $, $$, mount, mountIn, store } from "./dom.js";

const tab = store("sessionStorage");

mount("[data-bundle]", (box) => {
  const form = box.closest("form"), list = $("[data-bundle-list]", box), split = $("[data-bundle-split]", form), status = $("[data-bundle-status]", box);
  const key = "hufu.draft." + form.dataset.draft + ".bundle";
  const sent = (f) => f.name && f.type !== "submit" && f.type !== "button" && ((f.type !== "checkbox" && f.type !== "radio") || f.checked);
  const fields = (mine) => [...form.elements].filter((f) => sent(f) && (!mine || box.contains(f))).map((f) => [f.name, f.value]);
  const keep = () => { if (form.dataset.draft) tab.set(key, JSON.stringify(fields(true))); };
  const send = async (op, stop, body = new URLSearchParams(fields())) => {
    body.set("op", op);
    const res = await fetch(box.dataset.bundle, { method: "POST", body, headers: { "Hufu-Fragment": "1" }, credentials: "same-origin", signal: stop });
    const to = res.headers.get("Hufu-Location");
    if (to) location.assign(to);
    if (!res.ok) throw new Error(res.status);
    return res.text();
  };

  let asking, timer;
  const ask = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      asking?.abort();
      const stop = asking = new AbortController();
      try { split.innerHTML = await send("check", stop.signal); } catch { return; } // the last answer stays
      for (const t of $$("[data-bundle-sum]", split)) {
        const el = document.getElementById(t.dataset.bundleSum);
        if (el) el.textContent = t.content.textContent;
      }
    }, wait);
  };

  // What is typed while an answer is on its way stays typed.
  const since = new Map();
  const show = (html) => {
    list.innerHTML = html;
    for (const [name, value] of since) {
      const f = [...form.elements].find((el) => el.name === name);
      if (f && f.type !== "checkbox") f.value = value;
    }
    since.clear();
    [...list.children].forEach((c) => mountIn(c));
    keep();
    ask(0);
  };
  let steps = 0;
  const step = async (op, at) => {
    const mine = ++steps;
    since.clear();
    list.setAttribute("aria-busy", "true");
    try {
      const html = await send(op);
      if (mine !== steps) return;
      show(html);
      const count = $("[name=parts]", list);
      status.textContent = count.dataset.bundleTold ?? "";
      let to = document.getElementById(at ?? count.dataset.bundleFocus ?? "");
      if (to?.disabled) to = $("button:not(:disabled)", to.parentElement); // it moved to an end
      to?.focus();
      if (to?.matches("[data-bundle-find]")) to.select(); // the next search takes the place of the last
    } catch {
      // The button itself still works: it sends the form.
      const b = document.createElement("button");
      b.name = "op"; b.value = op; b.hidden = true;
      form.append(b);
      form.requestSubmit(b);
    } finally { list.removeAttribute("aria-busy"); }
  };

  let finds = 0, finding;
  const find = () => {
    clearTimeout(finding);
    const mine = ++finds;
    finding = setTimeout(async () => {
      const html = await send("parts.find").catch(() => null);
      const to = $("[data-bundle-found]", list);
      if (html !== null && mine === finds && to) to.innerHTML = html;
    }, 160);
  };

  box.addEventListener("click", (e) => {
    const b = e.target instanceof Element ? e.target.closest("button[name=op]") : null;
    if (!b) return;
    e.preventDefault();
    step(b.value);
  });
  box.addEventListener("change", (e) => { if (e.target.dataset.bundleChange) step(e.target.dataset.bundleChange, e.target.id); });
  box.addEventListener("keydown", (e) => {
    if (e.isComposing || !(e.target instanceof Element)) return;
    if (e.altKey && (e.key === "ArrowUp" || e.key === "ArrowDown")) {
      const b = $(e.key === "ArrowUp" ? "[data-bundle-up]" : "[data-bundle-down]", e.target.closest("[data-bundle-row]") ?? document.createElement("i"));
      if (b) { e.preventDefault(); if (!b.disabled) step(b.value); }
      return;
    }
    if (e.key !== "Enter" || !(e.target instanceof HTMLInputElement)) return;
    e.preventDefault(); // Enter in a field of a row is no wish to save the offer
    if ("bundleFind" in e.target.dataset) $("[data-bundle-found] button", list)?.focus();
  });
  box.addEventListener("toggle", (e) => {
    const open = e.target.matches?.("[data-bundle-fold]") && $("[data-bundle-open]", e.target.parentElement);
    if (open) { open.value = e.target.open ? "1" : ""; keep(); }
  }, true);
  form.addEventListener("input", (e) => {
    if (box.contains(e.target)) {
      since.set(e.target.name, e.target.value);
      if ("bundleFind" in e.target.dataset) return void find();
      keep();
      ask(350);
    } else if (["price", "currency", "list_price"].includes(e.target.name)) ask(350);
  });

  // A draft of this tab, as the other fields have one (draft.js): the rows come back with it.
  let saved;
  try { saved = JSON.parse(tab.get(key) ?? "null"); } catch { saved = null; }
  const same = (a, b) => JSON.stringify(a.filter(([n]) => !n.endsWith(".open"))) === JSON.stringify(b.filter(([n]) => !n.endsWith(".open")));
  if (saved && !same(saved, fields(true))) {
    if ("fresh" in box.dataset) {
      const body = new URLSearchParams([...fields().filter(([n]) => !saved.some(([m]) => m === n) && !/^(parts|choices)[[.]/.test(n)), ...saved]);
      send("parts.back", undefined, body).then((html) => {
        show(html);
        const note = $("[data-draft-note]", form);
        if (note) note.hidden = false;
      }, () => {});
    } else tab.drop(key);
  }
  form.addEventListener("reset", () => { tab.drop(key); if ("fresh" in box.dataset) location.reload(); });
});
