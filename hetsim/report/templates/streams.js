// Streams over time: the latency of every inference, when it waited and when it ran, a lane for each stream.
const LATENCY = 78, RAN = 16, LANE_GAP = 12, UNIT = 20, MARKS = 12;
const data = JSON.parse(document.getElementById("data").textContent);

// The compact columns of a run (see cells.py) with an entry for each cell, in nanoseconds.
function expand(run) {
  const ns = run.grid * 1e9;
  let first = 0;
  const streams = run.streams.map((stream) => {
    let at = 0;
    const arrival = Float64Array.from(stream.at, (step) => (at += step) * ns), count = arrival.length;
    const high = Float64Array.from(stream.high, (value) => value * ns);
    const own = { name: stream.name, due: stream.due, each: stream.each, inferences: stream.count, count, first, arrival, high,
      low: stream.low ? Float64Array.from(stream.low, (value) => value * ns) : high,
      wait: Float64Array.from(stream.wait, (value) => value * ns), lost: new Set(stream.lost), late: new Set(stream.late),
      deadline: stream.deadline === null ? null : stream.deadline * 1e9,
      bound: stream.bound === null || stream.bound === undefined ? null : stream.bound * 1e9 };
    own.longest = high.reduce((most, value) => Math.max(most, value), 0);
    own.least = own.low.reduce((least, value) => value > 0 ? Math.min(least, value) : least, Infinity);
    first += count;
    return own;
  });
  const units = run.units.rows.map((row) => {
    let time = 0;
    const start = Float64Array.from(row.start, (step) => (time += step)), own = { ...row, start, first, count: start.length };
    first += own.count;
    return own;
  });
  const windows = run.units.windows.map(([from, to, why, stream, number]) => ({ from, to, why, stream, number }));
  return { run, streams, units, windows, total: Math.max(run.end * 1e9, 1), warmUp: run.warm_up * 1e9 };
}

class Timeline extends Viewport {
  constructor(canvas) {
    super(canvas);
    this.log = false;
  }
  show(view) {
    this.view = view;
    this.total = view.total;
    this.hover = null;
    this.zoom(0, view.total);
  }

  // ---- places
  laneTop(lane) { return AXIS + lane * (LATENCY + RAN + LANE_GAP); }
  unitTop(row) { return this.laneTop(this.view.streams.length) + MARKS + row * UNIT; }
  height() { return this.unitTop(this.view.units.length) + 2; }
  // From a latency to a height in its lane; the scale is that of the whole run, whatever is visible.
  yOf(stream, top) {
    const most = Math.max(stream.longest, Math.min(stream.deadline ?? 0, 2 * stream.longest), 1), room = LATENCY - 12;
    if (!this.log) return (value) => top + LATENCY - room * Math.min(value / (most * 1.04), 1.02);
    const least = Math.min(stream.least, most / 1.5), span = Math.log(most * 1.1 / least);
    return (value) => top + LATENCY - 3 - (room - 3) * Math.max(0, Math.min(Math.log(Math.max(value, least) / least) / span, 1.02));
  }
  begin(stream) { return Math.max(0, lowerBound(stream.arrival, 0, stream.count, this.from) - 1); }
  // Under a point the longest within three pixels, else whatever is nearest.
  find(x, y) {
    if (!this.view) return null;
    if (y >= this.unitTop(0) - MARKS) return this.findOnUnit(x, y);
    const lane = Math.floor((y - AXIS) / (LATENCY + RAN + LANE_GAP)), stream = this.view.streams[lane];
    if (!stream || !stream.count) return null;
    if (x < this.left - 1) return { lane: stream, row: lane };
    const from = this.timeAt(x - 3), to = this.timeAt(x + 3);
    let best = -1;
    for (let i = lowerBound(stream.arrival, 0, stream.count, from); i < stream.count && stream.arrival[i] <= to; i++)
      if (best < 0 || stream.high[i] > stream.high[best]) best = i;
    const after = lowerBound(stream.arrival, 0, stream.count, this.timeAt(x));
    if (best < 0) {  // within a wait or a run, or close by
      const before = Math.max(0, after - 1), time = this.timeAt(x);
      if (time <= stream.arrival[before] + stream.high[before]) best = before;
    }
    return best < 0 ? null : { row: lane, span: stream.first + best };
  }

