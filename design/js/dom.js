// Helpers that each module shares. Text shown by script comes from data attributes of
// <body>, written there by the server in the page's language.
export const $ = (sel, root = document) => root.querySelector(sel);
export const $$ = (sel, root = document) => [...root.querySelectorAll(sel)];
export const say = (name) => document.body.dataset["say" + name] ?? "";

// on listens on the document for events of elements that match, present and future.
export function on(type, sel, fn, options) {
  document.addEventListener(type, (e) => {
    const hit = e.target instanceof Element ? e.target.closest(sel) : null;
    if (hit) fn(e, hit);
  }, options);
}

// mount runs fn for each matching element now and for those that are swapped in later.
const mounts = [];
export function mount(sel, fn) {
  mounts.push([sel, fn]);
  $$(sel).forEach((el) => fn(el));
}
export function mountIn(root) {
  for (const [sel, fn] of mounts) {
    if (root.matches?.(sel)) fn(root);
    $$(sel, root).forEach((el) => fn(el));
  }
}
document.addEventListener("htmx:after:swap", (e) => mountIn(e.target ?? document));

// store is a storage that may be forbidden or full, which must never break a page.
export const store = (area) => ({
  get(key) { try { return window[area].getItem(key); } catch { return null; } },
  set(key, value) { try { window[area].setItem(key, value); } catch { /* a lost convenience, not an error */ } },
  drop(key) { try { window[area].removeItem(key); } catch { /* as above */ } },
});

export const typing = (el) => el instanceof Element && !!el.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
