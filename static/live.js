// What is on every page of who is signed in: its parts stay fresh, nothing typed or recorded is lost
// without a question, and what was heard to its end is known.
"use strict";
// Whether somebody changed a field since the page came.
const changed = (field) => {
  if (field.type === "hidden" || field.type === "password" || "heard" in field.dataset) return false;
  if (field.type === "file") return field.files.length > 0;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.options) {
    const at_first = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(0, at_first);
  }
  return "defaultValue" in field && field.value !== field.defaultValue;
};
// A form that asks for it (`data-unsent`) is not left without a question while it holds what was not
// sent; one that came back with what was typed in it (`data-unsent="still"`) holds it from the start.
(() => {
  let leaves = null;
  const holds = (form) => form !== leaves && (form.dataset.unsent === "still" || [...form.elements].some(changed));
  addEventListener("submit", (event) => { if (!event.defaultPrevented) leaves = event.target; });
  addEventListener("pageshow", () => { leaves = null; });
  addEventListener("beforeunload", (event) => {
    if ([...document.querySelectorAll("form[data-unsent]")].some(holds)) { event.preventDefault(); event.returnValue = true; }
  });
})();
// The box that says that a recording was heard ticks itself once nearly all of it was played here.
(() => {
  const enough = 0.9;
  const heard = (event) => {
    const player = event.target;
    if (!("asset" in player.dataset)) return;
    let played_s = 0;
    for (let i = 0; i < player.played.length; i += 1) played_s += player.played.end(i) - player.played.start(i);
    if (!(played_s >= enough * player.duration)) return;
    document.querySelectorAll("[data-heard]").forEach((box) => {
      if (box.value === player.dataset.asset) return;
      box.value = player.dataset.asset;
      box.checked = true;
      box.nextElementSibling.textContent = box.dataset.heard;
    });
  };
  for (const kind of ["timeupdate", "pause", "ended"]) addEventListener(kind, heard, true);
})();
// The server sends each fresh part whole as `part` events: its id on the first line, its HTML after. The
// browser reconnects by itself; while it is cut off, the page says so.
(() => {
  const source = document.body.dataset.live;
  if (!source) return;
  let stream = null;
  const stale = (is) => document.body.classList.toggle("stale", is);
  const put = (event) => {
    const end = event.data.indexOf("\n");
    const old = document.getElementById(event.data.slice(0, end));
    if (!old) return;
    // What a person is typing or reading out is not taken from under them; a form that counts no
    // longer is (`data-replace`).
    const busy = old.contains(document.activeElement) && document.activeElement !== document.body;
    if (busy && !("replace" in old.dataset)) return;
    const fresh = document.createElement("template");
    fresh.innerHTML = event.data.slice(end + 1);
    if (fresh.innerHTML === old.innerHTML) return;
    const open = [...old.querySelectorAll("details[open]")].map((d) => d.id);
    // What the page shows is no longer so: it is opened anew, unless that would take typed words away.
    const typed = [...document.querySelectorAll("textarea, select, input")].some(changed);
    if (fresh.content.querySelector("[data-reload]") && !typed) { location.reload(); return; }
    old.replaceChildren(fresh.content);
    open.forEach((id) => id && document.getElementById(id)?.setAttribute("open", ""));
  };
  const start = () => {
    if (stream) return;
    stream = new EventSource(source);
    stream.addEventListener("open", () => stale(false));
    stream.addEventListener("error", () => {
      stale(true);
      // The server closed it for good (signed out): a reload asks to sign in.
      if (stream && stream.readyState === EventSource.CLOSED) { stream = null; setTimeout(start, 5000); }
    });
    stream.addEventListener("part", put);
  };
  const stop = () => { stream?.close(); stream = null; };
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  addEventListener("pagehide", stop);
  start();
})();
