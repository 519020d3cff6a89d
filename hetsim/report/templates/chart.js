// A chart on the page: drawn to the width it has, answering the pointer and the keyboard.
const DRAWN = { bars: drawBars, plot: drawPlot, heat: drawHeat };
const REACH = 28;

class Chart {
  constructor(figure, chart) {
    this.chart = chart;
    this.byValue = this.chart.order === "value";
    this.width = 0;
    this.targets = [];
    this.at = -1;
    this.box = element("div", undefined, "chart-box");
    this.tip = element("div", undefined, "tip");
    this.tip.setAttribute("role", "status");
    this.tip.hidden = true;
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "application");
    this.box.append(element("div"), this.tip);
    figure.querySelector("figcaption").after(...this.controls(), this.box);
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.box);
  }

  controls() {
    const legend = legendOf(this.chart), bar = element("div", undefined, "chart-controls");
    if (this.chart.switch) {
      const label = element("label", undefined, "check"), input = element("input");
      input.type = "checkbox";
      input.checked = !this.byValue;
      input.addEventListener("change", () => this.sort(!input.checked));
      label.append(input, "in the order given");
      bar.append(label);
    }
    return legend.children.length || bar.children.length ? [...(legend.children.length ? [legend] : []), ...(bar.children.length ? [bar] : [])] : [];
  }

  sort(byValue) {
    this.byValue = byValue;
    this.draw(true);
  }

  draw(anew = false) {
    const width = Math.floor(this.box.clientWidth);
    if (!width || (width === this.width && !anew)) return;
    this.width = width;
    this.hide();
    this.targets = [];
    const paper = svg("svg", { width: "100%", "aria-hidden": "true", focusable: "false" });
    paper.target = (target) => this.targets.push(target);
    const height = Math.ceil(DRAWN[this.chart.kind](this.chart, paper, width, this.byValue));
    paper.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.over = svg("a", { tabindex: "-1" });
    paper.append(this.over);
    this.paper = paper;
    this.box.firstChild.replaceChildren(paper);
    const links = this.targets.some((target) => target.link);
    this.box.setAttribute("aria-label", `Chart: ${this.chart.title}. Arrow keys go from mark to mark${links ? ", Enter opens one" : ""}; the same figures are in the table below it.`);
    this.box.dataset.marks = this.targets.length;
  }

  // The target under a point: the box it lies in, or the nearest mark within reach.
  find(x, y) {
    let best = -1, least = REACH;
    this.targets.forEach((target, i) => {
      const [a, b, c, d] = target.box || [target.x, target.y, target.x, target.y];
      const away = Math.hypot(Math.max(a - x, 0, x - c), Math.max(b - y, 0, y - d)) + (target.far || 0);
      if (away < least) { least = away; best = i; }
    });
    return best;
  }

  show(i) {
    const target = this.targets[i];
    if (!target) return this.hide();
    if (i !== this.at) {
      this.at = i;
      this.mark(target);
      this.tip.replaceChildren(element("strong", target.title));
      const list = element("dl");
      for (const [title, text] of target.facts) if (text) list.append(element("dt", title), element("dd", text));
      this.tip.append(list);
      if (target.link) this.tip.append(element("small", target.link.startsWith("#") ? "click or Enter: show it below" : `click or Enter: open ${target.link}`));
    }
    this.tip.hidden = false;
    placeTip(this.tip, this.box, target.tipX ?? target.x, target.y);
  }
  mark(target) {
    const [a, b, c, d] = target.box || [];
    this.over.replaceChildren(target.box
      ? svg("rect", { x: a + 1, y: b + 0.5, width: c - a - 2, height: d - b - 1, class: "over" })
      : svg("circle", { cx: target.x, cy: target.y, r: 8, class: "over" }));
    if (target.link) this.over.setAttribute("href", target.link); else this.over.removeAttribute("href");
  }
  hide() {
    this.at = -1;
    this.tip.hidden = true;
    this.over?.replaceChildren();
  }

  listen() {
    const at = (event) => {
      const box = this.box.getBoundingClientRect();
      return [event.clientX - box.left + this.box.scrollLeft, event.clientY - box.top];
    };
    const look = (event) => {
      const [x, y] = at(event), found = this.find(x, y);
      if (this.targets[found]?.box) this.targets[found].tipX = x;
      this.show(found);
    };
    this.box.addEventListener("pointermove", (event) => { if (event.pointerType !== "touch") look(event); });
    this.box.addEventListener("pointerup", (event) => { if (event.pointerType === "touch" && !event.target.closest("a[href]")) look(event); });
    this.box.addEventListener("pointerleave", (event) => { if (event.pointerType !== "touch") this.hide(); });
    this.box.addEventListener("blur", () => this.hide());
    const last = () => this.targets.length - 1, go = (i) => {
      const target = this.targets[Math.max(0, Math.min(last(), i))];
      if (target) delete target.tipX;
      this.show(this.targets.indexOf(target));
    };
    const keys = {
      ArrowRight: () => go(this.at + 1), ArrowDown: () => go(this.at + 1),
      ArrowLeft: () => go(this.at - 1), ArrowUp: () => go(this.at - 1),
      Home: () => go(0), End: () => go(last()), Escape: () => this.hide(),
      Enter: () => { if (this.targets[this.at]?.link) this.over.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true })); },
    };
    this.box.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
  }
}

