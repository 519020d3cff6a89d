"""What the host does when a tensor passes from one PU to another, or from and to the application.

A PU's :class:`~hetsim.soc.pu.Crossing` is the road between host format and its own. From PU a
to PU b a tensor leaves a's format (unless that is the host's), then enters b's. PUs of equal format
pass tensors as they are. Cache maintenance is needed when exactly one side is outside the coherent
domain; a copy when a side insists on a buffer of its own.
"""

from __future__ import annotations

from hetsim.cost.work import Step
from hetsim.soc.model import PU, SoC
from hetsim.soc.pu import Crossing
from hetsim.workload.graph import Graph, Tensor

Format = tuple[str, str]


class Crossings:
    """Crossing steps of one network's tensors on one SoC, cached."""

    def __init__(self, graph: Graph, soc: SoC) -> None:
        self._graph = graph
        self._soc = soc
        self._cache: dict[tuple[str, int, int], tuple[Step, ...]] = {}

    def steps(self, tensor: str, source: int | None, target: int | None) -> tuple[Step, ...]:
        """Host steps that make ``tensor``, left by PU ``source``, readable by ``target``.

        PU indices; ``None`` is the application, whose format is the host's.
        """
        host = self._soc.host.index
        key = (tensor, host if source is None else source, host if target is None else target)
        found = self._cache.get(key)
        if found is None:
            pus = self._soc.pus
            found = self._cache[key] = tuple(
                self._build(self._graph.tensors[tensor], pus[key[1]], pus[key[2]])
            )
        return found

    def _build(self, tensor: Tensor, source: PU, target: PU) -> list[Step]:
        if source.cluster == target.cluster:
            return []
        host = _format(self._soc.host, tensor)
        steps: list[Step] = []
        if _format(source, tensor) != _format(target, tensor):
            for pu in (source, target):
                if _format(pu, tensor) != host:
                    steps.append(_convert(tensor, pu, self._soc.host))
        leaving, entering = source.spec.crossing, target.spec.crossing
        if (leaving.cache_maintenance is None) != (entering.cache_maintenance is None):
            side, pu = (leaving, source) if leaving.cache_maintenance else (entering, target)
            steps.append(_maintain(tensor, pu, side))
        for side, pu in ((leaving, source), (entering, target)):
            if side.copy_rate is not None:
                size = tensor.bytes_as(pu.stored_dtype(tensor.dtype))
                steps.append(Step("copy", tensor.name, size / side.copy_rate, 2 * size))
        return steps


def _format(pu: PU, tensor: Tensor) -> Format:
    return pu.stored_dtype(tensor.dtype), pu.spec.layout


def _convert(tensor: Tensor, pu: PU, host: PU) -> Step:
    """Between host format and ``pu``'s, in either direction."""
    crossing = pu.spec.crossing
    inside, outside = pu.stored_dtype(tensor.dtype), host.stored_dtype(tensor.dtype)
    seconds = 0.0
    if inside != outside:
        seconds += tensor.elements * crossing.quantise
    if pu.spec.layout != host.spec.layout:
        seconds += tensor.elements * crossing.relayout
    moved = tensor.bytes_as(inside) + tensor.bytes_as(outside)
    return Step("convert", tensor.name, seconds, moved)


def _maintain(tensor: Tensor, pu: PU, crossing: Crossing) -> Step:
    assert crossing.cache_maintenance is not None
    size = tensor.bytes_as(pu.stored_dtype(tensor.dtype))
    return Step("cache", tensor.name, size / crossing.cache_maintenance)
