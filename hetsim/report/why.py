"""In words: why every partition of a run began when it did. And what the makespan hangs on."""

from __future__ import annotations

from collections.abc import Mapping

from hetsim.analysis.attribution import PathStep, critical_path
from hetsim.analysis.result import Run
from hetsim.analysis.waits import Wait, needs_of, waits
from hetsim.plan.model import Plan
from hetsim.report.summary import tidy_time


def critical_steps(run: Run) -> tuple[PathStep, ...]:
    """The critical path of a run; empty when it left no trace."""
    if run.plan is None or run.trace is None:
        return ()
    return critical_path(needs_of(run.graph, run.plan), run.trace)


def wait_texts(run: Run) -> Mapping[tuple[int, int], str]:
    """By inference and position of the partition in the plan: what it waited for, in a sentence."""
    if run.plan is None or run.trace is None:
        return {}
    found = waits(needs_of(run.graph, run.plan), run.trace)
    return {(wait.inference, wait.position): _sentence(wait, run.plan) for wait in found}


def _sentence(wait: Wait, plan: Plan) -> str:
    parts = plan.partitions
    own = parts[wait.position].pu
    if wait.cause == "input" and wait.blamed is not None:
        blamed = parts[wait.blamed]
        text = f"for {blamed.name} on {blamed.pu}, whose result it reads"
        idle = wait.start - wait.free
        return f"{text}; {own} had no partition for {tidy_time(idle)}" if idle > 0 else text
    if wait.cause == "unit" and wait.blamed is not None:
        queued = wait.start - wait.ready
        text = f"until {own} had finished {parts[wait.blamed].name}"
        return f"{text}; its inputs were there {tidy_time(queued)} earlier" if queued > 0 else text
    if wait.cause == "arrival":
        return "for nothing"
    idle = wait.start - max(wait.ready, wait.free)
    return f"for its turn: partitions are called in list order ({tidy_time(idle)})"
