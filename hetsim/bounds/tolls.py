"""The host's work at crossings, alone on an idle SoC."""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.bounds.floors import NOTHING, Least
from hetsim.bounds.kernels import drag
from hetsim.cost.crossing import Crossings
from hetsim.cost.reach import Reach
from hetsim.cost.work import Kernel, Step
from hetsim.soc.model import PU, SoC
from hetsim.workload.graph import Graph


class Tolls:
    """Crossings of one network's tensors on one SoC."""

    def __init__(self, graph: Graph, soc: SoC, transfers: int) -> None:
        self._reach = Reach.of(soc.host, transfers)
        self._crossings = Crossings(graph, soc)
        self._known: dict[tuple[str, int | None, int | None], Least] = {}
        self._cores = soc.host.spec.thread_cores

    def toll(self, tensor: str, source: int | None, target: int | None) -> Least:
        """As in :class:`~hetsim.bounds.floors.Floors`."""
        key = (tensor, source, target)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._measure(self.steps(*key))
        return found

    def steps(self, tensor: str, source: int | None, target: int | None) -> Sequence[Step]:
        """What the host does in the partition that reads ``tensor``, or for the application."""
        crossings = self._crossings
        if target is None:
            assert source is not None, "the application reads what a unit made"
            return crossings.leaving(tensor, source, output=True)
        return (*crossings.copying(tensor), *crossings.entering(tensor, source, target))

    def handing(self, tensor: str, source: int) -> Least:
        """As in :class:`~hetsim.bounds.floors.Floors`."""
        return self._measure(self.handing_steps(tensor, source))

    def handing_steps(self, tensor: str, source: int) -> Sequence[Step]:
        """What the host does in the partition that made ``tensor``, for all readers."""
        if not self._crossings.by_host:
            return ()
        return self._crossings.leaving(tensor, source, output=False)

    def around(self, kernel: Kernel, pu: PU) -> float:
        """Seconds of host work before and after ``kernel``."""
        before, after = self._crossings.around(kernel.inputs, kernel.outputs, pu)
        return self._measure((*before, *after)).alone

    def _measure(self, steps: Sequence[Step]) -> Least:
        if not steps:
            return NOTHING
        reach = self._reach
        seconds = delay = 0.0
        drags: list[float] = []
        for step in steps:
            seconds += max(step.seconds, reach.seconds(step.read, step.written))
            if step.bytes:
                seconds += reach.nearest
                delay += reach.farthest
            drags.append(drag(step.seconds, step.bytes / reach.narrowest, self._cores, 1))
        return Least(seconds, (), delay, min(drags))
