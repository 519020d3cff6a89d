"""Spatial partitioning: every network has units of its own.

The unit that hosts the runtime is shared, because it prepares the partitions of all; every other
unit belongs to one network. All divisions are tried where they are few, and beyond that units are
dealt out one by one in the order of the SoC, those not dealt yet being the first network's. A
division is as good as its most loaded network: rate times the makespan of one inference by the plan
that the scheduler makes on its units (the time that a second of that stream's arrivals takes), then
as the sum of these.

Source: the baselines that give each network a sub-accelerator, as Herald (Kwon et al., HPCA 2021,
section 4) and MOSAIC-like mappers do; those choose by their own cost models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import inf
from typing import ClassVar

from hetsim.errors import HetsimError, SchedulerError
from hetsim.plan.model import Plan
from hetsim.schedulers.joint.base import JointProblem, JointScheduler, with_units

MOST_DIVISIONS = 256
"""Divisions that are all tried; a SoC of more is divided unit by unit."""

Division = tuple[int, ...]
"""For each unit that is divided, the position of the stream that owns it."""


class Spatial(JointScheduler):
    """Each network is planned on units that no other network may use; the host is shared."""

    name: ClassVar[str] = "spatial"
    source: ClassVar[str] = "sub-accelerators, Kwon et al., HPCA 2021"

    def plan(self, problem: JointProblem) -> Mapping[str, Plan]:
        """Raises :class:`SchedulerError` when some network fits none of the divisions."""
        tried = _Tried(problem)
        best = min(tried.divisions(), key=tried.merit)
        if tried.merit(best)[0] == inf:
            raise SchedulerError(
                "no division of the units lets every network run",
                hint=f"only {problem.soc.host.name!r} is shared; plan 'each' or 'union'",
            ) from tried.last
        return {
            stream.name: plan
            for i, stream in enumerate(problem.streams)
            for plan in (tried.planned(i, best)[0],)
            if plan is not None
        }


class _Tried:
    """Plans by stream and units, each made once."""

    def __init__(self, problem: JointProblem) -> None:
        self.problem = problem
        self.rates = problem.rates
        host = problem.soc.host
        self.divided = [pu.name for pu in problem.soc.pus if pu is not host]
        self.last: HetsimError | None = None
        self._plans: dict[tuple[int, frozenset[str]], tuple[Plan | None, float]] = {}

    def divisions(self) -> Iterator[Division]:
        """Those to compare: all, or what comes of dealing units out one by one."""
        owners = range(len(self.problem.streams))
        if len(owners) ** len(self.divided) <= MOST_DIVISIONS:
            yield from product(owners, repeat=len(self.divided))
            return
        dealt: Division = (0,) * len(self.divided)
        for unit in range(len(self.divided)):
            choices = [(*dealt[:unit], owner, *dealt[unit + 1 :]) for owner in owners]
            dealt = min(choices, key=self.merit)
        yield dealt

    def merit(self, division: Division) -> tuple[float, float]:
        """The largest load, and their sum; infinite where a network cannot run."""
        loads = [
            self.rates[stream.name] * self.planned(i, division)[1]
            for i, stream in enumerate(self.problem.streams)
        ]
        return max(loads), sum(loads)

    def planned(self, stream: int, division: Division) -> tuple[Plan | None, float]:
        """The plan of a stream on its units, and seconds of one inference alone."""
        problem = self.problem
        own = {u for u, owner in zip(self.divided, division, strict=True) if owner == stream}
        key = stream, frozenset({problem.soc.host.name, *own})
        if key not in self._plans:
            name = problem.streams[stream].name
            graph = problem.graphs[name]
            try:
                plan = problem.ask(graph, with_units(problem.soc, key[1]), name)
                self._plans[key] = plan, problem.alone(graph, plan)
            except HetsimError as error:
                self.last = error
                self._plans[key] = None, inf
        return self._plans[key]
