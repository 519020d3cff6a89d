// Everything around the timeline: facts, tooltip, utilisation, bounds, plan, tables.
function fillFacts(run) {
  const list = document.getElementById("facts");
  list.replaceChildren();
  const add = (title, value, remark) => {
    const box = element("div");
    const dd = element("dd", value);
    if (remark) dd.append(" ", element("small", remark));
    box.append(element("dt", title), dd);
    list.append(box);
  };
  const time = (seconds) => seconds === null ? "–" : formatTime(seconds * 1e9);
  add("simulated", time(run.makespan));
  const error = run.predicted === null ? 0 : run.predicted / run.makespan - 1;
  const off = run.predicted === null ? "" : Math.abs(error) < 0.0005 ? "(as simulated)" : `(${error > 0 ? "+" : "−"}${percent(Math.abs(error), 1)})`;
  add("predicted", time(run.predicted), off);
  add("lower bound", time(run.bound), run.gap === null ? "" : `(gap ${gapText(run.gap)})`);
  add("operators", String(data.models[run.model].operators.length));
  add("partitions", run.parts ? String(run.parts.length) : "–");
  if (run.contention_cost !== null) {
    const cost = run.contention_cost, much = Math.abs(cost) > 1e-9 * run.makespan;
    if (!much || cost > 0) add("contention costs", much ? time(cost) : "nothing");
    else add("without contention", time(run.makespan - cost), "(longer: a scheduling anomaly, see the notes)");
  }
  for (const [title, text] of run.facts) add(title, text);
}

function fillTooltip(box, view, hover) {
  box.replaceChildren();
  const list = element("dl");
  const add = (title, value) => { if (value) list.append(element("dt", title), element("dd", value)); };
  if (hover.curve) {
    const { curve, time } = hover, at = Math.max(0, lowerBound(curve.times, 0, curve.times.length, time + 1e-6) - 1);
    const value = curve.values[at] || 0, strip = STRIPS[curve.kind];
    box.append(element("strong", (curve.kind === "rate" ? "link " : "") + strip.title(curve.name)), list);
    add("at", formatTime(time));
    add(strip.word, `${strip.format(value)} (${percent(value / curve.capacity)} of ${strip.format(curve.capacity)})`);
    return;
  }
  const i = hover.span, ops = view.operators(i), kind = data.kinds[view.kind[i]];
  box.append(element("strong", spanName(view, i) || kind[0]), list);
  add("activity", kind[1] === "other" ? kind[0] : kind[1]);
  if (ops.length) {
    const some = ops.slice(0, 6);
    add("operators", ops.length > 1 ? some.map((op) => texts[op[0]]).join(", ") + (ops.length > 6 ? ", …" : "") : "");
    add("kinds", ops.map((op) => texts[op[1]]).join(" + "));
    add("shapes", some.map((op) => texts[op[2]]).join("; "));
    const macs = ops.reduce((sum, op) => sum + op[3], 0), other = ops.reduce((sum, op) => sum + op[4], 0);
    if (macs) add("MACs", formatCount(macs));
    if (other) add("other ops", formatCount(other));
    const weights = ops.reduce((sum, op) => sum + op[5], 0);
    if (weights) add("weights", formatCount(weights));
  }
  if (view.bytes[i]) add("bytes", formatSize(view.bytes[i]));
  const took = view.end[i] - view.start[i], lost = view.lost[i];
  add("time", `${formatTime(took)}, from ${formatTime(view.start[i])} to ${formatTime(view.end[i])}`);
  if (took > 0) add("alone", lost > 0.001 * took
    ? `${formatTime(took - lost)}; ${formatTime(lost)} (${percent(lost / took)}) lost to contention` : "the same: no contention");
  const key = view.inference[i] + ":" + view.part[i];
  add("partition", texts[view.part[i]] + (view.isCritical.has(key) ? " (on the critical path)" : ""));
  if (view.waits.has(key)) add("it waited", texts[view.waits.get(key)]);
  if (new Set(view.inference).size > 1) add("inference", String(view.inference[i]));
  add(ops.length ? "cost from" : "note", texts[view.note[i]]);
}

