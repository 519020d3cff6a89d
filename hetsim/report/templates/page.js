// Wiring: the chosen run, and pointer, touch and key events of the timeline.
const byId = (id) => document.getElementById(id);
const canvas = byId("timeline"), tooltip = byId("tooltip");
const timeline = new Timeline(canvas);
const usable = data.runs.map((run, i) => i).filter((i) => data.runs[i].spans);
let current = -1, view = null;

function choose(index) {
  current = index;
  const run = data.runs[index];
  view = expand(run);
  timeline.show(view);
  hideTooltip();
  fillFacts(run);
  fillUtilisation(run);
  fillLimits(run);
  fillAttribution(view);
  fillBounds(run);
  fillFiles(run);
  fillPicks();
  fillLegend();
  if (byId("plan-box").open) fillPlan(run, view, timeline);
  else byId("plan-about").textContent = `${(run.parts || []).length} partitions by ${run.scheduler}`;
  if (byId("table-box").open) fillTable(run);
  for (const bar of document.querySelectorAll(".bar"))
    bar.setAttribute("aria-pressed", String(Number(bar.dataset.run) === index));
}

function fillPicks() {
  const run = data.runs[current], option = (select, text, value, chosen) => {
    const node = element("option", text);
    node.value = value;
    node.selected = chosen;
    select.append(node);
  };
  const models = byId("pick-model"), schedulers = byId("pick-scheduler");
  models.replaceChildren();
  schedulers.replaceChildren();
  for (const name of new Set(usable.map((i) => data.runs[i].network))) option(models, name, name, name === run.network);
  for (const i of usable) if (data.runs[i].network === run.network) option(schedulers, data.runs[i].scheduler, i, i === current);
}

function fillLegend() {
  timeline.palette ??= timeline.makePalette();
  byId("legend").replaceChildren(...timeline.palette.legend.map(({ label, colour, hatch }) => {
    const item = element("li"), key = svg("svg", { width: 22, height: 12, "aria-hidden": "true" });
    key.append(block({ colour, hatch }, 1, 1, 20, 10));
    item.append(key, label);
    return item;
  }));
}

// ---- tooltip
function hideTooltip() {
  tooltip.hidden = true;
  if (timeline.hover) { timeline.hover = null; timeline.redraw(); }
}
function showTooltip(hover, x, y) {
  if (!hover) return hideTooltip();
  const old = timeline.hover;
  timeline.hover = hover;
  timeline.redraw();
  if (tooltip.hidden || !old || old.span !== hover.span || hover.curve) fillTooltip(tooltip, view, hover);
  tooltip.hidden = false;
  placeTip(tooltip, canvas.parentElement, x, y);
}

// ---- pointer: hover, drag to pan, axis or shift drag to pick a stretch, two fingers to pinch
const fingers = new Map();
let press = null;
const local = (event) => {
  const box = canvas.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
};
canvas.addEventListener("pointerdown", (event) => {
  const at = local(event);
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, at);
  if (fingers.size === 2) {
    const [a, b] = [...fingers.values()];
    press = { pinch: Math.max(8, Math.abs(a.x - b.x)), at: timeline.timeAt((a.x + b.x) / 2), from: timeline.from, to: timeline.to };
  } else press = { at, from: timeline.from, to: timeline.to, pick: event.shiftKey || at.y < AXIS, moved: false };
});
canvas.addEventListener("pointermove", (event) => {
  const at = local(event);
  if (fingers.has(event.pointerId)) fingers.set(event.pointerId, at);
  if (!press) return event.pointerType === "touch" ? undefined : showTooltip(timeline.find(at.x, at.y), at.x, at.y);
  if (press.pinch !== undefined) {
    if (fingers.size < 2) return;
    const [a, b] = [...fingers.values()], factor = press.pinch / Math.max(8, Math.abs(a.x - b.x));
    const width = (press.to - press.from) * factor, middle = ((a.x + b.x) / 2 - timeline.left) / timeline.plot;
    return timeline.zoom(press.at - width * middle, press.at + width * (1 - middle));
  }
  if (Math.abs(at.x - press.at.x) > 4) press.moved = true;
  if (!press.moved) return;
  hideTooltip();
  if (press.pick) {
    timeline.band = [press.at.x, at.x];
    timeline.redraw();
  } else {
    const shift = (press.at.x - at.x) * (press.to - press.from) / timeline.plot;
    timeline.zoom(press.from + shift, press.to + shift);
  }
});
function release(event) {
  fingers.delete(event.pointerId);
  if (press && timeline.band) {
    const [a, b] = timeline.band.map((x) => timeline.timeAt(x)).sort((p, q) => p - q);
    timeline.band = null;
    if (event.type === "pointerup") timeline.zoom(Math.max(0, a), b); else timeline.redraw();
  } else if (press && !press.moved && press.pinch === undefined && event.type === "pointerup") {
    const at = local(event);
    showTooltip(timeline.find(at.x, at.y), at.x, at.y);
  }
  if (!fingers.size) press = null;
}
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") hideTooltip(); });
canvas.addEventListener("dblclick", () => timeline.zoom(0, view.total));
canvas.addEventListener("wheel", (event) => {
  const whole = timeline.to - timeline.from >= view.total;
  if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    if (whole) return;
    event.preventDefault();
    return timeline.panBy(event.deltaX / timeline.plot);
  }
  if (whole && event.deltaY > 0) return;  // nothing left to zoom out of: let the page scroll
  event.preventDefault();
  hideTooltip();
  const unit = event.deltaMode === 1 ? 30 : 1;
  timeline.zoomBy(Math.exp(Math.max(-300, Math.min(300, event.deltaY * unit)) * 0.0018), timeline.timeAt(local(event).x));
}, { passive: false });

