// data-draft="NAME" keeps a form's fields in this tab until the server says that they
// arrived (data-draft-clear="NAME" on the page that follows), so that a session which
// ends half-way loses nothing. Passwords, files and fields marked data-secret stay out, and what
// keeps a draft of its own (data-draft-own).
import { $, $$, mount, store } from "./dom.js";

const tab = store("sessionStorage");
const id = (name) => `hufu.draft.${name}`;
const kept = (f) => f.name && !["password", "file", "hidden", "submit", "button"].includes(f.type) && !("secret" in f.dataset) && f.autocomplete !== "one-time-code" && !f.closest("[data-draft-own]");

$$("[data-draft-clear]").forEach((el) => { for (const part of ["", ".rules", ".bundle"]) tab.drop(id(el.dataset.draftClear) + part); });

mount("form[data-draft]", (form) => {
  const key = id(form.dataset.draft);
  const fields = () => [...form.elements].filter(kept);
  let saved;
  try { saved = JSON.parse(tab.get(key) ?? "null"); } catch { saved = null; }
  if (saved) {
    let changed = false;
    for (const f of fields()) {
      const was = saved[f.name];
      if (was === undefined) continue;
      if (f.type === "checkbox" || f.type === "radio") {
        const want = was.includes(f.value);
        if (f.checked === f.defaultChecked && f.checked !== want) { f.checked = want; changed = true; }
      } else if (f.value === (f.defaultValue ?? "") && was.length === 1 && f.value !== was[0]) { f.value = was[0]; changed = true; }
    }
    const note = $("[data-draft-note]", form);
    if (note && changed) note.hidden = false;
  }
  const save = () => {
    const out = {};
    for (const f of fields()) {
      out[f.name] ??= [];
      if ((f.type !== "checkbox" && f.type !== "radio") || f.checked) out[f.name].push(f.value);
    }
    tab.set(key, JSON.stringify(out));
  };
  form.addEventListener("input", save);
  form.addEventListener("reset", () => { tab.drop(key); const n = $("[data-draft-note]", form); if (n) n.hidden = true; });
});
