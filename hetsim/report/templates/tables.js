// Tables whose headings sort: by value, not by text. 900 µs comes before 8 ms, and no value comes last.
const NUMBER = /^[×+]?\s*([-−+]?[\d,]*\.?\d+(?:[eE][-+]?\d+)?)\s*(.*)$/;
const FACTOR = new Map(Object.values(UNITS).flat());
function keyOf(cell) {
  if (cell.dataset.key !== undefined) return Number(cell.dataset.key);
  const text = cell.textContent.trim(), match = NUMBER.exec(text);
  if (text === "" || text === "–") return null;
  return match ? Number(match[1].replace("−", "-").replaceAll(",", "")) * (FACTOR.get(match[2].split(" ")[0]) ?? 1) : text;
}
function compareKeys(a, b) {
  if (a === null || b === null) return 0;
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  if (body.rows.length < 2) return;
  heads.forEach((head, column) => {
    const button = element("button", head.textContent, "sort");
    button.type = "button";
    if (!head.textContent) button.setAttribute("aria-label", "sort by this column");
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending", sign = up ? 1 : -1;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const keyed = [...body.rows].map((row) => [row.cells[column] ? keyOf(row.cells[column]) : null, row]);
      keyed.sort(([a], [b]) => (a === null) - (b === null) || sign * compareKeys(a, b));
      body.append(...keyed.map(([, row]) => row));
    });
  });
}
for (const table of document.querySelectorAll("table.sortable:not([data-drawn])")) {
  table.dataset.drawn = "yes";
  sortable(table);
}

// What scrolls sideways can be reached with the keyboard, and only what does is a stop on the way.
function reachable(box) {
  new ResizeObserver(() => {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0; else box.removeAttribute("tabindex");
  }).observe(box);
}
for (const box of document.querySelectorAll(".scroll")) reachable(box);

// On paper everything that is folded away is shown.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const box of opened) box.open = true;
});
addEventListener("afterprint", () => { for (const box of opened) box.open = false; });
