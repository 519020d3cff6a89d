"""Small changes of a genome, each drawn at random.

The kinds: another PU for an operator, for a fused chain, for a branch or a stretch of it, for a
stretch of the order; several readers of one tensor brought together on one PU (so that it is
converted once); partitions split, merged, or cut wherever another PU waits; operators, branches and
partitions moved to another place in the order; fusing or not; parallel or not. A proposal is one
change, or now and then several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from hetsim.schedulers.search.genome import Genome
from hetsim.schedulers.search.space import Ops, Space

_WINDOW = 12
"""Longest stretch of the order that one change takes."""

Move = Callable[["Moves", Random, Genome], bool]
"""Changes a genome in place; ``False`` when there was nothing to do."""


class Moves:
    """All changes that make sense between positions ``start`` and ``end`` of the order.

    Both are 0, the end, or just behind a cut operator, so that the operators between them are the
    same in every genome.
    """

    def __init__(self, space: Space, start: int = 0, end: int | None = None) -> None:
        self.space = space
        self.start = start
        self.end = len(space.graph) if end is None else end
        self.operators = range(self.start, self.end)  # cuts make positions and operators agree
        self.movable = tuple(op for op in space.movable if op in self.operators)
        self.forks = tuple(
            inside
            for readers in space.forks
            if len(inside := tuple(op for op in readers if op in self.operators)) > 1
        )
        table: list[tuple[Move, int]] = [(Moves._split_or_merge, 4), (Moves._shift, 6)]
        if self.movable:
            table += [
                (Moves._place_operator, 3),
                (Moves._place_chain, 5),
                (Moves._place_branch, 4),
                (Moves._place_stretch, 2),
                (Moves._swap_chains, 2),
                (Moves._cut_eagerly, 2),
                (Moves._clear_cuts, 1),
            ]
            if self.forks:
                table.append((Moves._gather, 4))
        if any(pu.spec.fuse_patterns for pu in space.soc.pus):
            table.append((Moves._fuse_or_not, 1))
        if space.parallel:
            table.append((Moves._parallel_or_not, 6))
        self._moves = [move for move, _ in table]
        self._weights = [weight for _, weight in table]

    def propose(self, draw: Random, genome: Genome) -> Genome:
        """A changed copy."""
        child = genome.copy()
        count = draw.choices((1, 2, 3), (6, 3, 1))[0]
        for move in draw.choices(self._moves, self._weights, k=count):
            move(self, draw, child)
        return child

    # Where operators run.

    def _place(self, draw: Random, genome: Genome, ops: Sequence[int], pu: int) -> bool:
        """Puts those of ``ops`` that may go there on ``pu``; perhaps as a partition apart."""
        homes = self.space.homes
        placed = [op for op in ops if pu in homes[op] and op in self.operators]
        for op in placed:
            genome.pu[op] = pu
        if not placed:
            return False
        first, last = placed[0], placed[-1]
        genome.cut[first] = draw.random() < 0.5
        if draw.random() < 0.5:
            at = genome.order.index(last)
            following = (op for op in genome.order[at + 1 : self.end] if genome.pu[op] == pu)
            after = next(following, None)
            if after is not None:
                genome.cut[after] = True
        return True

    def _other_pu(self, draw: Random, genome: Genome, op: int) -> int:
        others = [pu for pu in self.space.homes[op] if pu != genome.pu[op]]
        return draw.choice(others)

    def _place_operator(self, draw: Random, genome: Genome) -> bool:
        op = draw.choice(self.movable)
        return self._place(draw, genome, (op,), self._other_pu(draw, genome, op))

    def _place_chain(self, draw: Random, genome: Genome) -> bool:
        op = draw.choice(self.movable)
        return self._place(draw, genome, self.space.chain[op], self._other_pu(draw, genome, op))

    def _place_branch(self, draw: Random, genome: Genome) -> bool:
        """A whole branch, its first operators or its last ones."""
        op = draw.choice(self.movable)
        branch = self.space.branches[self.space.branch_of[op]]
        pu = self._other_pu(draw, genome, op)
        part = draw.randrange(3)
        at = branch.index(op)
        if part == 1:
            branch = branch[: at + 1]
        elif part == 2:
            branch = branch[at:]
        return self._place(draw, genome, branch[-_WINDOW:], pu)

    def _place_stretch(self, draw: Random, genome: Genome) -> bool:
        op = draw.choice(self.movable)
        start = genome.order.index(op)
        end = min(start + draw.randint(2, _WINDOW), self.end)
        pu = self._other_pu(draw, genome, op)
        return self._place(draw, genome, genome.order[start:end], pu)

    def _swap_chains(self, draw: Random, genome: Genome) -> bool:
        """Two chains on different PUs change places."""
        one = draw.choice(self.movable)
        at = genome.order.index(one)
        near = genome.order[max(self.start, at - 2 * _WINDOW) : min(self.end, at + 2 * _WINDOW)]
        homes, pu = self.space.homes, genome.pu
        others = [
            op for op in near if pu[op] != pu[one] and pu[op] in homes[one] and pu[one] in homes[op]
        ]
        if not others:
            return False
        other = draw.choice(others)
        here, there = pu[one], pu[other]
        self._place(draw, genome, self.space.chain[one], there)
        return self._place(draw, genome, self.space.chain[other], here)

    def _gather(self, draw: Random, genome: Genome) -> bool:
        """Readers of one tensor on one PU, next to each other, in one partition."""
        readers = draw.choice(self.forks)
        lead = draw.choice(readers)
        pu = draw.choice(self.space.homes[lead])
        able = [op for op in readers if pu in self.space.homes[op]]
        draw.shuffle(able)
        able = able[: draw.randint(2, len(able))] if len(able) > 2 else able
        members: list[int] = []
        for op in able:
            members += [
                i for i in self.space.chain[op] if i in self.operators and pu in self.space.homes[i]
            ]
        members = sorted(dict.fromkeys(members), key=genome.order.index)
        if not members:
            return False
        self._place(draw, genome, members, pu)
        for op in members[1:]:
            genome.cut[op] = False
        self._bring_forward(genome, members, genome.order.index(members[0]))
        return True

    # Where partitions begin and end.

    def _split_or_merge(self, draw: Random, genome: Genome) -> bool:
        op = draw.choice(self.operators)
        genome.cut[op] = not genome.cut[op]
        return True

    def _stretch(self, draw: Random, genome: Genome) -> list[int]:
        start = draw.choice(self.operators)
        return genome.order[start : min(start + draw.randint(2, 2 * _WINDOW), self.end)]

    def _clear_cuts(self, draw: Random, genome: Genome) -> bool:
        for op in self._stretch(draw, genome):
            genome.cut[op] = False
        return True

    def _cut_eagerly(self, draw: Random, genome: Genome) -> bool:
        """In a stretch, partitions end where another PU waits and begin where they must wait."""
        graph, pu = self.space.graph, genome.pu
        ended: set[int] = set()
        for op in self._stretch(draw, genome):
            reads = any(pu[p] != pu[op] for p in graph.predecessors[op])
            if self.space.chain[op][0] == op or pu[self.space.chain[op][0]] != pu[op]:
                genome.cut[op] = reads or pu[op] in ended
                ended.discard(pu[op])
            if any(pu[s] != pu[op] for s in graph.successors[op]):
                ended.add(pu[op])
        return True

    # In which order.

    def _shift(self, draw: Random, genome: Genome) -> bool:
        """An operator, chain, branch or stretch, earlier or later, with what must come along."""
        op = draw.choice(self.operators)
        at = genome.order.index(op)
        kind = draw.randrange(4)
        ops: Ops = (op,)
        if kind == 1:
            ops = tuple(o for o in self.space.chain[op] if o in self.operators)
        elif kind == 2:
            branch = self.space.branches[self.space.branch_of[op]]
            start = branch.index(op)
            ops = tuple(o for o in branch[start : start + _WINDOW] if o in self.operators)
        elif kind == 3:
            pu = genome.pu[op]
            ops = tuple(
                o for o in genome.order[at : min(at + _WINDOW, self.end)] if genome.pu[o] == pu
            )
        distance = draw.randint(1, 2 * _WINDOW)
        if draw.random() < 0.5:
            return self._bring_forward(genome, ops, max(self.start, at - distance))
        return self._put_off(genome, ops, min(self.end, at + distance))

    def _bring_forward(self, genome: Genome, ops: Sequence[int], target: int) -> bool:
        """``ops``, and what they need, from position ``target`` on."""
        order, ancestors = genome.order, self.space.ancestors
        members = set(ops)
        needed = 0
        for op in ops:
            needed |= ancestors[op] | 1 << op
        end = max(i for i in range(len(order)) if order[i] in members) + 1
        window = order[target:end]
        first = [op for op in window if needed >> op & 1]
        order[target:end] = first + [op for op in window if not needed >> op & 1]
        return True

    def _put_off(self, genome: Genome, ops: Sequence[int], target: int) -> bool:
        """``ops``, and what needs them, to just before position ``target``."""
        order, ancestors = genome.order, self.space.ancestors
        bits = 0
        for op in ops:
            bits |= 1 << op
        start = min(i for i in range(len(order)) if bits >> order[i] & 1)
        window = order[start:target]
        later = [op for op in window if (ancestors[op] | 1 << op) & bits]
        moved = set(later)
        order[start:target] = [op for op in window if op not in moved] + later
        return True

    # Kernels and threads.

    def _fuse_or_not(self, draw: Random, genome: Genome) -> bool:
        op = draw.choice(self.operators)
        genome.plain[op] = not genome.plain[op]
        return True

    def _parallel_or_not(self, draw: Random, genome: Genome) -> bool:
        op = draw.choice(self.operators)
        genome.beside[op] = not genome.beside[op]
        if genome.beside[op]:
            genome.cut[op] = True
        return True
