"""What the host does when a tensor passes from one PU to another, or from and to the application.

A PU's :class:`~hetsim.soc.pu.Crossing` is the road between host format and its own. From PU a
to PU b a tensor leaves a's format (unless that is the host's), then enters b's. PUs of equal format
pass tensors as they are. Cache maintenance is needed when exactly one side is outside the coherent
domain; a copy when a side insists on a buffer of its own.

Two things are the runtime's to say (``exchange`` and ``input_copy`` of the SoC's runtime). Where
partitions exchange tensors in the host's format, whoever makes a tensor converts it back, once, and
every reader converts it for itself, also from an NPU to the same NPU. And a runtime may copy what a
partition reads before it calls it. Both is what NEST-C does (Yu et al., ETRI Journal 45(2), 2023,
and the authors' public compiler).

Inside a cluster nothing is converted, but a cut is not free there either: what one partition made
has left the nearest cache when the next one reads it, and a unit that waited for another one has to
wake up (``refetch`` and ``handover``; measured by ``hetsim profile --measure``).
"""

from __future__ import annotations

from collections.abc import Iterable

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
        self.by_host = soc.runtime.exchange == "host"
        self._copy_rate = soc.runtime.input_copy
        costly = (pu.spec.crossing for pu in soc.pus)
        self._cuts_cost = any(crossing.refetch or crossing.handover for crossing in costly)

    def entering(self, tensor: str, source: int | None, target: int) -> tuple[Step, ...]:
        """Steps of a partition on ``target`` that reads ``tensor``, left by one on ``source``.

        ``None`` is the application.
        """
        steps = self.steps(tensor, None if self.by_host else source, target)
        if source is None or not self._cuts_cost:  # asked for every input of every partition
            return steps
        return (*steps, *self._within(tensor, source, target))

    def _within(self, tensor: str, source: int, target: int) -> tuple[Step, ...]:
        """What a cut costs when both sides are of one cluster."""
        maker, reader = self._soc.pus[source], self._soc.pus[target]
        crossing = reader.spec.crossing
        if maker.cluster != reader.cluster:
            return ()
        seconds = crossing.handover if maker is not reader else 0.0
        if crossing.refetch:
            size = self._graph.tensors[tensor].bytes_as(
                reader.stored_dtype(self._graph.tensors[tensor].dtype)
            )
            seconds += size / crossing.refetch
        return (Step("cache", tensor, seconds),) if seconds else ()

    def leaving(self, tensor: str, source: int, *, output: bool) -> tuple[Step, ...]:
        """Steps of the partition on ``source`` that makes ``tensor``, which is read outside it.

        ``output``: by the application.
        """
        return self.steps(tensor, source, None) if output or self.by_host else ()

    def copying(self, tensor: str) -> tuple[Step, ...]:
        """The runtime's copy of a partition's input, before it calls the partition."""
        return () if self._copy_rate is None else (self.copy(tensor, self._copy_rate),)

    def copy(self, tensor: str, rate: float) -> Step:
        """A copy of ``tensor`` in the host's format at ``rate`` bytes per second."""
        copied = self._graph.tensors[tensor]
        size = copied.bytes_as(self._soc.host.stored_dtype(copied.dtype))
        return Step("copy", tensor, size / rate, 2 * size, written=size)

    def around(
        self, inputs: Iterable[str], outputs: Iterable[str], pu: PU
    ) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """Steps before and after a kernel of ``pu`` that reads and writes these tensors."""
        host = self._soc.host
        if not pu.spec.relayouts_kernels or pu.spec.layout == host.spec.layout:
            return (), ()
        before, after = (
            tuple(_relayout(self._graph.tensors[t], pu) for t in tensors)
            for tensors in (inputs, outputs)
        )
        return before, after

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
        host = self._soc.host
        steps: list[Step] = []
        usual, *ends = (_format(pu, tensor, host) for pu in (host, source, target))
        if ends[0] != ends[1]:
            if ends[0] != usual:
                steps.append(_convert(tensor, source, ends[0], usual))
            if ends[1] != usual:
                steps.append(_convert(tensor, target, usual, ends[1]))
        leaving, entering = source.spec.crossing, target.spec.crossing
        if (leaving.cache_maintenance is None) != (entering.cache_maintenance is None):
            side, pu = (leaving, source) if leaving.cache_maintenance else (entering, target)
            steps.append(_maintain(tensor, pu, side))
        for side, pu in ((leaving, source), (entering, target)):
            if side.copy_rate is not None:
                size = tensor.bytes_as(pu.stored_dtype(tensor.dtype))
                seconds = size / side.copy_rate
                steps.append(Step("copy", tensor.name, seconds, 2 * size, written=size))
        return steps


def _format(pu: PU, tensor: Tensor, host: PU) -> Format:
    """How ``pu`` leaves ``tensor`` in memory between its kernels."""
    layout = host.spec.layout if pu.spec.relayouts_kernels else pu.spec.layout
    return pu.stored_dtype(tensor.dtype), layout


def _convert(tensor: Tensor, pu: PU, before: Format, after: Format) -> Step:
    """Between ``pu``'s format and the host's, in either direction."""
    crossing = pu.spec.crossing
    seconds = 0.0
    if before[0] != after[0]:
        seconds += tensor.elements * crossing.quantise
    if before[1] != after[1]:
        seconds += tensor.elements * crossing.relayout
    read, written = tensor.bytes_as(before[0]), tensor.bytes_as(after[0])
    return Step("convert", tensor.name, seconds, read + written, written=written)


def _relayout(tensor: Tensor, pu: PU) -> Step:
    """Between the host's layout and ``pu``'s, in ``pu``'s data type."""
    size = tensor.bytes_as(pu.stored_dtype(tensor.dtype))
    seconds = tensor.elements * pu.spec.crossing.relayout
    return Step("convert", tensor.name, seconds, 2 * size, written=size)


def _maintain(tensor: Tensor, pu: PU, crossing: Crossing) -> Step:
    assert crossing.cache_maintenance is not None
    size = tensor.bytes_as(pu.stored_dtype(tensor.dtype))
    return Step("cache", tensor.name, size / crossing.cache_maintenance)
