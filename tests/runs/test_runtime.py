"""A runtime from outside, from the scenario's ``execution`` to the search that judges plans."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from hetsim.cost.analytical import AnalyticalModel
from hetsim.runs.case import Case
from hetsim.runs.scenario import run_scenario
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import load_scenario, scenario_json_schema
from hetsim.schedulers.base import Problem
from hetsim.schedulers.registry import create
from hetsim.sim.runtimes import registry
from hetsim.sim.runtimes.barrier import Barrier
from hetsim.sim.source import Inference
from hetsim.sim.story import Story
from hetsim.workload.synthetic import random_graph
from tests.random_cases import random_plan
from tests.random_socs import random_soc

WAKING_S = 2.5e-4


class Sleepy(Barrier):
    """Needs a moment to wake up, once for each inference: parts of a plan cannot be told apart."""

    separable = False

    def _run(self, inference: Inference) -> Story:
        yield self.machine.env.timeout(WAKING_S)
        yield from super()._run(inference)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    point = EntryPoint("sleepy", f"{__name__}:Sleepy", registry.GROUP)
    known = {registry.GROUP: [point]}
    monkeypatch.setattr("hetsim.plugins.entry_points", lambda group: known.get(group, []))
    registry._runtimes.cache_clear()
    yield
    registry._runtimes.cache_clear()


@pytest.mark.slow
def test_a_scenario_can_ask_for_it() -> None:
    scenario = choose(load_scenario("paper_one", {"execution": "sleepy"}), schedulers=["mosaic"])
    [run] = run_scenario(scenario).runs
    plain = choose(load_scenario("paper_one", {"execution": "barrier"}), schedulers=["mosaic"])
    [other] = run_scenario(plain).runs
    assert run.makespan_s == pytest.approx((other.makespan_s or 0.0) + WAKING_S, rel=1e-12)
    assert "sleepy" in scenario_json_schema()["properties"]["execution"]["enum"]


def test_schedulers_know_whether_it_forks() -> None:
    case = Case(random_graph(3, 4), random_soc(5), costs=AnalyticalModel(), execution="sleepy")
    problem = case.problem()
    assert problem.forks
    assert not Problem(problem.graph, problem.soc, problem.profile).forks


@pytest.mark.parametrize("seed", range(4))
def test_the_judge_simulates_whole_plans_where_nothing_is_known_of_parts(seed: int) -> None:
    case = Case(random_graph(seed, 6), random_soc(seed), costs=AnalyticalModel(),
                execution="sleepy")  # fmt: skip
    for plan in (random_plan(case.graph, case.soc, seed), case.plan(create("partition_tuner"))):
        simulated = case.simulate(plan, trace=False).makespan_s
        for _ in range(2):
            assert case.makespan(plan) == pytest.approx(simulated, rel=1e-12)
