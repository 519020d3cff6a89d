"""The worst response time of tasks with fixed priorities on one unit.

A task arrives as its curve says and runs for ``cost`` ticks in pieces; what is more urgent goes
between two pieces, never within one. Fully preemptive tasks have pieces of no length, those that
are never interrupted a single one. The worst case is sought over all arrivals in the longest time
for which the unit can be busy with nothing less urgent (the busy window), which starts with the
longest piece of somebody less urgent and everybody else arriving at once: Lehoczky, "Fixed priority
scheduling of periodic task sets with arbitrary deadlines" (RTSS 1990) for several jobs in a window,
Davis, Burns, Bril & Lukkien, "Controller Area Network schedulability analysis: refuted, revisited
and revised" (Real-Time Systems 35, 2007) and Bril, Lukkien & Verhaegh (Real-Time Systems 42, 2009)
for pieces. That a job that begins its last piece ends without a break is taken into account;
arrivals at the very moment at which it begins come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hetsim.bounds.response.curves import ENDLESS, Curve

PATIENCE = 1_000
"""Steps after which the search for the end of a busy window, and for the worst job in it, ends."""


@dataclass(frozen=True)
class Task:
    """A stream of jobs on a unit; ``cost``, ``longest`` and ``last`` piece in ticks.

    Higher priorities are more urgent.
    """

    curve: Curve
    cost: int
    longest: int
    last: int
    priority: int = 0

    @classmethod
    def of(cls, curve: Curve, pieces: Sequence[int], priority: int = 0) -> Task:
        """The task whose jobs run in these pieces, one after the other."""
        return cls(curve, max(1, sum(pieces)), max(pieces), pieces[-1], priority)


def response(task: Task, others: Iterable[Task], *, in_turn: bool = True) -> int | None:
    """The worst response time of ``task`` beside ``others``, in ticks, or ``None``: no bound.

    Tasks of equal priority are served in the order in which they arrived; with ``in_turn=False``
    in any order. There is no bound where the unit may be busy with what is as urgent for ever, or
    for so long that :data:`PATIENCE` ends.
    """
    others = list(others)
    higher = [t for t in others if t.priority > task.priority]
    equal = [t for t in others if t.priority == task.priority]
    if sum(t.curve.load(t.cost) for t in (task, *equal, *higher)) > 1.0 + 1e-6:
        return None
    blocking = max((t.longest for t in others if t.priority < task.priority), default=0)
    window = _least(lambda length: blocking + sum(
        t.curve.before(length) * t.cost for t in (task, *equal, *higher)
    ), max(1, blocking + task.cost))  # fmt: skip
    if window is None:
        return None
    if not in_turn:
        higher, equal = [*higher, *equal], []
    moments = _moments((task, *equal), window)
    if moments is None:
        return None
    worst = fixed = end = 0
    for moment in moments:
        before, fixed = fixed, blocking + sum(
            t.curve.within(moment) * t.cost for t in (task, *equal)
        )  # fmt: skip
        # Whoever has more before it ends no sooner, and later by that at least.
        found = _end(task, fixed, higher, end - task.last + fixed - before)
        if found is None:
            return None
        end = found
        worst = max(worst, end - moment)
    return worst


def _end(task: Task, fixed: int, higher: Sequence[Task], earliest: int) -> int | None:
    """When a job ends that waits for ``fixed`` ticks, its own included, and for ``higher``.

    It does not begin its last piece before ``earliest``.
    """
    first = max(fixed - task.last, earliest)
    if not task.last:
        return _least(lambda t: fixed + sum(h.curve.before(t) * h.cost for h in higher), first)
    start = fixed - task.last
    begun = _least(lambda t: start + sum(h.curve.within(t) * h.cost for h in higher), first)
    return None if begun is None else begun + task.last


def _least(demand: Callable[[int], int], start: int) -> int | None:
    """The least length, from ``start`` on, that holds what is demanded in it."""
    length = start
    for _ in range(PATIENCE):
        needed = demand(length)
        if needed <= length:
            return length
        if needed >= ENDLESS:
            return None
        length = needed
    return None


def _moments(tasks: Sequence[Task], window: int) -> list[int] | None:
    """When a job can arrive in a busy window so that it waits for more than one just before."""
    found: set[int] = set()
    for task in tasks:
        jobs = task.curve.before(window)
        if jobs > PATIENCE:
            return None
        found.update(task.curve.span(further) for further in range(jobs))
    return sorted(found)
