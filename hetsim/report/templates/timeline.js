// The timeline: rows of spans and strips of link traffic on one canvas.
const ROW = 24, STRIP = 34, GAP = 8;

class Timeline extends Viewport {
  constructor(canvas) {
    super(canvas);
    this.colouring = "activity";
    this.showPath = true;   // the critical path
    this.patterns = new Map();
  }

  // `total` is where its time axis ends, which may be that of a longer run.
  show(view, total = view.total) {
    this.view = view;
    this.total = total;
    this.hover = null;
    this.extents = partitionExtents(view);
    this.palette = null;
    this.zoom(0, total);
  }

  colourBy(what) {
    this.colouring = what;
    this.palette = null;
    this.redraw();
  }

  // ---- what is under a point
  rowTop(row) { return AXIS + row * ROW; }
  stripTop(strip) { return AXIS + this.view.rows.length * ROW + GAP + strip * STRIP; }
  find(x, y) {
    if (!this.view) return null;
    const row = Math.floor((y - AXIS) / ROW), time = this.timeAt(x);
    if (x < this.left - 1) return this.view.rows[row] ? { lane: this.view.rows[row] } : null;
    if (row >= 0 && row < this.view.rows.length) {
      const span = this.spanAt(this.view.rows[row], time);
      return span < 0 ? null : { row, span };
    }
    const strip = Math.floor((y - this.stripTop(0)) / STRIP);
    if (strip >= 0 && strip < this.view.curves.length)
      return { curve: this.view.curves[strip], time: Math.min(Math.max(time, 0), this.view.total) };
    return null;
  }
  spanAt({ first, last }, time) {
    const { start, end } = this.view, reach = 3 * (this.to - this.from) / this.plot;
    const after = lowerBound(start, first, last, time);
    let best = -1, distance = reach;
    for (const i of [after - 1, after]) {
      if (i < first || i >= last) continue;
      const away = time < start[i] ? start[i] - time : Math.max(0, time - end[i]);
      if (away < distance || (away === 0 && best < 0)) { best = i; distance = away; }
    }
    return best;
  }

  // ---- drawing
  height() { return this.stripTop(this.view.curves.length) + 4; }
  paint(pen, height) {
    this.palette ??= this.makePalette();
    let drawn = 0;
    this.view.rows.forEach((row, i) => { drawn += this.drawRow(pen, row, this.rowTop(i)); });
    this.view.curves.forEach((curve, i) => this.drawStrip(pen, curve, this.stripTop(i)));
    if (this.showPath) this.drawPath(pen);
    this.drawHover(pen, height);
    return drawn;
  }

  drawLabels(pen, width) {
    pen.textAlign = "right";
    const write = (text, y, colour) => {
      pen.fillStyle = colour;
      pen.fillText(cut(text, this.left - 10), this.left - 6, y);
    };
    this.view.rows.forEach((row, i) => {
      write(row.label, this.rowTop(i) + ROW / 2, this.theme.ink);
      pen.fillStyle = this.theme.grid;
      pen.fillRect(0, this.rowTop(i), width, 1);
    });
    this.view.curves.forEach((curve, i) => {
      const strip = STRIPS[curve.kind];
      write(strip.title(curve.name), this.stripTop(i) + 12, this.theme.ink);
      write(strip.format(curve.capacity), this.stripTop(i) + 25, this.theme.soft);
    });
  }

  // Spans wider than a pixel are drawn as they are; thinner ones share the height of their pixel.
  drawRow(pen, row, top) {
    const { start, end } = this.view, y = top + 3, height = ROW - 6;
    const perPixel = (this.to - this.from) / this.plot, shares = new Map();
    let pixel = NaN, drawn = 0;
    const flush = () => {
      let level = y + height;
      for (const [colour, time] of shares) {
        const part = Math.min(height * time / perPixel, level - y);
        pen.fillStyle = colour;
        pen.fillRect(pixel, level - part, 1, part);
        level -= part;
      }
      shares.clear();
    };
    const begin = Math.max(row.first, lowerBound(start, row.first, row.last, this.from) - 1);
    for (let i = begin; i < row.last && start[i] <= this.to; i++) {
      if (end[i] < this.from) continue;
      drawn++;
      const look = this.palette.of(i), x0 = this.xAt(Math.max(start[i], this.from - perPixel));
      const x1 = this.xAt(Math.min(end[i], this.to + perPixel));
      if (x1 - x0 < 1.5) {
        const at = Math.floor(x0);
        if (at !== pixel) { flush(); pixel = at; }
        shares.set(look.colour, (shares.get(look.colour) || 0) + Math.max(end[i] - start[i], perPixel / 20));
        continue;
      }
      const gap = x1 - x0 > 4 ? 0.5 : 0;
      pen.fillStyle = look.colour;
      pen.fillRect(x0, y, x1 - x0 - gap, height);
      if (look.hatch && x1 - x0 > 5) {
        pen.fillStyle = this.pattern(pen, look.hatch);
        pen.fillRect(x0, y, x1 - x0 - gap, height);
      }
      if (x1 - x0 > 34) this.writeIn(pen, i, look, x0, x1, y, height);
    }
    flush();
    return drawn;
  }