function meter(label, share, remark, className, parts) {
  const line = element("div", undefined, "meter " + className);
  const track = element("span", undefined, "meter-track");
  for (const [width, colour, title] of parts || [[share || 0, "", ""]]) {
    const bar = element("i");
    bar.style.width = 100 * Math.min(1, width) + "%";
    if (colour) bar.style.background = colour;
    if (title) bar.title = title;
    track.append(bar);
  }
  line.append(element("span", label), track, element("span", percent(share)));
  if (remark) line.append(element("small", remark));
  return line;
}

function fillUtilisation(run) {
  const box = document.getElementById("utilisation");
  box.replaceChildren();
  for (const [name, busy, share] of run.pus) box.append(meter(name, share, `busy ${formatTime(busy * 1e9)}`, "pu"));
  for (const [name, bytes, share, lost] of run.links)
    box.append(meter(name, share, `${formatSize(bytes)} moved` + (lost > 0 ? `, ${formatTime(lost * 1e9)} lost to sharing` : ""), "link"));
}

// What holds up each unit, and the most there is to gain: sentences made beforehand.
function fillLimits(run) {
  const box = document.getElementById("limits");
  box.replaceChildren(...run.limits.map((text) => element("li", text + ".")));
  if (!run.limits.length) box.append(element("li", "not known"));
}

// Where the makespan went along the critical path and on each PU, then what each lane did.
function fillAttribution(view) {
  const box = document.getElementById("attribution"), run = view.run;
  box.replaceChildren();
  const split = (label, parts, className) => {
    const total = parts.reduce((sum, part) => sum + part[1], 0) || 1;
    const words = parts.map(([p, t]) => `${data.parts[p][0]} ${formatTime(t)} (${percent(t / total)})`);
    const told = words.filter((_, i) => parts[i][1] >= 0.0005 * total);
    const line = meter(label, 1, told.join(" · "), className, parts.map(([p, t], i) => [t / total, data.parts[p][1], words[i]]));
    line.children[2].textContent = formatTime(total);
    return line;
  };
  if (run.path.length) {
    box.append(element("h4", "along the critical path"), split("makespan", run.path, "path"));
    box.append(element("h4", "on each processing unit"));
    for (const [name, parts] of run.pu_paths) box.append(split(name, parts, "path"));
    box.append(element("h4", "by activity of each lane"));
  }
  for (const row of view.rows) {
    const time = new Map();
    let busy = 0;
    for (let i = row.first; i < row.last; i++) {
      const took = view.end[i] - view.start[i];
      time.set(view.kind[i], (time.get(view.kind[i]) || 0) + took);
      busy += took;
    }
    if (!busy) continue;
    const parts = [...time].sort((a, b) => a[0] - b[0]);
    box.append(meter(row.label, busy / view.total,
      parts.map(([k, t]) => `${data.kinds[k][0]} ${formatTime(t)}`).join(" · "), "mix",
      parts.map(([k, t]) => [t / view.total, data.kinds[k][2], `${data.kinds[k][0]} ${formatTime(t)}`])));
  }
}

function fillBounds(run) {
  const rows = [...run.bounds].sort((a, b) => b[0] - a[0]).map(([seconds, argument]) =>
    [formatTime(seconds * 1e9), gapText(run.makespan / seconds - 1), argument]);
  const box = document.getElementById("bounds");
  box.replaceChildren(rows.length ? tableOf(["no schedule beats", "gap", "because"], rows, new Set([0, 1])) : element("p", "none computed", "hint"));
}

