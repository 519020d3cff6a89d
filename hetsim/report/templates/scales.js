// Scales: from values to pixels, with ticks at round values about `room` pixels apart. `over` is the
// share of an axis from nothing that is left free behind the greatest value.
function scaleOf(axis, values, from, to, room, over = 0) {
  if (axis.most !== undefined) values = [...values, axis.most];
  const known = values.filter((value) => Number.isFinite(value) && (!axis.log || value > 0));
  if (axis.names) return nameScale(axis, from, to);
  const count = Math.max(2, Math.abs(to - from) / room), low = Math.min(...known), high = Math.max(...known);
  if (!known.length) return linearScale(axis, 0, 1, from, to, count, over);
  return axis.log ? logScale(axis, low, high, from, to, count) : linearScale(axis, low, high, from, to, count, over);
}

function linearScale(axis, low, high, from, to, count, over) {
  if (axis.zero !== false) { low = Math.min(0, low * (1 + over)); high = Math.max(0, high * (1 + over)); }
  else { const pad = 0.05 * (high - low); low -= pad; high += pad; }
  if (low === high) { const pad = Math.abs(high) / 2 || 1; low -= axis.zero !== false && low >= 0 ? 0 : pad; high += pad; }
  const [unit, factor] = axis.dimension ? unitFor(axis.dimension, Math.max(Math.abs(low), Math.abs(high))) : [axis.unit || "", 1];
  const step = niceStep((high - low) / factor / count), decimals = decimalsOf(step), ticks = [];
  for (let k = Math.ceil(low / factor / step - 1e-9); k * step * factor <= high + 1e-9 * (high - low); k++)
    ticks.push({ at: k * step * factor, text: grouped(Number((k * step).toFixed(decimals))) });
  return { to: (value) => from + (value - low) / (high - low) * (to - from), ticks, unit, low, high };
}

function logScale(axis, low, high, from, to, count) {
  const pad = low === high ? 2 : Math.max(1.05, (high / low) ** 0.04);
  low /= pad; high *= pad;
  const span = Math.log(high / low), base = axis.dimension === "size" ? 2 : 10, powers = span / Math.log(base);
  const every = Math.max(1, Math.ceil(powers / count)), between = base === 10 && powers * 3 <= count ? [1, 2, 5] : [1];
  const one = axis.dimension ? unitFor(axis.dimension, low)[1] : 1, ticks = [];  // so that 1 MiB is a tick, whatever the base
  for (let k = Math.floor(Math.log(low / one) / Math.log(base)); one * base ** k <= high; k++)
    for (const times of k % every ? [] : between) {
      const at = times * base ** k * one;
      if (at >= low && at <= high) ticks.push({ at, text: onAxis(axis, at) });
    }
  if (ticks.length < 2) ticks.splice(0, 9, ...[low * pad, high / pad].map((at) => ({ at, text: onAxis(axis, at, 3) })));
  return { to: (value) => from + Math.log(Math.max(value, low) / low) / span * (to - from), ticks, unit: "", low, high };
}

function nameScale(axis, from, to) {
  const step = (to - from) / axis.names.length;
  const ticks = axis.names.map((text, at) => ({ at, text }));
  return { to: (at) => from + (at + 0.5) * step, ticks, unit: "", step, low: 0, high: axis.names.length - 1 };
}

function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((m) => m * power >= least * 0.999);
}
const decimalsOf = (step) => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

// What stands along an axis: words, and the unit where the ticks do not say it.
const axisTitle = (axis, scale) => axis.label + (scale.unit ? ` (${scale.unit})` : "");
