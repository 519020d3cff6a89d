"""Scheduling units: what the list schedulers and MOSAIC place, with all their times looked up once.

A unit is one operator, or a chain that some PU would run as one fused kernel. Placing such a chain
as a whole saves schedulers from tearing a Relu off its convolution, which costs a crossing and may
even be impossible, as some PUs run a Relu only behind a convolution. On a PU without the pattern a
unit costs what its operators cost back to back.

A chain becomes a unit unless that would take its first operator away from a PU that runs the
operator but not the chain; an exception is a chain whose tail its own PU cannot run otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from hetsim.cost.fusion import match
from hetsim.cost.profile import INFEASIBLE, Profile
from hetsim.errors import SchedulerError
from hetsim.schedulers.base import Problem
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph

Chain = tuple[int, ...]


class Units:
    """The units of a problem, in a topological order, with dependencies and times.

    ``ops[u]`` are the operator positions of unit ``u``; ``time[u][p]`` is its time on PU ``p`` in
    seconds, data already there (:meth:`Profile.chain_time`); ``preds`` and ``succs`` are units.
    ``call`` is what starting one more partition costs.

    Raises:
        SchedulerError: on construction, when no PU can run some operator.
    """

    def __init__(self, problem: Problem, chains: Sequence[Chain] | None = None) -> None:
        """Looks up the times of ``chains``, by default those of :func:`fused_chains`."""
        self.graph: Graph = problem.graph
        self.soc: SoC = problem.soc
        self.profile: Profile = problem.profile
        self.pus = range(len(self.soc.pus))
        self.ops: tuple[Chain, ...] = tuple(fused_chains(problem) if chains is None else chains)
        self.time: tuple[tuple[float, ...], ...] = tuple(
            tuple(self.profile.chain_time(chain, pu) for pu in self.pus) for chain in self.ops
        )
        self.call = self.profile.call()
        self._check_supported()
        self.home = [0] * len(self.graph)
        for u, chain in enumerate(self.ops):
            for op in chain:
                self.home[op] = u
        self.preds: tuple[tuple[int, ...], ...] = tuple(
            tuple(sorted({self.home[p] for op in chain for p in self.graph.predecessors[op]} - {u}))
            for u, chain in enumerate(self.ops)
        )
        self.succs: tuple[tuple[int, ...], ...] = tuple(
            tuple(sorted({self.home[s] for op in chain for s in self.graph.successors[op]} - {u}))
            for u, chain in enumerate(self.ops)
        )
        self._inputs = frozenset(self.graph.inputs)
        self._comm: dict[tuple[str, int, int], float] = {}
        self._mean: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self.ops)

    def feasible(self, u: int) -> list[int]:
        """The PUs that can run unit ``u``, ascending."""
        return [p for p in self.pus if self.time[u][p] < INFEASIBLE]

    def name(self, u: int) -> str:
        """The operators' names joined by ``+``."""
        return "+".join(self.graph.operators[i].name for i in self.ops[u])

    @cached_property
    def edge_tensors(self) -> dict[tuple[int, int], tuple[str, ...]]:
        """The tensors that pass from one unit to another."""
        producer = self.graph.producer
        found: dict[tuple[int, int], dict[str, None]] = {}
        for v, chain in enumerate(self.ops):
            for op in chain:
                for tensor in self.graph.operators[op].inputs:
                    if tensor in producer:
                        u = self.home[producer[tensor]]
                        if u != v:
                            found.setdefault((u, v), {})[tensor] = None
        return {edge: tuple(tensors) for edge, tensors in found.items()}

    def reads(self, u: int) -> tuple[str, ...]:
        """Tensors unit ``u`` reads from outside, network inputs included, in reading order."""
        operators = [self.graph.operators[i] for i in self.ops[u]]
        inside = {t for op in operators for t in op.outputs}
        return tuple(dict.fromkeys(t for op in operators for t in op.inputs if t not in inside))

    def crossing(self, tensor: str, source: int, target: int) -> float:
        """Seconds until ``tensor`` of PU ``source`` can be read by PU ``target``."""
        if source == target:
            return 0.0
        key = (tensor, source, target)
        seconds = self._comm.get(key)
        if seconds is None:
            seconds = self._comm[key] = self.profile.crossing(tensor, source, target)
        return seconds

    def comm(self, u: int, v: int, source: int, target: int) -> float:
        """Seconds from the end of ``u`` on ``source`` until ``v`` may start on ``target``.

        A change of PU starts a new partition, so the call is part of it.
        """
        if source == target:
            return 0.0
        tensors = self.edge_tensors[u, v]
        return self.call + sum(self.crossing(t, source, target) for t in tensors)

    def mean_comm(self, u: int, v: int) -> float:
        """:meth:`comm` averaged over all ordered pairs of different PUs; 0 with a single PU."""
        if len(self.pus) < 2:
            return 0.0
        return self.call + sum(self._mean_crossing(t) for t in self.edge_tensors[u, v])

    def mean_time(self, u: int) -> float:
        """The time of unit ``u`` averaged over the PUs that can run it."""
        times = [t for t in self.time[u] if t < INFEASIBLE]
        return sum(times) / len(times)

    def entry(self, u: int, pu: int) -> float:
        """Seconds to bring the network inputs that ``u`` reads from the host to ``pu``."""
        inputs, host = self._inputs, self.soc.host.index
        found = sum(self.crossing(t, host, pu) for t in self.reads(u) if t in inputs)
        return found + (0.0 if self.preds[u] else self.call)

    def exit(self, u: int, pu: int) -> float:
        """Seconds to bring the network outputs that ``u`` writes from ``pu`` to the host."""
        outputs, host = self.graph.output_set, self.soc.host.index
        written = [t for i in self.ops[u] for t in self.graph.operators[i].outputs]
        return sum(self.crossing(t, pu, host) for t in written if t in outputs)

    def _mean_crossing(self, tensor: str) -> float:
        if tensor not in self._mean:
            pairs = [(p, q) for p in self.pus for q in self.pus if p != q]
            total = sum(self.crossing(tensor, p, q) for p, q in pairs)
            self._mean[tensor] = total / len(pairs)
        return self._mean[tensor]

    def _check_supported(self) -> None:
        for u, times in enumerate(self.time):
            if min(times) == INFEASIBLE:
                kinds = "-".join(self.graph.operators[i].kind for i in self.ops[u])
                raise SchedulerError(
                    f"no processing unit of {self.soc.name!r} can run {self.name(u)!r} ({kinds})",
                    hint="add the operator kind to a processing unit of the SoC description",
                )


