// Horizontal bars: plain, stacked, beside each other, or around a baseline.
const LANE = 16, BARS_TOP = 6;

function drawBars(chart, paper, width, byValue) {
  const rows = barRows(chart, byValue);
  const longest = Math.max(0, ...rows.map((row) => row.heading ? 0 : widthOf(row.label, row.bar.strong)));
  const narrow = width < 560 && longest > 0.24 * width;  // labels above their bars, else beside them
  const left = narrow ? 2 : Math.min(longest + 14, Math.max(120, width * 0.34), 340);
  const [before, after] = textRooms(chart, rows, left);
  const values = rows.flatMap((row) => row.heading ? [] : barValues(row.bar)).concat((chart.guides || []).map((guide) => guide.at));
  const scale = scaleOf(chart.axis, values, left + before, Math.max(left + before + 40, width - after), 80);
  let y = BARS_TOP + ((chart.guides || []).length ? 18 : 0);
  const top = y;
  for (const row of rows) {
    row.lines = wrap(row.label, (narrow || row.heading ? width : left) - 12, 2, row.heading || row.bar.strong);
    row.y = y;
    row.head = narrow && !row.heading ? 15 * row.lines.length : 0;
    row.lanes = row.heading ? [] : lanesOf(chart, row.bar);
    row.body = Math.max(LANE * Math.max(1, row.lanes.length), narrow || row.heading ? 0 : 14 * row.lines.length) + 7;
    y += row.head + row.body;
  }
  const bottom = y;
  barAxis(chart, paper, scale, top, bottom, width);
  for (const row of rows) {
    const middle = row.y + row.head + row.body / 2;
    const words = svg("text", { class: row.heading || row.bar.strong ? "label strong" : "label", x: narrow ? 9 : row.heading ? 2 : left - 8, "text-anchor": narrow || row.heading ? "" : "end" });
    row.lines.forEach((line, i) => words.append(svg("tspan", { x: words.getAttribute("x"), y: row.head ? row.y + 11 + 15 * i : middle + 4 + 14 * (i - (row.lines.length - 1) / 2) }, line)));
    paper.append(words);
    if (row.heading) continue;
    drawBar(chart, paper, row, scale, width);
    paper.target({
      box: [0, row.y, width, row.y + row.head + row.body], x: scale.to(Math.max(...barValues(row.bar), scale.low)), y: middle,
      title: (row.bar.group ? row.bar.group + " · " : "") + row.bar.label, facts: barFacts(chart, row.bar), link: row.bar.link,
    });
  }
  return bottom + 38;
}

// Bars with the headings of their groups; within a group in the given order or the least first.
function barRows(chart, byValue) {
  const groups = new Map(), size = (bar) => bar.segments?.length ? Math.max(...bar.segments.map((s) => s.end)) : Infinity;
  for (const bar of chart.bars) groups.set(bar.group || "", [...(groups.get(bar.group || "") || []), bar]);
  return [...groups].flatMap(([name, bars]) => {
    if (byValue) bars.sort((a, b) => size(a) - size(b));
    return [...(name ? [{ label: name, heading: true }] : []), ...bars.map((bar) => ({ label: bar.label, bar }))];
  });
}
function barValues(bar) {
  return [...(bar.segments || []).flatMap((s) => [s.start ?? 0, s.end, s.low ?? s.end, s.high ?? s.end]), ...(bar.marks || []).map((m) => m.at)];
}
// Segments that would cover each other lie in lanes of their own.
function lanesOf(chart, bar) {
  const lanes = [];
  for (const segment of bar.segments || []) {
    const [a, b] = [segment.start ?? 0, segment.end].sort((p, q) => p - q);
    const free = lanes.find((lane) => lane.every((s) => b <= Math.min(s.start ?? 0, s.end) || a >= Math.max(s.start ?? 0, s.end)));
    if (free) free.push(segment); else lanes.push([segment]);
  }
  return lanes;
}
function endText(chart, segment) {
  return segment.text || (chart.stacked ? "" : onAxis(chart.axis, segment.end));
}
function barText(chart, bar) {
  if (bar.text || !chart.stacked || !bar.segments?.length) return bar.text || "";
  return onAxis(chart.axis, Math.max(...bar.segments.map((s) => s.end)));
}
// How much room texts need before the least and behind the greatest value.
function textRooms(chart, rows, left) {
  let before = 4, after = 8;
  for (const { bar } of rows) {
    if (!bar) continue;
    after = Math.max(after, widthOf(barText(chart, bar), bar.strong) + 14);
    for (const segment of chart.stacked ? [] : bar.segments || []) {
      const room = widthOf(endText(chart, segment), bar.strong) + 14;
      if (segment.end < (segment.start ?? 0)) before = Math.max(before, room); else after = Math.max(after, room);
    }
  }
  return [before, after];
}