  findOnUnit(x, y) {
    const row = Math.floor((y - this.unitTop(0)) / UNIT), unit = this.view.units[row];
    if (!unit || x < this.left - 1) return null;
    const time = this.timeAt(x), i = lowerBound(unit.start, 0, unit.count, time) - 1;
    return i >= 0 && time <= unit.start[i] + unit.time[i] ? { unit: row, span: unit.first + i } : null;
  }

  // ---- drawing
  drawLabels(pen, width) {
    pen.textAlign = "right";
    const write = (text, y, colour) => {
      pen.fillStyle = colour;
      pen.fillText(cut(text, this.left - 10), this.left - 6, y);
    };
    this.view.streams.forEach((stream, i) => {
      const top = this.laneTop(i);
      pen.fillStyle = this.theme.line;
      pen.fillRect(0, top, width, 1);
      write(stream.name, top + 14, this.theme.ink);
      write("to " + formatTime(stream.longest, 3), top + 29, this.theme.soft);
      if (stream.deadline !== null && this.left > 100) write("due " + formatTime(stream.deadline, 3), top + 44, this.theme.soft);
      if (this.left > 100 && stream.each === 1) write("waits, runs", top + LATENCY + RAN / 2 + 2, this.theme.soft);
      pen.fillStyle = this.colour(i);
      pen.fillRect(2, top + 8, 5, LATENCY - 14);
    });
    this.view.units.forEach((unit, i) => {
      pen.fillStyle = this.theme.grid;
      pen.fillRect(0, this.unitTop(i), width, 1);
      write(unit.label, this.unitTop(i) + UNIT / 2, this.theme.ink);
    });
  }
  paint(pen, height) {
    if (this.view.warmUp > this.from) {
      pen.fillStyle = this.theme.grid;
      pen.fillRect(this.left, AXIS, this.xAt(this.view.warmUp) - this.left, height);
    }
    let drawn = 0;
    this.view.streams.forEach((stream, i) => {
      const top = this.laneTop(i), y = this.yOf(stream, top);
      drawn += this.drawLatencies(pen, stream, y, top);
      this.drawRuns(pen, stream, top + LATENCY + 2);
      this.drawLimit(pen, stream.deadline, y, top, this.theme.ink, [4, 3]);
      this.drawLimit(pen, stream.bound, y, top, this.theme.critical, []);
    });
    this.drawUnits(pen);
    this.drawHover(pen, height);
    return drawn;
  }
  colour(stream) { return OKABE_ITO[stream % 8]; }
  // Only what was traced: outside of the windows nothing is known. A mark above shows where they are.
  drawUnits(pen) {
    const { units, windows } = this.view, top = this.unitTop(0);
    if (!units.length) return;
    for (const { from, to, why } of windows) {
      if (to < this.from || from > this.to) continue;
      const x0 = this.xAt(Math.max(from, this.from)), x1 = this.xAt(Math.min(to, this.to));
      pen.fillStyle = this.theme.grid;
      pen.fillRect(x0, top, x1 - x0, units.length * UNIT);
      pen.fillStyle = why === "random" ? this.theme.area : this.theme.critical;
      pen.fillRect(x0 - 1, top - MARKS + 3, Math.max(x1 - x0, 3), 5);
    }
    units.forEach((unit, row) => {
      const y = this.unitTop(row) + 3;
      let edge = -Infinity;
      for (let i = Math.max(0, lowerBound(unit.start, 0, unit.count, this.from) - 1); i < unit.count && unit.start[i] <= this.to; i++) {
        const x0 = Math.max(this.xAt(unit.start[i]), this.left), x1 = Math.min(this.xAt(unit.start[i] + unit.time[i]), this.left + this.plot);
        if (x1 < this.left || x1 < edge + 0.3) continue;  // within a pixel that has its colour
        edge = x1;
        pen.fillStyle = unit.of[i] < 0 ? this.theme.area : this.colour(unit.of[i]);
        pen.fillRect(x0, y, Math.max(x1 - x0 - (x1 - x0 > 4 ? 0.5 : 0), 0.5), UNIT - 6);
        if (x1 - x0 > 40) {
          pen.fillStyle = unit.of[i] < 0 || !isDark(this.colour(unit.of[i])) ? "#101418" : "#ffffff";
          pen.textAlign = "left";
          pen.fillText(cut(this.view.run.units.texts[unit.name[i]], x1 - x0 - 6), x0 + 3, y + (UNIT - 6) / 2 + 0.5);
        }
      }
    });
  }
  drawLimit(pen, value, y, top, colour, dash) {
    if (value === null || y(value) < top + 2) return;
    pen.strokeStyle = colour;
    pen.setLineDash(dash);
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(this.left, Math.round(y(value)) + 0.5);
    pen.lineTo(this.left + this.plot, Math.round(y(value)) + 0.5);
    pen.stroke();
    pen.setLineDash([]);
  }
  // Where they are apart each is a dot; where several share a pixel a bar goes from the least to the
  // greatest of them, so that no spike disappears. What is above the deadline has another colour.
  drawLatencies(pen, stream, y, top) {
    const { arrival, high, low, count, deadline } = stream, begin = this.begin(stream);
    const end = lowerBound(arrival, begin, count, this.to), apart = stream.each === 1 && (end - begin) * 5 < this.plot;
    const bar = (x, width, least, most) => {
      const from = y(most), to = Math.max(y(least), from + 1.5), due = deadline === null ? -Infinity : y(deadline);
      pen.fillStyle = this.theme.best;
      if (to > due) pen.fillRect(x, Math.max(from, due), width, to - Math.max(from, due));
      pen.fillStyle = this.theme.bad;
      if (deadline !== null && from < due) pen.fillRect(x, from, width, Math.min(to, due) - from);
    };
    let drawn = 0, pixel = NaN, wide = 1, least = Infinity, most = -Infinity, cross = false;
    const flush = () => {
      if (most >= 0) bar(pixel, wide, least, most);
      if (cross) { pen.fillStyle = this.theme.bad; pen.fillRect(pixel, top + 2, Math.max(wide, 2), 5); }
      least = Infinity; most = -Infinity; cross = false;
    };
    for (let i = begin; i < end; i++) {
      drawn++;
      const x = this.xAt(arrival[i]), lost = stream.lost.has(i);
      if (apart) {
        const late = lost || stream.late.has(i);
        pen.fillStyle = late ? this.theme.bad : this.theme.best;
        pen.fillRect(x - 0.5, y(high[i]), 1, y(0) - y(high[i]));
        if (lost) pen.fillRect(x - 3, y(high[i]) - 3, 6, 6); else { pen.beginPath(); pen.arc(x, y(high[i]), 3, 0, 7); pen.fill(); }
        continue;
      }
      if (Math.floor(x) !== pixel) { flush(); pixel = Math.floor(x); wide = 1; }
      if (stream.each > 1 && i + 1 < count) wide = Math.max(wide, Math.floor(this.xAt(arrival[i + 1])) - pixel);
      least = Math.min(least, low[i]);
      most = Math.max(most, high[i]);
      cross ||= lost || (deadline === null && stream.late.has(i));
    }
    flush();
    return drawn;
  }
  // Waiting is pale and low, running solid; where they are thinner than a pixel the height is a share of it.
  drawRuns(pen, stream, top) {
    const { arrival, high, wait, count } = stream, perPixel = (this.to - this.from) / this.plot;
    pen.fillStyle = this.theme.grid;
    pen.fillRect(this.left, top + RAN - 2, this.plot, 1);
    if (stream.each > 1) return;
    let pixel = NaN, ran = 0;
    const flush = () => {
      const tall = (RAN - 3) * Math.min(1, ran / perPixel);
      if (tall > 0) { pen.fillStyle = this.theme.best; pen.fillRect(pixel, top + RAN - 2 - tall, 1, tall); }
      ran = 0;
    };
    // Who arrived before the stretch may still be there in it.
    for (let i = Math.max(0, lowerBound(arrival, 0, count, this.from - stream.longest) - 1); i < count && arrival[i] <= this.to; i++) {
      const start = arrival[i] + wait[i], end = arrival[i] + high[i], x0 = this.xAt(start), x1 = this.xAt(end);
      if (this.xAt(end) - this.xAt(arrival[i]) < 1.5) {
        if (Math.floor(x0) !== pixel) { flush(); pixel = Math.floor(x0); }
        ran += end - start;
        continue;
      }
      const a = Math.max(this.xAt(arrival[i]), this.left), gap = x1 - x0 > 4 ? 0.5 : 0;
      pen.fillStyle = this.theme.bar;
      pen.globalAlpha = 0.5;
      if (x0 > a) pen.fillRect(a, top + RAN - 7, x0 - a, 5);
      pen.globalAlpha = 1;
      pen.fillStyle = stream.lost.has(i) ? this.theme.bad : this.theme.best;
      if (x1 > this.left) pen.fillRect(Math.max(x0, this.left), top + 1, Math.max(x1 - Math.max(x0, this.left) - gap, 0.5), RAN - 4);
    }
    flush();
  }
  drawHover(pen, height) {
    const hover = this.hover;
    if (!hover || hover.span === undefined) return;
    if (hover.unit !== undefined) {
      const unit = this.view.units[hover.unit], i = hover.span - unit.first, x0 = this.xAt(unit.start[i]);
      pen.lineWidth = 2;
      pen.strokeStyle = this.theme.focus;
      pen.strokeRect(x0, this.unitTop(hover.unit) + 2, Math.max(2, this.xAt(unit.start[i] + unit.time[i]) - x0), UNIT - 4);
      return;
    }
    const stream = this.view.streams[hover.row], i = hover.span - stream.first, x = this.xAt(stream.arrival[i]);
    pen.fillStyle = this.theme.focus;
    pen.fillRect(x, AXIS, 1, height - AXIS);
    pen.lineWidth = 2;
    pen.strokeStyle = this.theme.focus;
    pen.beginPath();
    pen.arc(x, this.yOf(stream, this.laneTop(hover.row))(stream.high[i]), 5, 0, 7);
    pen.stroke();
  }
}

