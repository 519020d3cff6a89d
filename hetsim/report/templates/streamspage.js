// Wiring of a page of streams: the chosen run, its longest inferences, the controls.
const byId = (id) => document.getElementById(id);
const usable = data.runs.map((run, i) => i).filter((i) => data.runs[i]);
const LONGEST = 8;

function choose(index) {
  view = expand(data.runs[index]);
  timeline.show(view);
  hideTooltip();
  byId("pick-run").value = index;
  const cells = Math.max(...view.streams.map((stream) => stream.each));
  byId("grouped").textContent = cells > 1 ? `Each mark stands for up to ${cells} inferences that arrived one after the other, from the shortest to the longest of them.` : "";
  fillLongest();
}
// The ways to the spikes.
function fillLongest() {
  const rows = view.streams.flatMap((stream) => {
    const order = [...stream.high.keys()].sort((a, b) => stream.high[b] - stream.high[a]).slice(0, LONGEST);
    return order.map((i) => {
      const end = stream.arrival[i] + stream.high[i], over = !stream.late.has(i) ? (stream.due ? "in time" : "–") : stream.deadline === null ? "late" : "by " + formatTime(stream.high[i] - stream.deadline);
      const seen = Math.max(0, ...view.windows.map((w) => Math.min(end, w.to) - Math.max(stream.arrival[i], w.from))) / Math.max(stream.high[i], 1);
      return [toTimeline(`${stream.name} ${grouped(i * stream.each + 1)}`, stream.arrival[i], end), formatTime(stream.arrival[i], 6), formatTime(stream.high[i]), formatTime(stream.wait[i]), stream.lost.has(i) ? "given up" : over, seen > 0.999 ? "yes" : seen > 0.05 ? "in part" : ""];
    });
  });
  const table = tableOf(["inference", "arrived", "latency", "of which waiting", "missed", "units traced"], rows, new Set([1, 2, 3]));
  sortable(table);
  byId("longest").replaceChildren(table);
}
function asked() {
  const found = /^#run-(\d+)$/.exec(location.hash), index = found ? Number(found[1]) : -1;
  return usable.includes(index) ? index : -1;
}
function follow() {
  if (asked() < 0) return;
  choose(asked());
  byId("run").scrollIntoView();
}

for (const i of usable) {
  const option = element("option", data.runs[i].label);
  option.value = i;
  byId("pick-run").append(option);
}
byId("zoom-in").addEventListener("click", keys["+"]);
byId("zoom-out").addEventListener("click", keys["-"]);
byId("pan-left").addEventListener("click", keys.ArrowLeft);
byId("pan-right").addEventListener("click", keys.ArrowRight);
byId("zoom-all").addEventListener("click", keys.Home);
byId("log-latency").addEventListener("change", (event) => { timeline.log = event.target.checked; timeline.redraw(); });
byId("pick-run").addEventListener("change", (event) => {
  history.replaceState(null, "", `#run-${event.target.value}`);
  choose(Number(event.target.value));
});
addEventListener("hashchange", follow);
choose(usable.includes(data.best) ? data.best : usable[0]);
follow();
