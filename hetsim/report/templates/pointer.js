// The timeline under pointer, fingers and keys.
const canvas = document.getElementById("timeline"), tooltip = document.getElementById("tooltip");
const timeline = new Timeline(canvas);
let view = null;

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
  if (tooltip.hidden || !old || old.span !== hover.span || old.lane !== hover.lane || hover.curve) fillTooltip(tooltip, view, hover);
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
    pick(timeline.hover);
  }
  if (!fingers.size) press = null;
}
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") hideTooltip(); });
canvas.addEventListener("dblclick", () => timeline.zoom(0, timeline.total));
canvas.addEventListener("wheel", (event) => {
  const whole = timeline.to - timeline.from >= timeline.total;
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
const keys = {
  "+": () => timeline.zoomBy(0.6), "=": () => timeline.zoomBy(0.6), "-": () => timeline.zoomBy(1 / 0.6),
  ArrowLeft: () => timeline.panBy(-0.2), ArrowRight: () => timeline.panBy(0.2),
  0: () => timeline.zoom(0, timeline.total), Home: () => timeline.zoom(0, timeline.total), Escape: hideTooltip,
  ArrowUp: () => step(-1, 0), ArrowDown: () => step(1, 0), ",": () => step(0, -1), ".": () => step(0, 1),
  Enter: () => pick(timeline.hover),
};
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

// A name that leads to its stretch of the timeline.
function toTimeline(name, start, end) {
  const button = element("button", name, "link-button");
  button.type = "button";
  button.title = "show in the timeline";
  button.addEventListener("click", () => {
    const margin = (end - start) * 0.3;
    timeline.zoom(start - margin, end + margin);
    timeline.canvas.scrollIntoView({ block: "center" });
    timeline.canvas.focus({ preventScroll: true });
  });
  return button;
}
