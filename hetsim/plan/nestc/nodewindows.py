"""Nodes of a kind matched with the operators of that kind, where names and order can tell.

All operators of a kind are cut into *windows*, such that every operator of one waits for every
operator of those before it; whatever order a compiler chose, its nodes of that kind fall into
windows of the same sizes. In a window of one there is no choice. In a larger one the operators are
branches of each other, and the names decide: kernel sizes, words like ``reduce``, running numbers.
Where they do not, the order does, and the match says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from hetsim.plan.nestc.nodemap import How
from hetsim.plan.nestc.nodenames import COMPUTE, NodeName
from hetsim.workload.graph import Graph

_WIDEST = 7
"""Wider windows are not searched: 7! orders are 5,040."""

_NEVER = -1000.0
_SIDEWAYS = frozenset({"proj", "projection", "shortcut", "downsample", "skip"})

Found = tuple[str, int, How, str]
"""A node, the operator it stands for, how that was found, and why."""


class Windows:
    """The windows of one network. Operators are positions in its graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.before = _ancestors(graph)

    def match(self, nodes: Sequence[NodeName], operators: Sequence[int]) -> Iterator[Found]:
        """Matches as many nodes as operators, of one kind, both in an order of execution.

        What does not fit stays without a match.
        """
        for begin, end in _cut(operators, self.before):
            yield from self._window(nodes[begin:end], operators[begin:end])

    def _window(self, nodes: Sequence[NodeName], operators: Sequence[int]) -> Iterator[Found]:
        kind = self.graph.operators[operators[0]].kind
        fits = {(n.name, op): self._fit(n, op) for n in nodes for op in operators}
        rivals: list[tuple[int, ...]] = []
        if len(operators) > _WIDEST:
            settled = self._by_number(nodes, operators)
            best = settled or tuple(operators)
            rivals = [settled] if settled else []
        else:
            orders = [(self._score(nodes, p, fits), p) for p in permutations(operators)]
            score, best = max(orders, key=lambda order: order[0])
            rivals = [order for other, order in orders if other > score - 0.5]
        alone = "the only {} between its neighbours" if len(operators) == 1 else "name and order"
        for i, (name, op) in enumerate(zip(nodes, best, strict=True)):
            if fits[name.name, op] < _NEVER / 2:
                continue
            if rivals and all(order[i] == op for order in rivals):
                yield name.name, op, "rule", alone.format(kind)
            else:
                fit = f"{len(rivals)} orders fit" if rivals else "too many to compare"
                yield name.name, op, "position", f"{len(operators)} {kind} abreast, {fit}"

    def _by_number(
        self, nodes: Sequence[NodeName], operators: Sequence[int]
    ) -> tuple[int, ...] | None:
        """The order that running numbers say, if all have one and nothing speaks against it."""
        numbers = sorted({name.number for name in nodes})
        if len({(name.stem, name.word) for name in nodes}) > 1 or len(numbers) < len(nodes):
            return None
        order = tuple(operators[numbers.index(name.number)] for name in nodes)
        early = any(
            self.before[op] >> other & 1 for i, op in enumerate(order) for other in order[i + 1 :]
        )
        return None if early else order

    def _score(
        self,
        nodes: Sequence[NodeName],
        operators: Sequence[int],
        fits: Mapping[tuple[str, int], float],
    ) -> float:
        """How well an order fits names, running numbers and what waits for what."""
        score = sum(fits[name.name, op] for name, op in zip(nodes, operators, strict=True))
        pairs = list(zip(nodes, operators, strict=True))
        for i, (name, op) in enumerate(pairs):
            for later, other in pairs[i + 1 :]:
                if self.before[op] >> other & 1:
                    score += _NEVER / 10  # it would run before what it waits for
                score += 0.01 if op < other else 0.0
                alike = name.stem == later.stem and name.word == later.word
                if alike and name.number != later.number:
                    score += 1.0 if (name.number < later.number) == (op < other) else -1.0
        return score

    def _fit(self, name: NodeName, op: int) -> float:
        """What the name says of the operator: for it, against it, or that it cannot be."""
        operator = self.graph.operators[op]
        if operator.kind not in COMPUTE or operator.nest is None:
            return 0.0
        own = (operator.nest.k_h, operator.nest.k_w)
        reduces = "reduce" in name.words
        score = 0.0
        if name.kernel is not None:
            if own != ((1, 1) if reduces else name.kernel):
                return _NEVER
            score += 4.0
        if reduces and name.kernel is not None:
            score += 2.0 * any(self._kernel(reader) == name.kernel for reader in self._behind(op))
        if name.words & _SIDEWAYS or "pool" in name.words:
            score += 2.0 * (own == (1, 1))
            score += 2.0 * ("pool" in name.words and self._behind_own_pool(op))
        return score

    def _behind_own_pool(self, op: int) -> bool:
        above = self.graph.predecessors[op]
        pools = [p for p in above if "Pool" in self.graph.operators[p].kind]
        return any(self.graph.successors[p] == (op,) for p in pools)

    def _kernel(self, op: int) -> tuple[int, int] | None:
        nest = self.graph.operators[op].nest
        return None if nest is None else (nest.k_h, nest.k_w)

    def _behind(self, op: int) -> list[int]:
        """The products that read an operator's result, as it is or through its activation."""
        readers: list[int] = []
        for reader in self.graph.successors[op]:
            computes = self.graph.operators[reader].nest is not None
            readers += [reader] if computes else self.graph.successors[reader]
        return readers


def _ancestors(graph: Graph) -> list[int]:
    """For each operator the set, as bits, of all that it waits for."""
    found: list[int] = []
    for op in range(len(graph)):
        mask = 0
        for p in graph.predecessors[op]:
            mask |= found[p] | 1 << p
        found.append(mask)
    return found


def _cut(operators: Sequence[int], before: Sequence[int]) -> list[tuple[int, int]]:
    """Begin and end of the windows: each operator of one waits for all of those before it."""
    shared = [-1] * (len(operators) + 1)  # what all operators from here on wait for
    for i in reversed(range(len(operators))):
        shared[i] = shared[i + 1] & before[operators[i]]
    bounds, done = [0], 0
    for i, op in enumerate(operators[:-1], 1):
        done |= 1 << op
        if shared[i] & done == done:
            bounds.append(i)
    return list(zip(bounds, [*bounds[1:], len(operators)], strict=True)) if operators else []
