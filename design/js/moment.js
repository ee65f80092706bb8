// A browser writes a moment that is typed in its own language, which may not be the page's:
// <output data-moment="WORDS" for="ID"> says it as the page does, WORDS while there is none.
// What is typed is a wall clock's time of the shop's zone: it is read and said as if in UTC.
import { mount } from "./dom.js";

const form = new Intl.DateTimeFormat(document.documentElement.lang || "zh-CN", { dateStyle: "long", timeStyle: "short", hourCycle: "h23", timeZone: "UTC" });

mount("[data-moment]", (out) => {
  const field = document.getElementById(out.htmlFor.value);
  const tell = () => {
    const at = Date.parse(field.value + "Z");
    out.textContent = Number.isNaN(at) ? out.dataset.moment : form.format(at);
  };
  field.addEventListener("input", tell);
  field.form?.addEventListener("reset", () => setTimeout(tell));
  tell();
});
