// Points and lines in a plane: scatter plots, curves, steps, areas, roofs.
function drawPlot(chart, paper, width) {
  const high = chart.square ? Math.min(width, 560) : Math.min(480, Math.max(250, width * 0.48));
  const lines = chart.lines || [], points = chart.points || [], guides = chart.guides || [];
  const across = [...points.map((p) => p.x), ...lines.flatMap((l) => l.points.map((p) => p[0])), ...guidesOf(guides, "x")];
  const up = [...points.flatMap((p) => [p.y, p.low ?? p.y, p.high ?? p.y]),
    ...lines.flatMap((l) => [...l.points.map((p) => p[1]), ...[l.base ?? []].flat()]), ...guidesOf(guides, "y")];
  const all = chart.square ? [...across, ...up] : null;
  const top = 24, bottom = high - 40;
  const y = scaleOf(chart.y, all || up, bottom, top, 44, 0.04);
  const left = Math.min(0.4 * width, Math.max(24, ...y.ticks.map((tick) => widthOf(tick.text))) + 10);
  const x = scaleOf(chart.x, all || across, left, width - 10, chart.x.names ? 1 : 74, 0.02), right = width - 10;
  plotAxes(chart, paper, x, y, { left, right, top, bottom, width });
  const places = new Places([left, top - 16, right + 8, bottom]);
  for (const point of points) places.taken.push([x.to(point.x) - 5, y.to(point.y) - 5, x.to(point.x) + 5, y.to(point.y) + 5]);
  for (const guide of guides) drawGuide(paper, places, guide, x, y, { left, right, top, bottom });
  for (const line of lines) drawLine(chart, paper, line, x, y);
  const named = [...points].sort((a, b) => (b.strong ?? false) - (a.strong ?? false));
  for (const point of [...named].reverse()) drawPoint(chart, paper, point, x, y);
  for (const point of named) {
    const text = chart.named === false && !point.strong ? "" : cut(point.label || "", 160, point.strong);
    const place = text && places.around(x.to(point.x), y.to(point.y), widthOf(text, point.strong), 7);
    if (place) paper.append(svg("text", { class: point.strong ? "label strong" : "label", x: place.x, y: place.y + 4 }, text));
  }
  for (const line of lines) labelLine(chart, paper, places, line, x, y);
  return high;
}
const guidesOf = (guides, axis) => guides.filter((guide) => (guide.axis || "x") === axis).map((guide) => guide.at);

function plotAxes(chart, paper, x, y, { left, right, top, bottom, width }) {
  for (const tick of y.ticks) {
    const at = y.to(tick.at);
    paper.append(svg("path", { d: `M${left} ${at}H${right}`, class: tick.at === 0 && !chart.y.log && !chart.y.names ? "axis" : "grid" }));
    paper.append(svg("text", { class: "tick", x: left - 7, y: at + 4, "text-anchor": "end" }, cut(tick.text, left - 8)));
  }
  let free = -Infinity;
  for (const tick of x.ticks) {
    const at = x.to(tick.at), text = cut(tick.text, 120), half = widthOf(text) / 2, middle = Math.max(half, Math.min(at, width - half));
    paper.append(svg("path", { d: `M${at} ${top}V${bottom + 4}`, class: tick.at === 0 && !chart.x.log && !chart.x.names ? "axis" : "grid" }));
    if (middle - half < free) continue;
    paper.append(svg("text", { class: "tick", x: middle, y: bottom + 17, "text-anchor": "middle" }, text));
    free = middle + half + 8;
  }
  paper.append(svg("path", { d: `M${left} ${bottom}H${right}`, class: "axis" }));
  paper.append(svg("text", { class: "axis-title", x: 0, y: 11 }, cut(axisTitle(chart.y, y), width)));
  const title = cut(axisTitle(chart.x, x), width);
  paper.append(svg("text", { class: "axis-title", x: Math.max(0, Math.min((left + right - widthOf(title)) / 2, width - widthOf(title))), y: bottom + 35 }, title));
}

