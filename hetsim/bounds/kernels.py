"""The least that kernels of one unit take, whatever partition they are part of.

What a kernel asks for depends on what stayed on chip before it. Of a cache it is only known that it
may hold what the kernel just before wrote. In a managed memory a tensor stays from its maker to its
last reader in the partition, while such tensors take at most a share of it together
(:mod:`hetsim.lower.residency`); so each choice of a kernel's tensors that fits there is looked at.
A result read by another partition has to be stored: that is part of what lies between an operator
and the moment another partition can have its results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

from hetsim.bounds.floors import NOTHING, Chain, Least
from hetsim.cost.analytical.traffic import tensor_bytes, total_bytes, weight_bytes
from hetsim.cost.chain import CostModel
from hetsim.cost.profile import INFEASIBLE
from hetsim.cost.reach import Reach
from hetsim.cost.support import why_not
from hetsim.cost.work import NOWHERE, Kernel, Phase, Residency, Work
from hetsim.errors import InfeasibleError
from hetsim.lower.residency import RESIDENT_SHARE
from hetsim.soc.model import PU
from hetsim.workload.graph import Graph

MOST_CHOSEN = 6
"""Tensors of a kernel that may stay on chip up to which every choice of them is looked at."""


class Kernels:
    """Answers for :func:`hetsim.bounds.floors.divided`, about one unit.

    ``threads`` of other units may run beside it on its cores; ``around`` gives the host's work
    before and after a kernel. Floors hold at ``fidelity``, or (``None``) at either.
    """

    def __init__(
        self,
        graph: Graph,
        costs: CostModel,
        pu: PU,
        fidelity: str | None,
        threads: int,
        reach: Reach,
        around: Callable[[Kernel, PU], float],
    ) -> None:
        self._graph = graph
        self._costs = costs
        self._pu = pu
        self._fidelity = fidelity
        self._threads = threads
        self._reach = reach
        self._around = around
        self._room = pu.managed_memory * RESIDENT_SHARE
        self._handed_over: dict[int, float] = {}
        self._stored: dict[int, float] = {}
        self._moved: dict[Chain, Least] = {}
        self._busy: dict[Chain, Least] = {}

    def leave(self) -> list[float]:
        """For each operator the least between its floor and when other units can have its results.

        To be asked after all kernels.
        """
        latency = self._pu.spec.completion_latency
        return [latency + self._handed_over.get(op, 0.0) for op in range(len(self._graph))]

    def stored(self) -> list[float]:
        """For each operator the least bytes that are moved more when its result leaves the unit.

        To be asked after all kernels.
        """
        return [self._stored.get(op, 0.0) for op in range(len(self._graph))]

    def moved(self, chain: Chain) -> Least | None:
        """The least bytes of ``chain`` as one kernel; to be asked after its seconds."""
        return self._moved.get(chain)

    def busy(self, chain: Chain) -> Least | None:
        """The same, the seconds that the unit's cores are busy; none where memory is managed."""
        return self._busy.get(chain, NOTHING if chain in self._moved else None)

    def tail(self, op: int) -> float:
        """What ``op`` adds to any kernel at whose head it does not stand."""
        seconds = self._costs.floor(self._graph, op, self._pu)
        return seconds if seconds is not None and seconds < INFEASIBLE else 0.0

    def kernel(self, chain: Chain) -> Least | None:
        """The floor of ``chain`` as one kernel; ``None`` when it cannot run."""
        graph, pu = self._graph, self._pu
        kernel = Kernel.of(graph, tuple(graph.operators[i] for i in chain))
        if why_not(pu, kernel) is not None:
            return None
        around = self._around(kernel, pu)
        if pu.spec.managed_memory or pu.spec.prefetches:
            return self._managed(kernel, chain, around)
        work = self._work(kernel, NOWHERE)
        if work is None:
            return None
        beside, less = [], []
        arithmetic = sum(p.seconds for p in work.phases)
        for producer, warm in self._warm(kernel).items():
            easier = self._work(kernel, Residency(inputs=warm))
            if easier is not None:
                beside.append((producer, around + self._seconds(easier)))
                less.append((producer, float(easier.bytes)))
                arithmetic = min(arithmetic, sum(p.seconds for p in easier.phases))
        self._busy[chain] = Least(arithmetic)
        self._moved[chain] = Least(float(work.bytes), tuple(less))
        reach = self._reach
        delay = work.dispatch_s + sum(reach.farthest for p in work.phases if p.bytes)
        drags = [
            drag(p.seconds, p.bytes / reach.narrowest, pu.cores, self._threads)
            for p in work.phases
            if p.seconds > 0.0 or p.bytes
        ]
        return Least(around + self._seconds(work), tuple(beside), delay, min(drags, default=0.0))

    def _work(self, kernel: Kernel, residency: Residency) -> Work | None:
        try:
            return self._costs.work(self._graph, kernel, self._pu, residency)
        except InfeasibleError:
            return None

    def _warm(self, kernel: Kernel) -> dict[int, frozenset[str]]:
        """For each producer, its tensors that a cache may still hold when the kernel starts."""
        graph, room = self._graph, self._pu.spec.cache
        found: dict[int, list[str]] = {}
        for tensor in kernel.inputs:
            if tensor in graph.producer and room and tensor_bytes(graph, tensor, self._pu) <= room:
                found.setdefault(graph.producer[tensor], []).append(tensor)
        return {producer: frozenset(tensors) for producer, tensors in found.items()}

    def _seconds(self, work: Work) -> float:
        reach = self._reach
        fluid = work.dispatch_s + sum(
            max(self._unhurried(work, p), reach.seconds(p.load_bytes, p.store_bytes))
            + (reach.nearest if p.bytes else 0.0)
            for p in work.phases
        )
        if not work.tiles or self._fidelity == "fluid":
            return fluid
        tiled = _tiled_seconds(work, self._pu, reach)
        return tiled if self._fidelity == "tile" else min(fluid, tiled)

    def _unhurried(self, work: Work, phase: Phase) -> float:
        """Seconds of its engines and arithmetic, even if a cache has all that it reads."""
        pu = self._pu
        if not work.tiles or pu.cached is None:
            return phase.seconds
        spared = pu.home.seconds(phase.load_bytes, phase.store_bytes) - pu.cached.seconds(
            phase.load_bytes, phase.store_bytes
        )
        return phase.hurried(spared).seconds

    def _managed(self, kernel: Kernel, chain: Chain, around: float) -> Least | None:
        """By what stays on chip: the inputs of each maker, and the result."""
        graph, pu = self._graph, self._pu
        times: list[tuple[Residency, float]] = []
        amounts: list[tuple[Residency, float]] = []
        for choice in self._choices(kernel):
            work = self._work(kernel, choice)
            if work is None:
                continue
            seconds = self._costs.quickest(graph, kernel, pu, choice, self._reach)
            if seconds is None:  # neither how fast, nor whether bytes grow as memory shrinks
                times.append((choice, around + sum(self.tail(op) for op in chain)))
                amounts.append((choice, 0.0))
            elif seconds < INFEASIBLE:
                over = self._overflow(kernel)
                times.append((choice, around + max(seconds, over / self._reach.widest)))
                amounts.append((choice, max(float(work.bytes), over)))
        if not times:
            return None
        outputs, last = len(kernel.outputs), chain[-1]
        for found, kept in ((times, self._handed_over), (amounts, self._stored)):
            kept[last] = min(kept.get(last, INFEASIBLE), _lost(found, outputs))
        self._moved[chain] = self._by_neighbour(amounts)
        return self._by_neighbour(times)

    def _by_neighbour(self, times: Sequence[tuple[Residency, float]]) -> Least:
        """With nothing on chip before, and with a result of each maker."""
        graph = self._graph
        alone = min((s for c, s in times if not c.inputs), default=INFEASIBLE)
        beside = []
        for maker in sorted({graph.producer[t] for c, _ in times for t in c.inputs}):
            made = set(graph.operators[maker].outputs)
            beside.append((maker, min(s for c, s in times if made & c.inputs)))
        return Least(alone, tuple(beside))

    def _choices(self, kernel: Kernel) -> Iterator[Residency]:
        """What of ``kernel``'s tensors may be on chip while it runs, each with the least room."""
        graph, room = self._graph, self._room
        inputs = [t for t in kernel.inputs if t in graph.producer]
        outputs = [t for t in kernel.outputs if t not in graph.output_set]
        sizes = {t: tensor_bytes(graph, t, self._pu) for t in (*inputs, *outputs)}
        able = [t for t in sizes if sizes[t] <= room]
        yield NOWHERE
        if len(able) > MOST_CHOSEN:  # as if all of one kind could stay, and took no more than one
            least = min(sizes[t] for t in able)
            here = frozenset(t for t in able if t in inputs)
            kept = frozenset(t for t in able if t in outputs)
            none = frozenset[str]()
            for some in ((here, none), (none, kept), (here, kept)):
                yield Residency(*some, least)
            return
        for count in range(1, len(able) + 1):
            for chosen in combinations(able, count):
                taken = sum(sizes[t] for t in chosen)
                if taken <= room:
                    yield Residency(
                        frozenset(t for t in chosen if t in inputs),
                        frozenset(t for t in chosen if t in outputs),
                        taken,
                    )

    def _overflow(self, kernel: Kernel) -> float:
        """Bytes that cannot all stay on chip, nor come early."""
        total = total_bytes(self._graph, (*kernel.inputs, *kernel.outputs), self._pu)
        if not self._pu.spec.prefetches:
            total += weight_bytes(kernel, self._pu)
        return max(0.0, float(total - self._room))


