// A form is sent once: its button shows that it is busy, and a second press does nothing.
// The idempotency key makes a press after a lost answer safe: it is the same request.
import { $, $$, on } from "./dom.js";

const uuid = () => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

function release(form) {
  delete form.dataset.sent;
  for (const b of $$("[aria-busy=true]", form)) { b.removeAttribute("aria-busy"); b.disabled = false; }
}

document.addEventListener("submit", (e) => {
  const form = e.target;
  if (form.method !== "post" || e.defaultPrevented || "free" in form.dataset) return;
  if (form.dataset.sent) { e.preventDefault(); return; }
  form.dataset.sent = "1";
  const key = form.elements.namedItem("idempotency_key");
  if (key && !key.value) key.value = uuid();
  const button = e.submitter ?? $("button:not([type=button])", form);
  if (!button) return;
  button.setAttribute("aria-busy", "true");
  // A disabled button's own name and value would not be sent; so disable it after.
  setTimeout(() => { button.disabled = true; });
  setTimeout(() => release(form), 20000);
});

// Coming back with the browser's own button shows the page as it was left: busy.
addEventListener("pageshow", (e) => { if (e.persisted) $$("form[data-sent]").forEach(release); });
document.addEventListener("htmx:finally:request", (e) => { if (e.target instanceof HTMLFormElement) release(e.target); });

// data-autosubmit: a choice that applies at once (filters, language).
on("change", "[data-autosubmit]", (e, el) => el.form?.requestSubmit());
