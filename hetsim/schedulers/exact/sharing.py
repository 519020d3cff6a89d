"""Work that shares the host: the part of the exact scheduler's model about contention.

A PU whose kernels take all cores of the host is slowed by every other host thread that is awake:
crossings of other PUs, and threads that poll while those compute; and it slows those. How long two
items overlap is linear once it is known which of them starts and which ends first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hetsim.bounds.floors import Floors, Least
from hetsim.bounds.relaxation import Window
from hetsim.workload.graph import Graph

MOST_PAIRS = 3_000
"""Pairs of possibly simultaneous host work up to which each is modelled."""

MILLI = 1000


@dataclass
class Item:
    """Something that occupies a PU: an operator on one PU, or a tensor brought to it."""

    pu: int
    present: Any
    start: Any
    end: Any
    size: Any
    least: Least
    op: int | None
    source: int | None = None
    readers: tuple[int, ...] = ()


class HostSharing:
    """Adds to ``model`` that the items of a window share the host; and each PU's plain load."""

    def __init__(
        self,
        model: Any,
        graph: Graph,
        floors: Floors,
        window: Window,
        items: Sequence[Item],
        horizon: int,
    ) -> None:
        self._model = model
        self._graph = graph
        self._floors = floors
        self._window = window
        self._inside = set(window.ops)
        self._items = items
        self._horizon = horizon

    def add(self, makespan: Any, ticks: Callable[[float], int]) -> None:
        """Adds all constraints; ``ticks`` turns seconds into the model's time, rounded down."""
        self._makespan, self._ticks = makespan, ticks
        host = self._floors.crowded
        for pu in self._floors.pus:
            lane = [i for i in self._items if i.pu == pu]
            self._model.add(
                self._makespan >= sum(self._ticks(i.least.least) * i.present for i in lane)
            )
        if host is None:
            return
        kernels = [
            i for i in self._items if i.pu == host and i.op is not None and i.least.drag > 0.0
        ]
        others = [
            i
            for i in self._items
            if i.pu != host and i.least.least > 0.0 and (i.op is None or self._floors.awake[i.pu])
        ]
        if not kernels or not others:
            return
        self._energy(host, kernels, others)
        reach = self._reach()
        pairs = [
            (a, b)
            for a, i in enumerate(kernels)
            for b, j in enumerate(others)
            if _may_meet(i, j, reach)
        ]
        if len(pairs) > MOST_PAIRS:
            return
        shared_kernel: dict[int, list[Any]] = {}
        shared_other: dict[int, list[Any]] = {}
        for a, b in pairs:
            overlap = self._overlap(kernels[a], others[b])
            shared_kernel.setdefault(a, []).append(overlap)
            if others[b].op is None:
                shared_other.setdefault(b, []).append(overlap)
        for a, overlaps in shared_kernel.items():
            self._stretch(kernels[a], overlaps)
        for b, overlaps in shared_other.items():
            self._stretch(others[b], overlaps)

    def _overlap(self, kernel: Item, other: Item) -> Any:
        """How long two items overlap, linear once it is known which starts and ends first."""
        model = self._model
        overlap = model.new_int_var(0, self._horizon, "")
        starts = model.new_bool_var("")  # the kernel starts first
        ends = model.new_bool_var("")  # the kernel ends first
        there = [kernel.present, other.present]
        for first, literal in ((kernel, starts), (other, starts.negated())):
            second = other if first is kernel else kernel
            model.add(first.start <= second.start).only_enforce_if([*there, literal])
        for first, literal in ((kernel, ends), (other, ends.negated())):
            second = other if first is kernel else kernel
            model.add(first.end <= second.end).only_enforce_if([*there, literal])
        for later, opened in ((other, starts), (kernel, starts.negated())):
            for sooner, closed in ((kernel, ends), (other, ends.negated())):
                model.add(overlap >= sooner.end - later.start).only_enforce_if(
                    [*there, opened, closed]
                )
        return overlap

    def _stretch(self, item: Item, overlaps: list[Any]) -> None:
        size, base = item.size
        drag = int(item.least.drag * MILLI + 1e-9)
        delay = self._ticks(item.least.delay) + 1
        self._model.add(
            MILLI * size >= MILLI * base + drag * (sum(overlaps) - delay)
        ).only_enforce_if(item.present)

    def _energy(self, host: int, kernels: list[Item], others: list[Item]) -> None:
        """The same in sum, which a linear relaxation understands.

        Kernels of W seconds fill the host's lane for K, other items of it for E, other host
        threads are awake for A on M lanes. The overlap is at least A - M (T - K), and K is
        W + drag (overlap - delays), K + E at most T.
        """
        drag = int(min(i.least.drag for i in kernels) * MILLI + 1e-9)
        lanes = len({i.pu for i in others})
        rest = MILLI - drag * lanes
        if rest <= 0:
            return
        chosen = {id(i) for i in kernels}
        slow = sum(MILLI * self._ticks(i.least.least) * i.present for i in kernels)
        delays = sum(drag * (self._ticks(i.least.delay) + 1) * i.present for i in kernels)
        plain = sum(
            rest * self._ticks(i.least.least) * i.present
            for i in self._items
            if i.pu == host and id(i) not in chosen
        )
        awake = sum(drag * self._ticks(i.least.least) * i.present for i in others)
        self._model.add(MILLI * self._makespan >= slow + plain + awake - delays)

    def _reach(self) -> dict[int, int]:
        """For each operator of the window, a bit set of those that come after it."""
        reach: dict[int, int] = {}
        for op in reversed(self._window.ops):
            reach[op] = 0
            for reader in self._graph.successors[op]:
                if reader in self._inside:
                    reach[op] |= reach[reader] | 1 << reader
        return reach


def _may_meet(kernel: Item, other: Item, reach: Mapping[int, int]) -> bool:
    """Whether no dependency keeps a kernel and other host work apart."""
    op = kernel.op
    assert op is not None
    if other.op is not None:
        return not (reach[op] >> other.op & 1 or reach[other.op] >> op & 1 or op == other.op)
    if other.source is not None and (other.source == op or (reach[op] >> other.source & 1)):
        return False
    return not all(reach[r] >> op & 1 for r in other.readers)
