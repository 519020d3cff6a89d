// A field for each pair of two axes; the deeper the colour, the better the value.
function drawHeat(chart, paper, width) {
  const { x, y, rows } = chart, longest = Math.max(...y.names.map((name) => widthOf(name)));
  const left = Math.min(longest + 12, width * 0.34), tall = 30, top = 22;
  const step = Math.min(150, (width - left - 2) / x.names.length), right = left + step * x.names.length, bottom = top + tall * rows.length;
  const values = rows.flat().filter(Boolean).map((tile) => tile.value), low = Math.min(...values), high = Math.max(...values);
  const log = low > 0 && high / low > 20, best = chart.judged === false ? NaN : chart.better === "more" ? high : low;
  const share = (value) => high === low ? 1 : log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  const texts = rows.map((row) => row.map((tile) => tile ? heatText(chart.value, tile.value, high) : "–"));
  const written = Math.max(...texts.flat().map((text) => widthOf(text))) + 6 <= step;
  paper.append(svg("text", { class: "axis-title", x: 0, y: 12 }, cut(y.label, width)));
  rows.forEach((row, r) => {
    const at = top + tall * r;
    paper.append(svg("text", { class: "label", x: left - 8, y: at + tall / 2 + 4, "text-anchor": "end" }, cut(y.names[r], left - 10)));
    row.forEach((tile, c) => {
      const from = left + step * c, facts = [[x.label, x.names[c]], [y.label, y.names[r]]];
      const deep = tile ? Math.round(100 * (chart.better === "more" ? share(tile.value) : 1 - share(tile.value))) : 0;
      paper.append(svg("rect", { x: from + 0.5, y: at + 0.5, width: step - 1.5, height: tall - 1.5, class: tile ? "tile" : "tile none", style: `--deep:${12 + 0.88 * deep}%` }));
      if (tile?.value === best) paper.append(svg("rect", { x: from + 2, y: at + 2, width: step - 4.5, height: tall - 4.5, class: "best-tile" }));
      if (written) paper.append(svg("text", { class: deep > 48 ? "inside on-deep" : "inside on-pale", x: from + step / 2, y: at + tall / 2 + 4, "text-anchor": "middle" }, texts[r][c]));
      paper.target({ box: [from, at, from + step, at + tall], x: from + step / 2, y: at + tall / 2, link: tile?.link,
        title: tile ? onAxis(chart.value, tile.value) : "no value", facts: [...facts, ...(tile?.facts || [])] });
    });
  });
  const slanted = x.names.some((name) => widthOf(name) + 6 > step), steep = slanted ? 45 : 0;
  x.names.forEach((name, c) => {
    const text = cut(name, slanted ? 84 : step), at = left + step * (c + 0.5);
    if (slanted && c % Math.ceil(20 / step)) return;
    paper.append(svg("text", { class: "tick", x: at, y: bottom + 15, "text-anchor": slanted ? "end" : "middle", transform: slanted ? `rotate(${-steep} ${at} ${bottom + 12})` : "" }, text));
  });
  const under = bottom + (slanted ? 14 + 0.71 * Math.min(84, Math.max(...x.names.map((name) => widthOf(name)))) : 18), title = cut(x.label, width);
  paper.append(svg("text", { class: "axis-title", x: Math.max(0, Math.min((left + right - widthOf(title)) / 2, width - widthOf(title))), y: under + 16 }, title));
  return under + 22;
}
// In the unit of the greatest value, which the legend names.
function heatText(axis, value, high) {
  if (!axis.dimension) return grouped(Number(value.toPrecision(4)));
  return grouped(Number((value / unitFor(axis.dimension, high)[1]).toPrecision(4)));
}