  caption(i) {
    const kinds = this.view.operators(i).map((op) => texts[op[1]]).join("+");
    return kinds ? spanName(this.view, i) + " · " + kinds : data.kinds[this.view.kind[i]][0] + " " + spanName(this.view, i);
  }

  writeIn(pen, i, look, x0, x1, y, height) {
    const from = Math.max(x0, this.left), text = cut(this.caption(i), Math.min(x1, this.left + this.plot) - from - 8);
    if (text.length < 2) return;
    if (look.hatch) {
      pen.fillStyle = look.colour;
      pen.fillRect(from + 2, y + 3, pen.measureText(text).width + 4, height - 6);
    }
    pen.fillStyle = isDark(look.colour) ? "#ffffff" : "#101418";
    pen.textAlign = "left";
    pen.fillText(text, from + 4, y + height / 2 + 0.5);
  }

  // The critical path: a line under the partitions it runs through, and from one to the next.
  drawPath(pen) {
    const places = this.view.critical.map((step) => {
      const extent = this.extents.get(step.key);
      return extent && { start: step.start, end: step.end, y: this.rowTop(extent.row) + ROW - 2 };
    });
    pen.fillStyle = this.theme.critical;
    let drawn = 0, before = null, crossed = -Infinity;
    for (const place of places) {
      if (!place) continue;
      if (place.end >= this.from && place.start <= this.to) {
        const x0 = this.xAt(Math.max(place.start, this.from)), x1 = this.xAt(Math.min(place.end, this.to));
        pen.fillRect(x0, place.y - 1, Math.max(1, x1 - x0), 3);
        drawn++;
      }
      if (before && before.y !== place.y && place.start >= this.from && place.start <= this.to) {
        const x = this.xAt(place.start);  // where it crosses too often, the rows beneath must stay visible
        if (x - crossed > 7) pen.fillRect(x - 0.75, Math.min(before.y, place.y) - 1, 1.5, Math.abs(before.y - place.y) + 3);
        crossed = x;
      }
      before = place;
    }
    this.canvas.dataset.path = drawn;
  }

  // A counter as an area, averaged within each pixel, so that its surface is always the same.
  drawStrip(pen, curve, top) {
    const base = top + STRIP - 4, tall = STRIP - 9, { times, values } = curve;
    const unit = tall / (curve.capacity || 1), perPixel = (this.to - this.from) / this.plot;
    pen.fillStyle = this.theme.line;
    pen.fillRect(this.left, base, this.plot, 1);
    pen.setLineDash([3, 3]);
    pen.strokeStyle = this.theme.line;
    pen.beginPath();
    pen.moveTo(this.left, base - tall + 0.5);
    pen.lineTo(this.left + this.plot, base - tall + 0.5);
    pen.stroke();
    pen.setLineDash([]);
    pen.fillStyle = this.theme[STRIPS[curve.kind].colour];
    let pixel = NaN, moved = 0;
    const flush = () => {
      const level = Math.min(moved / perPixel * unit, tall + 3);
      if (level > 0) pen.fillRect(pixel, base - level, 1, level);
      moved = 0;
    };
    const begin = Math.max(0, lowerBound(times, 0, times.length, this.from) - 1);
    for (let i = begin; i < times.length && times[i] <= this.to; i++) {
      const a = Math.max(times[i], this.from), b = Math.min(i + 1 < times.length ? times[i + 1] : this.view.total, this.to);
      if (b <= a || !values[i]) continue;
      const x0 = this.xAt(a), x1 = this.xAt(b);
      if (x1 - x0 < 1.5) {
        if (Math.floor(x0) !== pixel) { flush(); pixel = Math.floor(x0); }
        moved += values[i] * (b - a);
      } else {
        const level = Math.min(values[i] * unit, tall + 3);
        pen.fillRect(x0, base - level, x1 - x0, level);
      }
    }
    flush();
  }

