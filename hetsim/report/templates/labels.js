// Texts in a chart: their width, cutting and wrapping, and places where they cover nothing.
const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const ruler = document.createElement("canvas").getContext("2d");
function widthOf(text, bold = false) {
  ruler.font = (bold ? "600 " : "") + FONT;
  return ruler.measureText(text).width;
}
function cut(text, room, bold = false) {
  if (widthOf(text, bold) <= room) return text;
  let keep = Math.min(text.length, Math.ceil(room / 4));
  while (keep > 0 && widthOf(text.slice(0, keep).trimEnd() + "…", bold) > room) keep--;
  return keep > 0 ? text.slice(0, keep).trimEnd() + "…" : "";
}
// At most `most` lines, broken where words, paths and names end; the last is cut.
function wrap(text, room, most = 2, bold = false) {
  const lines = [];
  let rest = text;
  while (rest && lines.length < most - 1 && widthOf(rest, bold) > room) {
    let at = 0;
    for (const end of rest.matchAll(/[\s/_.:,-]+|$/g)) {
      const next = end.index + end[0].length;
      if (widthOf(rest.slice(0, next).trimEnd(), bold) > room) break;
      at = next;
    }
    if (!at || at >= rest.length) break;
    lines.push(rest.slice(0, at).trimEnd());
    rest = rest.slice(at);
  }
  return rest ? [...lines, cut(rest, room, bold)] : lines;
}

// Boxes that are taken; a box [x0, y0, x1, y1] is claimed when it is free and inside the frame.
class Places {
  constructor(frame) { this.frame = frame; this.taken = []; }
  free([x0, y0, x1, y1]) {
    const [a, b, c, d] = this.frame;
    return x0 >= a && y0 >= b && x1 <= c && y1 <= d
      && this.taken.every(([p, q, r, s]) => x1 <= p || x0 >= r || y1 <= q || y0 >= s);
  }
  claim(box) {
    if (!this.free(box)) return false;
    this.taken.push(box);
    return true;
  }
  // The first free place around (x, y), `gap` away, for a text of that width; null if there is none.
  around(x, y, width, gap, sides = ["right", "left", "above", "below"], height = 14) {
    for (const side of sides) {
      const x0 = side === "right" ? x + gap : side === "left" ? x - gap - width : x - width / 2;
      const y0 = side === "above" ? y - gap - height : side === "below" ? y + gap : y - height / 2;
      if (this.claim([x0, y0, x0 + width, y0 + height])) return { x: x0, y: y0 + height / 2 };
    }
    return null;
  }
}
