// Keeps parts of a page fresh. The server sends each part whole as `part` events: its id on the
// first line, its HTML after. The browser reconnects by itself; while it is cut off, the page says so.
"use strict";
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
    const typed = [...document.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);
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
