"""The plans a search starts from: those of built-in schedulers, or of some that are named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hetsim.errors import SchedulerError
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem
from hetsim.schedulers.registry import BUILT_IN, create

NOT_STARTS = ("partition_tuner_tuned", "exact", "delegate_largest", "delegate_tuned")
"""Built-in schedulers that a search does not begin with: itself, one that may take minutes, and
those that stand for runtimes which do one thing at a time."""


def start_names() -> list[str]:
    """The schedulers that a search begins with."""
    return [name for name in BUILT_IN if name not in NOT_STARTS]


def start_plans(problem: Problem, names: Sequence[str]) -> Iterator[tuple[str, Plan]]:
    """Their plans, without those of schedulers that find none."""
    for name in names:
        try:
            yield name, create(name).plan(problem)
        except SchedulerError:
            continue
