"""The worst response time of inferences that visit several units.

Two arguments, each a proof by itself:

* *One after the other*: as long as an inference is there, one of its partitions runs, or is ready
  and its unit runs something as urgent, or a piece of something less urgent that began before. So
  an instant of waiting is an instant of somebody's work, whatever the unit, and all that is as
  urgent might as well run on a single one, each partition behind one piece of what is less urgent.
* *Unit by unit*: each partition is a task of its unit. It becomes ready when what it reads has
  ended, so its arrivals are those of its inference, spread by the difference between the latest and
  the earliest moment at which that can be. The spread of one decides how much comes together on its
  unit, hence how long others take, hence their spread: starting from none it grows until nothing
  changes (the holistic analysis of Tindell & Clark, "Holistic schedulability analysis for
  distributed hard real-time systems", Microprocessing and Microprogramming 40, 1994). What the
  first argument proves is the most that it can grow to.

An inference that visits one unit only is a single task there; its partitions follow one another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hetsim.bounds.response.curves import ENDLESS, Curve
from hetsim.bounds.response.pieces import Pieces
from hetsim.bounds.response.unit import Task, response

ROUNDS = 20
"""After so many, spreads that still grow are given up: the first argument stands alone."""

BACKLOG = 64
"""What takes so long that this many further inferences of its stream arrive has no bound."""


@dataclass(frozen=True)
class Step:
    """A partition: at its worst, the least ticks it takes, and which steps it needs (positions)."""

    worst: Pieces
    best: int
    needs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Chain:
    """A stream's inferences. Steps stand in plan order; on one unit they run in that order."""

    curve: Curve
    priority: int
    steps: tuple[Step, ...]

    def before(self, position: int) -> set[int]:
        """What must end before a step is ready: what it needs, and what its unit has before it."""
        unit = self.steps[position].worst.unit
        earlier = [i for i in range(position) if self.steps[i].worst.unit == unit]
        return {*self.steps[position].needs, *earlier[-1:]}

    @property
    def soonest(self) -> int:
        """The least ticks in which an inference ends."""
        ready = _earliest(self)
        return max(at + step.best for at, step in zip(ready, self.steps, strict=True))


def end_to_end(
    chains: Sequence[Chain], *, preempts: bool, switch: int = 0, in_turn: bool = True
) -> list[int | None]:
    """The worst response time of each chain in ticks; ``None``: nothing bounds it.

    ``preempts``: between the pieces of a partition, what is more urgent goes first, and taking the
    unit away costs ``switch`` ticks. ``in_turn``: equals on a single unit are served as they
    arrive; on several they come in any order. Otherwise some may be held back until others of their
    stream have ended, of which only the first argument is a proof.
    """
    if len({step.worst.unit for chain in chains for step in chain.steps}) == 1:
        each = [_Row(chain, [step.worst for step in chain.steps]) for chain in chains]
        tasks = [row.task(each, preempts, switch, 0) for row in each]
        return [
            response(task, (t for t in tasks if t is not task), in_turn=in_turn) for task in tasks
        ]
    rows = [[_Row(chain, [step.worst]) for step in chain.steps] for chain in chains]
    everyone = [row for of_chain in rows for row in of_chain]
    least = [_earliest(chain) for chain in chains]
    most = [_in_line(chain, rows, preempts, switch) for chain in chains]
    latest = [[0] * len(chain.steps) for chain in chains]
    for _ in range(ROUNDS if in_turn else 0):
        tasks = [
            row.task(_there(row, everyone), preempts, switch, late - early)
            for of_chain, lates, earlies in zip(rows, latest, least, strict=True)
            for row, late, early in zip(of_chain, lates, earlies, strict=True)
        ]
        units = [row.unit for row in everyone]
        took = iter([_took(row, task, tasks, units)
                     for row, task in zip(everyone, tasks, strict=True)])  # fmt: skip
        ends = [
            [min(late + next(took), end) for late in lates]
            for lates, end in zip(latest, most, strict=True)
        ]
        following = [
            [max((done[i] for i in chain.before(p)), default=0) for p in range(len(chain.steps))]
            for chain, done in zip(chains, ends, strict=True)
        ]
        if following == latest:
            most = [max(done) for done in ends]
            break
        latest = following
    return [end if end < ENDLESS else None for end in most]


