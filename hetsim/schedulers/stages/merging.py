"""Convolutions that could be merged into one, and what that would take.

The *merge* stages of IOS (Ding et al., MLSys 2021, section 3) and the replacement of same-input
convolutions of IOPS. A candidate is a set of units (:mod:`hetsim.schedulers.units`), each one
convolution or a convolution with the activation functions fused behind it, that
:mod:`hetsim.workload.rewrite` can make one. Its time comes from the profile of the rewritten
network; one rewritten network serves one candidate of each family, as those do not overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from hetsim.schedulers.base import Problem
from hetsim.schedulers.units import Units
from hetsim.workload.graph import Graph
from hetsim.workload.rewrite import ACTIVATIONS, Rewrite, merged_name, try_rewrites

SMALL_FAMILY = 6
"""Members of a family all of whose subsets are candidates; of larger ones, neighbours only."""

PROFILED_OPERATORS = 200_000
"""Operators in all the rewritten networks together: large networks get fewer candidates."""


@dataclass(frozen=True)
class Merge:
    """Units that become one, how, the names of the operators that result, seconds by PU."""

    units: tuple[int, ...]
    rewrite: Rewrite
    names: tuple[str, ...]
    time: tuple[float, ...]


def find_merges(problem: Problem, units: Units, most: int) -> dict[tuple[int, ...], Merge]:
    """All candidates of at most ``most`` units, by their units in ascending order.

    Empty where nobody can profile another network.
    """
    if problem.rewritten is None:
        return {}
    graph = problem.graph
    families = [_candidates(graph, units, family, most) for family in _families(graph, units)]
    rounds = max(map(len, families), default=0)
    rounds = min(rounds, max(1, PROFILED_OPERATORS // len(graph)))
    found: dict[tuple[int, ...], Merge] = {}
    for k in range(rounds):
        together = [family[k] for family in families if k < len(family)]
        other = problem.rewritten([rewrite for _, rewrite in together])
        index = other.graph.index
        for members, rewrite in together:
            levels = zip(*(units.ops[u] for u in members), strict=True)
            names = tuple(merged_name(graph.operators[op].name for op in level) for level in levels)
            ops = [index[name] for name in names]
            times = tuple(other.profile.chain_time(ops, pu) for pu in units.pus)
            found[members] = Merge(members, rewrite, names, times)
    return found


def _families(graph: Graph, units: Units) -> list[tuple[int, ...]]:
    """Units that might be merged with one another: same input, steps and output extents."""
    families: dict[object, list[int]] = {}
    for u, ops in enumerate(units.ops):
        head = graph.operators[ops[0]]
        nest = head.nest
        tail = tuple(graph.operators[op].kind for op in ops[1:])
        if head.kind == "Conv" and nest is not None and ACTIVATIONS.issuperset(tail):
            shape = graph.tensors[head.outputs[0]].shape[2:]
            steps = (nest.stride_h, nest.stride_w, nest.dilation_h, nest.dilation_w)
            families.setdefault((head.inputs, steps, shape, nest.groups, tail), []).append(u)
    return [tuple(members) for members in families.values() if len(members) > 1]


def _candidates(
    graph: Graph, units: Units, family: Sequence[int], most: int
) -> list[tuple[tuple[int, ...], Rewrite]]:
    """Sets of the family that the rewrite accepts, the largest first."""
    sets: Iterable[tuple[int, ...]]
    if len(family) <= SMALL_FAMILY:
        sizes = range(min(most, len(family)), 1, -1)
        sets = (members for size in sizes for members in combinations(family, size))
    else:
        sizes = range(min(most, len(family)), 1, -1)
        sets = (
            tuple(family[i : i + size]) for size in sizes for i in range(len(family) - size + 1)
        )
    part = _only(graph, [op for u in family for op in units.ops[u]])
    found = []
    for members in sets:
        tail = tuple(graph.operators[op].kind for op in units.ops[members[0]][1:])
        names = tuple(graph.operators[units.ops[u][0]].name for u in members)
        rewrite = Rewrite("merge", names, tail)
        if not try_rewrites(part, [rewrite])[1]:
            found.append((members, rewrite))
    return found


def _only(graph: Graph, ops: Sequence[int]) -> Graph:
    """The network that consists of ``ops`` alone, all of its ends outputs as in the whole."""
    members = frozenset(ops)
    operators = [graph.operators[op] for op in sorted(members)]
    made = {t for op in operators for t in op.outputs}
    read = dict.fromkeys(t for op in operators for t in op.inputs if t not in made)
    tensors = [graph.tensors[t] for t in (*read, *(t for op in operators for t in op.outputs))]
    ends = [
        t
        for op in operators
        for t in op.outputs
        if t in graph.output_set
        or any(i not in members for i in graph.consumers[t])
        or not graph.consumers[t]
    ]
    return Graph.create(graph.name, operators, tensors, read, ends)


def names_of(units: Units, members: Iterable[int], merge: Merge | None) -> tuple[str, ...]:
    """Names of the operators that run for ``members``, merged or not, in execution order."""
    if merge is not None:
        return merge.names
    operators = units.graph.operators
    return tuple(operators[op].name for u in members for op in units.ops[u])