function fillFiles(run) {
  const box = document.getElementById("files"), names = Object.entries(run.files);
  box.replaceChildren();
  names.forEach(([kind, name], i) => {
    const link = element("a", name);
    link.href = encodeURIComponent(name);
    link.title = kind;
    box.append(i ? " · " : "", link);
  });
  const have = new Set(names.map(([kind]) => kind));
  const more = [["gantt_svg", "--figures gantt"], ["trace", "--traces all"], ["plan", "--plans all"]]
    .filter(([kind]) => !have.has(kind)).map(([, option]) => option);
  if (run.error || !more.length) return;
  const name = `${run.network}/${run.scheduler}`;
  const quoted = /^[\w./:@%+=-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
  box.append(names.length ? ". For " : "For ", names.length ? "the others: " : "picture, trace and plan as files: ",
    element("code", `hetsim report DIR --run ${quoted} ${more.join(" ")}`), ", where DIR is the directory of this report.");
}

function fillPlan(run, view, timeline) {
  const about = document.getElementById("plan-about"), box = document.getElementById("plan");
  const parts = run.parts || [], operators = data.models[run.model].operators;
  about.textContent = `${parts.length} partitions by ${run.scheduler}`;
  box.replaceChildren();
  for (const [title, pairs] of [["parameters", run.parameters || []], ["details", run.details || []]])
    if (pairs.length) box.append(element("p", `${title}: ` + pairs.map(([k, v]) => `${k} = ${v}`).join(", "), "hint"));
  pagedTable(box, ["partition", "PU", "parallel group", "starts", "takes", "waits for", "operators"], new Set([3, 4]), parts, (part) => {
    const extent = timeline.extents.get("0:" + part[0]);
    let name = element("span", texts[part[0]]);
    if (extent) {
      name = element("button", texts[part[0]], "link-button");
      name.type = "button";
      name.title = "show in the timeline";
      name.addEventListener("click", () => {
        const margin = (extent.end - extent.start) * 0.3;
        timeline.zoom(extent.start - margin, extent.end + margin);
        timeline.canvas.scrollIntoView({ block: "center" });
      });
    }
    return [name, texts[part[1]], part[4] ? "∥" + part[4] : "", extent ? formatTime(extent.start) : "–",
      extent ? formatTime(extent.end - extent.start) : "–", part[5].map((n) => texts[n]).join(", "),
      part[2].map((o) => texts[operators[o][0]]).join(", ") + (part[3] ? "" : " (not fused)")];
  });
}

function fillTable(run) {
  const wanted = document.getElementById("table-filter").value.toLowerCase();
  const box = document.getElementById("table");
  const rows = !wanted ? run.table : run.table.filter((row) =>
    [0, 1, 2, 3].some((column) => texts[row[column]].toLowerCase().includes(wanted)));
  box.replaceChildren(element("p", `${rows.length} of ${run.table.length} launches`, "hint"));
  pagedTable(box, ["operators", "kinds", "PU", "partition", "starts", "takes", "alone", "MACs", "read", "written", "bound", "of its roofs", "energy", "cost from"],
    new Set([4, 5, 6, 7, 8, 9, 11, 12]), rows, (r) => [texts[r[2]], texts[r[3]], texts[r[1]], texts[r[0]], formatTime(r[7]),
      formatTime(r[8] - r[7]), formatTime(r[9]), formatCount(r[4]), formatSize(r[5]), formatSize(r[6]),
      texts[r[11]].replace("_", " "), r[12] < 0 ? "–" : percent(r[12] / 1e6), r[13] ? quantity(r[13] * 1e-9, "energy", 3) : "–", texts[r[10]]]);
}

// Long tables grow on demand: ten thousand rows at once would stall a phone.
function pagedTable(box, titles, numeric, items, toRow, size = 200) {
  const table = tableOf(titles, items.slice(0, size).map(toRow), numeric);
  box.append(table);
  let shown = size;
  if (items.length <= shown) return;
  const more = element("button", "", "more");
  more.type = "button";
  const label = () => { more.textContent = `show ${Math.min(size, items.length - shown)} more of ${items.length - shown}`; };
  label();
  more.addEventListener("click", () => {
    const next = tableOf([], items.slice(shown, shown + size).map(toRow), numeric);
    table.tBodies[0].append(...next.tBodies[0].rows);
    shown += size;
    if (shown >= items.length) more.remove(); else label();
  });
  box.append(more);
}