function fillTooltip(box, view, hover) {
  const list = element("dl"), add = (title, text) => { if (text) list.append(element("dt", title), element("dd", text)); };
  if (hover.unit !== undefined) {
    const unit = view.units[hover.unit], i = hover.span - unit.first;
    box.replaceChildren(element("strong", view.run.units.texts[unit.name[i]]), list);
    add("on", unit.label);
    add("of", unit.of[i] < 0 ? "" : `${view.streams[unit.of[i]].name}, number ${grouped(unit.number[i])} of all`);
    return add("time", `${formatTime(unit.time[i])}, from ${formatTime(unit.start[i], 6)}`);
  }
  const stream = hover.lane || view.streams[hover.row];
  box.replaceChildren(element("strong", stream.name), list);
  add("longest", hover.lane && formatTime(stream.longest));
  add("deadline", hover.lane && stream.deadline !== null && formatTime(stream.deadline));
  add("proven bound", hover.lane && stream.bound !== null && formatTime(stream.bound));
  if (hover.lane) return add("inferences", grouped(stream.inferences));
  const i = hover.span - stream.first, one = stream.each === 1, high = stream.high[i];
  add(one ? "inference" : "inferences", one ? grouped(i + 1) : `${grouped(i * stream.each + 1)} to ${grouped(Math.min((i + 1) * stream.each, stream.inferences))}`);
  add(one ? "arrived" : "arrived from", formatTime(stream.arrival[i], 6));
  add(one ? "latency" : "latencies", one ? formatTime(high) : `${formatTime(stream.low[i])} to ${formatTime(high)}`);
  add(one ? "of which waiting" : "of the longest, waiting", formatTime(stream.wait[i]));
  if (stream.lost.has(i)) add("given up", one ? "did not end" : "at least one did not end");
  else if (stream.late.has(i)) add("missed", stream.deadline === null ? "its deadline" : "by " + formatTime(high - stream.deadline));
}

