// data-live keeps an element up to date with the server:
//   data-sse-url   server-sent events: "fragment" carries the new HTML, "update" asks to
//                  fetch data-url, "done" ends it;
//   data-url       the fragment, fetched when there is no event stream (every
//                  data-every ms, 2000 by default, slower after a minute). The answer's
//                  header Hufu-Done ends it; Hufu-Location leads to another page.
import { mount, mountIn } from "./dom.js";
import { weak } from "./weak.js";

mount("[data-live]", (el) => {
  const { sseUrl, url } = el.dataset;
  const every = Number(el.dataset.every) || 2000;
  const started = Date.now();
  let source, timer, failures = 0, over = false;

  const stop = () => { over = true; clearTimeout(timer); source?.close(); };
  const show = (html) => {
    if (!el.isConnected) return stop();
    if (el.innerHTML === html) return;
    el.innerHTML = html;
    [...el.children].forEach((c) => mountIn(c));
  };
  const later = () => {
    clearTimeout(timer);
    const slow = Date.now() - started > 60000 ? 5 : 1;
    if (!over && url) timer = setTimeout(poll, every * slow * Math.min(2 ** failures, 8));
  };
  const pull = async () => {
    const res = await fetch(url, { headers: { "Hufu-Fragment": "1" }, cache: "no-store", credentials: "same-origin" });
    if (!res.ok) throw new Error(res.status);
    const html = await res.text();
    failures = 0;
    weak(false);
    const to = res.headers.get("Hufu-Location");
    if (to) { stop(); location.assign(to); return; }
    show(html);
    if (res.headers.get("Hufu-Done")) stop();
  };
  const poll = async () => {
    if (over || !el.isConnected) return stop();
    if (document.hidden) return later();
    try { await pull(); } catch { if (++failures > 2) weak(true); }
    later();
  };
  const listen = () => {
    source = new EventSource(sseUrl);
    source.addEventListener("open", () => { clearTimeout(timer); weak(false); });
    source.addEventListener("fragment", (e) => show(e.data));
    source.addEventListener("update", () => url && pull().catch(later));
    source.addEventListener("done", (e) => { stop(); if (e.data && e.data.startsWith("/")) location.assign(e.data); });
    source.addEventListener("error", () => {
      // The browser reconnects by itself unless the answer was refused; polling bridges the gap.
      later();
      if (source.readyState === EventSource.CLOSED && !over) setTimeout(() => !over && el.isConnected && listen(), 10000);
    });
  };

  if (sseUrl && "EventSource" in window) listen(); else later();
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !over && url) pull().catch(() => {}); });
  document.addEventListener("hufu:retry", () => { failures = 0; if (!over && url) pull().catch(() => weak(true)); });
  addEventListener("pagehide", () => source?.close());
});