def _lost(times: Sequence[tuple[Residency, float]], outputs: int) -> float:
    """What a kernel of so many results takes more, at least, when one of them does not stay."""
    parts = [[(c, s) for c, s in times if bool(c.inputs) == warm] for warm in (False, True)]
    return min(
        min((s for c, s in part if len(c.outputs) < outputs), default=INFEASIBLE)
        - min(s for _, s in part)
        for part in parts
        if part
    )


def drag(seconds: float, span: float, cores: int, most: int) -> float:
    """Least loss for each second beside one more thread, with at most ``most`` of them.

    The work needs ``seconds`` of its cores and ``span`` seconds of the memory path at least. With
    m more threads than cores it keeps cores / (cores + m) of its speed, as far as that binds.
    """
    if seconds <= 0.0:
        return 0.0
    reserve = max(span, seconds) / seconds
    losses = (max(0.0, 1.0 - cores / (cores + m) * reserve) / m for m in range(1, most + 1))
    return min(losses, default=0.0)


def _tiled_seconds(work: Work, pu: PU, reach: Reach) -> float:
    """Load of the first tile, all arithmetic, store of the last one; or all bytes in a row."""

    def moving(amount: int) -> float:
        return pu.spec.transfer_setup + reach.nearest + amount / reach.one_way if amount else 0.0

    compute: float = sum(run.count * run.compute_s for run in work.tiles)
    if work.overlapped:
        loads = sum(run.count * run.load_bytes for run in work.tiles)
        stores = sum(run.count * run.store_bytes for run in work.tiles)
        ends = moving(work.tiles[0].load_bytes) + moving(work.tiles[-1].store_bytes)
        return work.dispatch_s + max(ends + compute, reach.seconds(loads, stores))
    transfers = sum(
        run.count * (moving(run.load_bytes) + moving(run.store_bytes)) for run in work.tiles
    )
    return work.dispatch_s + compute + transfers