def fused_chains(problem: Problem) -> list[Chain]:
    """Splits the network into units (see above), ordered by their last operators.

    That order is topological, because only the last operator of a chain is read from outside.
    """
    graph, profile = problem.graph, problem.profile
    patterns = {pu.index: pu.spec.fuse_patterns for pu in problem.soc.pus if pu.spec.fuse_patterns}
    heads = {pattern[0] for chains in patterns.values() for pattern in chains}
    taken = [False] * len(graph)
    chains: list[Chain] = []
    for op in range(len(graph)):
        if taken[op]:
            continue
        chain: Chain = (op,)
        if graph.operators[op].kind in heads:
            found = {pu: match(graph, op, known) for pu, known in patterns.items()}
            for pu in sorted(found, key=lambda p: (-len(found[p]), p)):
                candidate = found[pu]
                free = not any(taken[i] for i in candidate)
                if len(candidate) > 1 and free and _worthwhile(profile, problem, candidate, pu):
                    chain = candidate
                    break
        for i in chain:
            taken[i] = True
        chains.append(chain)
    return sorted(chains, key=lambda c: c[-1])


def _worthwhile(profile: Profile, problem: Problem, chain: Chain, pu: int) -> bool:
    """Whether keeping ``chain``, a pattern of ``pu``, together loses nothing."""
    if profile.group_time(chain, pu) == INFEASIBLE:
        return False
    if any(profile.time(i, pu) == INFEASIBLE for i in chain[1:]):
        return True
    return not any(
        profile.chain_time(chain[:1], other.index) < INFEASIBLE
        and profile.chain_time(chain, other.index) == INFEASIBLE
        for other in problem.soc.pus
        if other.index != pu
    )
