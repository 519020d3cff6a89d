// Wiring: the chosen run and all that is told about it, and the controls.
const byId = (id) => document.getElementById(id);
const usable = data.runs.map((run, i) => i).filter((i) => data.runs[i].spans);
let current = -1;
const ofNetwork = (name) => usable.filter((i) => data.runs[i].network === name);

function choose(index) {
  current = index;
  const run = data.runs[index];
  view = expand(run, byId("show-unused").checked);
  const longest = Math.max(...ofNetwork(run.network).map((i) => data.runs[i].span_ns));
  timeline.show(view, byId("one-axis").checked ? longest : view.total);
  hideTooltip();
  fillFacts(run);
  fillUsage(view);
  fillLimits(run);
  fillLanes(view);
  fillBounds(run);
  fillFiles(run);
  fillPicks();
  fillLegend();
  if (byId("plan-box").open) fillPlan(run, view, timeline);
  else byId("plan-about").textContent = `${(run.parts || []).length} partitions by ${run.scheduler}`;
  if (byId("table-box").open) fillTable(run);
  byId("one-axis-box").hidden = ofNetwork(run.network).length < 2;
  pick(null);
}
// The chosen run is in the address, so that it can be linked to.
function chooseAndTell(index) {
  history.replaceState(null, "", `#run-${index}`);
  choose(index);
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

function fillPicks() {
  const run = data.runs[current], option = (select, text, value, chosen) => {
    const node = element("option", text);
    node.value = value;
    node.selected = chosen;
    select.append(node);
  };
  const models = byId("pick-model"), schedulers = byId("pick-scheduler");
  models.replaceChildren();
  schedulers.replaceChildren();
  for (const name of new Set(usable.map((i) => data.runs[i].network))) option(models, name, name, name === run.network);
  for (const i of ofNetwork(run.network)) option(schedulers, data.runs[i].scheduler, i, i === current);
}

function fillLegend() {
  timeline.palette ??= timeline.makePalette();
  byId("legend").replaceChildren(...timeline.palette.legend.map(({ label, colour, hatch }) => {
    const item = element("li"), key = svg("svg", { width: 22, height: 12, "aria-hidden": "true" });
    key.append(block({ colour, hatch }, 1, 1, 20, 10));
    item.append(key, label);
    return item;
  }));
}

// ---- controls
byId("zoom-in").addEventListener("click", keys["+"]);
byId("zoom-out").addEventListener("click", keys["-"]);
byId("pan-left").addEventListener("click", keys.ArrowLeft);
byId("pan-right").addEventListener("click", keys.ArrowRight);
byId("zoom-all").addEventListener("click", keys.Home);
byId("pick-model").addEventListener("change", (event) => {
  const here = ofNetwork(event.target.value);
  chooseAndTell(here.find((i) => data.runs[i].scheduler === data.runs[current].scheduler) ?? here[0]);
});
byId("pick-scheduler").addEventListener("change", (event) => chooseAndTell(Number(event.target.value)));
byId("one-axis").addEventListener("change", () => choose(current));
byId("show-unused").addEventListener("change", () => choose(current));
byId("pick-colour").addEventListener("change", (event) => { timeline.colourBy(event.target.value); fillLegend(); });
byId("show-path").addEventListener("change", (event) => { timeline.showPath = event.target.checked; timeline.redraw(); });
byId("plan-box").addEventListener("toggle", (event) => { if (event.target.open) fillPlan(data.runs[current], view, timeline); });
byId("table-box").addEventListener("toggle", (event) => { if (event.target.open) fillTable(data.runs[current]); });
byId("table-filter").addEventListener("input", () => fillTable(data.runs[current]));
byId("given-order")?.addEventListener("change", (event) => {
  for (const [figure, chart] of charts) if (figure.closest("#comparison")) chart.sort(!event.target.checked);
});
addEventListener("hashchange", follow);

if (usable.length) {
  const first = ofNetwork(data.runs[usable[0]].network).sort((a, b) => data.runs[a].makespan - data.runs[b].makespan)[0];
  choose(first);
  follow();
} else byId("run").replaceChildren(element("p", "No run left a trace, so there is no timeline.", "note"));