function drawGuide(paper, places, guide, x, y, { left, right, top, bottom }) {
  const upright = (guide.axis || "x") === "x", at = upright ? x.to(guide.at) : y.to(guide.at), text = cut(guide.label, 200), wide = widthOf(text);
  if (guide.forbids) {
    const more = guide.forbids === "above";
    const [a, b, c, d] = upright ? (more ? [at, top, right, bottom] : [left, top, at, bottom]) : more ? [left, top, right, at] : [left, at, right, bottom];
    if (c > a && d > b) paper.append(svg("rect", { x: a, y: b, width: c - a, height: d - b, class: "forbidden" }));
  }
  paper.append(svg("path", { d: upright ? `M${at} ${top}V${bottom}` : `M${left} ${at}H${right}`, class: "guide" }));
  const place = upright
    ? places.around(at, top + 8, wide, 4, ["right", "left"]) || places.around(at, top + 26, wide, 4, ["right", "left"])
    : places.around(right - wide / 2, at, wide, 2, ["above", "below"]) || places.around(left + wide / 2, at, wide, 2, ["above", "below"]);
  if (place) paper.append(svg("text", { class: "guide-label", x: place.x, y: place.y + 4 }, text));
}

function drawLine(chart, paper, line, x, y) {
  const series = line.series ?? 0, colour = lookOf(chart, series).colour;
  const path = (points) => points.map(([a, b], i) => (i ? (line.step ? `H${x.to(a)}V${y.to(b)}` : `L${x.to(a)} ${y.to(b)}`) : `M${x.to(a)} ${y.to(b)}`)).join("");
  if (line.base !== undefined) {
    const floor = line.points.map(([a], i) => [a, Array.isArray(line.base) ? line.base[i] : line.base]);
    let back = "";
    for (let i = floor.length - 1; i >= 0; i--)  // steps go back as they came
      back += line.step && i < floor.length - 1 ? `V${y.to(floor[i][1])}H${x.to(floor[i][0])}` : `L${x.to(floor[i][0])} ${y.to(floor[i][1])}`;
    paper.append(svg("path", { d: path(line.points) + back + "Z", fill: colour, class: "area" }));
  }
  paper.append(svg("path", { d: path(line.points), stroke: colour, class: "line", "stroke-dasharray": line.dashed ? "6 4" : "" }));
  const name = line.label || chart.series?.[series]?.name || "";
  for (const [a, b] of line.points) {
    if (line.marked) paper.append(shape(chart, series, x.to(a), y.to(b), 3.5));
    paper.target({ x: x.to(a), y: y.to(b), far: 4, title: name || onAxis(chart.x, a), facts: [[chart.x.label, onAxis(chart.x, a)], [chart.y.label, onAxis(chart.y, b)]] });
  }
}
function labelLine(chart, paper, places, line, x, y) {
  const [a, b] = line.points.at(-1) || [], text = cut(line.label || "", 180);
  if (!text) return;
  const wide = widthOf(text), end = Math.min(x.to(a), places.frame[2]);
  const place = places.around(end - wide / 2, y.to(b), wide, 4, ["above", "below"]) || places.around(end, y.to(b), wide, 6, ["left", "right"]);
  if (place) paper.append(svg("text", { class: "label", x: place.x, y: place.y + 4 }, text));
}

function drawPoint(chart, paper, point, x, y) {
  const series = point.series ?? 0, a = x.to(point.x), b = y.to(point.y), facts = [[chart.x.label, onAxis(chart.x, point.x)], [chart.y.label, onAxis(chart.y, point.y)]];
  if (point.low !== undefined && point.high !== undefined) {
    paper.append(whisker(y.to(point.low), y.to(point.high), a, true));
    facts[1][1] += `, ${onAxis(chart.y, point.low)} … ${onAxis(chart.y, point.high)}`;
  }
  paper.append(shape(chart, series, a, b, point.strong ? 5 : 4));
  const name = chart.series?.[series]?.name;
  paper.target({ x: a, y: b, title: point.label || name || chart.what || "", link: point.link,
    facts: [...(name && point.label ? [["", name]] : []), ...facts, ...(point.facts || [])] });
}
