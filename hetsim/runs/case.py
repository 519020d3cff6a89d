"""One network on one SoC: everything that is shared by the schedulers tried on it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from hetsim.analysis.attribution import attribute, attribute_pus
from hetsim.analysis.energy import energy_apart
from hetsim.analysis.launches import operator_rows
from hetsim.analysis.limits import limits
from hetsim.analysis.metrics.base import Evaluation
from hetsim.analysis.metrics.registry import measured
from hetsim.analysis.ran import Ran
from hetsim.analysis.ranges.range import Range, range_of
from hetsim.analysis.residents import residents
from hetsim.analysis.result import Run
from hetsim.analysis.usage import link_metrics, pu_metrics
from hetsim.bounds.bound import Bound
from hetsim.bounds.floors import Floors
from hetsim.bounds.makespan import lower_bounds
from hetsim.bounds.simulated import simulated_floors
from hetsim.cost.chain import CostModel
from hetsim.cost.sources import cost_model
from hetsim.errors import HetsimError, InfeasibleError, SchedulerError
from hetsim.lower.lowering import Lowering
from hetsim.lower.program import Program
from hetsim.plan.model import Plan
from hetsim.plan.validate import validate_plan
from hetsim.runs.guards.limits import time_limit
from hetsim.runs.guards.memory import check_capacity
from hetsim.runs.guards.shape import misshapen
from hetsim.runs.judge import IncrementalJudge
from hetsim.runs.profile.simulated import SimulatedProfile
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.search.judge import NEVER, draft_of
from hetsim.sim.runtimes.registry import DEFAULT, find_runtime
from hetsim.sim.simulate import execute
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from hetsim.workload.rewrite import Rewrite, apply_rewrites


@dataclass(frozen=True)
class Case:
    """A network, a SoC and the options of simulation; plans are made, checked and run on it.

    ``costs`` default to the chain that the SoC's units ask for (:mod:`hetsim.cost.sources`).
    """

    graph: Graph
    soc: SoC
    costs: CostModel | None = None
    execution: str = DEFAULT
    seed: int = 0
    fidelity: str = "fluid"

    @cached_property
    def lowering(self) -> Lowering:
        """Shared by profiling and simulation, with its caches."""
        return Lowering(self.graph, self.soc, self.cost_model)

    @cached_property
    def cost_model(self) -> CostModel:
        """What knows the costs.

        Raises:
            ConfigError: a profile or learned model that the SoC names cannot be read.
        """
        return cost_model(self.soc) if self.costs is None else self.costs

    @cached_property
    def _rewritten(self) -> dict[tuple[Rewrite, ...], Case]:
        return {}

    def rewritten(self, rewrites: Sequence[Rewrite]) -> Case:
        """The case of the network after ``rewrites``, made once; itself when there are none.

        Raises:
            PlanError: rewrites that the network does not allow.
        """
        key = tuple(rewrites)
        if not key:
            return self
        if key not in self._rewritten:
            graph = apply_rewrites(self.graph, key)
            self._rewritten[key] = replace(self, graph=graph, costs=self.cost_model)
        return self._rewritten[key]

    @cached_property
    def bounds(self) -> tuple[Bound, ...]:
        """Lower bounds on the makespan of any plan."""
        return lower_bounds(
            self.graph, self.soc, self.cost_model, floors=self.floors, execution=self.execution
        )

    @cached_property
    def floors(self) -> Floors:
        """What no simulation of this case goes below, operator by operator."""
        return simulated_floors(self.graph, self.soc, self.cost_model, self.fidelity)

    def afresh(self) -> Case:
        """The same case that remembers no plan: of what is known, only what holds for any plan."""
        case = replace(self, costs=self.cost_model)
        known = vars(self)  # where cached properties are kept
        vars(case).update({name: known[name] for name in ("floors", "bounds") if name in known})
        return case

    @cached_property
    def judge(self) -> IncrementalJudge:
        """Simulates what is new in a plan and remembers the rest."""
        return IncrementalJudge(self.lowering, execution=self.execution, fidelity=self.fidelity)

    def check(self) -> None:
        """Whether anything can be asked of it, before anything is.

        Raises:
            InfeasibleError: the network cannot fit the SoC's memory at all.
            ConfigError: a profile or learned model that cannot be read, or cannot be true.
        """
        check_capacity(self.graph, self.soc)
        _ = self.cost_model

    @property
    def misfit(self) -> str:
        """Why the network cannot fit the SoC's memory; nothing when it can."""
        try:
            self.check()
        except InfeasibleError as error:
            return str(error)
        return ""

    def problem(self) -> Problem:
        """The problem as a scheduler sees it, with a fresh profile."""
        profile = SimulatedProfile(self.lowering)
        return Problem(
            self.graph,
            self.soc,
            profile,
            self.execution,
            self.seed,
            self.makespan,
            lambda rewrites: self.rewritten(rewrites).problem(),
            lambda: self.floors,
        )

    def makespan(self, plan: Plan) -> float:
        """Simulated makespan of a valid plan, seconds, up to rounding; made for many like plans.

        Raises:
            PlanError: a PU cannot run what it is given, or the rewrites do not fit.
        """
        if plan.memories:  # drafts, which the judge remembers, say nothing of memories
            return self.simulate(plan, trace=False).makespan_s
        there = self.rewritten(plan.rewrites)
        seconds = there.judge.judge(draft_of(there.graph, self.soc, plan)).seconds
        return seconds if seconds < NEVER else self.simulate(plan, trace=False).makespan_s

    def plan(self, scheduler: Scheduler, limit_s: float | None = None) -> Plan:
        """Asks ``scheduler`` for a plan and checks it.

        Raises:
            SchedulerError: it raised, took too long, or returned something that is not a plan.
            PlanError: its plan does not fit the network or the SoC.
        """
        name = type(scheduler).__name__
        try:
            with time_limit(limit_s, f"scheduler {name}"):
                plan = scheduler.plan(self.problem())
        except HetsimError:
            raise
        except RecursionError as error:
            raise SchedulerError(f"scheduler {name} recursed too deeply: {error}") from error
        except (Exception, SystemExit) as error:
            raise SchedulerError(
                f"scheduler {name} raised {type(error).__name__}: {error}"
            ) from error
        fault = misshapen(plan)
        if fault is not None:
            raise SchedulerError(f"scheduler {name} returned {fault}")
        validate_plan(plan, self.graph, self.soc)
        return plan

    def simulate(self, plan: Plan, *, trace: bool = True) -> Trace:
        """Executes a valid plan."""
        return self._execute(self.rewritten(plan.rewrites).lowering.program(plan), trace=trace)

    def range(self, plan: Plan, trace: Trace) -> Range:
        """What the makespan of ``trace``, of a valid plan, may really be."""
        case = self.rewritten(plan.rewrites)
        ran = case._ran(plan, case.lowering.program(plan), trace)
        return range_of(ran, operator_rows("", ran))

    def _ran(self, plan: Plan, program: Program, trace: Trace) -> Ran:
        runtime, tiled = find_runtime(self.execution), self.fidelity == "tile"
        return Ran(self.graph, self.soc, plan, program, trace, runtime, tiled)

    def _execute(self, program: Program, *, trace: bool = True, contention: bool = True) -> Trace:
        return execute(
            self.soc,
            program,
            execution=self.execution,
            fidelity=self.fidelity,
            trace=trace,
            contention=contention,
        )

    def bounds_beside(self, plan: Plan) -> tuple[Bound, ...]:
        """Bounds on plans that leave the network alone or rewrite it as ``plan`` does.

        Those of the network with more freedom.

        Raises:
            PlanError: rewrites that the network does not allow.
        """
        other = self.rewritten(plan.rewrites)
        if other is self:
            return self.bounds
        cases = (self, other)
        least = min(cases, key=lambda case: max(bound.seconds for bound in case.bounds))
        note = "also with the plan's rewrites"
        return tuple(Bound(b.seconds, f"{b.argument}, {note}") for b in least.bounds)

    def run(self, label: str, scheduler: Scheduler, limit_s: float | None = None) -> Run:
        """Plans and simulates; a failure of the scheduler is a run with ``error``."""
        begun = time.perf_counter()
        try:
            plan = self.plan(scheduler, limit_s)
        except HetsimError as error:
            return Run(self.graph.name, label, self.graph, error=str(error))
        planning_s = time.perf_counter() - begun
        return self.evaluate(label, plan, planning_s=planning_s, proven=proven_by(label, plan))

    def evaluate(
        self, label: str, plan: Plan, *, planning_s: float = 0.0, proven: Sequence[Bound] = ()
    ) -> Run:
        """Simulates a valid plan with everything a report needs.

        ``proven`` are further lower bounds on plans of this case, beside those that hold anyway.
        The run's graph is the one the plan rewrites the network to. Its bounds hold for every plan
        that leaves the network alone or makes the same rewrites: the lesser of the two proofs.
        """
        graph, soc = self.graph, self.soc
        try:
            case = self.rewritten(plan.rewrites)
            graph = case.graph
            program = case.lowering.program(plan)
        except HetsimError as error:
            return Run(graph.name, label, graph, plan=plan, error=str(error))
        trace = self._execute(program)
        free = self._execute(program, trace=False, contention=False)
        bounds = (*self.bounds_beside(plan), *proven)
        ran = case._ran(plan, program, trace)
        operators, there = operator_rows(label, ran), residents(ran)
        ranged = range_of(ran, operators)
        evaluation = Evaluation(graph, soc, plan, program, trace, free, bounds, there, ranged)
        kernels = [(row.pu, row.energy_j) for row in operators]
        waiting = "barrier_wait" if ran.runtime.forks else "dependency_wait"
        return Run(
            model=graph.name,
            scheduler=label,
            graph=graph,
            plan=plan,
            trace=trace,
            metrics=measured(evaluation),
            bounds=bounds,
            pus=pu_metrics(trace),
            links=link_metrics(trace, soc, ran.classes),
            operators=operators,
            attribution=attribute(program, trace),
            pu_attribution=attribute_pus(trace, [pu.name for pu in soc.pus], waiting),
            residents=there,
            energy_apart=energy_apart(ran, kernels),
            limits=limits(ran, operators),
            range=ranged,
            planning_s=planning_s,
            evaluation=evaluation,
        )


def proven_by(label: str, plan: Plan) -> tuple[Bound, ...]:
    """The bound that a scheduler says it has proven while it made ``plan`` for this case."""
    return () if plan.proof is None else (Bound(plan.proof.seconds, f"proven by {label}"),)
