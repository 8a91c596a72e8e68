// The week by pointer: an airing is dragged to another time, empty space is dragged over to make one.
// Both only open the page that shows what would change; nothing is saved here. Touch scrolls: a tap on
// an airing opens it.
"use strict";
(() => {
  const svg = document.querySelector("svg[data-week]");
  if (!svg) return;
  const at = (name) => Number(svg.dataset[name]);
  const [left, width, top, hour, first, last] = ["left", "day", "top", "hour", "first", "last"].map(at);
  const days = svg.dataset.days.split(",");
  const step_s = 300, far_px = 5;
  const point = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  const day_of = (x) => Math.min(6, Math.max(0, Math.floor((x - left) / width)));
  const second_of = (y) => {
    const second = Math.round(((y - top) / hour + first) * 3600 / step_s) * step_s;
    return Math.min(last * 3600 - step_s, Math.max(first * 3600, second));
  };
  const y_of = (second) => top + (second / 3600 - first) * hour;
  const pad = (n) => String(n).padStart(2, "0");
  const clock = (second) => `${pad(Math.floor(second / 3600))}:${pad(Math.floor(second / 60) % 60)}`;
  const make = (name, into, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
    into.append(element);
    return element;
  };
  let drag = null;
  const end = () => {
    drag?.ghost?.remove();
    drag = null;
  };
  const show = (day, second, height) => {
    drag.ghost ??= make("g", svg, { class: "ghost" });
    drag.ghost.replaceChildren();
    const [x, y] = [left + day * width + 3, y_of(second)];
    make("rect", drag.ghost, { x, y, width: width - 8, height, rx: 3 });
    make("text", drag.ghost, { x: x + 5, y: y + 14 }).textContent = clock(second);
  };
  svg.addEventListener("dragstart", (event) => event.preventDefault());
  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    const from = point(event);
    const block = event.target.closest("a.block");
    if (block && !block.href.baseVal.includes("/airing?")) return;
    if (!block && (from.x < left || from.y < top)) return;
    const box = block?.querySelector("svg");
    const above = box ? from.y - Number(box.getAttribute("y")) : 0;
    const height = box ? Number(box.getAttribute("height")) : hour / 4;
    drag = { block, from, above, height, far: false };
  });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    const to = point(event);
    drag.far ||= Math.hypot(to.x - drag.from.x, to.y - drag.from.y) > far_px;
    if (!drag.far) return;
    drag.day = day_of(drag.block ? to.x : drag.from.x);
    drag.second = second_of(drag.block ? to.y - drag.above : Math.min(drag.from.y, to.y));
    show(drag.day, drag.second, drag.block ? drag.height : Math.max(hour / 4, Math.abs(to.y - drag.from.y)));
  });
  addEventListener("pointerup", () => {
    if (!drag?.far) return end();
    const { block, day, second } = drag;
    const to = new URL(block ? block.href.baseVal : "/programmes/new", location);
    const wanted = block
      ? { to_date: days[day], to_time: clock(second) }
      : { date: days[day], at: clock(second), area: svg.dataset.area };
    Object.entries(wanted).forEach((pair) => to.searchParams.append(...pair));
    // The click that ends a drag opens nothing else.
    addEventListener("click", (event) => event.preventDefault(), { capture: true, once: true });
    location.href = to;
  });
  addEventListener("pointercancel", end);
  addEventListener("keydown", (event) => { if (event.key === "Escape") end(); });
  const line = svg.querySelector(".now");
  if (line) {
    const [second, began] = [Number(line.dataset.now), performance.now()];
    setInterval(() => {
      const now = second + (performance.now() - began) / 1000;
      line.setAttribute("transform", `translate(0 ${y_of(now) - y_of(second)})`);
    }, 20000);
  }
})();
