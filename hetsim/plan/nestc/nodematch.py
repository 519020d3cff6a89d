"""Proposes which node of a foreign plan is which operator.

A plan names its nodes and their order and nothing else. Names come first. Then all nodes of a kind,
which their names give away, are matched with all operators of that kind, window by window
(:mod:`hetsim.plan.nestc.nodewindows`). What is left is matched by what it is named like, or told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from hetsim.plan.nestc.nodemap import How, Match, NodeMap
from hetsim.plan.nestc.nodenames import COMPUTE, NodeName, read_name, usual_suffixes
from hetsim.plan.nestc.nodewindows import Windows
from hetsim.workload.graph import Graph


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
        self.windows = Windows(graph)

    def run(self) -> NodeMap:
        for node, operators in self.settled.items():
            self._take(node, [self.graph.index[name] for name in operators], "hand", "")
        self._by_name()
        self._siblings()
        for kinds in dict.fromkeys(name.kinds for name in self._free() if name.kinds):
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
            self._take_windows(nodes, operators)
            return
        # Not as many on either side: what each calls a block may still be block for block alike.
        theirs = [list(run) for _, run in groupby(nodes, lambda name: name.stem)]
        label = lambda op: self.graph.operators[op].name.partition(".")[0]  # noqa: E731
        ours = [list(run) for _, run in groupby(operators, label)]
        if len(theirs) == len(ours):
            for some, others in zip(theirs, ours, strict=True):
                if len(some) == len(others):
                    self._take_windows(some, others)

    def _take_windows(self, nodes: Sequence[NodeName], operators: Sequence[int]) -> None:
        for node, op, how, why in self.windows.match(nodes, operators):
            self._take(node, [op], how, why)

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
