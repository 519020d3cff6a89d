"""What-if studies as people read them, made from what ``whatif.json`` says: tables, charts, words.

The study's own page, its terminal table, notebooks and the section in a run's report
(``hetsim report --whatif``) all come from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hetsim.analysis.result import Result
from hetsim.errors import ResultsError
from hetsim.report.files.whatiffile import Change, Network, Parameter, read_whatif
from hetsim.report.page.charts import Axis, Bar, Bars, Guide, Mark, Segment, Series
from hetsim.report.page.study import Section
from hetsim.report.page.tables import Cell, Table
from hetsim.report.summary import share_text, tidy_time

_SHORT = {
    "compute": "compute",
    "bus_contention": "bus",
    "unavoidable_transfer": "transfer",
    "dma_wait": "DMA",
    "dispatch_and_crossing": "crossing",
    "core_sharing": "cores",
    "dependency_wait": "waiting",
    "barrier_wait": "fork, join",
    "plan": "plan",
}
"""Parts of the critical path in a word, and another plan."""


_SEEN = 1e-3
"""A plan that takes longer by a smaller share is drawn as if it were the best one."""

_SIDES = ("lowered", "raised", "other")


def whatif_sections(place: Path, result: Result) -> tuple[Section, ...]:
    """One section per network of the study in ``place`` (a directory, or its ``whatif.json``).

    ``result`` is what the report is about; a study that started from other times says so.

    Raises:
        ResultsError: no such study, damaged, of another version, or of another scenario.
    """
    path, study = read_whatif(place)
    if study.scenario != result.scenario:
        raise ResultsError(
            f"{path} is about scenario {study.scenario!r}, the result about {result.scenario!r}"
        )
    return tuple(
        network_section(network, study.soc, f"What if: {network.model}", _other(network, result))
        for network in study.networks
    )


def _other(network: Network, result: Result) -> str:
    run = result.find(network.model, network.scheduler)
    here = None if run is None else run.makespan_s
    own = network.own_us
    if here is None or abs(here * 1e6 - own) <= 1e-6 * own:
        return ""
    return (
        f"The study started from {tidy_time(own / 1e6)}, this result says {tidy_time(here)}:"
        " they were not made from the same inputs."
    )


def network_section(
    network: Network, soc: str, title: str, remark: str = "", *, headed: bool = False
) -> Section:
    """The sentence (unless it is the page's headline), the chart and the table of one network."""
    lines = ("" if headed else network.sentence, remark, *remarks(network))
    charts = [tornado(network, soc)] if network.of("told") else []
    return Section(title, [line for line in lines if line], full_table(network), charts)


def remarks(network: Network) -> Iterator[str]:
    """Where the time goes, what the noise is, what was drowned, odd, without effect, impossible."""
    base = network.makespan_us
    parts = {name: us for name, us in network.attribution_us.items() if us > 5e-4 * base}
    order = sorted(parts, key=lambda name: (-parts[name], name))
    if parts:
        text = ", ".join(f"{n.replace('_', ' ')} {parts[n] / base:.1%}" for n in order)
        yield f"Along the critical path: {text}."
    yield network.noise
    drowned = [f"{p.name} ({_widest(p, base)})" for p in network.of("drowned")]
    if drowned:
        yield f"No effect that the scheduler does not drown: {', '.join(drowned)}."
    for parameter in network.parameters:
        yield from (change.oddity for change in parameter.changes if change.oddity)
    idle = [p for p in network.of("none") if any(c.best_us is not None for c in p.changes)]
    if idle:
        yield f"Without noticeable effect: {', '.join(p.name for p in idle)}."
    for parameter in network.parameters:
        for change in parameter.changes:
            if change.error is not None:
                reason = change.error.partition("\n")[0]
                what = "Not possible" if change.best_us is None else "Only by plans made for others"
                yield f"{what}: {parameter.name} = {change.to} ({reason})."


def _widest(parameter: Parameter, base: float) -> str:
    """The range of what a parameter may save, over all its changes."""
    known = [c for c in parameter.changes if c.best_us is not None]
    shortest = min(base, *(c.shortest_us or base for c in known))
    longest = max(base, *(c.longest_us or base for c in known))
    return f"{_saved(longest, base)[:-1]}…{_saved(shortest, base)}"


def brief_table(network: Network) -> Table:
    """A line per change of what stands out, narrow enough for a terminal."""
    rows = [
        ("" if i else p.name, c.to, _saved(c.best_us, base), _range(c, base), _place(c, base))
        for base in [network.makespan_us]
        for p in network.of("told")
        for i, c in enumerate(c for c in p.changes if c.best_us is not None)
    ]
    return Table(("parameter", "change", "saves", "range", "where"), rows, words=("where",))


def _saved(us: float | None, base: float) -> str:
    return "–" if us is None else share_text(1 - us / base).replace("-", "−")


def _range(change: Change, base: float) -> str:
    if change.shortest_us is None or change.longest_us is None:
        return ""
    low, high = _saved(change.longest_us, base), _saved(change.shortest_us, base)
    return "" if low == high else f"{low[:-1]}…{high}"


def _place(change: Change, base: float) -> str:
    """Where most of the difference lies, in two words."""
    slower = change.best_us is not None and change.best_us > base
    found = [m for m in change.moved if m.us and (m.us > 0) == slower]
    if not found or change.verdict == "none":
        return ""
    first = next((m for m in found if m.part != "plan"), found[0])
    return f"{first.unit} {_SHORT[first.part]}"


def full_table(network: Network) -> Table:
    """A row per change, of all parameters."""
    base = network.makespan_us
    rows: list[list[str | Cell]] = [
        [p.name, p.now, c.to, *_figures(c, base), c.why, c.plan, _slope(p)]
        for p in network.of("told", "drowned")
        for c in p.changes
    ]
    columns = (
        "parameter", "now", "change", "best known", "saves", "range", "planned anew", "plan kept",
        "why", "plan made for", "elasticity",
    )  # fmt: skip
    caption = (
        "Every change by the best plan known for it; planned anew is the scheduler's own plan for"
        " the changed SoC, plan kept that for the SoC as it is."
    )
    return Table(columns, rows, caption, words=("why", "plan made for"))


def _slope(parameter: Parameter) -> Cell:
    value = parameter.elasticity
    return Cell("–" if value is None else f"{value:+.2f}", value)


def _figures(change: Change, base: float) -> tuple[Cell, ...]:
    best = change.best_us
    saves = None if best is None else 1 - best / base
    return (
        _time(best),
        Cell(_saved(best, base), saves),
        Cell(_range(change, base), saves),
        _time(change.replanned_us),
        _time(change.kept_us),
    )


def _time(us: float | None) -> Cell:
    return Cell("–" if us is None else tidy_time(us / 1e6), us)


def tornado(network: Network, soc: str) -> Bars:
    """A bar for each parameter that stands out, in the order of the tables.

    After T. Eschenbach, "Spiderplots versus tornado diagrams for sensitivity analysis"
    (Interfaces 22(6), 1992).
    """
    base = network.makespan_us / 1e6
    bars = [
        Bar(
            f"{p.name} ({p.now})",
            [_segment(c, base) for c in p.changes if c.verdict != "none"],
            [
                Mark(f"{side}, planned anew", c.replanned_us / 1e6)
                for side, c in zip(_SIDES, p.sides, strict=False)
                if c is not None and c.replanned_us is not None and c.best_us is not None
                if c.replanned_us > c.best_us * (1 + _SEEN)
            ],
            facts=[
                (
                    f"{side}: where",
                    "; ".join(f"{c.to}: {c.why}" for c in p.changes if c.why and _side(c) == i),
                )
                for i, side in enumerate(_SIDES)
            ],
        )
        for p in network.of("told")
    ]
    return Bars(
        f"What the parameters of {soc} are worth",
        f"The time of {network.model} with each parameter changed alone, by the best plan known.",
        "Whiskers are what a better plan may still change; a line is the plan that"
        f" {network.scheduler} makes for the changed SoC, where that is worse.",
        Axis(network.judged_by, "time", zero=False),
        bars,
        "parameter",
        [Series(name, hatch=hatch) for name, hatch in zip(_SIDES, ("/", "", "x"), strict=True)],
        [Guide("as it is", base)],
    )


def _side(change: Change) -> int:
    return 2 if change.factor is None else int(change.factor > 1)


def _segment(change: Change, base: float) -> Segment:
    assert change.best_us is not None
    ends = change.shortest_us, change.longest_us
    low, high = (None if us is None else us / 1e6 for us in ends)
    if low == high:
        low = high = None
    return Segment(change.best_us / 1e6, base, _side(change), change.to, low, high)