def _there(row: _Row, everyone: Sequence[_Row]) -> list[_Row]:
    return [other for other in everyone if other.unit == row.unit]


def _in_line(chain: Chain, rows: Sequence[Sequence[_Row]], preempts: bool, switch: int) -> int:
    """What the first argument proves of ``chain``, ticks.

    What is less urgent may be taken for as urgent, too, all of it instead of a piece again and
    again: the best of both is told, for each level.
    """
    everyone = [row for of_chain in rows for row in of_chain]
    alone = {id(row): row.task(_there(row, everyone), preempts, switch, 0) for row in everyone}
    levels = {row.chain.priority for row in everyone if row.chain.priority <= chain.priority}
    return min(_at_level(level, chain, rows, alone) for level in levels)


def _at_level(
    level: int, chain: Chain, rows: Sequence[Sequence[_Row]], alone: Mapping[int, Task]
) -> int:
    """The same, with all from ``level`` on as urgent."""
    behind: dict[int, int] = {}  # by unit, the longest piece of what is less urgent
    for row in (row for of_chain in rows for row in of_chain if row.chain.priority < level):
        behind[row.unit] = max(behind.get(row.unit, 0), alone[id(row)].longest)
    urgent = [of_chain for of_chain in rows if of_chain[0].chain.priority >= level]
    costs = [sum(alone[id(r)].cost + behind.get(r.unit, 0) for r in each) for each in urgent]
    tasks = [Task(each[0].chain.curve, cost, 0, 0)
             for each, cost in zip(urgent, costs, strict=True)]  # fmt: skip
    mine = next(i for i, each in enumerate(urgent) if each[0].chain is chain)
    return _bounded(response(tasks[mine], tasks[:mine] + tasks[mine + 1 :], in_turn=False), chain)


def _took(row: _Row, task: Task, tasks: Sequence[Task], units: Sequence[int]) -> int:
    """Ticks from the moment at which a task is ready until it has ended."""
    there = [t for t, u in zip(tasks, units, strict=True) if u == row.unit and t is not task]
    return _bounded(response(task, there, in_turn=False), row.chain)


def _bounded(ticks: int | None, chain: Chain) -> int:
    """Ticks, or those of what has no bound."""
    much = chain.curve.span(BACKLOG)
    return ENDLESS if ticks is None or 0 < much < ticks else ticks


def _earliest(chain: Chain) -> list[int]:
    """The least ticks from an arrival until each step is ready."""
    ready: list[int] = []
    for position in range(len(chain.steps)):
        before = chain.before(position)
        ready.append(max((ready[i] + chain.steps[i].best for i in before), default=0))
    return ready


@dataclass(frozen=True, eq=False)
class _Row:
    """What is one task of a unit: partitions that follow one another there."""

    chain: Chain
    parts: Sequence[Pieces]

    @property
    def unit(self) -> int:
        return self.parts[0].unit

    def task(self, there: Sequence[_Row], preempts: bool, switch: int, jitter: int) -> Task:
        """As its unit sees it, beside all that are ``there``."""
        curve = self.chain.curve.delayed(jitter) if jitter else self.chain.curve
        priority = self.chain.priority
        if not preempts:
            return Task.of(curve, [part.total for part in self.parts], priority)
        victims = [part for row in there if row.chain.priority < priority for part in row.parts]
        # Who takes a unit away pays for that, for what must leave the chip, and for its return.
        extra = switch * bool(victims) + max(
            (part.save + max(part.restore) for part in victims), default=0
        )
        ticks = [t for part in self.parts for t in part.ticks]
        back = [t for part in self.parts for t in part.restore]
        longest = max(t + b for t, b in zip(ticks, back, strict=True))
        # Each of its partitions may do so anew, before its first piece.
        begins = max(part.ticks[0] for part in self.parts) + extra
        cost = sum(ticks) + extra * len(self.parts)
        return Task(curve, max(1, cost), max(longest, begins), ticks[-1], priority)
