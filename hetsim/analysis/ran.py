"""A program that ran: what everything in this room about its parts is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from hetsim.analysis.moments import JobMoments, moments
from hetsim.analysis.traffic import Moved, link_classes, moved_by
from hetsim.lower.program import Program
from hetsim.plan.model import Plan
from hetsim.sim.runtimes.base import Runtime
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph


@dataclass(frozen=True)
class Ran:
    """``plan`` of ``graph`` as ``program``, run once by ``runtime``; ``tiled``: tile by tile.

    ``trace`` must have its rows.
    """

    graph: Graph
    soc: SoC
    plan: Plan
    program: Program
    trace: Trace
    runtime: type[Runtime]
    tiled: bool = False

    @cached_property
    def jobs(self) -> tuple[JobMoments, ...]:
        """When everything took place, by position of the partition."""
        return moments(self.program, self.trace)

    @cached_property
    def moved(self) -> tuple[tuple[tuple[Moved, ...], ...], ...]:
        """What each kernel moved, by memory: by partition, then by launch."""
        hits: dict[int, dict[str, int]] = {}
        for hit in self.trace.hits:
            if hit.kind == "kernel" and not hit.inference:
                hits.setdefault(hit.position, {})[hit.name] = hit.bytes
        graph, soc, memories = self.graph, self.soc, self.plan.memories
        return tuple(
            tuple(moved_by(graph, soc, job, memories, hits.get(place, {}), tiled=self.tiled))
            for place, job in enumerate(self.program.jobs)
        )

    @cached_property
    def classes(self) -> dict[str, dict[str, int]]:
        """Bytes of every link by class."""
        return link_classes(self.soc, self.program, self.moved, self.trace.hits)