function barAxis(chart, paper, scale, top, bottom, width) {
  for (const guide of chart.guides || []) {
    const x = scale.to(guide.at);
    if (guide.forbids) {
      const [a, b] = guide.forbids === "above" ? [x, scale.to(scale.high)] : [scale.to(scale.low), x];
      if (b > a) paper.append(svg("rect", { x: a, y: top, width: b - a, height: bottom - top, class: "forbidden" }));
    }
  }
  let free = -Infinity;
  for (const tick of scale.ticks) {
    const x = scale.to(tick.at), half = widthOf(tick.text) / 2;
    paper.append(svg("path", { d: `M${x} ${top}V${bottom}`, class: tick.at === 0 ? "axis" : "grid" }));
    if (x - half < free) continue;
    paper.append(svg("text", { class: "tick", x: Math.min(x, width - half), y: bottom + 14, "text-anchor": "middle" }, tick.text));
    free = x + half + 6;
  }
  const title = axisTitle(chart.axis, scale), middle = (scale.to(scale.low) + scale.to(scale.high)) / 2;
  paper.append(svg("text", { class: "axis-title", x: Math.max(widthOf(title) / 2, Math.min(middle, width - widthOf(title) / 2)), y: bottom + 32, "text-anchor": "middle" }, title));
  const places = new Places([0, 0, width, 24]);
  for (const guide of chart.guides || []) {
    const x = scale.to(guide.at), text = cut(guide.label, width / 2);
    paper.append(svg("path", { d: `M${x} ${top - 2}V${bottom}`, class: "guide" }));
    const place = places.around(x, 10, widthOf(text), 0, ["middle", "right", "left"]);
    if (place) paper.append(svg("text", { class: "guide-label", x: place.x, y: place.y + 4 }, text));
  }
}

function drawBar(chart, paper, row, scale, width) {
  const { bar } = row, first = row.y + row.head + (row.body - LANE * Math.max(1, row.lanes.length)) / 2;
  const marks = (bar.marks || []).map((m) => scale.to(m.at));
  let reach = scale.to(Math.max(0, scale.low));
  if (bar.problem) {
    paper.append(svg("text", { class: "problem", x: reach + 4, y: first + LANE / 2 + 4 }, cut(bar.problem.split("\n")[0], width - reach - 8)));
    return;
  }
  row.lanes.forEach((lane, i) => {
    const y = first + LANE * i + 1, tall = LANE - 2, middle = y + tall / 2;
    for (const segment of lane) {
      const start = scale.to(segment.start ?? 0), end = scale.to(segment.end), series = segment.series ?? 0;
      const long = Math.abs(end - start), plain = !chart.series;
      if (long > 0) {
        const piece = plain
          ? svg("rect", { x: Math.min(start, end), y, width: Math.max(long, 1), height: tall, class: bar.strong ? "piece strong" : "piece" })
          : block(lookOf(chart, series), Math.min(start, end), y, Math.max(long - (chart.stacked && long > 3 ? 0.75 : 0), 0.75), tall);
        paper.append(piece);
      }
      let out = end;
      if (segment.low !== undefined && segment.high !== undefined) {
        paper.append(whisker(scale.to(segment.low), scale.to(segment.high), middle));
        out = end < start ? Math.min(out, scale.to(segment.low)) : Math.max(out, scale.to(segment.high));
      }
      const text = endText(chart, segment);
      if (chart.stacked) {
        if (text && widthOf(text) + 8 <= long) paper.append(svg("text", { class: "inside", x: (start + end) / 2, y: middle + 4, "text-anchor": "middle", fill: inkOn(lookOf(chart, series).colour), stroke: lookOf(chart, series).colour }, text));
      } else if (text) endLabel(paper, text, out, middle, end < start ? -1 : 1, marks, bar.strong);
      reach = Math.max(reach, end, out);
    }
  });
  (bar.marks || []).forEach((m, i) => paper.append(mark(m.shape || "line", marks[i], first - 1, LANE * Math.max(1, row.lanes.length) + 2, scale.to(bar.segments?.[0]?.start ?? 0))));
  const text = barText(chart, bar);
  if (text) endLabel(paper, text, reach, first + LANE * Math.max(1, row.lanes.length) / 2, 1, marks, bar.strong);
}
// A text behind the end of a bar, moved on past the marks that it would cover.
function endLabel(paper, text, x, y, direction, marks, strong) {
  const width = widthOf(text, strong);
  let at = x + 5 * direction;
  for (const m of [...marks].sort((a, b) => direction * (a - b)))
    if (direction > 0 ? m > at - 7 && m < at + width + 4 : m < at + 7 && m > at - width - 4) at = m + 9 * direction;
  paper.append(svg("text", { class: strong ? "value strong" : "value", x: at, y: y + 4, "text-anchor": direction < 0 ? "end" : "" }, text));
}

function barFacts(chart, bar) {
  const facts = (bar.segments || []).map((segment) => {
    const value = chart.stacked ? segment.end - (segment.start ?? 0) : segment.end, text = onAxis(chart.axis, value);
    const spread = segment.low !== undefined && segment.high !== undefined ? `, ${onAxis(chart.axis, segment.low)} … ${onAxis(chart.axis, segment.high)}` : "";
    return [chart.series?.[segment.series ?? 0]?.name || chart.axis.label, text + (segment.text && segment.text !== text ? ` (${segment.text})` : "") + spread];
  });
  if (bar.problem) facts.push(["problem", bar.problem]);
  return [...facts, ...(bar.marks || []).map((m) => [m.meaning, onAxis(chart.axis, m.at)]), ...(bar.facts || [])];
}
