"""Runs a scenario's streams: every scheduler under every dispatcher."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import inf

from hetsim.analysis.metrics.base import ServedEvaluation
from hetsim.analysis.metrics.registry import measured
from hetsim.analysis.serving.result import ServedResult, ServedRun, StreamRun
from hetsim.analysis.serving.view import StreamView
from hetsim.analysis.serving.warmup import warm_up
from hetsim.cost.sources import cost_files
from hetsim.errors import ConfigError, HetsimError, Location, SchedulerError
from hetsim.lower.choices import PlanChoices
from hetsim.lower.program import Program
from hetsim.plan.anyfile import read_plan
from hetsim.plan.model import Plan
from hetsim.plan.validate import validate_plan
from hetsim.progress import Progress
from hetsim.runs.case import Case
from hetsim.runs.guards.together import check_together, deadline_note, overload_note
from hetsim.runs.proofs import proven
from hetsim.runs.rows import case_of
from hetsim.runs.scenario import hashes, load_graph
from hetsim.scenario.loader import Scenario
from hetsim.scenario.refs import Contender, SchedulerRef
from hetsim.schedulers.groups import FUSED_GROUPS, fused_groups
from hetsim.schedulers.joint.base import JointProblem
from hetsim.schedulers.joint.registry import create_joint_scheduler
from hetsim.sim.dispatch import Planner
from hetsim.sim.dispatchers.registry import create_dispatcher
from hetsim.sim.serving.sample import Onlooker, Sample
from hetsim.sim.serving.serve import serve
from hetsim.sim.serving.served import Served
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.sim.trace import Trace
from hetsim.sim.tracefile import TraceFile
from hetsim.soc.model import SoC
from hetsim.streams.service import DispatcherRef, Service, Stream
from hetsim.workload.graph import Graph


@dataclass(frozen=True)
class Mix:
    """The streams of a scenario and the cases of their networks, ready to be planned and run.

    ``trace`` says which rows simulations leave (:func:`hetsim.sim.serving.serve.serve`).
    """

    scenario: Scenario
    cases: Mapping[str, Case]
    trace: bool | TraceFile | Sample = False

    @classmethod
    def of(cls, scenario: Scenario, graphs: Mapping[str, Graph] | None = None) -> Mix:
        """Loads the networks of the scenario that ``graphs`` does not have, by label.

        Raises:
            HetsimError: a network that cannot be loaded.
        """
        known = graphs or {}
        asked = {stream.model for stream in scenario.service.streams} if scenario.service else set()
        cases = {
            ref.label: case_of(
                scenario, known[ref.label] if ref.label in known else load_graph(scenario, ref)
            )
            for ref in scenario.models
            if ref.label in asked
        }
        return cls(scenario, cases)

    def check(self) -> None:
        """Whether anything can be asked of it, before anything is.

        Raises:
            InfeasibleError: a network cannot fit the SoC's memory at all, or beside the others.
            ConfigError: a profile or learned model that cannot be read, or cannot be true.
            PlanError: a plan file that cannot be used.
        """
        for case in self.cases.values():
            case.check()
        graphs = {model: case.graph for model, case in self.cases.items()}
        check_together(self.service, graphs, self.scenario.soc)
        _ = self.given

    def afresh(self) -> Mix:
        """The same mix that remembers no plan (:meth:`hetsim.runs.case.Case.afresh`)."""
        return replace(self, cases={label: case.afresh() for label, case in self.cases.items()})

    @property
    def service(self) -> Service:
        """What is served."""
        if self.scenario.service is None:
            raise ConfigError(f"scenario {self.scenario.name!r} has no streams")
        return self.scenario.service

    @cached_property
    def _plans(self) -> dict[tuple[object, ...], Plan]:
        return {}

    @cached_property
    def _apart(self) -> dict[tuple[int, tuple[str, ...]], Case]:
        return {}

    def run(self, contender: Contender, plans: Mapping[str, Plan] | None = None) -> ServedRun:
        """Plans the streams and simulates them; a failure is a run with ``error``.

        With ``plans``, by the name of the stream, nothing is planned.
        """
        begun = time.perf_counter()
        try:
            plans = self.plans(contender) if plans is None else plans
            planning_s = time.perf_counter() - begun
            planner = partial(self._anew, contender)
            served = self.serve(plans, _dispatcher(contender), planner=planner)
        except HetsimError as error:
            return replace(_named(contender), error=str(error))
        return self.measured(contender, plans, served, planning_s)

    def plans(
        self, contender: Contender, among: Sequence[Stream] | None = None
    ) -> Mapping[str, Plan]:
        """A plan for each stream by its name; of streams ``among`` all, as if no other was there.

        Those that name a plan file run by that, those that name a scheduler are planned by that.

        Raises:
            HetsimError: a scheduler failed.
        """
        given, streams = self.given, self.service.streams if among is None else among
        if _dispatcher(contender).grain == "fused":
            free = [s for s in streams if s.name not in given and not s.scheduler]
            given = {**given, **{stream.name: self._finest(stream.model) for stream in free}}
        open_ones = tuple(s for s in streams if s.name not in given)
        if not open_ones:
            return given
        rates = self.service.rates()
        # What the SoC itself paces runs as often as it can: then nothing is known, and all count 1.
        known = all(rates[stream.name] for stream in open_ones)
        problem = JointProblem(
            self.scenario.soc,
            open_ones,
            {stream.name: self.cases[stream.model].graph for stream in open_ones},
            {s.name: (rates[s.name] or 1.0) if known else 1.0 for s in open_ones},
            lambda graph, soc, stream: self._ask(contender.scheduler, graph, soc, stream),
            lambda graph, plan: self._case(graph, self.scenario.soc).makespan(plan),
            self._together,
            lambda stream: self.cases[self.service.stream(stream).model].problem(),
        )
        made = create_joint_scheduler(contender.plans).plan(problem)
        for stream in open_ones:  # whoever wrote it
            if stream.name not in made:
                raise SchedulerError(
                    f"joint scheduler {contender.plans!r} made no plan for {stream.name!r}"
                )
            validate_plan(made[stream.name], problem.graphs[stream.name], problem.soc)
        return {**given, **made}

    def _finest(self, model: str) -> Plan:
        """A partition for each fused group of a network, made once."""
        key = FUSED_GROUPS, model
        if key not in self._plans:
            self._plans[key] = fused_groups(self.cases[model].problem())
        return self._plans[key]

    @cached_property
    def given(self) -> Mapping[str, Plan]:
        """The plans of streams that name a file, by the name of the stream.

        Raises:
            PlanError: a file that cannot be read, or whose plan does not fit the network.
        """
        soc, found = self.scenario.soc, {}
        for stream in self.service.streams:
            if stream.plan is not None:
                graph = self.cases[stream.model].graph
                plan = read_plan(stream.plan, [graph], soc).plan
                validate_plan(plan, graph, soc, where=Location(str(stream.plan)))
                found[stream.name] = plan
        return found

    def _ask(self, ref: SchedulerRef, graph: Graph, soc: SoC, stream: str | None) -> Plan:
        """What a scheduler makes of a network on (a part of) the SoC, made once."""
        scenario = self.scenario
        own = None if stream is None else self.service.stream(stream).scheduler
        ref = ref if own is None else scenario.scheduler(own)
        key = ref.label, id(graph), tuple(soc.by_name)
        if key not in self._plans:
            case = self._case(graph, soc)
            self._plans[key] = case.plan(ref.create(), scenario.time_limit_s)
        return self._plans[key]

    def _together(self, plans: Mapping[str, Plan]) -> Mapping[str, float]:
        """Seconds until each stream's inference ends when one of each begins at once."""
        model = {stream.name: stream.model for stream in self.service.streams}
        round_ = [Inference(self._program(model[name], plan)) for name, plan in plans.items()]
        soc, fidelity = self.scenario.soc, self.scenario.fidelity
        ended = execute(soc, round_, fidelity=fidelity, trace=False).finished
        return dict(zip(plans, ended, strict=True))

    def _case(self, graph: Graph, soc: SoC) -> Case:
        """The case of a network, which may be made of several, on (a part of) the SoC."""
        for case in self.cases.values():
            if case.graph is graph and case.soc is soc:
                return case
        key = id(graph), tuple(soc.by_name)
        if key not in self._apart:
            self._apart[key] = case_of(replace(self.scenario, soc=soc), graph)
        return self._apart[key]

    def serve(
        self, plans: Mapping[str, Plan], dispatcher: DispatcherRef,
        onlooker: Onlooker | None = None, *, planner: Planner | None = None,
    ) -> Served:  # fmt: skip
        """Simulates the streams, by plans by the name of the stream.

        ``onlooker`` is that of :func:`hetsim.sim.serving.serve.serve`; a dispatcher that plans anew
        asks ``planner``.

        Raises:
            HetsimError: plans that cannot run, or a dispatcher that does not take its parameters.
        """
        scenario, service = self.scenario, self.service
        made = create_dispatcher(dispatcher.name, dispatcher.parameters, dispatcher.overhead_s)
        made.planner = planner
        program = self._open_program if made.places else self._program
        programs = {s.name: program(s.model, plans[s.name]) for s in service.streams}
        return serve(
            scenario.soc, service.streams, programs, dispatcher=made,
            duration_s=service.duration_s, seed=scenario.seed, fidelity=scenario.fidelity,
            preemption_cost_s=service.preemption_cost_s, backlog=service.backlog,
            trace=self.trace,
            onlooker=onlooker,
        )  # fmt: skip

    def _program(self, model: str, plan: Plan) -> Program:
        return self.cases[model].rewritten(plan.rewrites).lowering.program(plan)

    def alone(self, model: str, plan: Plan) -> Trace:
        """What one inference does alone on the SoC; simulated once."""
        if id(plan) not in self._ran_alone:
            soc, fidelity = self.scenario.soc, self.scenario.fidelity
            trace = execute(soc, self._program(model, plan), fidelity=fidelity, trace=False)
            self._ran_alone[id(plan)] = plan, trace  # the plan, so that no other gets its id
        return self._ran_alone[id(plan)][1]

    @cached_property
    def _ran_alone(self) -> dict[int, tuple[Plan, Trace]]:
        return {}

    def doubts(self, runs: Sequence[ServedRun]) -> list[str]:
        """What ``runs`` asked for in vain: more time than there is, deadlines nothing keeps.

        Nothing is known beforehand where dispatchers choose the units.
        """
        service, found = self.service, []
        free = [d.label for d in service.dispatchers
                if create_dispatcher(d.name, d.parameters, d.overhead_s).places]  # fmt: skip
        alone_s: dict[str, dict[str, float]] = {}
        for run in runs:
            if run.error is None and run.dispatcher not in free:
                alone = {s.stream.name: self.alone(s.stream.model, s.plan) for s in run.streams}
                busy_s = {name: trace.pu_busy_s for name, trace in alone.items()}
                alone_s[run.label] = {name: trace.makespan_s for name, trace in alone.items()}
                found.append(overload_note(run, service, busy_s))
        found += [deadline_note(s, service, alone_s, self._bound_s) for s in service.streams]
        return [note for note in found if note is not None]

    def _bound_s(self, stream: Stream) -> float:
        return max(bound.seconds for bound in self.cases[stream.model].bounds)

    def _anew(
        self, contender: Contender, streams: Sequence[int], way: str
    ) -> tuple[Mapping[int, Program], float]:
        """The programs of some streams, planned for them alone, and the seconds that this took."""
        begun = time.perf_counter()
        among = [self.service.streams[i] for i in streams]
        plans = self.plans(replace(contender, plans=way), among)
        took = time.perf_counter() - begun
        return {i: self._program(s.model, plans[s.name])
                for i, s in zip(streams, among, strict=True)}, took  # fmt: skip

    def _open_program(self, model: str, plan: Plan) -> Program:
        """One whose partitions may be put elsewhere than the plan says."""
        return PlanChoices(self.cases[model].rewritten(plan.rewrites).lowering, plan).program

    def measured(
        self, contender: Contender, plans: Mapping[str, Plan], served: Served,
        planning_s: float = 0.0,
    ) -> ServedRun:  # fmt: skip
        """Everything that is told of a simulation."""
        service, soc = self.service, self.scenario.soc
        left_out = warm_up(service.warm_up, served.ledgers.values())
        whole = service.duration_s < inf and not served.stopped
        close_s = service.duration_s if whole else served.end_s
        ref = _dispatcher(contender)
        made = create_dispatcher(ref.name, ref.parameters, ref.overhead_s)
        programs = {s.name: self._program(s.model, plans[s.name]) for s in service.streams}
        views = tuple(
            StreamView(stream, served.ledgers[stream.name], left_out.seconds, close_s)
            for stream in service.streams
        )
        proofs = proven(soc, service, programs, made, views, self.scenario.fidelity)

        def of(view: StreamView) -> StreamRun:
            name = view.stream.name
            worst, limit = proofs.worst[name], proofs.limits.get(name)
            values = measured(ServedEvaluation(soc, (view,), served, False, worst, limit))
            planner = view.stream.planner or contender.scheduler.label
            return StreamRun(view.stream, planner, plans[name], values, worst)

        return replace(
            _named(contender),
            streams=tuple(of(view) for view in views),
            metrics=measured(ServedEvaluation(soc, views, served, True, limit=proofs.together)),
            served=served,
            warm_up_s=left_out.seconds,
            settled=left_out.settled,
            planning_s=planning_s,
        )


