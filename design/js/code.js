// data-code: an input for a card code groups what is typed or pasted in fours, in capitals.
import { on } from "./dom.js";

on("input", "input[data-code]", (e, el) => {
  if (e.isComposing) return;
  const before = el.value.slice(0, el.selectionStart).replace(/[^0-9a-z]/gi, "").length;
  const raw = el.value.replace(/[^0-9a-z]/gi, "").toUpperCase();
  el.value = raw.replace(/(.{4})(?=.)/g, "$1-");
  const at = before + Math.max(0, Math.floor((before - 1) / 4));
  el.setSelectionRange(at, at);
});
