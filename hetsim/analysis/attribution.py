"""Where the time went: the makespan split along the critical path, and the same for each PU.

The critical path is walked backwards from the last result: within a partition through what it did,
at its start to whatever ended at that very moment and let it start (a partition whose result it
reads, else the one before it on its PU, else the runtime's fork or join). Every instant between
zero and the makespan belongs to exactly one part, so the parts add up to the makespan.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from hetsim.lower.program import Program
from hetsim.sim.trace import RUNTIME, Activity, TaskRow, Trace

PARTS = (
    "compute",
    "bus_contention",
    "unavoidable_transfer",
    "dma_wait",
    "dispatch_and_crossing",
    "core_sharing",
    "dependency_wait",
    "barrier_wait",
)
"""What time can go into; ``dependency_wait`` on the path itself is waiting for an arrival."""

Parts = dict[str, float]
Needs = Sequence[Collection[int]]
"""By position in the program: the positions of the partitions whose results it reads."""

_Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PathStep:
    """A stretch of the critical path, from ``start`` to ``end`` (seconds).

    ``kind`` is ``task`` (the partition at ``position`` of the program), ``runtime`` (a fork or
    join) or ``wait`` (for an arrival); ``position`` is :data:`~hetsim.sim.trace.RUNTIME` for the
    last two.
    """

    kind: str
    inference: int
    position: int
    start: float
    end: float


def critical_path(needs: Needs, trace: Trace) -> tuple[PathStep, ...]:
    """The chain of events that made the makespan what it is, in order of time and without gaps.

    ``needs[p]`` are the positions of the partitions whose results partition ``p`` reads; the plan
    is that of every inference in the trace. Empty when the trace holds no tasks.
    """
    if not trace.tasks:
        return ()
    ended: defaultdict[float, list[TaskRow]] = defaultdict(list)
    for row in trace.tasks:
        ended[row.end].append(row)
    runtime = {step.end: step for step in trace.activities if step.position == RUNTIME}
    moments = sorted({*ended, *runtime})
    current: TaskRow | None = max(trace.tasks, key=lambda row: (row.end, row.inference))
    time = trace.makespan_s
    visited: set[_Key] = set()
    path: list[PathStep] = []
    while True:
        if current is not None:
            visited.add((current.inference, current.position))
            path.append(
                PathStep("task", current.inference, current.position, current.start, current.end)
            )
            time = current.start
        elif time in runtime:
            step = runtime.pop(time)
            path.append(PathStep("runtime", step.inference, RUNTIME, step.start, time))
            time = step.start
        else:
            place = bisect_left(moments, time)
            before = moments[place - 1] if place else 0.0
            path.append(PathStep("wait", -1, RUNTIME, before, time))
            time = before
        if time <= 0.0:
            break
        current = _cause(current, ended[time], needs, visited) if time in ended else None
    return tuple(reversed(path))


def attribute(program: Program, trace: Trace) -> Parts:
    """Seconds of each of :data:`PARTS` along the critical path; they add up to the makespan.

    ``program`` is that of every inference in the trace.
    """
    parts = dict.fromkeys(PARTS, 0.0)
    activities = activities_by_task(trace.activities)
    path = critical_path([job.needs for job in program.jobs], trace)
    for step in reversed(path):
        _book_step(parts, step, activities)
    return exact(parts, trace.makespan_s) if path else parts


def attribute_by_unit(program: Program, trace: Trace, names: Sequence[str]) -> dict[str, Parts]:
    """The same, seconds, for each PU that the critical path runs on, ``names`` by its index.

    Forks, joins and waiting for arrivals are under ``runtime``. All parts of all units add up to
    the makespan, but for rounding.
    """
    found: dict[str, Parts] = {}
    activities = activities_by_task(trace.activities)
    for step in critical_path([job.needs for job in program.jobs], trace):
        unit = names[program.jobs[step.position].pu] if step.kind == "task" else "runtime"
        _book_step(found.setdefault(unit, dict.fromkeys(PARTS, 0.0)), step, activities)
    return found


def attribute_pus(trace: Trace, names: Iterable[str], waiting: str) -> dict[str, Parts]:
    """For each PU, where the makespan went: the parts of its own tasks, ``waiting``, and ``idle``.

    ``waiting`` is the part that gaps before a PU's tasks count as: ``dependency_wait`` under
    dataflow, ``barrier_wait`` under barrier execution. ``idle`` is the time after its last task.
    """
    activities = activities_by_task(trace.activities)
    result = {}
    for index, name in enumerate(names):
        parts = dict.fromkeys((*PARTS, "idle"), 0.0)
        now = 0.0
        mine = (row for row in trace.tasks if row.pu == index)
        for row in sorted(mine, key=lambda row: (row.start, row.end)):
            parts[waiting] += row.start - now
            for activity in activities[row.inference, row.position]:
                _book(parts, activity)
            now = row.end
        parts["idle"] += trace.makespan_s - now
        result[name] = exact(parts, trace.makespan_s)
    return result


def activities_by_task(activities: Iterable[Activity]) -> defaultdict[_Key, list[Activity]]:
    """The activities of each task, by inference and position, in order of time."""
    grouped: defaultdict[_Key, list[Activity]] = defaultdict(list)
    for activity in activities:
        grouped[activity.inference, activity.position].append(activity)
    return grouped


def _book_step(parts: Parts, step: PathStep, activities: Mapping[_Key, Sequence[Activity]]) -> None:
    if step.kind == "task":
        for activity in activities[step.inference, step.position]:
            _book(parts, activity)
    elif step.kind == "runtime":
        parts["barrier_wait"] += step.end - step.start
    else:
        parts["dependency_wait"] += step.end - step.start


def _book(parts: Parts, activity: Activity) -> None:
    parts["compute"] += activity.compute
    parts["bus_contention"] += activity.contention
    parts["unavoidable_transfer"] += activity.transfer
    parts["dma_wait"] += activity.dma
    parts["dispatch_and_crossing"] += activity.crossing
    parts["core_sharing"] += activity.sharing


def _cause(
    current: TaskRow | None,
    ending: Iterable[TaskRow],
    needs: Needs,
    visited: set[_Key],
) -> TaskRow | None:
    """The task whose end at this moment let ``current`` start."""
    open_ones = [row for row in ending if (row.inference, row.position) not in visited]
    if current is None:
        return open_ones[0] if open_ones else None
    for row in open_ones:
        if row.inference == current.inference and row.position in needs[current.position]:
            return row
    same = (row for row in open_ones if row.pu == current.pu)
    return next(same, open_ones[0] if open_ones else None)


def exact(parts: Parts, total: float, beside: Sequence[float] = ()) -> Parts:
    """Gives what rounding left over to a part, so that parts and ``beside`` sum to ``total``.

    To the largest first; where the exact sum lies midway between two floats that goes to and fro,
    so then half of it to smaller ones, which have the finer steps.
    """
    for share, choose in ((1.0, max), (1.0, max), (0.5, min), (0.5, min), (0.25, min)):
        left = total - math.fsum((*parts.values(), *beside))
        if left == 0.0 or not parts:
            break
        able = [part for part, seconds in parts.items() if seconds > abs(left)]
        chosen = choose(able or parts, key=lambda part: parts[part])
        parts[chosen] += share * left
    return parts
