// How busy everything was, and where the time went, as charts.
const partSeries = data.parts.map(([name, colour, hatch]) => ({ name, colour, hatch }));
const kindSeries = data.kinds.map(([, name, colour, hatch]) => ({ name, colour, hatch }));
const TIME_AXIS = { label: "time", dimension: "time" };

function fillUsage(view) {
  const run = view.run, charts = [utilisation(run)];
  if (run.path.length) charts.push(whereTimeGoes(run));
  charts.push(whatLanesDid(view));
  document.getElementById("usage").replaceChildren(...charts.map(figureOf));
}

function utilisation(run) {
  const used = [
    ...run.pus.map(([label, busy, share]) => ({ label, share, group: "processing units", facts: [["busy", formatTime(busy * 1e9)]] })),
    ...run.links.map(([label, bytes, share, lost]) => ({ label, share, group: "links and memories",
      facts: [["moved", formatSize(bytes)], ["lost to sharing", lost > 0 ? formatTime(lost * 1e9) : ""]] })),
  ];
  const shown = used.filter((one) => one.share), rest = used.filter((one) => !one.share).map((one) => one.label);
  const most = [...shown].sort((a, b) => b.share - a.share)[0];
  return { kind: "bars", title: "Utilisation",
    shows: "Share of the run that units worked, and share of their bandwidth that links moved.",
    seen: (most ? `Most used is ${most.label}: ${percent(most.share)}.` : "") + (rest.length ? ` Unused: ${rest.join(", ")}.` : ""),
    axis: { label: "used", dimension: "share", most: 1 }, what: "unit or link",
    bars: shown.map(({ label, share, group, facts }) => ({ label, group, facts, segments: [{ end: share, text: percent(share) }] })) };
}

// A makespan in pieces [series, nanoseconds], each with its share of the whole.
function pieces(label, group, parts, whole) {
  let at = 0;
  const segments = parts.map(([series, time]) => {
    const start = at;
    at += time * 1e-9;
    return { start, end: at, series, text: percent(time / whole) };
  });
  return { label, group, segments };
}
const total = (parts) => parts.reduce((sum, part) => sum + part[1], 0) || 1;

function whereTimeGoes(run) {
  const whole = total(run.path), first = [...run.path].sort((a, b) => b[1] - a[1])[0];
  return { kind: "bars", title: "Where the time goes", stacked: true,
    shows: "What the makespan consists of along the critical path, and what each unit did with it.",
    seen: `Along the critical path mostly ${data.parts[first[0]][0]}: ${percent(first[1] / whole)}.`,
    axis: TIME_AXIS, series: partSeries, what: "unit",
    bars: [pieces("makespan", "along the critical path", run.path, whole),
      ...run.pu_paths.filter(([, parts]) => parts.some(([p]) => data.parts[p][0] !== "idle")).map(([name, parts]) => pieces(name, "on each processing unit", parts, total(parts)))] };
}

function whatLanesDid(view) {
  const lanes = view.rows.map((row) => {
    const time = new Map();
    for (let i = row.first; i < row.last; i++) time.set(view.kind[i], (time.get(view.kind[i]) || 0) + view.end[i] - view.start[i]);
    return [row.label, [...time].sort((a, b) => a[0] - b[0])];
  }).filter(([, parts]) => parts.some((part) => part[1]));
  const busiest = [...lanes].sort((a, b) => total(b[1]) - total(a[1]))[0];
  return { kind: "bars", title: "What each lane did", stacked: true,
    shows: "Time of each lane by activity; shares are of the run.",
    seen: busiest ? `Busiest is ${busiest[0]}: ${percent(total(busiest[1]) / view.total)} of the run.` : "",
    axis: TIME_AXIS, series: kindSeries, what: "lane",
    bars: lanes.map(([label, parts]) => pieces(label, "", parts, view.total)) };
}
