"""Plans as something that can be changed a little and is a plan still.

A genome says for each operator its PU, whether a partition begins with it, whether that one fuses
and whether it runs beside the partition before; and it says an order of the operators that respects
their dependencies. Decoding puts each operator into the partition last opened on its PU, unless
a new one is to begin or two partitions would wait for each other. So whatever is changed, what
comes out is a valid plan, except that some PU may not run some operator; and every plan is the
decoding of its own genome (but for partitions that do not fuse where there is nothing to fuse).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hetsim.schedulers.search.judge import Draft, Piece
from hetsim.schedulers.search.space import Space


@dataclass(slots=True)
class Genome:
    """``order`` holds operators; the other lists are by operator.

    ``cut[op]``: a new partition begins with ``op``. ``plain[op]``: the partition that begins with
    ``op`` does not fuse. ``beside[op]``: it runs in parallel with the partition before it.
    """

    order: list[int]
    pu: list[int]
    cut: list[bool]
    plain: list[bool]
    beside: list[bool]

    def copy(self) -> Genome:
        """An independent copy."""
        return Genome(self.order[:], self.pu[:], self.cut[:], self.plain[:], self.beside[:])

    def spliced(self, other: Genome, start: int, end: int) -> Genome:
        """This genome with ``order[start:end]`` and all about those operators as in ``other``.

        Both must have the same operators there, as they have between two cut operators.
        """
        child = self.copy()
        child.order[start:end] = other.order[start:end]
        for op in other.order[start:end]:
            child.pu[op] = other.pu[op]
            child.cut[op] = other.cut[op]
            child.plain[op] = other.plain[op]
            child.beside[op] = other.beside[op]
        return child


def encode(draft: Draft, operators: int) -> Genome:
    """The genome that decodes to ``draft``."""
    genome = Genome(
        [op for piece in draft.pieces for op in piece.operators],
        [0] * operators,
        [False] * operators,
        [False] * operators,
        [False] * operators,
    )
    inside = {i for group in draft.groups for i in group[1:]}
    for i, (pu, ops, fuse) in enumerate(draft.pieces):
        for op in ops:
            genome.pu[op] = pu
        genome.cut[ops[0]] = True
        genome.plain[ops[0]] = not fuse
        genome.beside[ops[0]] = i in inside
    return genome


def decode(space: Space, genome: Genome) -> Draft | None:
    """The draft that ``genome`` means; ``None`` when a PU does not support what it is given."""
    blocks, leads = _blocks(space, genome)
    pieces = []
    for ops in blocks:
        first = ops[0]
        piece = space.piece(genome.pu[first], tuple(ops), genome.plain[first])
        if piece is None:
            return None
        pieces.append(piece)
    order = _in_order(leads)
    if order is not None:
        pieces = [pieces[i] for i in order]
    groups = _groups(space, genome, pieces) if space.parallel else ()
    return Draft(tuple(pieces), groups)


def _blocks(space: Space, genome: Genome) -> tuple[list[list[int]], list[int]]:
    """Operators of each partition in order of opening; bit sets of the partitions it waits for."""
    predecessors = space.graph.predecessors
    pu, cut = genome.pu, genome.cut
    home = [-1] * len(pu)
    open_block = [-1] * len(space.soc.pus)
    blocks: list[list[int]] = []
    leads: list[int] = []
    begins = space.begins
    for position, op in enumerate(genome.order):
        if position in begins:
            open_block = [-1] * len(space.soc.pus)
        here = pu[op]
        block = open_block[here]
        before = 0
        reads = False
        for p in predecessors[op]:
            source = home[p]
            if source == block:
                reads = True
            else:
                before |= leads[source] | 1 << source
        if block < 0 or cut[op] or before >> block & 1:
            if reads:
                before |= leads[block] | 1 << block
            home[op] = open_block[here] = len(blocks)
            blocks.append([op])
            leads.append(before)
            continue
        home[op] = block
        blocks[block].append(op)
        new = before & ~leads[block]
        if new:
            leads[block] |= new
            mark = 1 << block
            leads = [bits | new if bits & mark else bits for bits in leads]
    return blocks, leads


def _in_order(leads: Sequence[int]) -> list[int] | None:
    """A topological order of the partitions, by opening where free; ``None`` when it is that."""
    if not any(bits >> i for i, bits in enumerate(leads)):
        return None
    missing = (1 << len(leads)) - 1
    order: list[int] = []
    passed_over: list[int] = []  # ascending, and few: most come after what they wait for
    for i, bits in enumerate(leads):
        if bits & missing:
            passed_over.append(i)
            continue
        following = i
        while following >= 0:
            order.append(following)
            missing ^= 1 << following
            following = next((j for j in passed_over if not leads[j] & missing), -1)
            if following >= 0:
                passed_over.remove(following)
    return order


def _groups(space: Space, genome: Genome, pieces: Sequence[Piece]) -> tuple[tuple[int, ...], ...]:
    """Runs of neighbours that want to run in parallel and can."""
    predecessors = space.graph.predecessors
    groups: list[list[int]] = []
    members: set[int] = set()
    for i, (pu, ops, _) in enumerate(pieces):
        if (
            groups
            and genome.beside[ops[0]]
            and all(pieces[j].pu != pu for j in groups[-1])
            and not any(p in members for op in ops for p in predecessors[op])
        ):
            groups[-1].append(i)
            members.update(ops)
        else:
            groups.append([i])
            members = set(ops)
    return tuple(tuple(group) for group in groups if len(group) > 1)
