"""A plan's partitions on every unit that can run them, lowered when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hetsim.errors import InfeasibleError, PlanError
from hetsim.lower.lowering import Lowering
from hetsim.lower.program import Choices, Job
from hetsim.plan.model import Plan


class PlanChoices(Choices):
    """Of one plan; its partitions are what is moved about as a whole.

    A unit can run a partition when it can run every operator of it and reach its memories. Jobs are
    the same as if a plan had put the partitions where they are.
    """

    def __init__(self, lowering: Lowering, plan: Plan) -> None:
        self._lowering = lowering
        self._plan = plan
        index = lowering.graph.index
        self._ops = [tuple(index[name] for name in p.operators) for p in plan.partitions]
        self._made_by = {
            tensor: i for i, ops in enumerate(self._ops) for tensor in lowering.boundary(ops)[1]
        }
        self.program = replace(lowering.program(plan), choices=self)
        """The plan's program, with these choices."""
        self._units: dict[int, tuple[int, ...]] = {}
        self._jobs: dict[tuple[int, int, tuple[int, ...]], Job] = {}

    def units(self, position: int) -> tuple[int, ...]:
        found = self._units.get(position)
        if found is None:
            pus = (pu.index for pu in self._lowering.soc.pus)
            found = self._units[position] = tuple(u for u in pus if self._runs(position, u))
        return found

    def _runs(self, position: int, unit: int) -> bool:
        try:
            self.job(position, unit, [unit] * len(self.program.jobs[position].needs))
        except (InfeasibleError, PlanError):
            return False
        return True

    def job(self, position: int, unit: int, homes: Sequence[int]) -> Job:
        """Raises :class:`~hetsim.errors.HetsimError` where ``unit`` cannot run it."""
        key = position, unit, tuple(homes)
        found = self._jobs.get(key)
        if found is None:
            partition = self._plan.partitions[position]
            needs = self.program.jobs[position].needs
            place = dict(zip(needs, homes, strict=True))
            ops = self._ops[position]
            home = {
                tensor: place[self._made_by[tensor]]
                for tensor in self._lowering.boundary(ops)[0]
                if tensor in self._made_by
            }
            pu = self._lowering.soc.pus[unit]
            found = self._jobs[key] = self._lowering.job(
                partition.name, pu, ops, home, needs, fused=partition.fuse,
                memories=self._plan.memories,
            )  # fmt: skip
        return found
