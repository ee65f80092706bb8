// data-upload on a form with a file: shows how far the upload is and keeps the page until
// the server answers. Without script the form is sent as any other.
import { $, on } from "./dom.js";
import { weak } from "./weak.js";

document.addEventListener("submit", (e) => {
  const form = e.target;
  if (!("upload" in form.dataset) || form.dataset.sent) return;
  const bar = $("progress", form), status = $("[data-upload-status]", form);
  if (!bar) return;
  e.preventDefault();
  form.dataset.sent = "1";
  const button = e.submitter;
  button?.setAttribute("aria-busy", "true");
  bar.closest("[hidden]")?.removeAttribute("hidden");
  const free = () => { delete form.dataset.sent; button?.removeAttribute("aria-busy"); };
  const x = new XMLHttpRequest();
  x.open("POST", form.action);
  x.upload.onprogress = (p) => {
    if (!p.lengthComputable) return;
    bar.max = p.total;
    bar.value = p.loaded;
    if (status) status.textContent = Math.floor((p.loaded / p.total) * 100) + "%";
  };
  x.onload = () => {
    free();
    if (x.responseURL && x.status < 400 && x.responseURL !== location.href) { location.assign(x.responseURL); return; }
    const page = new DOMParser().parseFromString(x.responseText, "text/html");
    const main = $("main", page);
    if (main) { $("main").replaceWith(main); } else location.reload();
  };
  x.onerror = () => { free(); weak(true); };
  x.send(new FormData(form));
});

on("change", "[data-drop] input[type=file]", (e, el) => {
  const name = $("[data-file-name]", el.closest("[data-drop]"));
  const f = el.files[0];
  if (name && f) name.textContent = `${f.name} · ${(f.size / 1048576).toFixed(1)} MB`;
});
for (const type of ["dragover", "dragleave", "drop"]) {
  on(type, "[data-drop]", (e, el) => {
    e.preventDefault();
    el.toggleAttribute("data-over", type === "dragover");
    const input = $("input[type=file]", el);
    if (type === "drop" && e.dataTransfer.files.length && input) {
      input.files = e.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
}
