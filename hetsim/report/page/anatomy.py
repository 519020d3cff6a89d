"""What the fastest run of each network is made of: memory over time, rooflines, bytes, energy.

A section of the page for each; whoever wants them of another run has ``operators.csv`` and
``result.json``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hetsim.analysis.launches import TIMES, OperatorRow
from hetsim.analysis.residents import KINDS, Resident, occupancy, on_chip, peaks
from hetsim.analysis.result import Result, Run
from hetsim.analysis.traffic import CLASSES
from hetsim.report.page.charts import Axis, Bar, Bars, Chart, Guide, Line, Plot, Point, Segment
from hetsim.report.page.charts import Series as Entry
from hetsim.report.page.study import Section
from hetsim.report.page.tables import LONGEST, Cell, Table
from hetsim.report.palette import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, YELLOW
from hetsim.report.summary import best_run, models_of, share_text, tidy_time
from hetsim.soc.model import SoC
from hetsim.units import format_quantity

STEPS = 400
"""Moments of a chart over time; of more, the one that holds most in each stretch is shown."""

LARGEST = 12
"""Kernels of a chart of kernels."""

NAMED = 6
"""Kernels that a roofline names: those that take longest."""

GIGA = 1e9

BOUNDS = {
    "compute": Entry("arithmetic", BLUE),
    "memory": Entry("bus and memory", SKY),
    "contention": Entry("others' transfers", VERMILION),
    "dma": Entry("DMA engines", GREEN),
    "dma_setup": Entry("DMA set-up", PURPLE),
    "dispatch": Entry("launch", YELLOW),
    "sharing": Entry("cores", ORANGE),
}
"""What bounds a kernel, in words."""


def anatomy(result: Result) -> list[Section]:
    """A section for the fastest run of each network; none for those that left no trace.

    Of several networks they are folded: a reader looks at one at a time.
    """
    found = []
    for model in models_of(result):
        run = best_run(result, model)
        if run is not None and run.residents:
            found.append(_section(run, result.soc))
    return [replace(section, folded=len(found) > 1) for section in found]


def _section(run: Run, soc: SoC) -> Section:
    charts: list[Chart] = [_memory(run, soc, name) for name in soc.spec.memory if _in(run, name)]
    charts += [_roofline(run, pu.name) for pu in soc.pus if _plotted(run, pu.name)]
    charts.append(_bytes(run))
    if run.energy_j is not None:
        charts += [_energy(run), _costliest(run)]
    title = f"{run.model} with {run.scheduler}: memory, kernels, bytes"
    return Section(title, table=_peaks(run, soc), charts=charts)


def _in(run: Run, memory: str) -> list[Resident]:
    return [row for row in run.residents if row.memory == memory]


def _memory(run: Run, soc: SoC, memory: str) -> Plot:
    """Everything in a memory over time, stacked by kind."""
    rows, end = _in(run, memory), run.makespan_s or 0.0
    times = _moments(rows, end)
    kinds = [kind for kind in KINDS if any(row.kind == kind for row in rows)]
    below = [0.0] * len(times)
    lines = []
    for number, kind in enumerate(kinds):
        values = _at([row for row in rows if row.kind == kind], times)
        top = [low + value for low, value in zip(below, values, strict=True)]
        points = [*zip(times, top, strict=True), (end, top[-1])]
        lines.append(Line(points, "", number, step=True, base=[*below, below[-1]]))
        below = top
    capacity = float(soc.spec.memory[memory].capacity)
    most = max(below)
    near = most > 0.4 * capacity
    peak = peaks(rows)[memory]
    return Plot(
        f"{memory} over time",
        "What lies there while an inference runs: weights, inputs and outputs throughout,"
        " activations from their maker's start to the end of their last reader.",
        f"At most {_size(peak.bytes)} at once, {share_text(peak.bytes / capacity)} of its"
        f" {_size(capacity)}, from {tidy_time(peak.at_s)} on.",
        Axis("time", "time"),
        Axis("bytes held", "size"),
        lines=lines,
        series=[Entry(kind) for kind in kinds],
        guides=[Guide("capacity", capacity, "y", "above")] if near else [],
    )


def _moments(rows: Sequence[Resident], end: float) -> list[float]:
    """When what is held changes; of many, the moments that hold most in as many stretches."""
    times, values = occupancy(rows)
    known = [(time, value) for time, value in zip(times, values, strict=True) if time < end]
    if len(known) <= STEPS:
        return [time for time, _ in known]
    best: dict[int, tuple[float, int]] = {0: known[0]}
    for time, value in known:
        place = int(time / end * STEPS)
        if place not in best or value > best[place][1]:
            best[place] = time, value
    return [time for time, _ in sorted(best.values())]


def _at(rows: Sequence[Resident], moments: Sequence[float]) -> list[float]:
    """Bytes that ``rows`` take at each of ``moments``, ascending."""
    times, values = occupancy(rows)
    found, place, now = [], 0, 0
    for moment in moments:
        while place < len(times) and times[place] <= moment:
            now = values[place]
            place += 1
        found.append(float(now))
    return found


def _peaks(run: Run, soc: SoC) -> Table:
    chips = {on_chip(pu): pu.share * pu.spec.on_chip_memory for pu in soc.pus}
    rows: list[list[str | Cell]] = []
    for name, peak in peaks(run.residents, 3).items():
        room = float(soc.spec.memory[name].capacity) if name in soc.spec.memory else chips[name]
        most = ", ".join(f"{_size(row.bytes)} {row.kind} {row.name}" for row in peak.largest)
        rows.append([
            name, Cell(_size(peak.bytes), peak.bytes), Cell(_size(room), room),
            Cell(share_text(peak.bytes / room), peak.bytes / room),
            Cell(tidy_time(peak.at_s), peak.at_s), most,
        ])  # fmt: skip
    columns = ["memory", "holds at most", "of", "share", "first at", "most of it"]
    return Table(columns, rows, "The fullest moment of each memory, on-chip memory included.")


# -- kernels


def _plotted(run: Run, pu: str) -> list[OperatorRow]:
    return [
        row for row in run.operators
        if row.pu == pu and row.rate > 0.0 and row.intensity is not None
    ]  # fmt: skip


def _roofline(run: Run, pu: str) -> Plot:
    """The kernels of a unit under its peaks and links, by what bounds them."""
    own = sorted(_plotted(run, pu), key=lambda row: -row.seconds)
    shown = own[:LONGEST]
    bounds = [name for name in TIMES if any(row.bound == name for row in shown)]
    total = math.fsum(row.seconds for row in run.operators if row.pu == pu)
    points = [
        Point(
            row.intensity or 0.0,
            row.rate / GIGA,
            row.operators,
            bounds.index(row.bound),
            facts=_kernel_facts(row, total),
            strong=number < NAMED,
        )
        for number, row in enumerate(shown)
    ]
    lines, names = _roofs(own, len(bounds))
    first = max(bounds, key=lambda name: math.fsum(r.seconds for r in own if r.bound == name))
    share = math.fsum(row.seconds for row in own if row.bound == first) / total
    seen = f"{share_text(share, 0)} of its kernels' time is bound by {BOUNDS[first].name}."
    if len(own) > len(shown):
        seen += f" The {len(shown)} longest of {len(own):,} kernels."
    unmoved = sum(row.pu == pu and row.intensity is None for row in run.operators)
    if unmoved:
        seen += f" Not shown, because no bytes moved: {unmoved}."
    return Plot(
        f"{pu}: kernels under its roofs",
        "A point is a kernel as it ran, launch and waiting included: operations for each byte of"
        " its slowest link, and per second. One multiply-accumulate is one operation; of kernels"
        " without any, element-wise operations count. No kernel can be above its peak (level) nor"
        " above its slowest link (slanted), which the pointer tells.",
        seen,
        Axis("operations per byte", unit="op/B", log=True),
        Axis("operations per second", unit="Gop/s", log=True),
        points=points,
        lines=lines,
        series=[*(BOUNDS[name] for name in bounds), *names],
        what="kernel",
    )


def _kernel_facts(row: OperatorRow, total: float) -> list[tuple[str, str]]:
    facts = [
        ("kinds", row.kinds),
        ("takes", f"{tidy_time(row.seconds)} ({share_text(row.seconds / total)})"),
        ("bound", BOUNDS[row.bound].name),
        ("peak", row.roof),
        ("slowest link", row.link),
    ]
    if row.ceiling:
        facts.append(("of what its roofs allow", share_text(row.rate / row.ceiling)))
    return facts


def _roofs(rows: Sequence[OperatorRow], first: int) -> tuple[list[Line], list[Entry]]:
    """The peaks and links that ``rows`` ran under, as lines, and their entries in the legend."""
    peak = {row.roof: row.roof_per_s / GIGA for row in rows if row.roof_per_s}
    link = {row.link: row.link_bytes_per_s / GIGA for row in rows}
    intensities = [row.intensity for row in rows if row.intensity]
    left, right = min(intensities) / 2, max(intensities) * 2
    top = max([*peak.values(), *(row.rate / GIGA for row in rows)])
    steepest = max(link.values())
    left = min(left, *(value / steepest / 2 for value in peak.values())) if peak else left
    right = max(right, *(value / steepest * 4 for value in peak.values())) if peak else right
    lines = []
    for name, value in link.items():
        ends = sorted({left, min(max(top / value, left * 2), right)})
        points = [(x, x * value) for x in ends]
        lines.append(Line(points, f"{name} {format_quantity(value * GIGA, 'bandwidth')}", first))
    for name, value in peak.items():
        start = min(max(value / steepest, left), right)
        lines.append(Line([(start, value), (right, value)], f"{name} {value:.4g} G/s", first + 1))
    names = [Entry("links", GREY), Entry("peaks", "#000000")]
    return lines, names if peak else names[:1]


# -- bytes and energy


def _bytes(run: Run) -> Bars:
    kinds = [kind for kind in CLASSES if any(kind in link.classes for link in run.links.values())]
    moved = {name: link for name, link in run.links.items() if link.bytes}
    again = sum(link.classes.get("refetch", 0) for link in moved.values())
    total = sum(link.bytes for link in moved.values()) or 1
    return Bars(
        "Whose bytes crossed the links",
        "The bytes of each link and memory by class: what is read more than once because tiles do"
        " not fit is refetch, what the host converts and copies is crossings.",
        f"{share_text(again / total)} of all bytes are read again." if again else "Nothing is read"
        " again.",
        Axis("bytes", "size"),
        [
            Bar(name, _stacked(link.classes.get(kind, 0) for kind in kinds), text=_size(link.bytes))
            for name, link in moved.items()
        ],
        what="link",
        series=[Entry(kind) for kind in kinds],
        stacked=True,
    )  # fmt: skip


def _energy(run: Run) -> Bars:
    units = dict.fromkeys(row.pu for row in run.operators)
    parts = {
        f"{pu} kernels": math.fsum(row.energy_j for row in run.operators if row.pu == pu)
        for pu in units
    } | dict(run.energy_apart)
    total = run.energy_j or 1.0
    first = max(parts, key=lambda name: parts[name])
    return Bars(
        "Energy by part",
        "Kernels at their unit's active power, with what moving their bytes takes; apart from them"
        " idling, completion, and what the host moves.",
        f"{_joules(total)} in all; {share_text(parts[first] / total, 0)} of it {first}.",
        Axis("energy", "energy"),
        [
            Bar(name, [Segment(value)], facts=[("share", share_text(value / total))])
            for name, value in sorted(parts.items(), key=lambda item: -item[1])
        ],
        what="part",
    )


def _costliest(run: Run) -> Bars:
    rows = sorted(run.operators, key=lambda row: -row.energy_j)[:LARGEST]
    share = math.fsum(row.energy_j for row in rows) / (run.energy_j or 1.0)
    return Bars(
        "Kernels that take most energy",
        "Each with its unit's active power and what moving its bytes takes.",
        f"These {len(rows)} of {len(run.operators):,} kernels take {share_text(share, 0)} of all.",
        Axis("energy", "energy"),
        [
            Bar(
                row.operators, [Segment(row.energy_j)],
                facts=[("unit", row.pu), ("kinds", row.kinds), ("takes", tidy_time(row.seconds))],
            )
            for row in rows
        ],
        what="kernel",
    )  # fmt: skip


def _stacked(amounts: Iterable[float]) -> list[Segment]:
    """One behind the other, each of its own series; nothing for what is not there."""
    found, start = [], 0.0
    for number, amount in enumerate(amounts):
        if amount:
            found.append(Segment(start + amount, start, number))
            start += amount
    return found


def _size(amount: float) -> str:
    return format_quantity(amount, "size")


def _joules(amount: float) -> str:
    return format_quantity(amount, "energy").replace(" u", " µ")
