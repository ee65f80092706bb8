// The rules of an offer. Every step is the server's, as without script: its buttons answer
// with the list anew instead of the page. While one types, what the rule says is asked for
// anew; the places that are wrong are marked behind the text.
import { $, mount, mountIn, store } from "./dom.js";
import { weak } from "./weak.js";

const tab = store("sessionStorage");

mount("[data-rules]", (box) => {
  const form = box.closest("form"), list = $("[data-rules-list]", box);
  const answer = $("[data-rules-preview]", box), busy = $("[data-rules-busy]", box);
  const key = "hufu.draft." + form.dataset.draft + ".rules";
  const byId = (name) => document.getElementById(name);
  const mine = () => [...form.elements].filter((f) => f.name && box.contains(f) && f.type !== "submit" && ((f.type !== "checkbox" && f.type !== "radio") || f.checked));
  const fields = () => mine().map((f) => [f.name, f.value]);
  const keep = () => { if (form.dataset.draft) tab.set(key, JSON.stringify(fields())); };
  const send = async (op, stop, of = fields()) => {
    const body = new URLSearchParams(of);
    for (const name of ["csrf", "idempotency_key"]) body.set(name, form.elements.namedItem(name)?.value ?? "");
    body.set("op", op);
    const res = await fetch(box.dataset.rules, { method: "POST", body, headers: { "Hufu-Fragment": "1" }, credentials: "same-origin", signal: stop });
    const to = res.headers.get("Hufu-Location");
    if (to) location.assign(to);
    if (!res.ok) throw new Error(res.status);
    return res.text();
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
      const to = byId(at ?? $("[data-rules-focus]", list)?.dataset.rulesFocus ?? "");
      if (to?.closest("details")) to.closest(".rule-fold").open = true;
      to?.focus({ preventScroll: false });
    } catch {
      // The button itself still works: it sends the form.
      const b = document.createElement("button");
      b.name = "op"; b.value = op; b.hidden = true;
      form.append(b);
      form.requestSubmit(b);
    } finally { list.removeAttribute("aria-busy"); }
  };

  let asked;
  const ask = async () => {
    asked?.abort();
    const stop = asked = new AbortController();
    busy.hidden = false;
    answer.hidden = true;
    try { answer.innerHTML = await send("rules.preview", stop.signal, [...new FormData(form)].filter(([, value]) => typeof value === "string")); } catch (e) { if (e.name !== "AbortError") weak(true); }
    if (asked === stop) { busy.hidden = true; answer.hidden = false; }
  };

  const timers = new Map();
  const say = async (rule) => {
    const name = rule.dataset.rule, mine = (timers.get(name)?.n ?? 0) + 1;
    clearTimeout(timers.get(name)?.t);
    timers.set(name, { n: mine, t: setTimeout(async () => {
      const html = await send("rules.said:" + name).catch(() => null);
      if (html === null || timers.get(name).n !== mine || !rule.isConnected) return;
      const said = $("[data-rule-said]", rule);
      said.innerHTML = html;
      const put = (from, to) => { const a = $(from, said), b = $(to, rule.closest(".rule")); if (a && b) b.replaceChildren(...a.childNodes); a?.remove(); };
      put("[data-rule-marked]", "[data-rule-marks]");
      put("[data-rule-briefly]", "[data-rule-brief]");
      put("[data-rule-seen-new]", "[data-rule-seen]");
      const text = $("[data-rule-text]", rule);
      if (text) { if ($("mark", rule)) text.setAttribute("aria-invalid", "true"); else text.removeAttribute("aria-invalid"); }
    }, 350) });
  };

  const button = (el) => el.closest("button[name=op][value^='rules.']");
  box.addEventListener("click", (e) => {
    const b = e.target instanceof Element ? button(e.target) : null;
    const at = e.target instanceof Element ? e.target.closest("[data-rule-at]") : null;
    if (at) {
      const text = $("[data-rule-text]", at.closest("[data-rule]"));
      text.focus();
      text.setSelectionRange(...at.dataset.ruleAt.split(",").map(Number));
    }
    if (e.target instanceof Element && e.target.closest("[data-rules-stop]")) { asked?.abort(); busy.hidden = true; answer.hidden = false; }
    if (!b) return;
    e.preventDefault();
    if (b.value === "rules.preview") return void ask();
    const text = b.dataset.ruleInsert && $("[data-rule-text]", b.closest("[data-rule]"));
    if (!text) return void step(b.value);
    const before = text.value.slice(0, text.selectionStart), after = text.value.slice(text.selectionEnd);
    const joint = (s, edge) => s.trim() && !edge.test(s) ? " and " : "";
    const put = joint(before, /(\(|\b(and|or|not)|&&|\|\||!)\s*$/) + b.dataset.ruleInsert + joint(after, /^\s*(\)|and\b|or\b|&&|\|\|)/);
    text.setRangeText(put, text.selectionStart, text.selectionEnd, "end");
    text.focus();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  });
  box.addEventListener("change", (e) => { if (e.target.dataset.ruleChange) step(e.target.dataset.ruleChange, e.target.id); });
  box.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || e.isComposing || !(e.target instanceof HTMLInputElement)) return;
    e.preventDefault(); // Enter in a value is no wish to save the offer
    if (!e.target.dataset.ruleMore) return;
    const next = e.target.id.replace(/\[(\d+)\]$/, (_, n) => "[" + (Number(n) + 1) + "]");
    step(e.target.dataset.ruleMore, next);
  });
  box.addEventListener("input", (e) => {
    since.set(e.target.name, e.target.value);
    keep();
    const rule = e.target.closest("[data-rule]");
    if (e.target.matches("[data-rule-text]")) { $("[data-rule-marks]", rule).textContent = ""; e.target.removeAttribute("aria-invalid"); }
    if (rule && !e.target.dataset.ruleChange) say(rule);
  });
  box.addEventListener("scroll", (e) => {
    if (e.target.matches?.("[data-rule-text]")) $("[data-rule-marks]", e.target.parentElement).scrollTop = e.target.scrollTop;
  }, true);
  box.addEventListener("toggle", (e) => {
    const open = e.target.matches?.(".rule-fold") && $("[data-rule-open]", e.target.parentElement);
    if (open) { open.value = e.target.open ? "1" : ""; keep(); }
  }, true);

  // A draft of this tab, as the other fields have one (draft.js): the rows come back with it.
  let saved;
  try { saved = JSON.parse(tab.get(key) ?? "null"); } catch { saved = null; }
  const same = (a, b) => JSON.stringify(a.filter(([n]) => !n.endsWith(".open"))) === JSON.stringify(b.filter(([n]) => !n.endsWith(".open")));
  if (saved && !same(saved, fields())) {
    if ("fresh" in box.dataset) send("rules.back", undefined, saved).then((html) => {
      show(html);
      const note = $("[data-draft-note]", form);
      if (note) note.hidden = false;
    }, () => {});
    else tab.drop(key);
  }
  form.addEventListener("reset", () => { tab.drop(key); if ("fresh" in box.dataset) location.reload(); });
});
