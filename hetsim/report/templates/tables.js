// Tables whose headings sort: by value, not by text. 900 µs comes before 8 ms, and no value comes last.
const NUMBER = /^[×+]?\s*([-−+]?[\d,]*\.?\d+(?:[eE][-+]?\d+)?)\s*(.*)$/;
const FACTOR = new Map(Object.values(UNITS).flat());
function keyOf(text) {
  const match = NUMBER.exec(text);
  if (text === "" || text === "–") return null;
  return match ? Number(match[1].replace("−", "-").replaceAll(",", "")) * (FACTOR.get(match[2].split(" ")[0]) ?? 1) : text;
}
// Of pairs [key, what], what in the order of its keys.
function sortedBy(keyed, sign) {
  const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  keyed.sort(([a], [b]) => (a === null) - (b === null) || (a === null ? 0 : sign * compare(a, b)));
  return keyed.map(([, what]) => what);
}

// Headings become buttons that call `sort` with the column and 1 or -1.
function sortHeads(table, sort) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = element("button", head.textContent, "sort");
    button.type = "button";
    if (!head.textContent) button.setAttribute("aria-label", "sort by this column");
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      sort(column, up ? 1 : -1);
    });
  });
}
function sortable(table) {
  const body = table.tBodies[0];
  if (body.rows.length > 1) sortHeads(table, (column, sign) => {
    const keyed = [...body.rows].map((row) => {
      const cell = row.cells[column];
      return [cell ? (cell.dataset.key === undefined ? keyOf(cell.textContent.trim()) : Number(cell.dataset.key)) : null, row];
    });
    body.append(...sortedBy(keyed, sign));
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

function tableOf(titles, rows, numeric) {
  const table = element("table", undefined, "sortable"), head = table.createTHead().insertRow();
  titles.forEach((title, i) => {
    const cell = element("th", title, numeric.has(i) ? "n" : "");
    cell.scope = "col";
    head.append(cell);
  });
  table.createTBody().append(...rows.map((row) => rowOf(row, numeric)));
  return table;
}
function rowOf(row, numeric) {
  const line = element("tr");
  row.forEach((value, i) => {
    const cell = element(i || !value ? "td" : "th", undefined, numeric.has(i) ? "n" : "");
    if (!i && value) cell.scope = "row";
    if (value instanceof Node) cell.append(value); else cell.textContent = value;
    line.append(cell);
  });
  return line;
}
