"""Lanes: how the spans of a trace are arranged in rows that never overlap.

Every picture (matplotlib, HTML, Perfetto) shows the same rows in the same order: processing units
in the order of the SoC file, each followed by its DMA engines, then host threads, then the
runtime. A lane whose spans overlap in time (two DMA engines, several host threads) becomes several
rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hetsim.sim.trace import Span, Trace
from hetsim.soc.model import SoC


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a picture: ``spans`` are positions in ``trace.spans``, by start, not overlapping.

    ``role`` is ``pu``, ``dma``, ``host``, ``runtime`` or ``other``; ``label`` is the lane's name,
    with ``#2``, ``#3``, ... for the further rows of a lane that needs more than one.
    """

    label: str
    lane: str
    role: str
    spans: tuple[int, ...]


def nanoseconds(seconds: float) -> int:
    """Whole nanoseconds: the grid on which rows are packed and traces are written."""
    return round(seconds * 1e9)


def rows_of(trace: Trace, soc: SoC) -> tuple[Row, ...]:
    """The rows of ``trace``. Every PU has one, even when it stayed idle."""
    by_lane: dict[str, list[int]] = {}
    for position, span in enumerate(trace.spans):
        by_lane.setdefault(span.lane, []).append(position)
    rows: list[Row] = []
    for lane, role in _lane_order(soc, by_lane):
        packed = _pack(trace.spans, by_lane.get(lane, []))
        rows += [
            Row(lane if i == 0 else f"{lane} #{i + 1}", lane, role, tuple(spans))
            for i, spans in enumerate(packed)
        ]
    return tuple(rows)


def explain(row: Row, soc: SoC) -> str:
    """What a row shows, in a sentence for people."""
    unit, _, served = row.lane.partition(":")
    pu = next((pu for pu in soc.pus if pu.name == row.lane.partition(".dma")[0]), None)
    if row.role == "pu" and pu is not None:
        kind = pu.spec.kind.replace("_", " ")
        text = f"what {pu.name} does" + ("" if kind == pu.name else f", which is a {kind}")
    elif row.role == "dma" and pu is not None:
        text = f"transfers by the DMA engines of {pu.name}"
    elif row.role == "host":
        text = (
            f"the thread on {unit} that serves {served}: conversions, cache maintenance, calls,"
            " waiting for it"
        )
    elif row.role == "runtime":
        text = "the runtime's main thread: forks and joins"
    else:
        text = f"what was noted about {row.lane}"
    return f"{text}; a further row, because some of it overlaps" if row.label != row.lane else text


def _lane_order(soc: SoC, used: dict[str, list[int]]) -> list[tuple[str, str]]:
    """Lanes to show with their roles: SoC order first, then whatever else the trace holds."""
    order: dict[str, str] = {}
    for pu in soc.pus:
        order[pu.name] = "pu"
        order.update((lane, "dma") for lane in used if lane.startswith(f"{pu.name}.dma"))
    for pu in soc.pus:  # ``CLUSTER:PU`` is the thread of a cluster that serves a PU
        order.update((lane, "host") for lane in used if lane.partition(":")[2] == pu.name)
    if "runtime" in used:
        order["runtime"] = "runtime"
    for lane in used:
        order.setdefault(lane, "other")
    return list(order.items())


def _pack(spans: Sequence[Span], members: list[int]) -> list[list[int]]:
    """Splits ``members`` into the fewest rows without overlap (first fit in order of start)."""
    keyed = sorted((nanoseconds(spans[i].start), nanoseconds(spans[i].end), i) for i in members)
    rows: list[list[int]] = [[]]
    free_at = [0]
    for start, end, position in keyed:
        row = next((r for r, free in enumerate(free_at) if free <= start), len(rows))
        if row == len(rows):
            rows.append([])
            free_at.append(0)
        rows[row].append(position)
        free_at[row] = end
    return rows
