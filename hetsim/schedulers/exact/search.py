"""Candidate plans, tried in simulation: assignment, order and partition boundaries.

The plan space of the exact scheduler. A plan is a sequence of kernels (operators, or the chains
that the PU they run on fuses), a PU for each, and for each whether it opens a partition. A kernel
joins the latest partition of its PU unless it opens one, or must: every partition it reads from has
to stand before its own, which keeps partitions free of cycles. Under ``barrier``, neighbouring
partitions on different PUs that do not read from one another may form a parallel group.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from hetsim.bounds.floors import Floors
from hetsim.cost.fusion import fuse
from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import HetsimError
from hetsim.plan.build import Block, block_needs, make_plan
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem

Chain = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Kernels in a topological order, the PU of each, which open partitions, which are grouped.

    ``joined`` holds the first operators of partitions that run beside the one before them.
    """

    chains: tuple[Chain, ...]
    pus: tuple[int, ...]
    opening: frozenset[int]
    joined: frozenset[int] = frozenset()

    @property
    def places(self) -> dict[int, int]:
        """The PU of each operator."""
        pairs = zip(self.chains, self.pus, strict=True)
        return {op: pu for chain, pu in pairs for op in chain}


def candidate_of(problem: Problem, places: Mapping[int, int], order: Sequence[int]) -> Candidate:
    """The candidate that runs operators where ``places`` says, in ``order``, boundaries minimal."""
    graph, soc = problem.graph, problem.soc
    chains: list[Chain] = []
    for pu in soc.pus:
        mine = [op for op in order if places[op] == pu.index]
        chains += fuse(graph, sorted(mine), pu.spec.fuse_patterns)
    rank = {op: i for i, op in enumerate(order)}
    chains.sort(key=lambda chain: rank[chain[-1]])
    return Candidate(tuple(chains), tuple(places[chain[0]] for chain in chains), frozenset())


def candidate_from_plan(problem: Problem, plan: Plan) -> Candidate:
    """The candidate that stands for a plan in this space."""
    graph, soc = problem.graph, problem.soc
    chains: list[Chain] = []
    pus: list[int] = []
    opening: set[int] = set()
    joined: set[int] = set()
    followers = {name for group in plan.parallel_groups for name in group[1:]}
    for partition in plan.partitions:
        pu = soc.by_name[partition.pu]
        ops = [graph.index[name] for name in partition.operators]
        kernels = fuse(graph, ops, pu.spec.fuse_patterns) if partition.fuse else [(i,) for i in ops]
        opening.add(kernels[0][0])
        if partition.name in followers:
            joined.add(kernels[0][0])
        chains += kernels
        pus += [pu.index] * len(kernels)
    return Candidate(tuple(chains), tuple(pus), frozenset(opening), frozenset(joined))


def blocks_of(problem: Problem, candidate: Candidate) -> list[Block]:
    """The partitions of a candidate."""
    graph = problem.graph
    home: dict[int, int] = {}
    blocks: list[tuple[int, list[int]]] = []
    latest: dict[int, int] = {}
    for chain, pu in zip(candidate.chains, candidate.pus, strict=True):
        mine = latest.get(pu)
        needs = {home[p] for op in chain for p in graph.predecessors[op] if p in home}
        if mine is None or chain[0] in candidate.opening or any(n > mine for n in needs):
            mine = latest[pu] = len(blocks)
            blocks.append((pu, []))
        blocks[mine][1].extend(chain)
        for op in chain:
            home[op] = mine
    return [Block(tuple(ops), pu) for pu, ops in blocks]


def groups_of(problem: Problem, candidate: Candidate, blocks: Sequence[Block]) -> list[list[int]]:
    """Parallel groups: those asked for, as far as they are allowed."""
    if not candidate.joined:
        return []
    needs = block_needs(problem.graph, blocks)
    groups: list[list[int]] = []
    for i, block in enumerate(blocks):
        group = groups[-1] if groups else []
        apart = all(blocks[g].pu != block.pu for g in group)
        wanted = bool(group) and block.operators[0] in candidate.joined
        if wanted and apart and not set(group).intersection(needs[i]):
            group.append(i)
        else:
            groups.append([i])
    return [group for group in groups if len(group) > 1]


class Trials(ABC):
    """Judges candidates, remembers them, and keeps the best."""

    def __init__(self, problem: Problem, name: str) -> None:
        self.problem = problem
        self._name = name
        self._known: dict[object, float] = {}
        self.count = 0
        self.best: Candidate | None = None
        self.best_plan: Plan | None = None
        self.best_s = INFEASIBLE

    @abstractmethod
    def spent(self) -> bool:
        """Whether the budget is used up."""

    @abstractmethod
    def judge(self, plan: Plan, blocks: Sequence[Block], groups: Sequence[Sequence[int]]) -> float:
        """The makespan of a plan; raises ``HetsimError`` if it cannot run."""

    def seconds(self, candidate: Candidate) -> float:
        """The makespan of a candidate; infinite if it cannot run."""
        problem = self.problem
        blocks = blocks_of(problem, candidate)
        groups = groups_of(problem, candidate, blocks)
        parts = [(block.pu, block.operators) for block in blocks]
        if not problem.forks:  # nothing but the order on each PU matters
            parts.sort(key=lambda part: part[0])
        key = (tuple(parts), tuple(tuple(group) for group in groups))
        value = self._known.get(key)
        if value is None:
            self.count += 1
            plan = make_plan(problem.graph, problem.soc, blocks, groups, scheduler=self._name)
            try:
                value = self.judge(plan, blocks, groups)
            except HetsimError:
                value = INFEASIBLE
            self._known[key] = value
            if value < self.best_s:
                self.best, self.best_plan, self.best_s = candidate, plan, value
        return value


