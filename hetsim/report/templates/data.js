// The result as written into the page, and the expansion of one run's columns.
const data = JSON.parse(document.getElementById("data").textContent);
const texts = data.texts;

// Compact columns (see payload.py) to arrays with one entry per span, in row order. Units and links
// that did nothing are left out unless `all` of them are wanted.
function expand(run, all) {
  const compact = run.spans, count = compact.kind.length;
  const column = (key) => {
    const values = compact[key];
    return values.length === count ? values : new Array(count).fill(values[0]);
  };
  const start = new Float64Array(count), end = new Float64Array(count);
  const rows = [];
  let first = 0;
  for (const [label, role, size, why] of run.rows) {
    let at = 0;
    for (let i = first; i < first + size; i++) {
      at += compact.start[i];
      start[i] = at;
      end[i] = at + compact.time[i];
    }
    rows.push({ label, role, why, first, last: first + size });
    first += size;
  }
  const curves = run.counters.map((counter) => {
    let at = 0;
    return { name: counter.name, kind: counter.kind, capacity: counter.capacity,
      times: Float64Array.from(counter.step, (step) => (at += step)),
      values: Float64Array.from(counter.count, (value) => value * counter.grid) };
  });
  const idle = rows.filter((row) => row.first === row.last).map((row) => row.label);
  const still = curves.filter((curve) => !curve.values.some(Boolean)).map((curve) => STRIPS[curve.kind].title(curve.name));
  const critical = (run.critical || []).map(([what, inference, part, from, to]) => ({ what, key: inference + ":" + part, start: from, end: to }));
  return { run, unused: [...idle, ...still], count,
    rows: all ? rows : rows.filter((row) => row.first < row.last), curves: all ? curves : curves.filter((curve) => curve.values.some(Boolean)),
    start, end, total: Math.max(run.span_ns, 1),
    kind: compact.kind, part: compact.part, ops: compact.ops, bytes: compact.bytes,
    note: compact.note, critical, isCritical: new Set(critical.map((step) => step.key)),
    waits: new Map((run.waits || []).map(([inference, part, text]) => [inference + ":" + part, text])), lost: column("lost"), name: column("name"), inference: column("run"),
    operators: (i) => run.launches[compact.ops[i]].map((o) => data.models[run.model].operators[o]) };
}

function spanName(view, i) {
  if (view.name[i] >= 0) return texts[view.name[i]] || data.kinds[view.kind[i]][0];
  return view.operators(i).map((op) => texts[op[0]]).join(" + ");
}

// Numbers for people.
const formatSize = (bytes) => quantity(bytes, "size");
const formatRate = (rate) => quantity(rate, "bandwidth", 3);
const formatPower = (watts) => quantity(watts, "power", 3);
// What a strip shows, by its kind: title, value, colour.
const STRIPS = {
  rate: { title: (name) => name, format: formatRate, colour: "area", word: "traffic" },
  memory: { title: (name) => name + " SRAM", format: formatSize, colour: "memory", word: "occupied" },
  power: { title: (name) => name, format: formatPower, colour: "power", word: "drawn" },
};
function formatCount(count) {
  for (const [unit, size] of [[" G", 1e9], [" M", 1e6], [" k", 1e3]])
    if (count >= size) return Number((count / size).toPrecision(4)) + unit;
  return String(count);
}
const gapText = (gap) => gap < 10 ? percent(gap, 1) : "× " + Number((gap + 1).toPrecision(3));
