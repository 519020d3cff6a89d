"""The cost model that answers from measurements, where there are any.

A kernel is known when its own key was measured. A fused kernel nobody measured is still known by
its head, if that was: the tail is added in the proportion the analytical model sees, and the source
says ``measured-head``. Everything else is left to the models behind this one in the chain.

Residency: on a PU with a cache, times were measured with whatever was in it, so they hold whatever
the simulated neighbours left there. Managed memory is different: there the measured kernel read
and wrote memory, and a resident tensor saves its bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from hetsim.cost.chain import CostModel
from hetsim.cost.fusion import is_fusable, match
from hetsim.cost.measured.fit import alone_s, fit, moving_s
from hetsim.cost.measured.keys import group_key, operator_key
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.cost.profile import INFEASIBLE
from hetsim.cost.work import NOWHERE, Kernel, Residency, Work
from hetsim.errors import InfeasibleError
from hetsim.soc.model import PU, Way
from hetsim.workload.graph import Graph

Surroundings = Callable[[Graph, Kernel, PU], float]
"""Seconds around a kernel that runs alone as a partition: its call, crossings, completion."""

SHOWN = 4
"""How many operators a note names."""

MEASURED = "measured"
MEASURED_HEAD = "measured-head"


def no_surroundings(_graph: Graph, _kernel: Kernel, _pu: PU) -> float:
    """For profiles of kernels, which hold nothing else."""
    return 0.0


class MeasuredModel(CostModel):
    """Knows the kernels that the profiles of its PUs speak of.

    ``tables`` maps clusters (entries of a SoC's ``pus``) to profiles. ``base`` gives the bytes and
    decides what a PU can run at all; ``behind`` answers for what was not measured (default:
    ``base``). ``surroundings`` is what a profile of whole partitions holds
    besides the kernel; a time that leaves nothing for the kernel is not used.
    """

    caches = True

    def __init__(
        self,
        tables: Mapping[str, ProfileTable],
        base: CostModel,
        surroundings: Surroundings = no_surroundings,
        behind: CostModel | None = None,
    ) -> None:
        self.tables = dict(tables)
        self._base = base
        self._behind = behind or base
        self._surroundings = surroundings
        self._keys: dict[int, tuple[Graph, list[str]]] = {}
        self._short: dict[str, dict[str, str]] = {}

    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        table = self.tables.get(pu.cluster)
        if table is None:
            return None
        found = self._time(graph, kernel, pu, table)
        if found is None:
            return None
        seconds, source, spread = found
        if math.isinf(seconds):
            raise InfeasibleError(
                f"{kernel.name} cannot run on {pu.name}, says profile {table.name}"
            )
        base = self._base.work(graph, kernel, pu, NOWHERE)
        assert base is not None, "the analytical model knows every kernel that a PU supports"
        path = pu.home
        note = f"{seconds * 1e6:.6g} us, profile {table.name}"
        alone = fit(base, seconds, path, source=source, note=note, spread=spread)
        if residency == NOWHERE or not pu.spec.managed_memory:
            return alone
        resident = self._base.work(graph, kernel, pu, residency)
        assert resident is not None
        return _bent_alike(resident, base, alone, path)

    def floor(self, graph: Graph, op: int, pu: PU) -> float | None:
        table = self.tables.get(pu.cluster)
        if table is None:
            return None
        operator = graph.operators[op]
        patterns = pu.spec.fuse_patterns
        chains: list[tuple[int, ...]] = [(op,)]
        for length in sorted({len(p) for p in patterns}):
            chain = match(graph, op, [p for p in patterns if len(p) == length])
            if len(chain) == length and is_fusable(graph, chain, patterns):
                chains.append(chain)
        if any(operator.kind in pattern[1:] for pattern in patterns):
            return 0.0  # may run inside another kernel, whose time is its head's
        return min(self._chain_floor(graph, chain, pu, table) for chain in chains)

    def _chain_floor(
        self, graph: Graph, chain: tuple[int, ...], pu: PU, table: ProfileTable
    ) -> float:
        """What the head of ``chain`` costs at the very least when exactly ``chain`` is a kernel."""
        kernel = Kernel.of(graph, tuple(graph.operators[i] for i in chain))
        found = self._time(graph, kernel, pu, table)
        least = self._behind.floor(graph, chain[0], pu)
        least = INFEASIBLE if least is None else least
        if found is None or math.isinf(found[0]) or math.isinf(least):
            return least if found is None else INFEASIBLE
        if not (pu.spec.managed_memory or pu.spec.prefetches):
            return found[0]
        # Residency and prefetching may save every transfer, but neither arithmetic nor dispatch.
        base = self._base.work(graph, kernel, pu, NOWHERE)
        alone = self.work(graph, kernel, pu)
        bare = self._base.floor(graph, chain[0], pu)
        if base is None or alone is None or bare is None or not base.compute_s:
            return 0.0
        arithmetic = max(0.0, bare - pu.spec.dispatch)
        return alone.dispatch_s + arithmetic * alone.compute_s / base.compute_s

    def transfer(self, graph: Graph, op: int, pu: PU) -> float | None:
        found = self.entry(graph, Kernel.of(graph, (graph.operators[op],)), pu)
        return None if found is None else found.transfer_s

    def entry(self, graph: Graph, kernel: Kernel, pu: PU) -> Entry | None:
        """What was measured of exactly this kernel on this PU."""
        table = self.tables.get(pu.cluster)
        return None if table is None else table.entries.get(self._key(graph, kernel))

    def _time(
        self, graph: Graph, kernel: Kernel, pu: PU, table: ProfileTable
    ) -> tuple[float, str, float] | None:
        """Seconds of the kernel alone, who says so and its spread; ``None`` if not measured."""
        key = self._key(graph, kernel)
        measured = table.time(key)
        if measured is not None:
            seconds = self._own(graph, kernel, pu, table, measured)
            return None if seconds is None else (seconds, MEASURED, table.spread(key))
        if len(kernel.operators) == 1:
            return None
        head = Kernel.of(graph, kernel.operators[:1])
        key = self._key(graph, head)
        known = table.time(key)
        if known is None:
            return None
        spread = table.spread(key)
        if math.isinf(known):
            return known, MEASURED_HEAD, spread
        seconds = self._own(graph, head, pu, table, known)
        if seconds is None:
            return None
        path = pu.home
        parts = [self._base.work(graph, k, pu, NOWHERE) for k in (head, kernel)]
        of_head, whole = (0.0 if work is None else alone_s(work, path) for work in parts)
        longer = max(whole / of_head, 1.0) if of_head else 1.0
        # Of the tail nobody measured anything, so it may be as wrong as it is long.
        return seconds * longer, MEASURED_HEAD, math.hypot(spread, math.log(longer))

    def _own(
        self, graph: Graph, kernel: Kernel, pu: PU, table: ProfileTable, measured: float
    ) -> float | None:
        """The kernel's share of a measured time, or ``None`` when none is left."""
        if table.scope == "kernel" or math.isinf(measured):
            return measured
        around = self._surroundings(graph, kernel, pu)
        if measured > around:
            return measured - around
        told = f"{kernel.name} on {pu.cluster}, {measured * 1e6:.6g} of {around * 1e6:.6g} us"
        self._short.setdefault(table.name, {}).setdefault(self._key(graph, kernel), told)
        return None

    def notes(self) -> list[str]:
        return [
            f"profile {name}: {len(told)} measured times are shorter than the call and the"
            f" crossings that they hold, and are not used: {'; '.join([*told.values()][:SHOWN])}"
            + (" and others" if len(told) > SHOWN else "")
            for name, told in self._short.items()
        ]

    def _key(self, graph: Graph, kernel: Kernel) -> str:
        known = self._keys.get(id(graph))
        if known is None or known[0] is not graph:
            keys = [operator_key(graph, op) for op in graph.operators]
            known = self._keys[id(graph)] = (graph, keys)
        if len(kernel.operators) == 1:
            return known[1][graph.index[kernel.head.name]]
        return group_key(graph, kernel.operators)


def _bent_alike(resident: Work, base: Work, alone: Work, path: Way) -> Work:
    """``resident`` with arithmetic and dispatch changed as ``alone`` changed ``base``'s."""
    ratio = alone.compute_s / base.compute_s if base.compute_s else 1.0
    phases = tuple(
        replace(
            phase,
            seconds=max(phase.compute_s * ratio, moving_s(phase, path)),
            compute_s=phase.compute_s * ratio,
        )
        if phase.compute_s
        else phase
        for phase in resident.phases
    )
    bent = replace(
        resident,
        dispatch_s=alone.dispatch_s,
        compute_s=sum(phase.compute_s for phase in phases),
        phases=phases,
        tiles=(),
        clock_hz=0.0,
        source=alone.source,
        note=alone.note,
        spread=alone.spread,
    )
    # Keeping a tensor on chip never costs time.
    return bent if alone_s(bent, path) <= alone_s(alone, path) else replace(alone)