def spliced(
    problem: Problem, base: Candidate, places: Mapping[int, int], order: Sequence[int]
) -> Iterator[Candidate]:
    """``base`` with the operators in ``order`` arranged anew, with boundaries in several ways."""
    window = set(order)
    flat = [op for chain in base.chains for op in chain]
    first = min(i for i, op in enumerate(flat) if op in window)
    before = [op for op in flat[:first] if op not in window]
    after = [op for op in flat[first:] if op not in window]
    arranged = candidate_of(problem, base.places | dict(places), [*before, *order, *after])
    kept = frozenset(op for op in base.opening if op not in window)
    apart = frozenset(op for op in base.joined if op not in window)
    heads = [chain[0] for chain in arranged.chains if window.intersection(chain)]
    eager = _eager(problem, arranged)
    openings = (frozenset(heads[:1]), frozenset(heads), frozenset(eager & set(heads)))
    joins = (frozenset(), frozenset(heads)) if problem.forks else (frozenset(),)
    for opening in openings:
        for joined in joins:
            yield replace(arranged, opening=kept | opening, joined=apart | joined)


def transplanted(
    problem: Problem, base: Candidate, source: Sequence[int], target: Sequence[int]
) -> Candidate | None:
    """``base`` with ``target`` arranged as ``source`` is, if both hold the same operator kinds."""
    kinds = problem.graph.operators
    if [kinds[i].kind for i in source] != [kinds[i].kind for i in target]:
        return None
    to = dict(zip(source, target, strict=True))
    places = {to[op]: pu for op, pu in base.places.items() if op in to}
    order = [to[op] for chain in base.chains for op in chain if op in to]
    if any(order.index(p) > order.index(op) for op in order
           for p in problem.graph.predecessors[op] if p in places):  # fmt: skip
        return None
    window = set(target)
    arranged = next(iter(spliced(problem, base, places, order)))
    opening = {op for op in base.opening if op not in window}
    joined = {op for op in base.joined if op not in window}
    opening |= {to[op] for op in base.opening if op in to}
    joined |= {to[op] for op in base.joined if op in to}
    return replace(arranged, opening=frozenset(opening), joined=frozenset(joined))


def _copy_success(trials: Trials, windows: Sequence[Sequence[int]]) -> None:
    """Tries each window's arrangement on all windows that look like it."""
    for source in windows:
        for target in windows:
            if trials.best is None or trials.spent():
                return
            if len(target) > 1 and len(source) == len(target) and source is not target:
                found = transplanted(trials.problem, trials.best, source, target)
                if found is not None:
                    trials.seconds(found)


def _eager(problem: Problem, candidate: Candidate) -> set[int]:
    """Heads that open a partition if nobody is to wait longer than for the data itself."""
    graph, places = problem.graph, candidate.places
    result: set[int] = set()
    close: set[int] = set()
    for chain, pu in zip(candidate.chains, candidate.pus, strict=True):
        reads = any(places[p] != pu for op in chain for p in graph.predecessors[op])
        if reads or pu in close:
            result.add(chain[0])
        close.discard(pu)
        if any(places[s] != pu for op in chain for s in graph.successors[op]):
            close.add(pu)
    return result


def improve(
    trials: Trials,
    windows: Sequence[Sequence[int]],
    draw: random.Random,
    done: Callable[[], bool],
) -> None:
    """Local search from the best candidate, one window at a time.

    First to a plan that no single decision improves; then with a few decisions shaken at random,
    until the budget is spent, ``done`` says so, or shaking every window often has not helped.
    """
    areas = []
    for i, window in enumerate(windows):
        area = [*(windows[i - 1][-1:] if i else ()), *window]
        if len(area) > 1:
            areas.append(area)
    better = True
    while better and not trials.spent():
        before = trials.best_s
        _copy_success(trials, windows)
        for area in areas:
            if trials.best is not None:
                _descend(trials, trials.best, trials.best_s, area)
        better = trials.best_s < before
    idle = 0
    while areas and idle < SHAKES and not trials.spent() and not done():
        before = trials.best_s
        for area in areas:
            for strength in (2, 3):
                shaken = trials.best
                for _ in range(strength):
                    options = (
                        [] if shaken is None else list(neighbours(trials.problem, shaken, area))
                    )
                    shaken = draw.choice(options) if options else shaken
                if shaken is not None:
                    _descend(trials, shaken, trials.seconds(shaken), area)
        if trials.best_s < before:
            _copy_success(trials, windows)
        idle = 0 if trials.best_s < before else idle + 1


