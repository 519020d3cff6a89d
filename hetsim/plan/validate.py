"""Whether a plan fits its network and its SoC, with everything that is wrong said at once.

Runs in time linear in the size of the network and the plan, so that the tuner can afford it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hetsim.cost.fusion import fuse
from hetsim.cost.support import why_not
from hetsim.cost.work import Kernel
from hetsim.errors import Location, PlanError
from hetsim.names import nearest
from hetsim.plan.model import Partition, Plan
from hetsim.soc.model import PU, SoC
from hetsim.workload.graph import Graph
from hetsim.workload.rewrite import try_rewrites

_SUGGESTIONS = 10
"""Looking for the nearest of n names takes O(n), so only the first few unknown names get one."""


def validate_plan(plan: Plan, graph: Graph, soc: SoC, *, where: Location | None = None) -> None:
    """Checks ``plan`` against ``graph`` and ``soc``.

    ``where`` is the file the plan came from, if any.

    Raises:
        PlanError: lists every problem: another network's plan, unknown PUs and operators (with
            the nearest name), operators that are missing or repeated, repeated or empty
            partitions, cycles between partitions, a list order or an order inside a partition
            that runs an operator before its inputs, operators a PU cannot run, impossible
            parallel groups, rewrites that the network does not allow, tensors in memories that a
            PU which touches them cannot reach.
    """
    problems = plan_problems(plan, graph, soc)
    if not problems:
        return
    title = f"plan of scheduler {plan.scheduler!r} does not fit network {graph.name!r}"
    if len(problems) == 1:
        raise PlanError(f"{title}: {problems[0]}", where=where)
    lines = "".join(f"\n  - {problem}" for problem in problems)
    raise PlanError(f"{title}; {len(problems)} problems:{lines}", where=where)


def plan_problems(plan: Plan, graph: Graph, soc: SoC) -> list[str]:
    """Every reason why ``plan`` cannot run, in reading order; empty when it can."""
    graph, problems = try_rewrites(graph, plan.rewrites) if plan.rewrites else (graph, [])
    problems += _origin(plan, graph)
    if not plan.partitions:
        problems.append("it has no partitions")
    counts = Counter(p.name for p in plan.partitions)
    problems += [f"{n} partitions are called {name!r}" for name, n in counts.items() if n > 1]
    check = _Names(graph, soc)
    members = [check.partition(p) for p in plan.partitions]
    problems += check.problems
    problems += _coverage(plan, graph, members)
    layout = _Layout.of(graph, members)
    problems += _order(plan, graph, layout)
    problems += _support(plan, graph, soc, members)
    problems += _groups(plan, layout)
    problems += _memories(plan, graph, soc, members)
    return problems


def _origin(plan: Plan, graph: Graph) -> list[str]:
    """Whether it was made for another network, or for another version of this one."""
    planned = {name for partition in plan.partitions for name in partition.operators}
    shared = len(planned & graph.index.keys())
    told = f"it was made for network {plan.model!r}" if plan.model != graph.name else ""
    if shared and max(len(planned), len(graph)) - shared > 1:  # one may be misspelt
        told += ", perhaps " if told else "perhaps it was made for "
        told += (
            f"another version of this one: {shared} of the {len(planned)} operators that it names"
            f" are among the {len(graph)} of the network"
        )
    return [told] if told else []


class _Names:
    """Resolves names, noting those that mean nothing."""

    def __init__(self, graph: Graph, soc: SoC) -> None:
        self.graph = graph
        self.soc = soc
        self.problems: list[str] = []
        self._suggested = 0

    def partition(self, partition: Partition) -> list[int]:
        """Positions of the operators of ``partition`` that exist."""
        if partition.pu not in self.soc.by_name:
            self._unknown(partition.name, "PU", partition.pu, [pu.name for pu in self.soc.pus])
        if not partition.operators:
            self.problems.append(f"partition {partition.name!r} has no operators")
        index = self.graph.index
        found = []
        for name in partition.operators:
            if name in index:
                found.append(index[name])
            else:
                self._unknown(partition.name, "operator", name, index)
        return found

    def _unknown(self, partition: str, what: str, name: str, known: Iterable[str]) -> None:
        text = f"partition {partition!r}: there is no {what} {name!r}"
        if self._suggested < _SUGGESTIONS:
            self._suggested += 1
            guess = nearest(name, known)
            if guess is not None:
                text += f" (did you mean {guess!r}?)"
            elif what == "PU":
                text += f" (the SoC has {', '.join(known)})"
        self.problems.append(text)


def _coverage(plan: Plan, graph: Graph, members: Sequence[Sequence[int]]) -> list[str]:
    holders: list[list[str]] = [[] for _ in graph.operators]
    for partition, ops in zip(plan.partitions, members, strict=True):
        for op in ops:
            holders[op].append(partition.name)
    problems = []
    for operator, names in zip(graph.operators, holders, strict=True):
        if not names:
            problems.append(f"operator {operator.name!r} is in no partition")
        elif len(names) > 1:
            problems.append(
                f"operator {operator.name!r} appears {len(names)} times: in {', '.join(names)}"
            )
    return problems


@dataclass(frozen=True)
class _Layout:
    """Where operators stand: partition and position inside it (of the first mention)."""

    partition: Sequence[int]
    position: Sequence[int]
    needs: Sequence[dict[int, tuple[int, int]]]
    """For each partition, the others it reads from, with one (writer, reader) as evidence."""

    @classmethod
    def of(cls, graph: Graph, members: Sequence[Sequence[int]]) -> _Layout:
        partition, position = [-1] * len(graph), [-1] * len(graph)
        for i, ops in enumerate(members):
            for j, op in enumerate(ops):
                if partition[op] < 0:
                    partition[op], position[op] = i, j
        needs: list[dict[int, tuple[int, int]]] = [{} for _ in members]
        for op in range(len(graph)):
            for before in graph.predecessors[op]:
                source, target = partition[before], partition[op]
                if source != target and source >= 0 and target >= 0:
                    needs[target].setdefault(source, (before, op))
        return cls(partition, position, needs)


def _order(plan: Plan, graph: Graph, layout: _Layout) -> list[str]:
    problems = []
    names = [op.name for op in graph.operators]
    for op in range(len(graph)):
        home = layout.partition[op]
        for before in graph.predecessors[op]:
            same = home >= 0 and layout.partition[before] == home
            if same and layout.position[before] > layout.position[op]:
                problems.append(
                    f"partition {plan.partitions[home].name!r}: {names[op]!r} stands before"
                    f" {names[before]!r}, whose result it reads"
                )
    components = _components([tuple(sorted(needs)) for needs in layout.needs])
    component_of = {i: n for n, component in enumerate(components) for i in component}
    for component in components:
        if len(component) > 1:
            circle = ", ".join(repr(plan.partitions[i].name) for i in sorted(component))
            problems.append(f"partitions {circle} wait for one another (a cycle)")
    for i, needs in enumerate(layout.needs):
        for source in sorted(needs):
            if source > i and component_of[source] != component_of[i]:
                before, op = needs[source]
                problems.append(
                    f"partition {plan.partitions[i].name!r} stands before"
                    f" {plan.partitions[source].name!r}, but its operator {names[op]!r} reads"
                    f" the result of {names[before]!r}"
                )
    return problems


def _components(edges: Sequence[Sequence[int]]) -> list[list[int]]:
    """Strongly connected components (Tarjan 1972, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    result: list[list[int]] = []
    for root in range(len(edges)):
        if root in index:
            continue
        work = [(root, iter(edges[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for following in rest:
                if following not in index:
                    index[following] = low[following] = len(index)
                    stack.append(following)
                    on_stack.add(following)
                    work.append((following, iter(edges[following])))
                    break
                if following in on_stack:
                    low[node] = min(low[node], index[following])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == index[node]:
                    component: list[int] = []
                    while not component or component[-1] != node:
                        component.append(stack.pop())
                        on_stack.discard(component[-1])
                    result.append(component)
    return result


def _support(plan: Plan, graph: Graph, soc: SoC, members: Sequence[Sequence[int]]) -> list[str]:
    problems = []
    for partition, ops in zip(plan.partitions, members, strict=True):
        pu = soc.by_name.get(partition.pu)
        # Where an operator is missing, that another cannot run without it is no second fault.
        if pu is not None and len(ops) == len(partition.operators):
            problems += _unsupported(partition, pu, graph, list(dict.fromkeys(ops)))
    return problems


def _unsupported(partition: Partition, pu: PU, graph: Graph, ops: list[int]) -> list[str]:
    patterns = pu.spec.fuse_patterns if partition.fuse else ()
    problems = []
    for chain in fuse(graph, ops, patterns):
        kernel = Kernel.of(graph, tuple(graph.operators[i] for i in chain))
        reason = why_not(pu, kernel)
        if reason is None:
            continue
        text = f"partition {partition.name!r}: {pu.name} cannot run {kernel.name!r}: {reason}"
        kind = kernel.head.kind
        behind = ["-".join(p) for p in pu.spec.fuse_patterns if kind in p[1:]]
        if len(chain) == 1 and behind:
            text += f" (only fused in the same partition, as in {', '.join(behind)})"
        problems.append(text)
    return problems


def _groups(plan: Plan, layout: _Layout) -> list[str]:
    problems = []
    position = {p.name: i for i, p in reversed(list(enumerate(plan.partitions)))}
    group_of: dict[str, int] = {}
    for number, group in enumerate(plan.parallel_groups):
        label = f"parallel group ({' || '.join(group)})"
        known = []
        for name, times in Counter(group).items():
            if times > 1:
                problems.append(f"{label} names {name!r} {times} times")
            if name not in position:
                guess = nearest(name, position)
                hint = f" (did you mean {guess!r}?)" if guess else ""
                problems.append(f"{label}: there is no partition {name!r}{hint}")
                continue
            if group_of.setdefault(name, number) != number:
                problems.append(f"{label}: {name!r} is already in another group")
            known.append(position[name])
        if len(group) < 2:
            problems.append(f"{label} needs at least two partitions")
        known.sort()
        if known and known[-1] - known[0] != len(known) - 1:
            problems.append(f"{label}: its partitions do not stand next to each other in the list")
        used = Counter(plan.partitions[i].pu for i in known)
        problems += [f"{label} uses {pu} {n} times at once" for pu, n in used.items() if n > 1]
        inside = set(known)
        for i in known:
            for source in sorted(inside.intersection(layout.needs[i])):
                problems.append(
                    f"{label}: {plan.partitions[i].name!r} reads a result of"
                    f" {plan.partitions[source].name!r}, so they cannot run at the same time"
                )
    return problems


def _memories(
    plan: Plan, graph: Graph, soc: SoC, members: Sequence[Sequence[int]]
) -> Iterable[str]:
    """Tensors whose memory is unknown, or out of reach of a PU that reads or writes them."""
    placed = {}
    for tensor, memory in plan.memories.items():
        if tensor not in graph.tensors:
            yield f"memories: there is no tensor {tensor!r}"
        elif memory not in soc.spec.memory:
            yield (
                f"memories: tensor {tensor!r} is put into {memory!r}"
                f" (the SoC has {', '.join(soc.spec.memory)})"
            )
        else:
            placed[tensor] = memory
    if not placed:
        return
    for partition, ops in zip(plan.partitions, members, strict=True):
        pu = soc.by_name.get(partition.pu)
        if pu is None:
            continue
        reach = {way.memory for way in pu.ways}
        touched = (
            t for op in ops for t in (*graph.operators[op].inputs, *graph.operators[op].outputs)
        )
        for tensor in dict.fromkeys(touched):
            if placed.get(tensor, pu.memory) not in reach:
                yield (
                    f"partition {partition.name!r}: tensor {tensor!r} lies in {placed[tensor]!r},"
                    f" which {pu.name} cannot reach"
                )
