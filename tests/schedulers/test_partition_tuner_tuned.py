"""PartitionTuner tuned: what it says of its search, who starts it, and what it does unsimulated."""

from __future__ import annotations

from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest

from hetsim.errors import PlanError, SchedulerError
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem
from hetsim.schedulers.partition_tuner import tuned as module
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from hetsim.schedulers.partition_tuner.tuned import PartitionTunerTuned
from hetsim.schedulers.search.starts import start_names
from tests.schedulers.fakes import chain, make_graph, make_problem, make_soc

LINE = chain("Conv", "Conv", "Conv", "Conv")


class Counting:
    """An operator takes a second of the CPU or two of the NPU, and a partition a tenth."""

    def __init__(self, refused: tuple[str, ...] = ()) -> None:
        self.refused = refused
        self.asked: list[Plan] = []

    def __call__(self, plan: Plan) -> float:
        self.asked.append(plan)
        if plan.scheduler in self.refused:
            raise PlanError("not that one")
        parts = plan.partitions
        return sum((1.0 + (p.pu == "npu")) * len(p.operators) + 0.1 for p in parts)


def simulated(makespan: Counting, seed: int = 0) -> Problem:
    times = {op.name: [1.0, 2.0] for op in LINE.operators}
    return replace(make_problem(LINE, make_soc(), times, seed=seed), evaluate=makespan)


def test_the_search_tells_its_best_start_what_it_found_and_how_often_it_asked():
    makespan = Counting()
    scheduler = PartitionTunerTuned(evaluations=60, seed=3, starts=["npu_only"])
    plan = scheduler.plan(simulated(makespan))
    # All on the NPU is 4 · 2 and a partition, on the CPU 4 · 1.
    assert plan.predicted_s == pytest.approx(4.1)
    assert {p.pu for p in plan.partitions} == {"cpu"}
    assert plan.details["best_start_us"] == pytest.approx(8.1e6)
    assert plan.details["evaluations"] == len(makespan.asked) == 60
    assert plan.details["partition_tuner"] is None
    assert (plan.scheduler, plan.parameters) == ("partition_tuner_tuned", asdict(scheduler))
    # Of several starts the best is told, and those to start from are judged in any case.
    scheduler = PartitionTunerTuned(evaluations=1, starts=["npu_only", "cpu_only"])
    plan = scheduler.plan(simulated(Counting()))
    assert plan.details["best_start_us"] == pytest.approx(4.1e6)
    assert plan.details["evaluations"] == 2


@pytest.mark.parametrize(("evaluations", "fifth"), [(100, 20), (59, 11), (4, 1)])
def test_a_fifth_of_the_evaluations_goes_to_the_parameters(evaluations, fifth):
    makespan = Counting()
    plan = PartitionTunerTuned(evaluations=evaluations).plan(simulated(makespan))
    by_parameters = [p for p in makespan.asked[: fifth + 1] if p.scheduler == "partition_tuner"]
    assert len(by_parameters) == fifth
    assert plan.details["evaluations"] == len(makespan.asked) - fifth
    if evaluations > 50:  # more than there are plans to start from: the search takes the others
        assert evaluations - 5 < len(makespan.asked) <= evaluations
    parameters = plan.details["partition_tuner"]
    assert set(parameters) == set(asdict(PartitionTuner()))


def test_random_choices_are_those_of_its_own_seed_or_else_the_problems():
    def asked(seed: int | None, problems: int) -> list[tuple[object, ...]]:
        makespan = Counting()
        given = PartitionTunerTuned(evaluations=60, seed=seed, starts=["npu_only"])
        given.plan(simulated(makespan, problems))
        return [plan.partitions for plan in makespan.asked]

    assert asked(None, 5) == asked(5, 9) != asked(9, 5)
    assert asked(0, 5) == asked(None, 0) != asked(None, 5)


def test_starts_that_cannot_run_are_passed_over():
    makespan = Counting(refused=("partition_tuner",))
    plan = PartitionTunerTuned(evaluations=9).plan(simulated(makespan))
    assert plan.predicted_s == pytest.approx(4.1)
    refusing = Counting(refused=("partition_tuner", "tuning"))
    with pytest.raises(SchedulerError, match="partition_tuner_tuned: none of the plans"):
        PartitionTunerTuned(evaluations=9).plan(simulated(refusing))
    assert len(refusing.asked) <= 1 + len(start_names())


@pytest.mark.parametrize("starts", [None, ["heft"]])
def test_without_a_simulator_it_is_partition_tuner_of_the_least_prediction(starts):
    """Two branches on the NPU take 1 + 5 + 5 + 1, one on each unit 1 + 6 + 1: the joint choice."""
    graph = make_graph({"s": [], "a": ["s"], "b": ["s"], "j": ["a", "b"]})
    times = {"s": [9, 1], "a": [6, 5], "b": [6, 5], "j": [9, 1]}
    problem = make_problem(graph, make_soc(), times, execution="barrier")
    assert PartitionTuner().plan(problem).predicted_s == pytest.approx(12)
    scheduler = PartitionTunerTuned(starts=starts)
    plan = scheduler.plan(problem)
    assert plan.predicted_s == pytest.approx(8)
    assert plan.details["simulated"] is False
    parameters = plan.details["partition_tuner"]
    assert parameters["joint"] is True
    assert plan.partitions == PartitionTuner(**parameters).plan(problem).partitions
    assert (plan.scheduler, plan.parameters) == ("partition_tuner_tuned", asdict(scheduler))


def test_without_a_simulator_and_a_unit_for_some_operator_there_is_no_plan():
    problem = make_problem(chain("Softmax"), make_soc(), {"n0": [None, None]})
    with pytest.raises(SchedulerError, match="PartitionTuner finds no plan"):
        PartitionTunerTuned(evaluations=5).plan(problem)


def test_an_evaluation_is_the_least_that_it_needs():
    with pytest.raises(SchedulerError, match="at least 1, not 0"):
        PartitionTunerTuned(evaluations=0)
    assert PartitionTunerTuned(evaluations=1).evaluations == 1


def test_of_several_networks_the_best_start_is_told(monkeypatch):
    """One search of the network as it is, another one of what rewrites make of it."""
    searches = tuple(SimpleNamespace(initial_s=seconds) for seconds in (5.0, 4.0))
    campaign = SimpleNamespace(searches=searches, seconds=3.0, evaluations=7)
    budgets = []
    monkeypatch.setattr(module, "begin", lambda grounds, plans, budget: campaign)
    monkeypatch.setattr(module, "run", lambda g, c, seed, budget: budgets.append(budget) or c)
    monkeypatch.setattr(module, "best_plan", lambda g, c, name: Plan("net", (), scheduler=name))
    plan = PartitionTunerTuned(evaluations=9, starts=["heft"]).plan(simulated(Counting()))
    assert plan.details == {"best_start_us": 4e6, "evaluations": 7, "partition_tuner": None}
    assert (plan.predicted_s, budgets) == (3.0, [9])
