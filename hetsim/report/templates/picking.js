// Spans of a timeline: what a click on one leads to, and the keys that go from one to the next.
function pick(hover) {
  const picked = document.getElementById("picked");
  picked.hidden = !hover || hover.span === undefined;
  if (picked.hidden) return;
  const i = hover.span, part = texts[view.part[i]], ways = [["its partition in the plan", () => showPart(part)]];
  if (view.operators(i).length) ways.unshift(["its launch in the table", () => showLaunch(view.operators(i).map((op) => texts[op[0]]).join("+"))]);
  picked.replaceChildren(element("strong", spanName(view, i) || data.kinds[view.kind[i]][0]), ` in partition ${part}: `);
  ways.forEach(([text, go], n) => {
    const button = element("button", text, "link-button");
    button.type = "button";
    button.addEventListener("click", go);
    picked.append(n ? ", " : "", button);
  });
}

let cursorRow = 0;
function step(rowChange, spanChange) {
  const rows = view.rows, hover = timeline.hover;
  const onSpan = hover && hover.span !== undefined;
  if (onSpan) cursorRow = hover.row;
  if (rowChange) {
    let next = cursorRow + rowChange;
    while (rows[next] && rows[next].first === rows[next].last) next += rowChange;  // where unused ones are shown
    if (!rows[next]) return;
    cursorRow = next;
  }
  const row = rows[cursorRow];
  if (!row || row.first === row.last) return;
  let span = onSpan && !rowChange ? hover.span + spanChange : lowerBound(view.start, row.first, row.last, timeline.from);
  span = Math.max(row.first, Math.min(row.last - 1, span));
  if (view.end[span] < timeline.from || view.start[span] > timeline.to) {
    const half = (timeline.to - timeline.from) / 2, middle = (view.start[span] + view.end[span]) / 2;
    timeline.zoom(middle - half, middle + half);
  }
  const x = Math.max(timeline.left, Math.min(timeline.left + timeline.plot, timeline.xAt(view.start[span])));
  showTooltip({ row: cursorRow, span }, x, timeline.rowTop(cursorRow) + ROW / 2);
}
