// Relative times grow older by themselves; countdowns follow the server's clock, not the
// phone's: data-countdown is the end and data-now the server's time, both in Unix ms.
import { $$, mount } from "./dom.js";

const lang = document.documentElement.lang || "zh-CN";
const steps = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const rel = "RelativeTimeFormat" in Intl ? new Intl.RelativeTimeFormat(lang, { numeric: "auto" }) : null;

function age() {
  if (!rel) return;
  for (const t of $$("time[data-rel]")) {
    const s = (Date.parse(t.dateTime) - Date.now()) / 1000;
    // Beyond a week the date that the server wrote says more.
    if (Math.abs(s) > 7 * 86400) continue;
    const [unit, size] = steps.find(([, n]) => Math.abs(s) >= n) ?? steps[3];
    t.textContent = rel.format(Math.trunc(s / size), unit);
  }
}
setInterval(age, 30000);

const two = (n) => String(n).padStart(2, "0");
mount("[data-countdown]", (el) => {
  const t0 = performance.now();
  const left = () => Number(el.dataset.countdown) - Number(el.dataset.now) - (performance.now() - t0);
  const tick = () => {
    if (!el.isConnected) return;
    const s = Math.max(0, Math.ceil(left() / 1000));
    const d = Math.floor(s / 86400), h = Math.floor(s / 3600) % 24;
    el.textContent = (d ? d + (lang === "en" ? " d " : " 天 ") : "") + (d || h ? two(h) + ":" : "") + two(Math.floor(s / 60) % 60) + ":" + two(s % 60);
    if (s > 0) { setTimeout(tick, 1000 - ((1000 - left() % 1000) % 1000) || 1000); return; }
    el.dispatchEvent(new CustomEvent("hufu:over", { bubbles: true }));
    if (el.dataset.over === "reload") setTimeout(() => location.reload(), 400 + Math.random() * 800);
  };
  tick();
});
