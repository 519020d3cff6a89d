"""Proposes which node of a foreign plan is which operator.

A plan names its nodes and their order and nothing else, so three things are compared: names, kinds
(which names give away), and the order. All operators of a kind are cut into *windows*, such that
every operator of one waits for every operator of those before it; whatever order a compiler chose,
its nodes of that kind fall into windows of the same sizes. In a window of one there is no choice.
In a larger one the operators are branches of each other, and the names decide: kernel sizes, words
like ``reduce``, running numbers. Where they do not, the order does, and the match says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, permutations

from hetsim.plan.nestc.nodemap import How, Match, NodeMap
from hetsim.plan.nestc.nodenames import COMPUTE, NodeName, read_name, usual_suffixes
from hetsim.workload.graph import Graph

_WIDEST = 7
"""Windows of more operators are not searched: 7! orders are 5,040."""

_NEVER = -1000.0
_SIDEWAYS = frozenset({"proj", "projection", "shortcut", "downsample", "skip"})


@dataclass(frozen=True)
class Node:
    """A node of the plan: its name, and the position of its partition in execution order."""

    name: str
    partition: int


def propose(
    nodes: Sequence[Node],
    graph: Graph,
    legal: Mapping[str, Sequence[int]],
    settled: Mapping[str, tuple[str, ...]],
) -> NodeMap:
    """Matches ``nodes``, in the order of the file, with the operators of ``graph``.

    ``legal`` are operators by the name that the format gives them, ``settled`` what a map says.
    """
    return _Matcher(nodes, graph, legal, settled).run()


class _Matcher:
    def __init__(
        self,
        nodes: Sequence[Node],
        graph: Graph,
        legal: Mapping[str, Sequence[int]],
        settled: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.graph = graph
        self.legal = legal
        self.settled = settled
        self.names = {node.name: read_name(node.name) for node in nodes}
        self.place = {node.name: (node.partition, i) for i, node in enumerate(nodes)}
        self.found: dict[str, Match] = {}
        self.owner: dict[int, str] = {}
        self.before = _ancestors(graph)

    def run(self) -> NodeMap:
        for node, operators in self.settled.items():
            self._take(node, [self.graph.index[name] for name in operators], "hand", "")
        self._by_name()
        self._siblings()
        families = dict.fromkeys(n.kinds for n in self._free() if n.kinds)
        for kinds in sorted(families, key=lambda kinds: COMPUTE.isdisjoint(kinds)):
            self._family(kinds)
        self._last_product()
        self._same_stem()
        self._moved_behind()
        for name in self._free():
            why = "the name does not tell its kind"
            if name.kinds is not None:
                kind = " or ".join(name.kinds[:2])
                why = f"no {kind} is left that fits" if kind else "a view or a conversion"
            self.found[name.name] = Match(name.name, (), "none", why)
        ordered, dependencies = self._agreement()
        matches = tuple(self.found[node] for node in self.names)
        return NodeMap(self.graph.name, matches, ordered, dependencies)

    def _take(self, node: str, operators: Iterable[int], how: How, why: str) -> None:
        ops = tuple(operators)
        for op in ops:
            self.owner.setdefault(op, node)
        self.found[node] = Match(node, tuple(self.graph.operators[op].name for op in ops), how, why)

    def _free(self) -> list[NodeName]:
        """Nodes without a match, in execution order."""
        free = [name for node, name in self.names.items() if node not in self.found]
        return sorted(free, key=lambda name: self.place[name.name])

    def _operators(self, kinds: Sequence[str]) -> list[int]:
        """Operators without a node, of these kinds, in the order of the graph."""
        graph = self.graph
        return [
            op
            for op in range(len(graph))
            if op not in self.owner and graph.operators[op].kind in kinds
        ]

    def _by_name(self) -> None:
        """Nodes that bear an operator's name, as it is or as the format has to write it."""
        named: dict[int, list[NodeName]] = {}
        for name in self._free():
            for text in (name.name, name.base):
                op = self.graph.index.get(text)
                same = self.legal.get(text, ()) if op is None else (op,)
                if len(same) == 1:
                    named.setdefault(same[0], []).append(name)
                    break
        for op, nodes in named.items():
            first = min(nodes, key=lambda name: name.name != name.base)
            if op not in self.owner:
                self._take(first.name, [op], "name", "")
            for name in nodes:
                if name.name not in self.found:
                    self.found[name.name] = _sibling(name, self.owner[op])

    def _siblings(self) -> None:
        """Of the nodes made from one operator one stands for it."""
        usual = usual_suffixes(self.names.values())
        groups: dict[str, list[NodeName]] = {}
        for name in self._free():
            groups.setdefault(name.base, []).append(name)
        for group in groups.values():
            main = next((n for n in group if n.suffix == usual.get(n.word)), group[-1])
            for name in group:
                if name is not main:
                    self.found[name.name] = _sibling(name, main.name)

    def _family(self, kinds: tuple[str, ...]) -> None:
        """All nodes that may be of ``kinds``, with the operators that are."""
        nodes = [name for name in self._free() if name.kinds == kinds]
        operators = self._operators(kinds)
        if len(nodes) == len(operators):
            self._windows(nodes, operators)
            return
        # Not as many on either side: what each calls a block may still be block for block alike.
        theirs = [list(run) for _, run in groupby(nodes, lambda name: name.stem)]
        label = lambda op: self.graph.operators[op].name.partition(".")[0]  # noqa: E731
        ours = [list(run) for _, run in groupby(operators, label)]
        if len(theirs) == len(ours):
            for some, others in zip(theirs, ours, strict=True):
                if len(some) == len(others):
                    self._windows(some, others)

    def _windows(self, nodes: Sequence[NodeName], operators: Sequence[int]) -> None:
        for begin, end in _cut(operators, self.before):
            self._window(nodes[begin:end], operators[begin:end])

    def _window(self, nodes: Sequence[NodeName], operators: Sequence[int]) -> None:
        kind = self.graph.operators[operators[0]].kind
        fits = {(n.name, op): self._fit(n, op) for n in nodes for op in operators}
        rivals: list[tuple[int, ...]] = []
        if len(operators) > _WIDEST:
            best = tuple(operators)
        else:
            orders = [(self._score(nodes, p, fits), p) for p in permutations(operators)]
            score, best = max(orders, key=lambda order: order[0])
            rivals = [order for other, order in orders if other > score - 0.5]
        alone = "the only {} between its neighbours" if len(operators) == 1 else "name and order"
        for i, (name, op) in enumerate(zip(nodes, best, strict=True)):
            if fits[name.name, op] < _NEVER / 2:
                continue
            if rivals and all(order[i] == op for order in rivals):
                self._take(name.name, [op], "rule", alone.format(kind))
            else:
                fit = f"{len(rivals)} orders fit" if rivals else "too many to compare"
                self._take(name.name, [op], "position", f"{len(operators)} {kind} abreast, {fit}")

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

    def _last_product(self) -> None:
        """A classifier is a convolution to one exporter and a matrix product to another."""
        nodes = [name for name in self._free() if name.computes]
        operators = self._operators(tuple(COMPUTE))
        if len(nodes) == len(operators) == 1 and nodes[0].kernel in (None, (1, 1)):
            self._take(nodes[0].name, operators, "rule", "the only product left on either side")

    def _same_stem(self) -> None:
        """An activation, say, that is named like the operator whose only reader it is."""
        named: dict[tuple[str, ...], list[int]] = {}
        for node, match in self.found.items():
            if len(match.operators) == 1 and self.names[node].computes:
                op = self.graph.index[match.operators[0]]
                named.setdefault(self.names[node].stem, []).append(op)
        matched = {stem: ops[0] for stem, ops in named.items() if len(ops) == 1}
        for name in self._free():
            above = matched.get(name.stem)
            if above is None or not name.kinds:
                continue
            readers = [r for r in self.graph.successors[above] if r not in self.owner]
            if len(readers) == 1 and self.graph.operators[readers[0]].kind in name.kinds:
                node = self.owner[above]
                self._take(name.name, readers, "rule", f"named like {node}, and its only reader")

    def _moved_behind(self) -> None:
        """A node that comes after its reader was moved there, and stands for all that it joins."""
        for node, match in list(self.found.items()):
            if match.how != "rule" or len(match.operators) != 1:
                continue
            op = self.graph.index[match.operators[0]]
            for reader in self.graph.successors[op]:
                joined = self.owner.get(reader)
                if joined is None or self.graph.operators[reader].kind != "Concat":
                    continue
                if self.place[joined] < self.place[node]:
                    kind = self.graph.operators[op].kind
                    beside = [
                        p
                        for p in self.graph.predecessors[reader]
                        if p not in self.owner and self.graph.operators[p].kind == kind
                    ]
                    why = f"moved behind {joined}, for each {kind} that it joins"
                    self._take(node, sorted([op, *beside]), "rule", why)

    def _agreement(self) -> tuple[int, int]:
        """Dependencies between matched operators that the order of the plan keeps, and all."""
        kept = total = 0
        for op, node in self.owner.items():
            for waits in self.graph.successors[op]:
                if waits in self.owner and self.owner[waits] != node:
                    total += 1
                    kept += self.place[node][0] <= self.place[self.owner[waits]][0]
        return kept, total


def _sibling(name: NodeName, main: str) -> Match:
    return Match(name.name, (), "same", f"made from the same operator as {main}", main)


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
    bounds, done = [0], 0
    for i, op in enumerate(operators[:-1], 1):
        done |= 1 << op
        if all(before[later] & done == done for later in operators[i:]):
            bounds.append(i)
    return list(zip(bounds, [*bounds[1:], len(operators)], strict=True)) if operators else []
