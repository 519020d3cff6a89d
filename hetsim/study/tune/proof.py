"""How good a tuned plan can be at best: what ``exact`` proves about its network."""

from __future__ import annotations

from hetsim.bounds.bound import Bound
from hetsim.errors import MissingExtraError, SchedulerError
from hetsim.plan.model import Plan
from hetsim.runs.case import Case
from hetsim.schedulers.registry import create


def check_prover() -> None:
    """Raises ``MissingExtraError`` when OR-Tools is not installed."""
    from importlib.util import find_spec

    if find_spec("ortools") is None:
        raise MissingExtraError.for_extra("OR-Tools", "exact", "proving bounds")


def prove(case: Case, seconds: float) -> tuple[Plan, float, tuple[Bound, ...]]:
    """The plan ``exact`` finds within ``seconds``, its makespan in seconds, and what it proves.

    Raises:
        SchedulerError: it ended without a plan.
    """
    run = case.run("exact", create("exact", {"time_limit": seconds}))
    if run.plan is None or run.makespan_s is None:
        raise SchedulerError(f"nothing was proven about {case.graph.name}: {run.error}")
    return run.plan, run.makespan_s, run.bounds
