"""Two networks on one simulated Xavier: their plans, their programs, their times side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.chain import CostChain, CostModel
from hetsim.cost.measured.fit import alone_s
from hetsim.cost.measured.source import measured_model
from hetsim.cost.measured.table import ProfileTable
from hetsim.lower.lowering import Lowering
from hetsim.lower.program import Program
from hetsim.plan.model import Partition, Plan
from hetsim.sim.dispatchers.priority import Priority
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.soc.loader import load_soc
from hetsim.soc.model import SoC
from hetsim.validate.checks.haxconn.networks import network
from hetsim.validate.checks.haxconn.pairs import DLA, GPU, Engine, Told
from hetsim.workload.graph import Graph

SOC = "jetson-xavier"


class Xavier:
    """The SoC, with measured times of GoogLeNet where ``profiles`` has them, by unit.

    ``soc`` is another description of it. With ``contention=False`` nobody waits for the memory
    because of somebody else.
    """

    def __init__(
        self,
        profiles: Mapping[str, ProfileTable] | None = None,
        *,
        soc: SoC | None = None,
        contention: bool = True,
    ) -> None:
        self.soc: SoC = soc or load_soc(SOC)
        self.contention = contention
        self.analytical = AnalyticalModel()
        self._profiles = profiles or {}
        self._lowerings: dict[str, Lowering] = {}
        self._programs: dict[Engine, Program] = {}

    @cached_property
    def _measured(self) -> CostModel:
        measured = measured_model(self.soc, self._profiles, self.analytical)
        return CostChain([measured, self.analytical])

    def lowering(self, name: str) -> Lowering:
        """Of one of the networks; the profiles speak of GoogLeNet and of nothing else."""
        if name not in self._lowerings:
            measured = name == "googlenet" and self._profiles
            costs = self._measured if measured else self.analytical
            self._lowerings[name] = Lowering(network(name), self.soc, costs)
        return self._lowerings[name]

    def program(self, engine: Engine) -> Program:
        """The network, cut as the engine says."""
        if engine not in self._programs:
            plan = plan_of(engine, network(engine.network))
            self._programs[engine] = self.lowering(engine.network).program(plan)
        return self._programs[engine]

    def work(self, program: Program, unit: str) -> float:
        """Seconds of its kernels on ``unit``, each alone."""
        place = self.soc.by_name[unit]
        return sum(
            alone_s(launch.work, place.home)
            for job in program.jobs
            if job.pu == place.index
            for launch in job.launches
        )

    def alone(self, engine: Engine) -> float:
        """Seconds of one inference with nothing beside it."""
        return execute(self.soc, self.program(engine), trace=False).makespan_s

    def together(self, first: Engine, second: Engine) -> tuple[float, float]:
        """Seconds of an inference of each when both start at once."""
        one, other = self.run(self.program(first), self.program(second))
        return one, other

    def run(self, *programs: Program) -> tuple[float, ...]:
        """Seconds of each when all start at once.

        A GPU gives its contexts time in slices. Here the program with the least work there goes
        first, between two kernels of another: it ends earlier than with slices, and the last one
        when it would with them. What a DLA has begun it ends.
        """
        work = [self.work(program, GPU) for program in programs]
        urgent = work.index(min(work))
        inferences = [
            Inference(program, priority=int(i == urgent), stream=i)
            for i, program in enumerate(programs)
        ]
        trace = execute(
            self.soc,
            inferences,
            trace=False,
            contention=self.contention,
            dispatcher=Priority(preemptive=True),
        )
        return tuple(trace.finished)

    def told(self, policy: Told) -> float:
        """Seconds, told as the authors tell them."""
        return policy.seconds([self.together(*term)[0] for term in policy.terms])


def plan_of(engine: Engine, graph: Graph) -> Plan:
    """A partition up to the cut, one behind it, and on the GPU what a DLA cannot run.

    TensorRT has the same fallback.
    """
    names = [op.name for op in graph.operators]
    until = names.index(engine.cut) if engine.cut else len(names)
    before = {*names[:until], *engine.early}
    other = DLA if engine.first == GPU else GPU
    parts: dict[tuple[int, str], list[str]] = {}
    for op in graph.operators:
        stage, unit = (0, engine.first) if op.name in before else (1, other)
        if unit == DLA and op.kind == "Softmax":
            stage, unit = 2, GPU
        parts.setdefault((stage, unit), []).append(op.name)
    partitions = tuple(
        Partition(f"{engine.network}.{stage}", unit, tuple(operators))
        for (stage, unit), operators in sorted(parts.items())
    )
    return Plan(graph.name, partitions)


def plain(engine: Engine, unit: str) -> Engine:
    """The whole of the engine's network on ``unit``."""
    return replace(engine, first=unit, cut="", early=())
