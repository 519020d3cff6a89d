"""Everything on the fastest CPU unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hetsim.errors import SchedulerError
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.simple.preference import CPU, most_capable_first, pus_of_role, static_plan


@dataclass(frozen=True)
class CPUOnly(Scheduler):
    """The CPU unit that supports most operators and is fastest on them; it has no parameters.

    Operators it cannot run go to the next best CPU unit.
    """

    name: ClassVar[str] = "cpu_only"
    optimises: ClassVar[str] = "nothing: one CPU unit runs the network"
    ignores: ClassVar[str] = "NPUs and accelerators, parallelism"
    complexity: ClassVar[str] = "O(V·P)"
    source: ClassVar[str] = "baseline"

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` without a CPU, or when no CPU runs some operator."""
        cpus = most_capable_first(problem, pus_of_role(problem, CPU))
        if not cpus:
            raise SchedulerError(f"SoC {problem.soc.name!r} has no CPU")
        return static_plan(problem, cpus, self.name)
