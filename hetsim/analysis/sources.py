"""Where the costs of a run came from: how much was measured, and what is worth measuring next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from hetsim.analysis.launches import OperatorRow
from hetsim.analysis.result import Run


@dataclass(frozen=True, slots=True)
class SourceShare:
    """Kernels whose cost one source knew: how many, their time alone, and the share of all."""

    source: str
    kernels: int
    seconds: float
    share: float


def cost_sources(rows: Iterable[OperatorRow]) -> tuple[SourceShare, ...]:
    """The kernels of a run by source of their cost, largest share of time first."""
    count: defaultdict[str, int] = defaultdict(int)
    seconds: defaultdict[str, float] = defaultdict(float)
    for row in rows:
        count[row.cost_source] += 1
        seconds[row.cost_source] += row.alone_s
    total = sum(seconds.values()) or 1.0
    order = sorted(count, key=lambda name: (-seconds[name], name))
    return tuple(SourceShare(n, count[n], seconds[n], seconds[n] / total) for n in order)


def unmeasured(rows: Iterable[OperatorRow], limit: int = 5) -> tuple[OperatorRow, ...]:
    """The kernels nobody measured that take longest alone."""
    others = [row for row in rows if not row.cost_source.startswith("measured")]
    return tuple(sorted(others, key=lambda row: (-row.alone_s, row.operators))[:limit])


def source_note(run: Run, limit: int = 3) -> str | None:
    """One line about a run's costs; ``None`` when it failed."""
    if run.error is not None or not run.operators:
        return None
    shares = ", ".join(
        f"{part.kernels} {part.source} ({part.share:.0%} of time)"
        for part in cost_sources(run.operators)
    )
    text = f"costs of {run.model} / {run.scheduler}: {shares}"
    missing = unmeasured(run.operators, limit)
    if missing:
        listed = ", ".join(
            f"{row.operators} on {row.pu} {row.alone_s * 1e6:.4g} us" for row in missing
        )
        text += f"; longest not measured: {listed}"
    return text


def source_notes(runs: Iterable[Run]) -> list[str]:
    """:func:`source_note` of the fastest run of every network."""
    best: dict[str, Run] = {}
    for run in runs:
        if run.makespan_s is None:
            continue
        other = best.get(run.model)
        if other is None or other.makespan_s is None or run.makespan_s < other.makespan_s:
            best[run.model] = run
    return [note for run in best.values() if (note := source_note(run)) is not None]
