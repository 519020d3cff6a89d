"""Static scheduling by operator type, PartitionTuner's first baseline.

Source: Yu et al., "PartitionTuner", ETRI Journal 45(2), 2023, doi 10.4218/etrij.2021-0446:
operators whose type the NPU supports run there, a Relu fused behind such a convolution too,
the rest on the CPU. No times are looked at to decide.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import ClassVar

from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.partitions import Cut
from hetsim.schedulers.simple.preference import CPU, NPU, static_plan


@dataclass(frozen=True)
class TypeBased(Scheduler):
    """Each operator to the most specialised PU that takes its type.

    NPUs come first, then other accelerators, then CPUs with the host first; of equals the one
    that stands first in the SoC description, so a second NPU stays idle. ``cut``: partitions also
    end where branches fork, as in the authors' code, or only where the PU changes.
    """

    name: ClassVar[str] = "type_based"
    optimises: ClassVar[str] = "use of the most specialised PU"
    ignores: ClassVar[str] = "times, transfers, parallelism"
    complexity: ClassVar[str] = "O(V·P)"
    source: ClassVar[str] = "Yu et al., ETRI Journal 45(2) 2023 (baseline)"

    cut: Cut = "branches"

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when no PU runs some operator."""
        host = problem.soc.host

        def specialised(index: int) -> tuple[int, bool, int]:
            pu = problem.soc.pus[index]
            return {NPU: 0, CPU: 2}.get(pu.spec.role, 1), pu is not host, index

        order = sorted(range(len(problem.soc.pus)), key=specialised)
        return static_plan(problem, order, self.name, asdict(self), self.cut)
