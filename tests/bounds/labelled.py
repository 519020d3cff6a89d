"""Windows with made-up floors, and what a choice of labels takes there, by plain adding up.

What :mod:`hetsim.bounds.program` charges, in the words of its docstring, for labels that are
decided; the least of all choices is what the program proves once nothing is left in fractions.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from itertools import product
from math import inf

from hetsim.bounds.floors import NEVER, Floors, Least, Resource
from hetsim.bounds.labels import FIRST, LAST, MIDDLE, Label
from hetsim.bounds.running import Forking
from hetsim.bounds.stages import Stage
from hetsim.workload.graph import Graph, Operator, Tensor

Choice = Mapping[int, Label]


def network(*reads: tuple[int, ...], outputs: tuple[int, ...] = (), results: int = 1) -> Graph:
    """Operator i reads the first result of others, or the input ``x``; by the way each is read.

    Results that nobody reads are outputs, and those of ``outputs`` besides.
    """
    read = {r for each in reads for r in each}
    operators = [
        Operator(
            f"o{i}", "Relu", tuple(f"t{r}" for r in each) or ("x",),
            (f"t{i}", *(f"t{i}.{k}" for k in range(1, results))),
        )
        for i, each in enumerate(reads)
    ]  # fmt: skip
    tensors = [Tensor(t, (1,)) for t in ("x", *(t for op in operators for t in op.outputs))]
    told = [f"t{i}" for i in range(len(reads)) if i not in read or i in outputs]
    return Graph.create("window", operators, tensors, ["x"], told)


def random_floors(graph: Graph, seed: int, units: int = 2, resources: int = 1) -> Floors:
    """Floors in whole seconds: what is brought, handed over and shared, at random.

    Every other seed leaves each operator a single unit that can run it, and of these every other
    one keeps the units of the network's ends for them alone, so that all else is in between.
    """
    draw = random.Random(seed)
    count = len(graph)
    homes = [draw.randrange(units) if seed % 2 else None for _ in range(count)]
    if seed % 4 == 3:
        homes = [0, *(draw.randrange(1, units) for _ in range(count - 2)), 0]

    def table() -> dict[tuple[str, int | None, int | None], float]:
        places = (None, *range(units))
        return {
            (t, a, b): 0 if draw.random() < 0.3 else draw.randint(1, 6)
            for t in graph.tensors for a in places for b in places
        }  # fmt: skip

    def least(op: int, pu: int) -> Least:
        if homes[op] not in (None, pu):
            return NEVER
        alone = float(draw.randint(2, 9))
        near = [p for p in graph.predecessors[op] if draw.random() < 0.4][:1]
        if near and draw.random() < 0.3:
            return Least(inf, ((near[0], alone),))
        return Least(alone, tuple((n, draw.randint(1, int(alone)) / 2) for n in near))

    ops = tuple(tuple(least(op, pu) for pu in range(units)) for op in range(count))
    toll, handing = table(), table()
    shared = []
    for _ in range(resources):
        needs, gives = table(), table()
        amounts = tuple(
            tuple(
                Least(
                    float(draw.randint(1, 6)) if ops[op][p].alone < inf else inf,
                    tuple(
                        (n, draw.randint(0, 2) / 2)
                        for n in graph.predecessors[op]
                        if draw.random() < 0.4
                    ),
                )
                for p in range(units)
            )
            for op in range(count)
        )
        stored = tuple(tuple(float(draw.randint(0, 3)) for _ in range(units)) for _ in ops)
        shared.append(
            Resource(
                draw.choice((0.5, 1.0, 2.0, 3.0)), amounts, stored,
                lambda t, a, b, needs=needs: float(needs[t, a, b]),
                lambda t, a, gives=gives: float(gives[t, a, None]), float(draw.randint(0, 3)),
            )
        )  # fmt: skip
    return Floors(
        ops,
        lambda t, a, b: Least(float(toll[t, a, b])),
        float(draw.randint(1, 4)),
        tuple(tuple(float(draw.randint(1, 4)) for _ in range(units)) for _ in ops),
        (False,) * units,
        handing=lambda t, a: Least(float(handing[t, a, None])),
        resources=tuple(shared),
    )


class Window:
    """A stage whose ends are decided: ``entry`` and ``leave`` by operator."""

    def __init__(
        self,
        graph: Graph,
        floors: Floors,
        stage: Stage,
        entry: Mapping[int, int],
        leave: Mapping[int, int],
    ) -> None:
        self.graph, self.floors, self.stage = graph, floors, stage
        self.entry, self.leave = entry, leave
        self.wait = [min(row[p] for row in floors.leave) for p in floors.pus]
        self.able = {op: list(self._labels(op)) for op in stage.ops}

    def _labels(self, op: int) -> Iterator[Label]:
        stage, floors = self.stage, self.floors
        closing = stage.closes and op == stage.ops[-1]
        for part, pu in product((FIRST, MIDDLE, LAST), floors.feasible(op)):
            if part == FIRST and (stage.cut is None or (closing and not stage.last)):
                continue
            if part == FIRST and pu not in floors.feasible(stage.cut or 0):
                continue
            if part == LAST and not stage.closes:
                continue
            if part == LAST and pu not in floors.feasible(stage.ops[-1]):
                continue
            if part == MIDDLE and closing:
                continue
            yield part, pu

    def least(self, forking: Forking | None = None, together: bool = True) -> float:
        """Of all choices that fit together."""
        ops = self.stage.ops
        found = inf
        for labels in product(*self.able.values()):
            choice = dict(zip(ops, labels, strict=True))
            choice |= {op: (FIRST, pu) for op, pu in self.entry.items()}
            if all(self._fits(op, choice) for op in ops):
                for near in self._neighbours(choice):
                    found = min(found, self._takes(choice, near, forking, together))
        return found

    def _fits(self, op: int, choice: Choice) -> bool:
        stage, (part, pu) = self.stage, choice[op]
        if self.leave.get(op, pu) != pu:
            return False
        if part == FIRST and pu != self.entry[stage.cut]:
            return False
        if part == LAST and not stage.last and pu != self.leave[stage.ops[-1]]:
            return False
        before = [p for p in self.graph.predecessors[op] if p in stage.ops]
        if part == FIRST and any(choice[p] != choice[op] for p in before):
            return False
        return all(choice[p][0] != LAST or choice[p] == choice[op] for p in before)

    def _neighbours(self, choice: Choice) -> Iterator[Mapping[int, int | None]]:
        """Whom each operator is beside, ``None``: nobody who makes it quicker."""
        each = []
        for op in self.stage.ops:
            pu = choice[op][1]
            least = self.floors.ops[op][pu]
            named = [n for n, _ in least.beside]
            if least.alone < inf:
                named += [n for r in self.floors.resources for n, _ in r.ops[op][pu].beside]
            near: list[int | None] = [n for n in set(named) if choice[n] == choice[op]]
            each.append(near if least.alone == inf else [*near, None])
        return (dict(zip(self.stage.ops, near, strict=True)) for near in product(*each))

    def _takes(
        self,
        choice: Choice,
        near: Mapping[int, int | None],
        forking: Forking | None,
        together: bool,
    ) -> float:
        graph, floors, stage = self.graph, self.floors, self.stage
        inside, units = set(stage.ops), {pu for part, pu in choice.values() if part == MIDDLE}
        ends = 0.0
        loads = {pu: floors.call + self.wait[pu] for pu in units}
        needs = [len(units) * r.call * r.seconds for r in floors.resources]
        kernel: dict[int, float] = {}
        handed = dict.fromkeys(stage.ops, 0.0)

        def amount(row: Least, neighbour: int | None) -> float:
            usual = row.alone if row.alone < inf else 0.0
            return row.alone if neighbour is None else dict(row.beside).get(neighbour, usual)

        if stage.cut is not None:
            ends += self.wait[choice[stage.cut][1]]
        part, pu = choice[stage.ops[-1]]
        if part == LAST:
            ends += floors.call + (self.wait[pu] if stage.last else 0.0)
        for op in stage.ops:
            part, pu = choice[op]
            kernel[op] = amount(floors.ops[op][pu], near[op])
            if part == MIDDLE:
                loads[pu] += kernel[op] + self._back(op, pu)
                for r, resource in enumerate(floors.resources):
                    needs[r] += resource.seconds * amount(resource.ops[op][pu], near[op])
            else:
                ends += kernel[op] + (self._back(op, pu) if part == FIRST or stage.last else 0.0)
        for tensor, source in self._read().items():
            readers = [r for r in graph.consumers[tensor] if r in inside]
            for target in {choice[r] for r in readers if choice[r][0] != FIRST}:
                seconds, amounts = self._toll(tensor, source, target, choice)
                if target[0] == LAST:
                    ends += seconds
                    continue
                loads[target[1]] += seconds
                for r, resource in enumerate(floors.resources):
                    needs[r] += amounts[r] * resource.seconds
            if source is None or (source in self.entry and source != stage.cut):
                continue
            part, pu = choice[source]
            beyond = any(
                r > stage.ops[-1] or choice[r] != choice[source] for r in graph.consumers[tensor]
            )
            if part == LAST or not beyond or tensor in graph.output_set:
                continue
            sole = len(graph.operators[source].outputs) == 1
            seconds = floors.handing(tensor, pu).alone
            seconds += floors.leave[source][pu] - self.wait[pu] if sole else 0.0
            if part == FIRST:
                ends += seconds
                continue
            loads[pu] += seconds
            handed[source] += seconds
            for r, resource in enumerate(floors.resources):
                more = resource.stored[source][pu] if sole else 0.0
                needs[r] += resource.seconds * (resource.handing(tensor, pu) + more)
        middle = max([0.0, *loads.values(), *needs, *self._ends(choice, kernel, handed)])
        if not together:
            middle = max(middle, sum(loads.values()))
        forks = forking.fork + 2 * forking.join if forking is not None and together else 0.0
        return ends + middle + forks

    def _read(self) -> dict[str, int | None]:
        """What is read in the window, with its maker."""
        read = [t for op in self.stage.ops for t in self.graph.operators[op].inputs]
        return {t: self.graph.producer.get(t) for t in read}

    def _back(self, op: int, pu: int) -> float:
        made = [t for t in self.graph.operators[op].outputs if t in self.graph.output_set]
        return sum(self.floors.toll(t, pu, None).alone for t in made)

    def _toll(
        self, tensor: str, source: int | None, target: Label, choice: Choice
    ) -> tuple[float, list[float]]:
        """Bringing ``tensor``: a resource gives the least that any maker as dear needs of it."""
        toll, resources = self.floors.toll, self.floors.resources
        if source is None:
            seconds = toll(tensor, None, target[1]).alone
            return seconds, [r.toll(tensor, None, target[1]) * (seconds > 0) for r in resources]
        if choice[source] == target:
            return 0.0, [0.0] * len(resources)
        seconds = toll(tensor, choice[source][1], target[1]).alone
        if not seconds:
            return 0.0, [0.0] * len(resources)
        makers = [(FIRST, pu) for pu in self.floors.feasible(source)]
        dear = [
            pu for part, pu in (makers if source in self.entry else self.able[source])
            if (part, pu) != target and toll(tensor, pu, target[1]).alone >= seconds
        ]  # fmt: skip
        return seconds, [min(r.toll(tensor, pu, target[1]) for pu in dear) for r in resources]

    def _ends(
        self, choice: Choice, kernel: Mapping[int, float], handed: Mapping[int, float]
    ) -> Iterator[float]:
        """When everything in between is back or handed over, along paths in between."""
        floors, inside = self.floors, self.stage.ops
        end: dict[int, float] = {}
        for op in inside:
            label = choice[op]
            middle = label[0] == MIDDLE
            start, following = floors.call if middle else 0.0, 0.0
            for source, tensors in self._by_maker(op).items():
                brought = sum(self._toll(t, source, label, choice)[0] for t in tensors) * middle
                if source not in inside:
                    start += brought
                    continue
                left = [
                    floors.leave[source][pu] + sum(floors.handing(t, pu).alone for t in tensors)
                    if part == MIDDLE else 0.0
                    for part, pu in self.able[source] if (part, pu) != label and part != LAST
                ]  # fmt: skip
                called = middle and choice[source] != label and left
                told = floors.call + min(left) if called else 0.0
                following = max(following, end[source] + brought + told)
            start = max(start, following)
            end[op] = start + (kernel[op] if middle else 0.0)
            if middle:
                yield end[op] + self.wait[label[1]] + self._back(op, label[1]) + handed[op]

    def _by_maker(self, op: int) -> dict[int | None, list[str]]:
        found: dict[int | None, list[str]] = {}
        for t in self.graph.operators[op].inputs:
            found.setdefault(self.graph.producer.get(t), []).append(t)
        return found
