// data-copy="TEXT" on a button copies TEXT; data-copy-from="#id" copies that element's text.
import { $, on, say } from "./dom.js";
import { toast } from "./toast.js";

on("click", "[data-copy], [data-copy-from]", async (e, b) => {
  e.preventDefault();
  const from = b.dataset.copyFrom && $(b.dataset.copyFrom);
  const text = from ? from.textContent.replace(/\s+/g, " ").trim() : b.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without HTTPS or permission there is no clipboard: the old way still works.
    const t = document.createElement("textarea");
    t.value = text;
    t.className = "sr-only";
    document.body.append(t);
    t.select();
    const ok = document.execCommand("copy");
    t.remove();
    b.focus();
    if (!ok) return;
  }
  toast(say("Copied"));
});