// Beside (x, y) of `box`, inside it from left to right, above the point where the window ends.
function placeTip(tip, box, x, y) {
  const room = box.clientWidth, width = tip.offsetWidth, height = tip.offsetHeight;
  tip.style.left = Math.max(2, Math.min(x + 14, room - width - 2)) + "px";
  const top = box.getBoundingClientRect().top, below = top + y + 18 + height <= innerHeight;
  tip.style.top = (below || top + y - height - 12 < 0 ? y + 18 : y - height - 12) + "px";
}

// What colours, shapes and marks mean.
function legendOf(chart) {
  const legend = element("ul", undefined, "legend");
  const add = (text, ...drawn) => {
    const item = element("li"), key = svg("svg", { width: 22, height: 12, "aria-hidden": "true" });
    key.append(...drawn);
    item.append(key, text);
    legend.append(item);
  };
  const dotted = chart.kind === "plot" && (chart.points || []).length > 0;
  const used = new Set((chart.bars || []).flatMap((bar) => (bar.segments || []).map((segment) => segment.series ?? 0)));
  (chart.series || []).forEach((series, i) => {
    if (chart.kind === "bars") return used.has(i) && add(series.name, block(lookOf(chart, i), 1, 1, 20, 10));
    const line = (chart.lines || []).find((one) => (one.series ?? 0) === i), drawn = [];
    if (line) drawn.push(svg("path", { d: "M0 6H22", stroke: lookOf(chart, i).colour, class: "line", "stroke-dasharray": line.dashed ? "6 4" : "" }));
    if (line?.marked || (dotted && chart.points.some((p) => (p.series ?? 0) === i))) drawn.push(shape(chart, i, 11, 6, 4));
    if (drawn.length) add(series.name, ...drawn);
  });
  const meanings = new Map((chart.bars || []).flatMap((bar) => (bar.marks || []).map((m) => [m.meaning, m.shape || "line"])));
  for (const [meaning, kind] of meanings) add(meaning, mark(kind, 11, 1, 10));
  if (chart.kind === "heat") {
    const values = chart.rows.flat().filter(Boolean).map((tile) => Math.abs(tile.value));
    const unit = chart.value.dimension ? unitFor(chart.value.dimension, Math.max(...values))[0] : chart.value.unit || "";
    add(chart.value.label + (unit ? ` (${unit})` : "") + (chart.judged === false ? ", the deeper the more" : ", the deeper the better"), svg("rect", { x: 0, y: 1, width: 11, height: 10, class: "tile", style: "--deep:20%" }), svg("rect", { x: 11, y: 1, width: 11, height: 10, class: "tile", style: "--deep:100%" }));
    if (chart.judged !== false) add("best", svg("rect", { x: 2, y: 1.5, width: 17, height: 9, class: "best-tile" }));
  }
  return legend;
}

// Charts by their figures.
const charts = new Map();
for (const figure of document.querySelectorAll("figure.chart:not([data-drawn])")) {
  figure.dataset.drawn = "yes";
  figure.querySelector("details.figures").open = false;
  charts.set(figure, new Chart(figure, JSON.parse(figure.querySelector("script").textContent)));
}

// A figure for a chart that a script makes, with the table that others get from the package.
function figureOf(chart) {
  const figure = element("figure", undefined, "chart " + chart.kind), head = element("figcaption");
  head.append(element("h3", chart.title), element("p", chart.shows), element("p", chart.seen));
  const box = element("details", undefined, "figures");
  box.append(element("summary", "These figures as a table"));
  figure.append(head, box);
  const drawn = new Chart(figure, chart);
  box.addEventListener("toggle", () => {
    if (!box.open || box.querySelector("table")) return;
    const titles = [...new Set(drawn.targets.flatMap((target) => target.facts.map(([title]) => title)))];
    const rows = drawn.targets.map((target) => {
      const facts = new Map(target.facts);
      return [target.title, ...titles.map((title) => facts.get(title) ?? "")];
    });
    const table = tableOf([chart.what || "", ...titles], rows, new Set(titles.map((_, i) => i + 1))), scroll = element("div", undefined, "scroll");
    sortable(table);
    scroll.append(table);
    reachable(scroll);
    box.append(scroll);
  });
  return figure;
}
