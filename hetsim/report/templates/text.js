// Numbers for people, and elements with text. UNITS comes from the package: [unit, in SI], largest first.
function unitFor(dimension, size) {
  const units = UNITS[dimension], [, one] = units.find(([, factor]) => size >= 0.99995 * factor) || units.at(-1);
  return units.find(([, factor]) => factor === one);
}
function quantity(value, dimension, digits = 4) {
  if (value === 0) return "0";
  const [unit, factor] = unitFor(dimension, Math.abs(value));
  return Number((value / factor).toPrecision(digits)) + " " + unit;
}
function onAxis(axis, value, digits = 4) {
  if (value === null || value === undefined) return "–";
  if (axis.names) return axis.names[Math.round(value)] ?? "";
  if (axis.dimension) return quantity(value, axis.dimension, digits);
  return grouped(Number(value.toPrecision(digits))) + (axis.unit ? " " + axis.unit : "");
}
// Thousands apart from ten thousand on: 12,500, but 2026.
const grouped = (number) => Math.abs(number) >= 1e4 && Math.abs(number) < 1e15 ? number.toLocaleString("en") : String(number);

// Small shares keep a digit, so that a little is not shown as nothing.
function percent(share, digits = 0) {
  if (share === null) return "–";
  const value = Math.abs(share) < 0.0005 ? 100 * Math.abs(share) : 100 * share;  // no minus before nothing
  return value.toFixed(value && Math.abs(value) < 9.95 ? Math.max(digits, 1) : digits) + " %";
}

// Never markup, so that no name can become any.
function element(tag, text, className) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
}
