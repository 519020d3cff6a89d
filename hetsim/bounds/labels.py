"""A window as a linear program over where each of its operators runs.

The partition that holds the cut at the beginning of a window runs alone: whatever partition reads
from it waits for its end, and everything after the cut does, directly or not. So does the one that
holds the cut at the end. Hence in every plan, under every runtime, a window consists of the
rest of the first partition, then partitions of neither cut, then the beginning of the last
partition, or the two are one partition that holds the window whole. An operator's *label* says in
which of them it is, and on which PU. The program's variables are shares of labels; it charges

* the first and the last partition in full, one operator after the other, the last one's call and
  whatever is brought into it;
* on each PU in between: kernels, a call, whatever is brought to it, results that go back;
* along every path in between: kernels, and where the PU changes a call and what is brought.

Under a runtime that forks and joins, partitions in between either run one after the other, so that
the PUs' loads add up, or a fork and two joins come on top.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hetsim.bounds.floors import Floors, Least
from hetsim.bounds.relaxation import hand_over_seconds, producers
from hetsim.bounds.rows import Prices, Rows, Solved
from hetsim.bounds.stages import Stage
from hetsim.cost.profile import INFEASIBLE
from hetsim.numeric import Array
from hetsim.workload.graph import Graph

FIRST, MIDDLE, LAST = 0, 1, 2
"""The parts of a window."""

Label = tuple[int, int]
"""A part and a PU."""

Split = tuple[list[int], list[int]]
"""Variables that are zero in the one half, and those that are in the other."""

WHOLE = 1e-6
"""How far from zero and one a share may be and count as decided."""

Spared = tuple[Label, ...]
"""Labels of a tensor's maker with which it need not be brought."""


@dataclass(frozen=True, slots=True)
class Forking:
    """What a runtime that forks and joins spends on a parallel group beside its longest member."""

    fork: float
    join: float


