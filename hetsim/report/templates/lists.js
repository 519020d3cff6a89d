// The plan and the kernel launches of the chosen run as tables, each with a way to the timeline.
function fillPlan(run, view, timeline) {
  const about = document.getElementById("plan-about"), box = document.getElementById("plan");
  const parts = run.parts || [], operators = data.models[run.model].operators;
  about.textContent = `${parts.length} partitions by ${run.scheduler}`;
  box.replaceChildren();
  for (const [title, pairs] of [["parameters", run.parameters || []], ["details", run.details || []]])
    if (pairs.length) box.append(element("p", `${title}: ` + pairs.map(([k, v]) => `${k} = ${v}`).join(", "), "hint"));
  pagedTable(box, ["partition", "PU", "parallel group", "starts", "takes", "waits for", "operators"], new Set([3, 4]), parts, (part) => {
    const extent = timeline.extents.get("0:" + part[0]);
    return [extent ? toTimeline(texts[part[0]], extent.start, extent.end) : texts[part[0]], texts[part[1]], part[4] ? "∥" + part[4] : "", extent ? formatTime(extent.start) : "–",
      extent ? formatTime(extent.end - extent.start) : "–", part[5].map((n) => texts[n]).join(", "),
      part[2].map((o) => texts[operators[o][0]]).join(", ") + (part[3] ? "" : " (not fused)")];
  });
}

// The ways back: to a launch, and to a partition, by name.
function showLaunch(name) {
  const filter = document.getElementById("table-filter"), box = document.getElementById("table-box");
  filter.value = name;
  if (box.open) fillTable(data.runs[current]); else box.open = true;
  box.scrollIntoView({ block: "center" });
  filter.focus({ preventScroll: true });
}
function showPart(name) {
  const box = document.getElementById("plan-box"), find = () => {
    const row = [...box.querySelectorAll("tbody tr")].find((line) => line.cells[0].textContent === name);
    (row || box).scrollIntoView({ block: "center" });
    row?.querySelector("button")?.focus({ preventScroll: true });
  };
  if (box.open) return find();
  box.addEventListener("toggle", find, { once: true });  // after it was filled
  box.open = true;
}

function fillTable(run) {
  const wanted = document.getElementById("table-filter").value.toLowerCase();
  const box = document.getElementById("table");
  const rows = !wanted ? run.table : run.table.filter((row) =>
    [0, 1, 2, 3].some((column) => texts[row[column]].toLowerCase().includes(wanted)));
  box.replaceChildren(element("p", `${rows.length} of ${run.table.length} launches`, "hint"));
  pagedTable(box, ["operators", "kinds", "PU", "partition", "starts", "takes", "alone", "MACs", "read", "written", "bound", "of its roofs", "energy", "cost from"],
    new Set([4, 5, 6, 7, 8, 9, 11, 12]), rows, (r) => [toTimeline(texts[r[2]], r[7], r[8]), texts[r[3]], texts[r[1]], texts[r[0]], formatTime(r[7]),
      formatTime(r[8] - r[7]), formatTime(r[9]), formatCount(r[4]), formatSize(r[5]), formatSize(r[6]),
      texts[r[11]].replace("_", " "), r[12] < 0 ? "–" : percent(r[12] / 1e6), r[13] ? quantity(r[13] * 1e-9, "energy", 3) : "–", texts[r[10]]]);
}

// Long tables grow on demand: ten thousand rows at once would stall a phone.
function pagedTable(box, titles, numeric, items, toRow, size = 200) {
  let shown = 0, order = items;
  const table = tableOf(titles, [], numeric), more = element("button", "", "more");
  more.type = "button";
  const grow = () => {
    table.tBodies[0].append(...order.slice(shown, shown + size).map((item) => rowOf(toRow(item), numeric)));
    shown = Math.min(order.length, shown + size);
    more.hidden = shown === order.length;
    more.textContent = `show ${Math.min(size, order.length - shown)} more of ${order.length - shown}`;
  };
  if (items.length > 1) sortHeads(table, (column, sign) => {
    const keyed = items.map((item) => [keyOf(textOf(toRow(item)[column])), item]);
    order = sortedBy(keyed, sign);
    table.tBodies[0].replaceChildren();
    shown = 0;
    grow();
  });
  more.addEventListener("click", grow);
  grow();
  box.append(table, more);
}
const textOf = (value) => value instanceof Node ? value.textContent : value;