def _dispatcher(contender: Contender) -> DispatcherRef:
    assert contender.dispatcher is not None, "only scenarios with streams have a mix"
    return contender.dispatcher


def _named(contender: Contender) -> ServedRun:
    return ServedRun(contender.scheduler.label, _dispatcher(contender).label, contender.label)


def run_service(scenario: Scenario, progress: Progress | None = None) -> ServedResult:
    """Every scheduler under every dispatcher of a scenario with streams.

    Raises:
        HetsimError: an input that is wrong before anything runs.
    """
    scenario.check_schedulers()
    mix = replace(Mix.of(scenario), trace=Sample())
    mix.check()
    asked, runs = scenario.contenders, []
    for done, contender in enumerate(asked):
        if progress is not None:
            progress(contender.label, done, len(asked))
        runs.append(mix.run(contender))
    if progress is not None:
        progress("done", len(asked), len(asked))
    soc = scenario.soc
    files = [scenario.source, soc.source, *map(str, cost_files(soc))]
    for stream in mix.service.streams:
        files += map(str, [*stream.arrivals.files, *([stream.plan] if stream.plan else [])])
    inputs = hashes(files, [case.graph for case in mix.cases.values()])
    notes = tuple(mix.doubts(runs))
    return ServedResult(scenario.name, soc, scenario.seed, mix.service, tuple(runs), notes, inputs)
