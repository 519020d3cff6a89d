"""What it is charged, in a window's program, to pass tensors from part to part."""

from __future__ import annotations

from collections.abc import Iterator

from hetsim.bounds.accounts import Accounts, Spared, add
from hetsim.bounds.charges import Charges, Reads
from hetsim.bounds.labels import FIRST, LAST, MIDDLE, Label
from hetsim.cost.profile import INFEASIBLE


class Passing(Charges):
    """Charges what is brought to readers, and what makers hand over."""

    def __init__(self, books: Accounts, reads: Reads) -> None:
        super().__init__(books, reads)
        self._known = set(books.stage.before)

    def tensors(self) -> Iterator[tuple[str, int | None]]:
        """What is read in the window, each once, with its maker."""
        found: dict[str, int | None] = {}
        for op in self._stage.ops:
            for source, tensors in self._reads[op].items():
                found |= dict.fromkeys(tensors, source)
        yield from found.items()

    def bring(self, tensor: str, source: int | None) -> None:
        """Brings ``tensor`` once into each part that reads it and does not hold its maker."""
        scale = self._scale
        readers = [r for r in self._graph.consumers[tensor] if r in self._inside]
        for target in dict.fromkeys(label for r in readers for label in self._labels[r]):
            if target[0] == FIRST:
                continue
            there = [r for r in readers if target in self._labels[r]]
            for spared, seconds, amounts in self._tolls(tensor, source, target):
                needed = {}
                for reader in there:
                    if source is None:
                        needed[reader] = self._share[reader, target]
                    else:
                        needed[reader] = self._books.crossed(source, reader, target, spared)
                    before = source if source in self._inside else None
                    if target[0] == MIDDLE:
                        add(self._books.paths[before, reader], {needed[reader]: seconds / scale})
                any_of = self._books.any_of(list(needed.values()))
                once = {any_of: seconds / scale}
                if target[0] == MIDDLE:
                    add(self._books.loads[target[1]], once)
                    for r, amount in enumerate(amounts):
                        self._books.need_of(r, {any_of: amount})
                else:
                    add(self._books.ends, once)

    def hand(self, tensor: str, source: int) -> None:
        """The maker's partition hands ``tensor`` over, once, if anything outside reads it."""
        if tensor in self._graph.output_set:
            return
        readers = self._graph.consumers[tensor]
        for label in self._labels[source]:
            part, pu = label
            seconds, amounts = self._giving(tensor, source, pu)
            if (
                part == LAST
                or not (seconds or any(amounts))
                or source in self._known - {self._stage.cut}
            ):
                continue
            share = self._share[source, label]
            if any(r > self._stage.ops[-1] for r in readers):
                outside = share
            else:
                each = []
                for reader in readers:
                    each.append(self._rows.variable())
                    also = self._share.get((reader, label))
                    terms = {share: 1.0, each[-1]: -1.0}
                    self._rows.at_most(terms if also is None else terms | {also: -1.0})
                outside = self._books.any_of(each)
            if part == FIRST:
                add(self._books.ends, {outside: seconds})
            else:
                add(self._books.loads[pu], {outside: seconds})
                add(self._books.handed[source], {outside: seconds})
                for r, amount in enumerate(amounts):
                    self._books.need_of(r, {outside: amount})

    def _giving(self, tensor: str, source: int, pu: int) -> tuple[float, list[float]]:
        """What it takes to let others read ``tensor``: time, and of each resource."""
        floors = self._floors
        sole = len(self._graph.operators[source].outputs) == 1
        able = sole and floors.leave[source][pu] < INFEASIBLE
        more = floors.leave[source][pu] - self._wait[pu] if able else 0.0
        return (floors.handing(tensor, pu).alone + more) / self._scale, [
            r.handing(tensor, pu) + (r.stored[source][pu] if able else 0.0)
            for r in floors.resources
        ]

    def _tolls(
        self, tensor: str, source: int | None, target: Label
    ) -> Iterator[tuple[Spared, float, list[float]]]:
        """Tolls from cheap to dear: the labels that spare each, and what it adds."""
        toll, resources = self._floors.toll, self._floors.resources
        if source is None:
            seconds = toll(tensor, None, target[1]).alone
            if seconds > 0.0:
                yield (), seconds, [r.toll(tensor, None, target[1]) for r in resources]
            return
        tolls = {
            label: 0.0 if label == target else toll(tensor, label[1], target[1]).alone
            for label in self._labels[source]
        }
        below, needed = 0.0, [0.0 for _ in resources]
        for seconds in sorted({s for s in tolls.values() if s > 0.0}):
            spared = tuple(label for label, s in tolls.items() if s < seconds)
            makers = [label[1] for label, s in tolls.items() if s >= seconds]
            least = [min(r.toll(tensor, pu, target[1]) for pu in makers) for r in resources]
            yield spared, seconds - below, [a - b for a, b in zip(least, needed, strict=True)]
            below, needed = seconds, least