  // The partition under the pointer, and lines from those it waits for.
  drawHover(pen, height) {
    const hover = this.hover;
    if (!hover || hover.lane) return;
    if (hover.curve) {
      pen.fillStyle = this.theme.focus;
      pen.fillRect(this.xAt(hover.time), AXIS, 1, height - AXIS);
      return;
    }
    const { start, end, part, inference, run } = this.view;
    const key = (name) => inference[hover.span] + ":" + name, own = this.extents.get(key(part[hover.span]));
    pen.strokeStyle = this.theme.focus;
    if (own) {
      pen.lineWidth = 1;
      pen.strokeRect(this.xAt(own.start) - 0.5, this.rowTop(own.row) + 1.5, Math.max(2, this.xAt(own.end) - this.xAt(own.start) + 1), ROW - 3);
      const needs = (run.parts || []).find((p) => p[0] === part[hover.span])?.[5] || [];
      for (const name of needs) {
        const from = this.extents.get(key(name));
        if (!from) continue;
        const x0 = this.xAt(from.end), y0 = this.rowTop(from.row) + ROW / 2, x1 = this.xAt(own.start), y1 = this.rowTop(own.row) + ROW / 2;
        pen.beginPath();
        pen.moveTo(x0, y0);
        pen.bezierCurveTo(x0 + 20, y0, x1 - 20, y1, x1, y1);
        pen.stroke();
      }
    }
    pen.lineWidth = 2;
    const x = this.xAt(start[hover.span]);
    pen.strokeRect(x, this.rowTop(hover.row) + 2, Math.max(2, this.xAt(end[hover.span]) - x), ROW - 4);
  }

  // ---- colours
  makePalette() {
    const view = this.view;
    if (this.colouring === "activity") {
      const looks = data.kinds.map(([kind, label, colour, hatch]) => ({ label, colour, hatch }));
      const used = [...new Set(view.kind)].sort((a, b) => a - b);
      return { of: (i) => looks[view.kind[i]], legend: used.map((k) => looks[k]) };
    }
    const looks = new Map(), none = { label: "no operator", colour: "#D8D8D8", hatch: "" };
    const keyOf = this.colouring === "part"
      ? (i) => texts[view.part[i]]
      : (i) => { const ops = view.operators(i); return ops.length ? texts[ops[0][1]] : ""; };
    const list = new Array(view.count);
    for (let i = 0; i < view.count; i++) {
      const key = keyOf(i);
      if (key && !looks.has(key)) {
        const n = looks.size;
        looks.set(key, { label: key, colour: OKABE_ITO[n % 8], hatch: ["", "/", "\\", "x"][Math.floor(n / 8) % 4] });
      }
      list[i] = looks.get(key) || none;
    }
    const legend = [...looks.values()];
    return { of: (i) => list[i], legend: legend.length > 40 ? [] : legend };
  }

  pattern(pen, hatch) {
    if (!this.patterns.has(hatch)) {
      const tile = document.createElement("canvas");
      tile.width = tile.height = 6;
      const line = tile.getContext("2d");
      line.strokeStyle = "rgba(0,0,0,0.45)";
      line.beginPath();
      if (hatch === "/" || hatch === "x") { line.moveTo(-1, 7); line.lineTo(7, -1); }
      if (hatch === "\\" || hatch === "x") { line.moveTo(-1, -1); line.lineTo(7, 7); }
      if (hatch === "|" || hatch === "+") { line.moveTo(3, 0); line.lineTo(3, 6); }
      if (hatch === "-" || hatch === "+") { line.moveTo(0, 3); line.lineTo(6, 3); }
      line.stroke();
      this.patterns.set(hatch, tile);
    }
    return pen.createPattern(this.patterns.get(hatch), "repeat");
  }
}

// Where each partition of each inference ran on its PU.
function partitionExtents(view) {
  const extents = new Map();
  view.rows.forEach((row, number) => {
    if (row.role !== "pu") return;
    for (let i = row.first; i < row.last; i++) {
      const key = view.inference[i] + ":" + view.part[i], known = extents.get(key);
      if (!known) extents.set(key, { row: number, start: view.start[i], end: view.end[i] });
      else { known.start = Math.min(known.start, view.start[i]); known.end = Math.max(known.end, view.end[i]); }
    }
  });
  return extents;
}
