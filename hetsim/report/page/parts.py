"""Parts of a makespan (:mod:`hetsim.analysis.attribution`) as pieces of a stacked bar."""

from __future__ import annotations

from collections.abc import Mapping

from hetsim.report.page.charts import Segment, Series
from hetsim.report.palette import PARTS

PARTS_SERIES = tuple(Series(style.label, style.colour, style.hatch) for style in PARTS.values())
"""The legend, in the order in which the parts are shown."""


def parts_of(attribution: Mapping[str, float]) -> tuple[Segment, ...]:
    """The parts (seconds) that are not nothing, one behind the other."""
    pieces, at = [], 0.0
    for i, part in enumerate(PARTS):
        seconds = attribution.get(part, 0.0)
        if seconds > 0.0:
            pieces.append(Segment(at + seconds, at, i))
            at += seconds
    return tuple(pieces)