SHAKES = 12
"""Rounds of shaking without success after which the search ends."""


def _descend(trials: Trials, candidate: Candidate, value: float, area: Sequence[int]) -> None:
    better = True
    while better and not trials.spent():
        better = False
        for option in neighbours(trials.problem, candidate, area):
            seconds = trials.seconds(option)
            if seconds < value:
                candidate, value, better = option, seconds, True
            if better or trials.spent():
                break


MOST_EXHAUSTED = 5
"""Operators up to which the whole plan space is tried."""

MOST_CANDIDATES = 30_000
"""Candidates (most of them equal plans) at which trying everything is given up."""


def everything(problem: Problem, floors: Floors, trials: Trials) -> bool:
    """Tries every plan of the plan space of a very small network; whether that was possible."""
    graph = problem.graph
    size = len(graph)
    if size > MOST_EXHAUSTED:
        return False
    count = 0
    for pus in product(*(floors.feasible(op) for op in range(size))):
        base = candidate_of(problem, dict(enumerate(pus)), range(size))
        places = base.places
        for chains in _orders(problem, base.chains):
            there = tuple(places[chain[0]] for chain in chains)
            heads = sorted(chain[0] for chain in chains)
            subsets = [
                frozenset(head for i, head in enumerate(heads) if bits >> i & 1)
                for bits in range(1 << len(heads))
            ]
            joins = subsets if problem.forks else subsets[:1]
            for opening, joined in product(subsets, joins):
                count += 1
                if count > MOST_CANDIDATES or trials.spent():
                    return False
                trials.seconds(Candidate(tuple(chains), there, opening, joined))
    return True


def _orders(problem: Problem, chains: Sequence[Chain]) -> Iterator[list[Chain]]:
    """All topological orders of kernels."""
    if not chains:
        yield []
        return
    left = {op for chain in chains for op in chain}
    for i, chain in enumerate(chains):
        needs = {p for op in chain for p in problem.graph.predecessors[op]} - set(chain)
        if not needs & left:
            for rest in _orders(problem, [*chains[:i], *chains[i + 1 :]]):
                yield [chain, *rest]


def neighbours(problem: Problem, candidate: Candidate, ops: Sequence[int]) -> Iterator[Candidate]:
    """Candidates one decision away that concern kernels with operators in ``ops``."""
    wanted = set(ops)
    mine = [i for i, chain in enumerate(candidate.chains) if wanted.intersection(chain)]
    for i in mine:  # boundaries
        head = candidate.chains[i][0]
        yield replace(candidate, opening=candidate.opening ^ {head})
    if problem.forks:
        for i in mine:
            yield replace(candidate, joined=candidate.joined ^ {candidate.chains[i][0]})
    for i in mine:  # order
        for target in mine:
            moved = _moved(problem, candidate, i, target)
            if moved is not None:
                yield moved
    for i in mine:  # placement
        yield from _elsewhere(problem, candidate, i)


def _moved(problem: Problem, candidate: Candidate, i: int, target: int) -> Candidate | None:
    """Kernel ``i`` at the position of ``target``, if dependencies allow it."""
    if i == target:
        return None
    graph, chains = problem.graph, candidate.chains
    low, high = min(i, target), max(i, target)
    moving = set(chains[i])
    for j in range(low, high + 1):
        if j == i:
            continue
        related = graph.successors if j < i else graph.predecessors
        if any(r in moving for op in chains[j] for r in related[op]):
            return None
    order, pus = list(chains), list(candidate.pus)
    order.insert(target, order.pop(i))
    pus.insert(target, pus.pop(i))
    return replace(candidate, chains=tuple(order), pus=tuple(pus))


def _elsewhere(problem: Problem, candidate: Candidate, i: int) -> Iterator[Candidate]:
    """Kernel ``i`` on every other PU; and without its tail, which goes elsewhere."""
    chain = candidate.chains[i]
    for pu in problem.soc.pus:
        if pu.index != candidate.pus[i]:
            pus = (*candidate.pus[:i], pu.index, *candidate.pus[i + 1 :])
            yield replace(candidate, pus=pus)
            if len(chain) > 1:
                split = (*candidate.chains[:i], chain[:1], chain[1:], *candidate.chains[i + 1 :])
                pus = (*candidate.pus[: i + 1], pu.index, *candidate.pus[i + 1 :])
                yield replace(candidate, chains=split, pus=pus)
    if i + 1 < len(candidate.chains):
        merged = chain + candidate.chains[i + 1]
        pattern = tuple(problem.graph.operators[op].kind for op in merged)
        pu = problem.soc.pus[candidate.pus[i]]
        if pattern in pu.spec.fuse_patterns:
            chains = (*candidate.chains[:i], merged, *candidate.chains[i + 2 :])
            yield replace(
                candidate, chains=chains, pus=(*candidate.pus[: i + 1], *candidate.pus[i + 2 :])
            )
