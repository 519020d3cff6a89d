"""What operators and the partitions that hold them are charged with in a window's program."""

from __future__ import annotations

from dataclasses import dataclass

from hetsim.bounds.accounts import Accounts, add, summed
from hetsim.bounds.charges import Charges, Reads
from hetsim.bounds.labels import FIRST, LAST, MIDDLE, Label
from hetsim.bounds.relaxation import hand_over_seconds
from hetsim.cost.profile import INFEASIBLE


@dataclass(frozen=True, slots=True)
class Forking:
    """What a runtime that forks and joins spends on a parallel group beside its longest member."""

    fork: float
    join: float


class Running(Charges):
    """Charges kernels, calls and waits."""

    def __init__(self, books: Accounts, reads: Reads) -> None:
        super().__init__(books, reads)
        self.end = {op: books.rows.variable(high=2.0) for op in books.stage.ops}

    def around(self) -> dict[int, float]:
        """Seconds between the first partition and what follows, and the last one's call."""
        stage, scale = self._stage, self._scale
        terms = {}
        for label in self._labels[stage.ops[-1]]:
            part, pu = label
            if part == LAST:
                wait = self._wait[pu] if stage.last else 0.0
                terms[self._share[stage.ops[-1], label]] = (self._floors.call + wait) / scale
        if stage.cut is None:
            return terms
        for label in self._labels[stage.cut]:
            pu = label[1]
            terms[self._share[stage.cut, label]] = self._wait[pu] / scale
        return terms

    def between(self, forking: Forking | None, together: bool) -> None:
        """What the partitions in between take."""
        rows, scale = self._rows, self._scale
        middle = rows.variable(high=2.0, goal=1.0)
        if forking is not None and together:
            rows.constant += (forking.fork + 2.0 * forking.join) / scale
        for op in self._stage.ops:
            back = {
                self._share[op, (part, pu)]: (self._wait[pu] + self._books.back(op, pu)) / scale
                for part, pu in self._labels[op]
                if part == MIDDLE
            }
            rows.at_most(summed({self.end[op]: 1.0}, back, self._books.handed[op], {middle: -1.0}))
        total: dict[int, float] = {}
        for pu, load in self._books.loads.items():
            used = rows.variable()
            load[used] = (self._floors.call + self._wait[pu]) / scale
            for r, resource in enumerate(self._floors.resources):
                self._books.need_of(r, {used: resource.call})
            for op in self._stage.ops:
                if (MIDDLE, pu) in self._labels[op]:
                    rows.at_most({self._share[op, (MIDDLE, pu)]: 1.0, used: -1.0})
            rows.at_most(summed(load, {middle: -1.0}))
            add(total, load)
        if not together:
            rows.at_most(summed(total, {middle: -1.0}))
        for load in self._books.needs:
            rows.at_most(summed(load, {middle: -1.0}))

    def closed(self, op: int) -> None:
        """What comes before an operator of the first partition is in it; likewise at the end."""
        for before in self._graph.predecessors[op]:
            if before not in self._inside:
                continue
            for part, one, other in ((FIRST, op, before), (LAST, before, op)):
                for label in self._labels[one]:
                    if label[0] == part:
                        also = self._share.get((other, label))
                        terms = {self._share[one, label]: 1.0}
                        self._rows.at_most(terms if also is None else terms | {also: -1.0})

    def place(self, op: int) -> dict[int, float]:
        """Charges the kernels of ``op``; returns those in between, as terms."""
        between: dict[int, float] = {}
        for label in self._labels[op]:
            part, pu = label
            terms, amounts = self._kernel(op, label)
            back = {self._share[op, label]: self._books.back(op, pu) / self._scale}
            if part == MIDDLE:
                add(between, terms)
                for r, amount in enumerate(amounts):
                    self._books.need_of(r, amount)
                add(self._books.loads[pu], terms, back)
            else:
                add(self._books.ends, terms, back if part == FIRST or self._stage.last else {})
        return between

    def _kernel(self, op: int, label: Label) -> tuple[dict[int, float], list[dict[int, float]]]:
        """Seconds of ``op`` under ``label``, and what it needs of each resource, as terms.

        Less beside a neighbour of the same label.
        """
        rows, scale = self._rows, self._scale
        share, pu = self._share[op, label], label[1]
        least = self._floors.ops[op][pu]
        others = [resource.ops[op][pu] for resource in self._floors.resources]
        finite = least.alone < INFEASIBLE
        terms = {share: least.alone / scale} if finite else {}
        amounts = [{share: other.alone} if finite else {} for other in others]
        quicker = dict(least.beside)
        if finite:
            for other in others:
                quicker |= {n: least.alone for n, _ in other.beside if n not in quicker}
        near: dict[int, float] = {}
        for neighbour, seconds in quicker.items():
            also = self._share.get((neighbour, label))
            if also is None:
                continue
            together = rows.variable()
            near[together] = 1.0
            rows.at_most({together: 1.0, also: -1.0})
            terms[together] = (seconds - least.alone if finite else seconds) / scale
            for other, amount in zip(others, amounts, strict=True):
                fewer = dict(other.beside)
                if finite:
                    amount[together] = fewer.get(neighbour, other.alone) - other.alone
                else:
                    amount[together] = fewer.get(neighbour, 0.0)
        if finite:
            rows.at_most(near | {share: -1.0})
        else:
            rows.exactly(near | {share: -1.0}, 0.0)
        return terms, amounts

    def cross(self, op: int) -> None:
        """Calls along paths in between: at the beginning, and where the PU changes."""
        call, scale = self._floors.call, self._scale
        targets = [label for label in self._labels[op] if label[0] == MIDDLE]
        self._books.paths[None, op] = {self._share[op, label]: call / scale for label in targets}
        for before in self._graph.predecessors[op]:
            if before not in self._inside:
                continue
            path = self._books.paths[before, op] = {}
            tensors = self._reads[op][before]
            for label in targets:
                left = [
                    hand_over_seconds(self._floors, before, tensors, pu) if part == MIDDLE else 0.0
                    for part, pu in self._labels[before]
                    if (part, pu) != label and part != LAST
                ]
                if left:
                    spared = (label,) if label in self._labels[before] else ()
                    path[self._books.crossed(before, op, label, spared)] = (
                        call + min(left)
                    ) / scale
