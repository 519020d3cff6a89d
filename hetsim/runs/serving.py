"""Runs a scenario's streams: every scheduler under every dispatcher."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from hetsim.analysis.metrics.base import ServedEvaluation
from hetsim.analysis.metrics.registry import measured
from hetsim.analysis.serving.result import ServedResult, ServedRun, StreamRun
from hetsim.analysis.serving.view import StreamView
from hetsim.errors import ConfigError, HetsimError
from hetsim.plan.model import Plan
from hetsim.progress import Progress
from hetsim.runs.case import Case
from hetsim.runs.rows import case_of
from hetsim.runs.scenario import load_graph
from hetsim.scenario.loader import Contender, Scenario
from hetsim.sim.dispatchers.registry import find_dispatcher
from hetsim.sim.serving.serve import serve
from hetsim.sim.serving.served import Served
from hetsim.streams.service import DispatcherRef, Service
from hetsim.workload.graph import Graph


@dataclass(frozen=True)
class Mix:
    """The streams of a scenario and the cases of their networks, ready to be planned and run."""

    scenario: Scenario
    cases: Mapping[str, Case]

    @classmethod
    def of(cls, scenario: Scenario, graphs: Mapping[str, Graph] | None = None) -> Mix:
        """Loads the networks of the scenario that ``graphs`` does not have, by label.

        Raises:
            HetsimError: a network that cannot be loaded.
        """
        known = graphs or {}
        cases = {
            ref.label: case_of(
                scenario, known[ref.label] if ref.label in known else load_graph(scenario, ref)
            )
            for ref in scenario.models
        }
        return cls(scenario, cases)

    @property
    def service(self) -> Service:
        """What is served."""
        if self.scenario.service is None:
            raise ConfigError(f"scenario {self.scenario.name!r} has no streams")
        return self.scenario.service

    @cached_property
    def _plans(self) -> dict[tuple[str, str], Plan]:
        return {}

    def plan(self, model: str, scheduler: str) -> Plan:
        """The plan of one network, alone on the SoC, made once.

        Raises:
            HetsimError: the scheduler failed.
        """
        key = model, scheduler
        if key not in self._plans:
            scenario = self.scenario
            made = scenario.scheduler(scheduler).create()
            self._plans[key] = self.cases[model].plan(made, scenario.time_limit_s)
        return self._plans[key]

    def run(self, contender: Contender) -> ServedRun:
        """Plans the streams and simulates them; a failure is a run with ``error``."""
        begun = time.perf_counter()
        try:
            plans = self.plans(contender)
            planning_s = time.perf_counter() - begun
            served = self.serve(plans, _dispatcher(contender))
        except HetsimError as error:
            return replace(_named(contender), error=str(error))
        return self.measured(contender, plans, served, planning_s)

    def plans(self, contender: Contender) -> dict[str, Plan]:
        """A plan for each stream by its name; streams that name a scheduler are planned by that.

        Raises:
            HetsimError: a scheduler failed.
        """
        own = contender.scheduler.label
        return {s.name: self.plan(s.model, s.scheduler or own) for s in self.service.streams}

    def serve(self, plans: Mapping[str, Plan], dispatcher: DispatcherRef) -> Served:
        """Simulates the streams, by plans by the name of the stream.

        Raises:
            HetsimError: plans that cannot run, or a dispatcher that does not take its parameters.
        """
        scenario, service = self.scenario, self.service
        programs = {}
        for stream in service.streams:
            plan = plans[stream.name]
            case = self.cases[stream.model].rewritten(plan.rewrites)
            programs[stream.name] = case.lowering.program(plan)
        return serve(
            scenario.soc, service.streams, programs,
            dispatcher=find_dispatcher(dispatcher.name)(
                len(scenario.soc.pus), **dispatcher.parameters
            ),  # type: ignore[call-arg]
            duration_s=service.duration_s, seed=scenario.seed, fidelity=scenario.fidelity,
        )  # fmt: skip

    def measured(
        self, contender: Contender, plans: Mapping[str, Plan], served: Served,
        planning_s: float = 0.0,
    ) -> ServedRun:  # fmt: skip
        """Everything that is told of a simulation."""
        service, soc = self.service, self.scenario.soc
        warm_up = service.warm_up if isinstance(service.warm_up, float) else 0.0
        views = tuple(
            StreamView(stream, served.ledgers[stream.name], warm_up, served.end_s)
            for stream in service.streams
        )
        streams = tuple(
            StreamRun(
                view.stream, view.stream.scheduler or contender.scheduler.label,
                plans[view.stream.name],
                measured(ServedEvaluation(soc, (view,), served, whole=False)),
            )
            for view in views
        )  # fmt: skip
        return replace(
            _named(contender),
            streams=streams,
            metrics=measured(ServedEvaluation(soc, views, served, whole=True)),
            served=served,
            warm_up_s=warm_up,
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
    mix = Mix.of(scenario)
    asked, runs = scenario.contenders, []
    for done, contender in enumerate(asked):
        if progress is not None:
            progress(contender.label, done, len(asked))
        runs.append(mix.run(contender))
    if progress is not None:
        progress("done", len(asked), len(asked))
    return ServedResult(scenario.name, scenario.soc, scenario.seed, mix.service, tuple(runs))
