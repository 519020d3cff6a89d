"""Memories that a run would fill beyond their size.

A network is refused when it cannot fit at all, running operator by operator. A plan that runs more
side by side, or converts between formats, holds more at once; the simulation goes on, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable

from hetsim.analysis.residents import peaks
from hetsim.analysis.result import Run
from hetsim.soc.model import SoC
from hetsim.units import format_quantity


def overflow_notes(runs: Iterable[Run], soc: SoC) -> list[str]:
    """A line for each run and memory of the SoC that would hold more than it has room for."""
    notes = []
    for run in runs:
        for memory, peak in peaks(run.residents).items():
            spec = soc.spec.memory.get(memory)
            if spec is not None and peak.bytes > spec.capacity:
                need, have = (format_quantity(n, "size") for n in (peak.bytes, spec.capacity))
                notes.append(
                    f"{run.model} / {run.scheduler}: {memory} would hold {need} at once, and has"
                    f" {have}; most of it {peak.largest[0].kind} ({peak.largest[0].name})"
                )
    return notes
