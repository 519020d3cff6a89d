"""Why every partition began when it did: what it waited for, and for how long.

A partition begins when its inputs are there, its PU is free and, under barrier execution, its turn
has come. The last of these is the *cause*; the rest says how long the others had been waiting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hetsim.analysis.attribution import Needs
from hetsim.plan.model import Plan
from hetsim.sim.trace import TaskRow, Trace
from hetsim.workload.graph import Graph


@dataclass(frozen=True, slots=True)
class Wait:
    """What let the task at ``position`` of the program begin. Times in seconds.

    ``cause`` is ``input`` (the result of the partition ``blamed``), ``unit`` (its PU was busy with
    ``blamed``), ``arrival`` (of the inference) or ``turn`` (the order of barrier execution).
    ``ready`` is when its last input was there, ``free`` when its PU had finished the task before.
    """

    inference: int
    position: int
    cause: str
    start: float
    ready: float
    free: float
    blamed: int | None = None


def needs_of(graph: Graph, plan: Plan) -> list[tuple[int, ...]]:
    """For each partition, by position, those whose results it reads; ascending."""
    owner = {name: i for i, part in enumerate(plan.partitions) for name in part.operators}
    where = [owner[op.name] for op in graph.operators]
    needs: list[set[int]] = [set() for _ in plan.partitions]
    for consumer, producers in enumerate(graph.predecessors):
        needs[where[consumer]].update(where[producer] for producer in producers)
    return [tuple(sorted(found - {i})) for i, found in enumerate(needs)]


def waits(needs: Needs, trace: Trace) -> tuple[Wait, ...]:
    """One row per task, in order of start."""
    rows = {(row.inference, row.position): row for row in trace.tasks}
    on_unit: defaultdict[int, list[TaskRow]] = defaultdict(list)
    found: list[Wait] = []
    for row in sorted(trace.tasks, key=lambda row: (row.start, row.end, row.pu)):
        arrived = trace.arrived[row.inference] if row.inference < len(trace.arrived) else 0.0
        inputs = [rows[row.inference, position] for position in needs[row.position]]
        before = on_unit[row.pu][-1] if on_unit[row.pu] else None
        found.append(_wait(row, arrived, inputs, before))
        on_unit[row.pu].append(row)
    return tuple(found)


def _wait(row: TaskRow, arrived: float, inputs: Sequence[TaskRow], before: TaskRow | None) -> Wait:
    last = max(inputs, key=lambda task: task.end, default=None)
    ready = arrived if last is None else last.end
    free = 0.0 if before is None else before.end
    cause, blamed = "turn", None
    if last is not None and row.start == ready:
        cause, blamed = "input", last.position
    elif before is not None and row.start == free:
        cause, blamed = "unit", before.position
    elif last is None and row.start == ready:
        cause = "arrival"
    return Wait(row.inference, row.position, cause, row.start, ready, free, blamed)