// ---- keys
let cursorRow = 0;
function step(rowChange, spanChange) {
  const rows = view.rows, hover = timeline.hover;
  if (hover && !hover.curve) cursorRow = hover.row;
  if (rowChange) {
    let next = cursorRow + rowChange;
    while (rows[next] && rows[next].first === rows[next].last) next += rowChange;
    if (!rows[next]) return;
    cursorRow = next;
  }
  const row = rows[cursorRow];
  if (!row || row.first === row.last) return;
  let span = hover && !hover.curve && !rowChange ? hover.span + spanChange : lowerBound(view.start, row.first, row.last, timeline.from);
  span = Math.max(row.first, Math.min(row.last - 1, span));
  if (view.end[span] < timeline.from || view.start[span] > timeline.to) {
    const half = (timeline.to - timeline.from) / 2, middle = (view.start[span] + view.end[span]) / 2;
    timeline.zoom(middle - half, middle + half);
  }
  const x = Math.max(timeline.left, Math.min(timeline.left + timeline.plot, timeline.xAt(view.start[span])));
  showTooltip({ row: cursorRow, span }, x, timeline.rowTop(cursorRow) + ROW / 2);
}
const keys = {
  "+": () => timeline.zoomBy(0.6), "=": () => timeline.zoomBy(0.6), "-": () => timeline.zoomBy(1 / 0.6),
  ArrowLeft: () => timeline.panBy(-0.2), ArrowRight: () => timeline.panBy(0.2),
  0: () => timeline.zoom(0, view.total), Home: () => timeline.zoom(0, view.total), Escape: hideTooltip,
  ArrowUp: () => step(-1, 0), ArrowDown: () => step(1, 0), ",": () => step(0, -1), ".": () => step(0, 1),
};
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

// ---- controls
byId("zoom-in").addEventListener("click", keys["+"]);
byId("zoom-out").addEventListener("click", keys["-"]);
byId("pan-left").addEventListener("click", keys.ArrowLeft);
byId("pan-right").addEventListener("click", keys.ArrowRight);
byId("zoom-all").addEventListener("click", keys.Home);
byId("pick-model").addEventListener("change", (event) => {
  const here = usable.filter((i) => data.runs[i].network === event.target.value);
  choose(here.find((i) => data.runs[i].scheduler === data.runs[current].scheduler) ?? here[0]);
});
byId("pick-scheduler").addEventListener("change", (event) => choose(Number(event.target.value)));
byId("pick-colour").addEventListener("change", (event) => { timeline.colourBy(event.target.value); fillLegend(); });
byId("show-path").addEventListener("change", (event) => { timeline.showPath = event.target.checked; timeline.redraw(); });
byId("plan-box").addEventListener("toggle", (event) => { if (event.target.open) fillPlan(data.runs[current], view, timeline); });
byId("table-box").addEventListener("toggle", (event) => { if (event.target.open) fillTable(data.runs[current]); });
byId("table-filter").addEventListener("input", () => fillTable(data.runs[current]));
for (const bar of document.querySelectorAll(".bar"))
  bar.addEventListener("click", () => { choose(Number(bar.dataset.run)); byId("run").scrollIntoView({ behavior: "smooth" }); });

if (usable.length) {
  const best = document.querySelector(".bar.best");
  choose(best && usable.includes(Number(best.dataset.run)) ? Number(best.dataset.run) : usable[0]);
} else byId("run").replaceChildren(element("p", "No run left a trace, so there is no timeline.", "note"));
