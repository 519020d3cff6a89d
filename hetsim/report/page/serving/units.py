"""What the units did in the stretches of a run that were traced, for its timeline."""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.analysis.serving.result import ServedRun
from hetsim.report.lanes import nanoseconds, rows_of
from hetsim.report.palette import style_of
from hetsim.sim.serving.sample import Window
from hetsim.sim.trace import Span
from hetsim.soc.model import SoC

MOST = 6_000
"""Spans of a run; each takes some 20 bytes."""

Json = dict[str, object]


def units_of(run: ServedRun, soc: SoC) -> Json:
    """Rows of spans on units, and the windows in which these are all there are.

    Times are nanoseconds, starts as steps from the span before. Windows of the slowest inferences
    come first; what would be more than :data:`MOST` spans is left out window by window.
    """
    assert run.served is not None
    served, trace = run.served, run.served.trace
    rows = [row for row in rows_of(trace, soc) if row.role == "pu"] if trace.spans else []
    spans = [[trace.spans[i] for i in row.spans] for row in rows]
    windows = _windows(served.windows, spans)
    names = [found.stream.name for found in run.streams]
    owner = {
        number: names.index(name)
        for name, ledger in served.ledgers.items() if name in names
        for number in ledger.number.tolist()
    }  # fmt: skip
    texts: dict[str, int] = {}
    told = []
    for row, own in zip(rows, spans, strict=True):
        columns: dict[str, list[int]] = {k: [] for k in ("start", "time", "of", "number", "name")}
        before = 0
        for span in own:
            if not any(w.start_s <= span.end and span.start <= w.end_s for w in windows):
                continue
            start = nanoseconds(span.start)
            columns["start"].append(start - before)
            columns["time"].append(nanoseconds(span.end) - start)
            columns["of"].append(owner.get(span.inference, -1))
            columns["number"].append(span.inference)
            name = f"{style_of(span.kind).label} {span.name}".strip()
            columns["name"].append(texts.setdefault(name, len(texts)))
            before = start
        told.append({"label": row.label, **columns})
    return {
        "rows": told,
        "texts": list(texts),
        "windows": [
            [nanoseconds(w.start_s), nanoseconds(w.end_s), w.why, w.stream, w.number]
            for w in windows
        ],
    }


def _windows(windows: Sequence[Window], rows: Sequence[Sequence[Span]]) -> list[Window]:
    """As many as have room, the slowest first; by time."""
    chosen: list[Window] = []
    room = MOST
    order = sorted(windows, key=lambda w: (w.why == "random", w.start_s - w.end_s))
    for window in order:
        inside = sum(
            window.start_s <= span.end and span.start <= window.end_s
            for own in rows for span in own
        )  # fmt: skip
        if inside <= room:
            room -= inside
            chosen.append(window)
    return sorted(chosen, key=lambda w: w.start_s)
