// What is told about the chosen run beside its timeline: facts, tooltip, lanes, bounds, files.
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
  add("simulated", time(run.makespan), run.range ? `(${run.range})` : "");
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
  if (hover.lane) {
    box.append(element("strong", hover.lane.label), element("p", hover.lane.why));
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

// What holds up each unit, and the most there is to gain: sentences made beforehand.
function fillLimits(run) {
  const box = document.getElementById("limits");
  box.replaceChildren(...run.limits.map((text) => element("li", text + ".")));
  if (!run.limits.length) box.append(element("li", "not known"));
}

function fillBounds(run) {
  const rows = [...run.bounds].sort((a, b) => b[0] - a[0]).map(([seconds, argument]) =>
    [formatTime(seconds * 1e9), gapText(run.makespan / seconds - 1), argument]);
  const box = document.getElementById("bounds");
  const table = tableOf(["no schedule beats", "gap", "because"], rows, new Set([0, 1]));
  sortable(table);
  box.replaceChildren(rows.length ? table : element("p", "none computed", "hint"));
}

function fillFiles(run) {
  document.getElementById("files-box").hidden = !run.files;
  if (!run.files) return;
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

function fillLanes(view) {
  const list = document.getElementById("lanes");
  list.replaceChildren();
  for (const row of view.rows) list.append(element("dt", row.label), element("dd", row.why));
  document.getElementById("show-unused-box").hidden = !view.unused.length;
  document.getElementById("unused-about").textContent = `unused (${view.unused.length}): ${view.unused.slice(0, 4).join(", ")}${view.unused.length > 4 ? ", …" : ""}`;
}
