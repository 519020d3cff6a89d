"""A SoC as its file describes it, as a model of whole networks: simulated, and bounded below.

The network runs on one unit, what that cannot run on the CPUs, one partition after the other. What
a measurement was computed in is set in the unit's ``precision`` and, where weights are narrower
than activations, in how the network stores them; a unit that states no rate for it says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from hetsim.bounds.makespan import bytes_bound
from hetsim.bounds.simulated import least_seconds
from hetsim.calibrate.networks.cases import MeasuredNetwork
from hetsim.cost.measured.table import Doubt
from hetsim.errors import ConfigError, HetsimError, Location
from hetsim.names import suggest
from hetsim.numeric import Floats
from hetsim.plan.model import Plan
from hetsim.runs.case import Case
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.simple.preference import static_plan
from hetsim.soc.loader import load_soc
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from hetsim.workload.weights import StoredWeights, with_weights

BOUND = "below the bound"


@dataclass(frozen=True)
class _OnUnit(Scheduler):
    """All that a unit can run on it, the rest on the CPUs."""

    unit: int
    name: ClassVar[str] = "on_unit"

    def plan(self, problem: Problem) -> Plan:
        """Raises :class:`SchedulerError` when none of them runs some operator."""
        cpus = [pu.index for pu in problem.soc.pus if pu.spec.role == "cpu"]
        return static_plan(problem, [self.unit, *cpus], self.name)


class DescribedModel:
    """A SoC's unit as described; nothing is fitted."""

    name = "described"

    def __init__(self, soc: str | Path, pu: str) -> None:
        """Loads the SoC.

        Raises:
            ConfigError: no such SoC or unit.
        """
        self.soc = load_soc(soc)
        self.pu = pu
        names = [unit.name for unit in self.soc.pus]
        if pu not in names:
            raise ConfigError(
                f"{self.soc.name} has no unit {pu!r}; {suggest(pu, names)}",
                where=Location(str(soc)),
            )
        self._index = names.index(pu)
        self._file = soc
        self._socs: dict[str, SoC | None] = {}
        self._seconds: dict[tuple[int, str, str], tuple[Graph, float]] = {}
        self.refused: dict[str, str] = {}

    def fit(
        self, cases: Sequence[MeasuredNetwork], others: Sequence[MeasuredNetwork] = ()
    ) -> DescribedModel:
        """Itself: what is measured changes nothing."""
        return self

    def predict(self, cases: Sequence[MeasuredNetwork]) -> Floats:
        """Simulated seconds; NaN where the unit cannot compute so, or cannot run the network.

        ``refused`` then says why, by network or precision.
        """
        return np.array([self._simulated(case) for case in cases], dtype=np.float64)

    def _simulated(self, case: MeasuredNetwork) -> float:
        precision = case.precision
        key = id(case.graph), precision.activations, precision.weights
        if key not in self._seconds:
            seconds = math.nan
            try:
                if (run := self._case(case)) is not None:
                    plan = run.plan(_OnUnit(self._index))
                    seconds = run.simulate(plan, trace=False).makespan_s
            except HetsimError as error:
                self.refused[case.name] = error.message
            self._seconds[key] = case.graph, seconds  # kept, so that its id stays its own
        return self._seconds[key][1]

    def _case(self, case: MeasuredNetwork) -> Case | None:
        precision = case.precision
        soc = self._computing_in(precision.activations)
        if soc is None:
            return None
        graph = case.graph
        if precision.weights != precision.activations:
            graph = with_weights(graph, StoredWeights(dtype=precision.weights))
        run = Case(graph, soc)
        run.check()
        return run

    def _computing_in(self, dtype: str) -> SoC | None:
        if dtype not in self._socs:
            try:
                changes = {f"pus.{self.pu}.precision.float32": dtype}
                self._socs[dtype] = load_soc(self._file, changes) if dtype else None
            except ConfigError as error:
                self.refused[dtype] = error.message
                self._socs[dtype] = None
        return self._socs[dtype]

    def below_bound(self, cases: Sequence[MeasuredNetwork]) -> Iterator[Doubt]:
        """Rows that are faster than anything on the described unit, and what would have to be true.

        Two bounds: the unit's kernels one after the other, each at the least time its description
        allows, and all weights, inputs and outputs once through the memories. Operators that the
        unit does not run count nothing.
        """
        known: dict[tuple[int, str, str], tuple[float, float]] = {}
        for case in cases:
            key = id(case.graph), case.precision.activations, case.precision.weights
            if key not in known:
                known[key] = self._bounds(case)
            work, memory = known[key]
            if case.seconds < max(work, memory):
                yield Doubt(BOUND, self._needed(case, work, memory), case.where)

    def _bounds(self, case: MeasuredNetwork) -> tuple[float, float]:
        try:
            run = self._case(case)
        except HetsimError:
            return 0.0, 0.0
        if run is None:
            return 0.0, 0.0
        table = least_seconds(run.floors)
        work = math.fsum(row[self._index] for row in table if math.isfinite(row[self._index]))
        memory = 0.0 if run.cost_model.caches else bytes_bound(run.graph, run.soc, table)
        return work, memory

    def _needed(self, case: MeasuredNetwork, work: float, memory: float) -> str:
        bound = max(work, memory)
        macs = sum(op.macs for op in case.graph.operators)
        if work >= memory:
            true = (
                f"{self.pu} would have to be {bound / case.seconds:.3g} times as fast, and make"
                f" {macs / case.seconds:.3g} multiply-accumulates per second"
            )
        else:
            true = f"its memories would have to be {bound / case.seconds:.3g} times as fast"
        return (
            f"{case.name} in {case.precision.group}: {case.seconds * 1e3:.4g} ms measured, and at"
            f" least {bound * 1e3:.4g} ms on {self.pu} of {self.soc.name}; {true}"
        )
