"""Floors: the least that operators and crossings take, in any plan and beside anything else.

Plain data for everything that proves lower bounds. :mod:`hetsim.bounds.simulated` makes
floors from what the simulator would execute, so bounds hold for simulated makespans; a profile's
times serve where there is no simulator, and then a bound holds for predictions only.

How kernels' times are divided among operators: whatever kernel an operator is part of, the floors
of the kernel's operators add up to no more than the kernel takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hetsim.cost.fusion import Patterns, is_fusable
from hetsim.cost.profile import INFEASIBLE
from hetsim.soc.model import PU, SoC
from hetsim.workload.graph import Graph

Chain = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Least:
    """What an operator, or a kernel, takes on a PU at the very least, seconds.

    ``alone`` unless one of ``beside`` applies: (operator, seconds) when that earlier operator is
    in the same partition, so that both may be one kernel or its result may still be in a cache.
    Beside more runnable host threads than cores, each second shared with one more thread adds
    ``drag`` seconds; the first ``delay`` seconds of sharing may cost nothing.
    """

    alone: float
    beside: tuple[tuple[int, float], ...] = ()
    delay: float = 0.0
    drag: float = 0.0

    @property
    def least(self) -> float:
        """With the most convenient neighbour."""
        return min(self.alone, min((seconds for _, seconds in self.beside), default=INFEASIBLE))


NEVER = Least(INFEASIBLE)
"""Of an operator that a PU cannot run."""

NOTHING = Least(0.0)
"""Of a crossing that needs no work."""


@dataclass(frozen=True)
class Resource:
    """Something that several units need at once, a link or the host's cores, and how much.

    Amounts are bytes or core-seconds; whatever else happens, an amount takes ``seconds`` times as
    long at least. ``ops[i][p]`` is what operator ``i`` needs on PU ``p``, where :class:`Least`
    speaks of amounts, ``stored[i][p]`` what it needs more when its result leaves that PU. ``toll``
    and ``handing`` as in :class:`Floors`, ``call`` for each partition.
    """

    seconds: float
    ops: tuple[tuple[Least, ...], ...]
    stored: tuple[tuple[float, ...], ...]
    toll: Callable[[str, int | None, int | None], float]
    handing: Callable[[str, int], float]
    call: float = 0.0


@dataclass(frozen=True)
class Floors:
    """The least everything takes, for one network on one SoC.

    ``ops[i][p]`` is the floor of operator ``i`` on PU ``p``. ``toll(tensor, source, target)`` is
    that of the host's work in a partition on PU ``target`` that reads a tensor which PU ``source``
    made, or in the application (``None``); ``handing(tensor, source)`` is that of the host's work
    in the partition that made it, once for all readers. ``call`` starts a partition.
    ``leave[i][p]`` are the seconds between the floor of operator ``i`` on PU ``p`` and the moment
    its results can be handed over.
    ``awake[p]`` says that a host thread spins while PU ``p`` computes. ``crowded`` is the PU whose
    kernels take all cores of the host, if there is one: any other host thread slows them.
    ``resources`` are what units share.
    """

    ops: tuple[tuple[Least, ...], ...]
    toll: Callable[[str, int | None, int | None], Least]
    call: float
    leave: tuple[tuple[float, ...], ...]
    awake: tuple[bool, ...]
    crowded: int | None = None
    handing: Callable[[str, int], Least] = lambda tensor, source: NOTHING
    resources: tuple[Resource, ...] = ()

    @property
    def pus(self) -> range:
        """PU indices."""
        return range(len(self.awake))

    def feasible(self, op: int) -> tuple[int, ...]:
        """The PUs that can run operator ``op``, ascending."""
        return tuple(p for p in self.pus if self.ops[op][p].least < INFEASIBLE)


def divided(
    graph: Graph,
    pu: PU,
    kernel: Callable[[Chain], Least | None],
    tail: Callable[[int], float],
) -> list[Least]:
    """The floor of every operator on ``pu``, from those of the kernels it may be part of.

    ``kernel(chain)`` is the floor of a chain as one kernel, ``None`` when it cannot run;
    ``tail(op)`` what an operator adds to any kernel at whose head it does not stand.
    """
    size, patterns = len(graph), pu.spec.fuse_patterns
    heads: list[list[tuple[Chain, Least]]] = [[] for _ in range(size)]
    behind: list[dict[int, None]] = [{} for _ in range(size)]
    drag = [INFEASIBLE] * size
    for op in range(size):
        for chain in chains_from(graph, op, patterns):
            found = kernel(chain)
            if found is None or found.least == INFEASIBLE:
                continue
            heads[op].append((chain, found))
            for member in chain[1:]:
                behind[member][op] = None
            for member in chain:
                drag[member] = min(drag[member], found.drag)
    result = []
    for op in range(size):
        alone = INFEASIBLE
        beside: dict[int, float] = {}
        for chain, found in heads[op]:
            others = sum(tail(i) for i in chain[1:])
            alone = min(alone, max(0.0, found.alone - others))
            for producer, seconds in found.beside:
                known = beside.get(producer, INFEASIBLE)
                beside[producer] = min(known, max(0.0, seconds - others))
        for producer in behind[op]:
            beside[producer] = min(beside.get(producer, INFEASIBLE), tail(op))
        cheaper = tuple((u, s) for u, s in sorted(beside.items()) if s < alone)
        if alone == INFEASIBLE and not cheaper:
            result.append(NEVER)
            continue
        delay = max((found.delay for _, found in heads[op]), default=0.0)
        result.append(Least(alone, cheaper, delay, drag[op]))
    return result


def chains_from(graph: Graph, op: int, patterns: Patterns) -> Iterator[Chain]:
    """Operator ``op`` alone, then each longer kernel it may be the head of."""
    yield (op,)
    kind = graph.operators[op].kind
    for pattern in patterns:
        if pattern[0] == kind:
            chain = [op]
            while len(chain) < len(pattern):
                readers = graph.successors[chain[-1]]
                if len(readers) != 1:
                    break
                chain.append(readers[0])
            if is_fusable(graph, chain, (pattern,)):
                yield tuple(chain)


def alike(soc: SoC) -> list[int]:
    """For each PU, the first PU with the same floors: another worker of as many cores."""
    first: dict[tuple[str, int], int] = {}
    return [first.setdefault((pu.cluster, pu.cores), pu.index) for pu in soc.pus]
