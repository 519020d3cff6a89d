"""What a search needs to know about a network on a SoC, looked up once."""

from __future__ import annotations

from functools import cached_property

from hetsim.cost.fusion import fuse, match
from hetsim.cost.support import why_not
from hetsim.cost.work import Kernel
from hetsim.schedulers.branches import extract_branches
from hetsim.schedulers.search.judge import Piece
from hetsim.soc.model import PU, SoC
from hetsim.workload.cuts import cut_positions
from hetsim.workload.graph import Graph

Ops = tuple[int, ...]


class Space:
    """The choices there are: operators, their chains and branches, and where each may run.

    ``parallel`` tells whether parallel groups mean anything to the runtime (``barrier``).
    ``begins`` are positions at which another network begins: no partition goes across.
    """

    begins: frozenset[int] = frozenset()

    heats: tuple[float, ...] = (0.001, 0.003, 0.01, 0.03)
    """First temperatures of chains, as shares of what their region takes of the whole."""

    def __init__(self, graph: Graph, soc: SoC, *, parallel: bool = False) -> None:
        self.graph = graph
        self.soc = soc
        self.parallel = parallel
        self._pieces: dict[tuple[int, Ops, bool], Piece | None] = {}

    def piece(self, pu: int, ops: Ops, plain: bool = False) -> Piece | None:
        """The partition ``ops`` on ``pu``; ``None`` when that does not support all its kernels.

        A ``plain`` one does not fuse, unless there is nothing to fuse.
        """
        key = pu, ops, plain
        try:
            return self._pieces[key]
        except KeyError:
            piece = Piece(pu, ops, not (plain and self.fuses(pu, ops)))
            runs = self._supported(self.soc.pus[pu], ops, piece.fuse)
            found = self._pieces[key] = piece if runs else None
            return found

    def runs(self, pu: int, ops: Ops) -> bool:
        """Whether ``pu`` supports every kernel of the partition ``ops``."""
        return self.piece(pu, ops) is not None

    def fuses(self, pu: int, ops: Ops) -> bool:
        """Whether ``pu`` would make one kernel of several operators of the partition ``ops``."""
        return len(fuse(self.graph, ops, self.soc.pus[pu].spec.fuse_patterns)) < len(ops)

    def _supported(self, pu: PU, ops: Ops, fused: bool) -> bool:
        graph = self.graph
        chains = fuse(graph, ops, pu.spec.fuse_patterns) if fused else [(op,) for op in ops]
        return all(
            why_not(pu, Kernel.of(graph, tuple(graph.operators[i] for i in chain))) is None
            for chain in chains
        )

    @cached_property
    def homes(self) -> tuple[tuple[int, ...], ...]:
        """For each operator, the PUs that run it alone or as part of its :attr:`chain`."""
        pus = range(len(self.soc.pus))
        return tuple(
            tuple(p for p in pus if self.runs(p, (op,)) or self.runs(p, self.chain[op]))
            for op in range(len(self.graph))
        )

    @cached_property
    def chain(self) -> tuple[Ops, ...]:
        """For each operator, the longest chain through it that some PU runs as one kernel."""
        graph = self.graph
        chains: list[Ops] = [(op,) for op in range(len(graph))]
        for pu in self.soc.pus:
            for op in range(len(graph)):
                found = match(graph, op, pu.spec.fuse_patterns)
                if self.runs(pu.index, found):
                    for member in found:
                        if len(found) > len(chains[member]):
                            chains[member] = found
        return tuple(chains)

    @cached_property
    def movable(self) -> Ops:
        """Operators that more than one PU can run."""
        return tuple(op for op in range(len(self.graph)) if len(self.homes[op]) > 1)

    @cached_property
    def branches(self) -> tuple[Ops, ...]:
        """PartitionTuner's branches."""
        return tuple(branch.operators for branch in extract_branches(self.graph))

    @cached_property
    def branch_of(self) -> tuple[int, ...]:
        """The branch each operator belongs to."""
        home = [0] * len(self.graph)
        for i, branch in enumerate(self.branches):
            for op in branch:
                home[op] = i
        return tuple(home)

    @cached_property
    def ancestors(self) -> tuple[int, ...]:
        """For each operator, the bit set of operators that lead to it."""
        found: list[int] = []
        for before in self.graph.predecessors:
            bits = 0
            for p in before:
                bits |= found[p] | 1 << p
            found.append(bits)
        return tuple(found)

    @cached_property
    def forks(self) -> tuple[Ops, ...]:
        """Sets of operators that read the same tensor."""
        readers = (self.graph.consumers[name] for name in self.graph.tensors)
        return tuple(dict.fromkeys(ops for ops in readers if len(ops) > 1))

    @cached_property
    def cuts(self) -> tuple[int, ...]:
        """Positions of operators that every other one comes before or after, ascending."""
        return tuple(cut_positions(self.graph.predecessors, self.graph.successors))
