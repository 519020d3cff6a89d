// A stretch of time on a canvas: zooming, panning, drawing once per frame, the axis above. What is drawn
// below the axis is a subclass's: it has `total`, `find` and `paint`.
const AXIS = 22;
const formatTime = (ns, digits = 4) => quantity(ns * 1e-9, "time", digits);

class Viewport {
  constructor(canvas) {
    this.canvas = canvas;
    this.view = null;
    this.hover = null;      // {row, span}, {curve, time} or {lane}
    this.band = null;       // [x0, x1] while a stretch is being picked
    this.pending = false;
    new ResizeObserver(() => this.redraw()).observe(canvas.parentElement);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  // ---- the visible stretch [from, to] in nanoseconds
  zoom(from, to) {
    const total = this.total, least = Math.min(total, 20);
    let width = Math.min(Math.max(to - from, least), total);
    from = Math.min(Math.max(from, 0), total - width);
    this.from = from;
    this.to = from + width;
    this.redraw();
  }
  zoomBy(factor, at = (this.from + this.to) / 2) {
    this.zoom(at - (at - this.from) * factor, at + (this.to - at) * factor);
  }
  panBy(share) {
    const shift = (this.to - this.from) * share;
    this.zoom(this.from + shift, this.to + shift);
  }
  timeAt(x) { return this.from + (x - this.left) * (this.to - this.from) / this.plot; }
  xAt(time) { return this.left + (time - this.from) * this.plot / (this.to - this.from); }

  // ---- drawing, at most once per frame
  redraw() {
    if (this.pending || !this.view) return;
    this.pending = true;
    requestAnimationFrame(() => { this.pending = false; this.draw(); });
  }

  draw() {
    const canvas = this.canvas, width = canvas.parentElement.clientWidth;
    if (!width) return;
    const height = this.height(), scale = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      canvas.style.height = height + "px";
    }
    this.left = width < 560 ? 68 : 118;
    this.plot = width - this.left - 8;
    const style = getComputedStyle(document.documentElement);
    this.theme = Object.fromEntries(["ink", "soft", "line", "grid", "area", "memory", "power", "back", "focus", "critical", "best", "bar", "bad"]
      .map((key) => [key, style.getPropertyValue("--" + key).trim()]));
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = FONT;
    pen.textBaseline = "middle";
    this.drawAxis(pen, width, height);
    this.drawLabels(pen, width);
    pen.save();
    pen.beginPath();
    pen.rect(this.left, 0, this.plot, height);
    pen.clip();
    canvas.dataset.drawn = this.paint(pen, height);
    if (this.band) {
      pen.fillStyle = this.theme.focus + "40";
      pen.fillRect(Math.min(...this.band), 0, Math.abs(this.band[1] - this.band[0]), height);
    }
    pen.restore();
    canvas.dataset.from = this.from;
    canvas.dataset.to = this.to;
  }

  drawAxis(pen, width, height) {
    const step = niceStep(Math.max(1, (this.to - this.from) / Math.max(2, this.plot / 90)));
    const [unit, size] = [["s", 1e9], ["ms", 1e6], ["µs", 1e3]].find(([, s]) => this.to >= s) || ["ns", 1];
    const decimals = Math.max(0, -Math.floor(Math.log10(step / size) + 1e-9));
    pen.textAlign = "center";
    for (let k = Math.ceil(this.from / step); k * step <= this.to; k++) {
      const x = this.xAt(k * step);
      pen.fillStyle = this.theme.grid;
      pen.fillRect(Math.round(x), AXIS - 4, 1, height - AXIS);
      pen.fillStyle = this.theme.soft;
      const text = (k * step / size).toFixed(decimals) + " " + unit, half = pen.measureText(text).width / 2;
      pen.fillText(text, Math.min(Math.max(x, this.left + half), width - half - 2), 9);
    }
  }
}

function lowerBound(values, low, high, wanted) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1; else high = middle;
  }
  return low;
}