class Labels:
    """The linear program of ``stage``, whose first and last partition are not the same.

    ``together``: partitions in between may run at the same time; ``forking`` is what that costs,
    ``None`` where it costs nothing. ``share[op, label]`` are the variables to decide. Operators
    before the stage whose results it reads have a share, too: they are over when it begins.
    """

    def __init__(
        self,
        graph: Graph,
        floors: Floors,
        stage: Stage,
        forking: Forking | None = None,
        together: bool = True,
    ) -> None:
        self._graph = graph
        self._floors = floors
        self._stage = stage
        self._inside = set(stage.ops)
        self._known = set(stage.before)
        self._reads = {op: producers(graph, op) for op in stage.ops}
        self._wait = [min(row[p] for row in floors.leave) for p in floors.pus]
        self._scale = max(self._most(), 1e-12)
        self._rows = Rows()
        self._needed: dict[tuple[int, int, Label, Spared], int] = {}
        self.share: dict[tuple[int, Label], int] = {}
        self.labels = {op: tuple(self._able(op)) for op in (*stage.before, *stage.ops)}
        self._build(forking, together)

    @property
    def size(self) -> int:
        """Number of variables."""
        return len(self._rows.goal)

    def decided(self, entry: Mapping[int, int], leave: Mapping[int, int]) -> dict[int, float]:
        """The shares that follow from the PUs of operators read across the stage's ends."""
        stage = self._stage
        first = None if stage.cut is None else entry[stage.cut]
        last = None if stage.last else leave[stage.ops[-1]]
        fixed = {}
        for (op, (part, pu)), share in self.share.items():
            if op in self._known:
                fixed[share] = float(pu == entry[op])
            elif (
                (part == FIRST and pu != first)
                or (part == LAST and not stage.last and pu != last)
                or leave.get(op, pu) != pu
            ):
                fixed[share] = 0.0
        return fixed

    def solve(self, fixed: Mapping[int, float]) -> Solved:
        """The program's bound in seconds, with some shares decided."""
        found = self._rows.solve(fixed)
        return replace(found, bound=found.bound * self._scale)

    def proves(self, prices: Prices, fixed: Mapping[int, float]) -> float:
        """The bound in seconds that ``prices`` of another solution prove, without solving."""
        return self._rows.proves(prices, fixed) * self._scale

    def split(self, values: Array) -> Split | None:
        """Shares to rule out on the one hand and on the other, so that more is decided.

        The PU before the part, of the operator that takes longest; ``None``: all is decided.
        """
        best, weight = None, 0.0
        for by_pu in (True, False):
            for op in self._stage.ops:
                groups: dict[int, list[int]] = {}
                for part, pu in self.labels[op]:
                    key = pu if by_pu else part
                    groups.setdefault(key, []).append(self.share[op, (part, pu)])
                held = {key: sum(float(values[v]) for v in vs) for key, vs in groups.items()}
                most = max(held, key=lambda key: held[key])
                doubt = 1.0 - held[most]
                if doubt > WHOLE and doubt * self._weight(op) > weight:
                    others = [v for key, vs in groups.items() if key != most for v in vs]
                    best, weight = (groups[most], others), doubt * self._weight(op)
            if best is not None:
                return best
        return None

    def _weight(self, op: int) -> float:
        """Seconds that may hang on where ``op`` runs."""
        return max(_smallest(self._floors.ops[op]), 1e-12)

    def _most(self) -> float:
        """Seconds that nothing sensible exceeds: everything on its slowest PU, brought anew."""
        floors, total = self._floors, 0.0
        for op in (*self._stage.before, *self._stage.ops):
            total += floors.call + _greatest(floors.leave[op]) + max(self._wait)
        for op in self._stage.ops:
            total += _greatest(s for row in floors.ops[op] for s in (row.alone, row.least))
            for source, tensors in self._reads[op].items():
                origins = [None] if source is None else list(floors.pus)
                for t in tensors:
                    total += max(floors.toll(t, p, q).alone for p in origins for q in floors.pus)
            total += max(self._back(op, p) for p in floors.pus)
            for t in self._graph.operators[op].outputs:
                total += max(floors.handing(t, p).alone for p in floors.pus)
        return total

    def _able(self, op: int) -> Iterator[Label]:
        stage, feasible = self._stage, self._floors.feasible
        able = feasible(op)
        if op in self._known:
            yield from ((FIRST, pu) for pu in able)
            return
        firsts = () if stage.cut is None else feasible(stage.cut)
        lasts = feasible(stage.ops[-1]) if stage.closes else ()
        parts: tuple[int, ...] = (FIRST, MIDDLE, LAST)
        if stage.closes and op == stage.ops[-1]:
            parts = (FIRST, LAST) if stage.last else (LAST,)
        for part in parts:
            for pu in able:
                if part == MIDDLE or pu in (firsts if part == FIRST else lasts):
                    yield part, pu

    def _back(self, op: int, pu: int) -> float:
        """Seconds of bringing the network's outputs that ``op`` makes back to the application."""
        outputs = self._graph.operators[op].outputs
        made = [t for t in outputs if t in self._graph.output_set]
        return sum(self._floors.toll(t, pu, None).alone for t in made)

    def _build(self, forking: Forking | None, together: bool) -> None:
        rows, stage = self._rows, self._stage
        for op, labels in self.labels.items():
            for label in labels:
                self.share[op, label] = rows.variable()
            rows.exactly({self.share[op, label]: 1.0 for label in labels}, 1.0)
        self._end = {op: rows.variable(high=2.0) for op in stage.ops}
        self._loads: dict[int, dict[int, float]] = {p: {} for p in self._floors.pus}
        self._needs: list[dict[int, float]] = [{} for _ in self._floors.resources]
        self._ends: dict[int, float] = self._around()
        self._paths: dict[tuple[int | None, int], dict[int, float]] = {}
        kernels = {op: self._place(op) for op in stage.ops}
        for op in stage.ops:
            self._closed(op)
            self._cross(op)
        self._handed: dict[int, dict[int, float]] = {op: {} for op in stage.ops}
        for tensor, source in self._tensors():
            self._bring(tensor, source)
            if source is not None:
                self._hand(tensor, source)
        for (before, op), terms in self._paths.items():
            begin = {} if before is None else {self._end[before]: 1.0}
            rows.at_most(_sum(begin, terms, kernels[op], {self._end[op]: -1.0}))
        rows.minimise(self._ends)
        self._between(forking, together)

    def _around(self) -> dict[int, float]:
        """Seconds between the first partition and what follows, and the last one's call."""
        stage, scale = self._stage, self._scale
        terms = {}
        for label in self.labels[stage.ops[-1]]:
            part, pu = label
            if part == LAST:
                wait = self._wait[pu] if stage.last else 0.0
                terms[self.share[stage.ops[-1], label]] = (self._floors.call + wait) / scale
        if stage.cut is None:
            return terms
        for label in self.labels[stage.cut]:
            pu = label[1]
            terms[self.share[stage.cut, label]] = self._wait[pu] / scale
        return terms

    def _between(self, forking: Forking | None, together: bool) -> None:
        """What the partitions in between take."""
        rows, scale = self._rows, self._scale
        middle = rows.variable(high=2.0, goal=1.0)
        if forking is not None and together:
            rows.constant += (forking.fork + 2.0 * forking.join) / scale
        for op in self._stage.ops:
            back = {
                self.share[op, (part, pu)]: (self._wait[pu] + self._back(op, pu)) / scale
                for part, pu in self.labels[op]
                if part == MIDDLE
            }
            rows.at_most(_sum({self._end[op]: 1.0}, back, self._handed[op], {middle: -1.0}))
        total: dict[int, float] = {}
        for pu, load in self._loads.items():
            used = rows.variable()
            load[used] = (self._floors.call + self._wait[pu]) / scale
            for r, resource in enumerate(self._floors.resources):
                self._need_of(r, {used: resource.call})
            for op in self._stage.ops:
                if (MIDDLE, pu) in self.labels[op]:
                    rows.at_most({self.share[op, (MIDDLE, pu)]: 1.0, used: -1.0})
            rows.at_most(_sum(load, {middle: -1.0}))
            _add(total, load)
        if not together:
            rows.at_most(_sum(total, {middle: -1.0}))
        for load in self._needs:
            rows.at_most(_sum(load, {middle: -1.0}))

    def _need_of(self, resource: int, terms: Mapping[int, float]) -> None:
        """Amounts of a resource that are needed in between."""
        factor = self._floors.resources[resource].seconds / self._scale
        _add(self._needs[resource], {v: factor * amount for v, amount in terms.items()})

    def _closed(self, op: int) -> None:
        """What comes before an operator of the first partition is in it; likewise at the end."""
        befores = [before for before in self._graph.predecessors[op] if before in self._inside]
        if self._stage.cut is not None:
            befores.append(self._stage.cut)
        for before in befores:
            for part, one, other in ((FIRST, op, before), (LAST, before, op)):
                for label in self.labels[one]:
                    if label[0] == part:
                        also = self.share.get((other, label))
                        terms = {self.share[one, label]: 1.0}
                        self._rows.at_most(terms if also is None else terms | {also: -1.0})

    def _place(self, op: int) -> dict[int, float]:
        """Charges the kernels of ``op``; returns those in between, as terms."""
        between: dict[int, float] = {}
        for label in self.labels[op]:
            part, pu = label
            terms, amounts = self._kernel(op, label)
            back = {self.share[op, label]: self._back(op, pu) / self._scale}
            if part == MIDDLE:
                _add(between, terms)
                for r, amount in enumerate(amounts):
                    self._need_of(r, amount)
                _add(self._loads[pu], terms, back)
            else:
                _add(self._ends, terms, back if part == FIRST or self._stage.last else {})
        return between

    def _kernel(self, op: int, label: Label) -> tuple[dict[int, float], list[dict[int, float]]]:
        """Seconds of ``op`` under ``label``, and what it needs of each resource, as terms.

        Less beside a neighbour of the same label.
        """
        rows, scale = self._rows, self._scale
        share, pu = self.share[op, label], label[1]
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
            also = self.share.get((neighbour, label))
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

    def _cross(self, op: int) -> None:
        """Calls along paths in between: at the beginning, and where the PU changes."""
        call, scale = self._floors.call, self._scale
        targets = [label for label in self.labels[op] if label[0] == MIDDLE]
        self._paths[None, op] = {self.share[op, label]: call / scale for label in targets}
        for before in self._graph.predecessors[op]:
            if before not in self._inside:
                continue
            path = self._paths[before, op] = {}
            tensors = self._reads[op][before]
            for label in targets:
                left = [
                    hand_over_seconds(self._floors, before, tensors, pu) if part == MIDDLE else 0.0
                    for part, pu in self.labels[before]
                    if (part, pu) != label and part != LAST
                ]
                if left:
                    spared = (label,) if label in self.labels[before] else ()
                    path[self._need(before, op, label, spared)] = (call + min(left)) / scale

    def _need(self, source: int, reader: int, target: Label, spared: Spared) -> int:
        """Whether ``reader`` is at ``target`` and ``source`` has none of the labels ``spared``."""
        key = (source, reader, target, spared)
        found = self._needed.get(key)
        if found is None:
            found = self._needed[key] = self._rows.variable()
            others = {self.share[source, label]: -1.0 for label in spared}
            self._rows.at_most({self.share[reader, target]: 1.0, found: -1.0} | others)
        return found

    def _tensors(self) -> Iterator[tuple[str, int | None]]:
        """What is read in the window, each once, with its maker."""
        found: dict[str, int | None] = {}
        for op in self._stage.ops:
            for source, tensors in self._reads[op].items():
                found |= dict.fromkeys(tensors, source)
        yield from found.items()

    def _bring(self, tensor: str, source: int | None) -> None:
        """Brings ``tensor`` once into each part that reads it and does not hold its maker."""
        scale = self._scale
        readers = [r for r in self._graph.consumers[tensor] if r in self._inside]
        for target in dict.fromkeys(label for r in readers for label in self.labels[r]):
            if target[0] == FIRST:
                continue
            there = [r for r in readers if target in self.labels[r]]
            for spared, seconds, amounts in self._tolls(tensor, source, target):
                needed = {}
                for reader in there:
                    if source is None:
                        needed[reader] = self.share[reader, target]
                    else:
                        needed[reader] = self._need(source, reader, target, spared)
                    before = source if source in self._inside else None
                    if target[0] == MIDDLE:
                        _add(self._paths[before, reader], {needed[reader]: seconds / scale})
                any_of = self._any(list(needed.values()))
                once = {any_of: seconds / scale}
                if target[0] == MIDDLE:
                    _add(self._loads[target[1]], once)
                    for r, amount in enumerate(amounts):
                        self._need_of(r, {any_of: amount})
                else:
                    _add(self._ends, once)

    def _hand(self, tensor: str, source: int) -> None:
        """The maker's partition hands ``tensor`` over, once, if anything outside reads it."""
        if tensor in self._graph.output_set:
            return
        readers = self._graph.consumers[tensor]
        for label in self.labels[source]:
            part, pu = label
            seconds, amounts = self._giving(tensor, source, pu)
            if (
                part == LAST
                or not (seconds or any(amounts))
                or source in self._known - {self._stage.cut}
            ):
                continue
            share = self.share[source, label]
            if any(r > self._stage.ops[-1] for r in readers):
                outside = share
            else:
                each = []
                for reader in readers:
                    each.append(self._rows.variable())
                    also = self.share.get((reader, label))
                    terms = {share: 1.0, each[-1]: -1.0}
                    self._rows.at_most(terms if also is None else terms | {also: -1.0})
                outside = self._any(each)
            if part == FIRST:
                _add(self._ends, {outside: seconds})
            else:
                _add(self._loads[pu], {outside: seconds})
                _add(self._handed[source], {outside: seconds})
                for r, amount in enumerate(amounts):
                    self._need_of(r, {outside: amount})

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

    def _any(self, each: Sequence[int]) -> int:
        """A variable that is at least each of some."""
        if len(each) == 1:
            return each[0]
        once = self._rows.variable()
        for needed in each:
            self._rows.at_most({needed: 1.0, once: -1.0})
        return once

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
            for label in self.labels[source]
        }
        below, needed = 0.0, [0.0 for _ in resources]
        for seconds in sorted({s for s in tolls.values() if s > 0.0}):
            spared = tuple(label for label, s in tolls.items() if s < seconds)
            makers = [label[1] for label, s in tolls.items() if s >= seconds]
            least = [min(r.toll(tensor, pu, target[1]) for pu in makers) for r in resources]
            yield spared, seconds - below, [a - b for a, b in zip(least, needed, strict=True)]
            below, needed = seconds, least


def _sum(*terms: Mapping[int, float]) -> dict[int, float]:
    total: dict[int, float] = {}
    _add(total, *terms)
    return total


def _add(total: dict[int, float], *terms: Mapping[int, float]) -> None:
    for each in terms:
        for variable, factor in each.items():
            total[variable] = total.get(variable, 0.0) + factor


def _smallest(floors: Sequence[Least]) -> float:
    return min((least.alone for least in floors), default=0.0)


def _greatest(seconds: Iterable[float]) -> float:
    return max((s for s in seconds if s < INFEASIBLE), default=0.0)
