// What charts are drawn with: SVG elements, colours of series, hatches and shapes.
const OKABE_ITO = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#999999"];
const SHAPES = ["circle", "square", "triangle", "diamond", "cross"];
const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes = {}, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== "") node.setAttribute(name, typeof value === "number" ? Math.round(value * 100) / 100 : value);
  if (text !== undefined) node.textContent = text;
  return node;
}
// The colour and hatch of a series; more series than colours begin again with a hatch.
function lookOf(chart, series) {
  const own = chart.series?.[series] || {};
  return { colour: own.colour || OKABE_ITO[series % 8], hatch: own.hatch?.[0] ?? (own.colour ? "" : ["", "/", "\\", "x"][Math.floor(series / 8) % 4]) };
}
function isDark(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b < 140;
}
const inkOn = (colour) => isDark(colour) ? "#ffffff" : "#101418";

// A rectangle in a colour, hatched.
function block({ colour, hatch }, x, y, width, height) {
  const group = svg("g");
  group.append(svg("rect", { x, y, width, height, fill: colour }));
  if (hatch) group.append(svg("path", { d: hatching(hatch, x, y, width, height), class: "hatch" }));
  return group;
}
// Lines of a hatch within a rectangle, as a path: needs no definitions that other charts could share.
function hatching(hatch, x, y, width, height, gap = 5) {
  const lines = [];
  if ("\\x".includes(hatch) || "/x".includes(hatch))
    for (let at = gap / 2 - height; at < width; at += gap) {
      const a = Math.max(0, at), b = Math.min(width, at + height);
      if (b <= a) continue;
      if ("\\x".includes(hatch)) lines.push(`M${x + a} ${y + a - at}L${x + b} ${y + b - at}`);
      if ("/x".includes(hatch)) lines.push(`M${x + a} ${y + height - (a - at)}L${x + b} ${y + height - (b - at)}`);
    }
  if ("|+".includes(hatch)) for (let at = gap / 2; at < width; at += gap) lines.push(`M${x + at} ${y}v${height}`);
  if ("-+.".includes(hatch)) for (let at = gap / 2; at < height; at += gap) lines.push(`M${x} ${y + at}h${width}`);
  return lines.join("");
}
// A point: series differ in shape as well as in colour.
function shape(chart, series, x, y, size) {
  const s = size, path = {
    circle: `M${x - s} ${y}a${s} ${s} 0 1 0 ${2 * s} 0a${s} ${s} 0 1 0 ${-2 * s} 0`,
    square: `M${x - s} ${y - s}h${2 * s}v${2 * s}h${-2 * s}z`,
    triangle: `M${x} ${y - s * 1.15}L${x + s * 1.1} ${y + s * 0.85}H${x - s * 1.1}z`,
    diamond: `M${x} ${y - s * 1.3}L${x + s * 1.3} ${y}L${x} ${y + s * 1.3}L${x - s * 1.3} ${y}z`,
    cross: `M${x - s} ${y - s * 0.4}h${s * 0.6}v${-s * 0.6}h${s * 0.8}v${s * 0.6}h${s * 0.6}v${s * 0.8}h${-s * 0.6}v${s * 0.6}h${-s * 0.8}v${-s * 0.6}h${-s * 0.6}z`,
  }[SHAPES[series % SHAPES.length]];
  return svg("path", { d: path, fill: lookOf(chart, series).colour, class: "point" });
}
// A mark across a bar; a bracket opens towards `from`.
function mark(kind, x, y, height, from = x) {
  if (kind === "diamond") return svg("path", { d: `M${x} ${y + height / 2 - 5}l5 5l-5 5l-5 -5z`, class: "mark open" });
  const lip = kind === "bracket" ? (from < x ? -4 : 4) : 0;
  return svg("path", { d: lip ? `M${x + lip} ${y}H${x}v${height}h${lip}` : `M${x} ${y}v${height}`, class: "mark" });
}
function whisker(low, high, y, upright = false) {
  const d = upright ? `M${y - 3} ${low}h6M${y} ${low}V${high}M${y - 3} ${high}h6` : `M${low} ${y - 4}v8M${low} ${y}H${high}M${high} ${y - 4}v8`;
  return svg("path", { d, class: "whisker" });
}
