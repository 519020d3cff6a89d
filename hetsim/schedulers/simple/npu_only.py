"""As much as possible on one NPU, the rest on the fastest CPU unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hetsim.errors import SchedulerError
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.simple.preference import (
    CPU,
    NPU,
    most_capable_first,
    pus_of_role,
    static_plan,
)


@dataclass(frozen=True)
class NPUOnly(Scheduler):
    """The NPU that supports most operators; what it cannot run falls back to the CPU.

    Unlike ``type_based`` it never uses an accelerator that is not an NPU. It has no parameters.
    """

    name: ClassVar[str] = "npu_only"
    optimises: ClassVar[str] = "the share of the network on one NPU"
    ignores: ClassVar[str] = "times, transfers, parallelism"
    complexity: ClassVar[str] = "O(V·P)"
    source: ClassVar[str] = "baseline"

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` without an NPU, or when neither runs some operator."""
        npus = most_capable_first(problem, pus_of_role(problem, NPU))
        if not npus:
            raise SchedulerError(f"SoC {problem.soc.name!r} has no NPU")
        cpus = most_capable_first(problem, pus_of_role(problem, CPU))
        return static_plan(problem, [npus[0], *cpus], self.name)