// A click on one goes close to it.
function pick(hover) {
  if (!hover || hover.span === undefined || hover.unit !== undefined) return;
  const stream = view.streams[hover.row], i = hover.span - stream.first;
  if (timeline.to - timeline.from > 60 * stream.high[i]) timeline.zoom(stream.arrival[i] - 10 * stream.high[i], stream.arrival[i] + 20 * stream.high[i]);
}

let cursorRow = 0;
function step(rowChange, spanChange) {
  const hover = timeline.hover, on = hover && hover.span !== undefined && hover.unit === undefined;
  if (on) cursorRow = hover.row;
  const next = cursorRow + rowChange;
  if (!view.streams[next]?.count) return;
  cursorRow = next;
  const stream = view.streams[cursorRow];
  let i = on && !rowChange ? hover.span - stream.first + spanChange : lowerBound(stream.arrival, 0, stream.count, timeline.from);
  i = Math.max(0, Math.min(stream.count - 1, i));
  const at = stream.arrival[i], half = (timeline.to - timeline.from) / 2;
  if (at < timeline.from || at > timeline.to) timeline.zoom(at - half, at + half);
  showTooltip({ row: cursorRow, span: stream.first + i }, timeline.xAt(at), timeline.laneTop(cursorRow) + LATENCY / 2);
}
