"""Ways to plan several networks, with schedulers and simulations that are made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from hetsim.errors import PlanError, SchedulerError
from hetsim.plan.build import Block, make_plan
from hetsim.plan.model import Plan
from hetsim.schedulers.joint import pipeline
from hetsim.schedulers.joint.base import JointProblem
from hetsim.schedulers.joint.cuts import Choice, Divisible
from hetsim.schedulers.joint.pipeline import Pipeline, _Row
from hetsim.schedulers.joint.spatial import Spatial
from hetsim.schedulers.joint.together import Together
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from tests.schedulers.fakes import chain, make_graph, make_problem, make_soc, placement

SOC = make_soc(npus=2)


def joint(rates: Mapping[str, float], **more: Any) -> JointProblem:
    """A network of one operator for each stream."""
    streams: Any = tuple(SimpleNamespace(name=name, scheduler=None) for name in rates)
    graphs = {name: make_graph({name: []}, name=name) for name in rates}
    nothing: Any = None
    given: dict[str, Any] = dict.fromkeys(("ask", "alone", "together", "problem"), nothing)
    return JointProblem(SOC, streams, graphs, rates, **(given | more))


class Dealt:
    """An inference takes what its network does with so many NPUs; infinite where it cannot run."""

    def __init__(self, seconds: Mapping[str, Sequence[float]]) -> None:
        self.seconds = seconds
        self.asked: list[tuple[str | None, tuple[str, ...]]] = []

    def ask(self, graph: Graph, soc: SoC, stream: str | None) -> Plan:
        self.asked.append((stream, tuple(pu.name for pu in soc.pus)))
        assert [pu.index for pu in soc.pus] == list(range(len(soc.pus)))
        if self.seconds[graph.name][len(soc.pus) - 1] == float("inf"):
            raise PlanError("it cannot run")
        return make_plan(graph, soc, [Block((0,), len(soc.pus) - 1)], scheduler="made up")

    def alone(self, graph: Graph, plan: Plan) -> float:
        units = next(u for name, u in reversed(self.asked) if name == graph.name)
        return self.seconds[graph.name][len(units) - 1]


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        # Loads of 3 and 8, 4 and 5 (either way round), or 9 and 1.
        ({"a": 1.0, "b": 1.0}, {"a": "npu0", "b": "npu1"}),
        # 6 and 8, 8 and 5, 18 and 1: of the first two the one with the lesser sum.
        ({"a": 2.0, "b": 1.0}, {"a": "npu0", "b": "npu1"}),
        # 9 and 8, 12 and 5, 27 and 1.
        ({"a": 3.0, "b": 1.0}, {"a": "npu1", "b": "cpu"}),
        # 1 and 8, 4/3 and 5, 3 and 1.
        ({"a": 1 / 3, "b": 1.0}, {"a": "cpu", "b": "npu1"}),
    ],
)
def test_units_are_divided_for_the_least_load(
    rates: dict[str, float], expected: dict[str, str]
) -> None:
    dealt = Dealt({"a": [9, 4, 3], "b": [8, 5, 1]})
    plans = Spatial().plan(joint(rates, ask=dealt.ask, alone=dealt.alone))
    # Each is put on the last of its units.
    assert {name: plan.partitions[0].pu for name, plan in plans.items()} == expected
    # Both were asked about each set of units with the host among them, once.
    assert len(dealt.asked) == len(set(dealt.asked)) == 2 * 4
    assert all(units[0] == "cpu" for _, units in dealt.asked)


def test_a_division_in_which_a_network_cannot_run_is_none() -> None:
    never = float("inf")
    dealt = Dealt({"a": [never, 4, 3], "b": [1, 1, 1]})
    plans = Spatial().plan(joint({"a": 1.0, "b": 1.0}, ask=dealt.ask, alone=dealt.alone))
    assert placement(plans["a"]) == {"a": "npu1"}
    dealt = Dealt({"a": [never, never, 3], "b": [never, 5, 1]})
    with pytest.raises(SchedulerError, match="no division") as caught:
        Spatial().plan(joint({"a": 1.0, "b": 1.0}, ask=dealt.ask, alone=dealt.alone))
    assert isinstance(caught.value.__cause__, PlanError)
    assert "only 'cpu' is shared" in str(caught.value)


def test_the_union_has_copies_by_rate_and_a_stream_gets_what_most_of_its_copies_got() -> None:
    """Rates of 1, 2.6 and 9 are one, three and at most four copies."""
    asked: list[str] = []

    def ask(graph: Graph, soc: SoC, stream: str | None) -> Plan:
        assert stream is None
        asked.extend(op.name for op in graph.operators)
        home = {"a#0/a": 0, "b#0/b": 1, "b#1/b": 0, "b#2/b": 0}
        blocks = [Block((i,), home.get(op.name, 2)) for i, op in enumerate(graph.operators)]
        return make_plan(graph, soc, blocks, scheduler="made up")

    plans = Together().plan(joint({"a": 2.0, "b": 5.2, "c": 18.0}, ask=ask))
    assert sorted(asked) == sorted(
        ["a#0/a", *(f"b#{i}/b" for i in range(3)), *(f"c#{i}/c" for i in range(4))]
    )
    assert {n: [(p.name, p.pu) for p in plan.partitions] for n, plan in plans.items()} == {
        "a": [("p0", "cpu")], "b": [("p0", "cpu")], "c": [("p0", "npu1")],
    }  # fmt: skip


def piped(
    times: Mapping[str, Sequence[float | None]], rates: Mapping[str, float]
) -> dict[str, dict[str, str]]:
    """Where the operator of each network goes."""
    problem = joint(rates)
    asks = {
        name: make_problem(graph, SOC, {name: times[name]})
        for name, graph in problem.graphs.items()
    }
    plans = Pipeline().plan(joint(rates, problem=asks.__getitem__))
    return {name: placement(plan) for name, plan in plans.items()}


def test_who_has_less_to_do_makes_room() -> None:
    times = {"a": [1.5, 1.0, 9.0], "b": [1.5, 1.0, 9.0]}
    # Both like npu0 best; there they would have 2 s of work in a second each, on the CPU 1.5.
    assert piped(times, {"a": 1.0, "b": 1.0}) == {"a": {"a": "npu0"}, "b": {"b": "cpu"}}
    assert piped(times, {"a": 1.0, "b": 2.0}) == {"a": {"a": "cpu"}, "b": {"b": "npu0"}}
    # Side by side on npu0 where the CPU takes longer than both.
    times = {"a": [2.5, 1.0, 9.0], "b": [2.5, 1.0, 9.0]}
    assert piped(times, {"a": 1.0, "b": 1.0}) == {"a": {"a": "npu0"}, "b": {"b": "npu0"}}


def test_a_network_changes_its_unit_at_a_dozen_places_or_two_at_most() -> None:
    assert Divisible(chain(*["Conv"] * 5), SOC).places == [1, 2, 3, 4]
    # Of 29 places every second one, of 47 every third.
    assert Divisible(chain(*["Conv"] * 30), SOC).places == list(range(2, 30, 2))
    assert Divisible(chain(*["Conv"] * 48), SOC).places == list(range(3, 48, 3))
    few = Divisible(chain("Conv", "Conv"), SOC)
    assert few.choices == [Choice(1, 1, 2), Choice(2, 2, 2), Choice(1, 2, 1), Choice(2, 1, 1)]


def test_what_its_unit_cannot_run_goes_to_the_other_one_or_else_to_who_can() -> None:
    graph = chain("Conv", "Softmax", "Conv", "Softmax", "Conv")

    def runs(network: Divisible, choice: Choice) -> list[str]:
        return list(placement(network.plan(choice)).values())

    two = Divisible(graph, SOC)
    assert runs(two, Choice(1, 2, 2)) == ["npu0", "cpu", "npu1", "cpu", "npu1"]
    other = Divisible(graph, make_soc(npus=1, gpus=1))
    assert runs(other, Choice(1, 2, 2)) == ["npu", "gpu", "gpu", "gpu", "gpu"]
    assert runs(other, Choice(2, 1, 2)) == ["gpu", "gpu", "npu", "gpu", "npu"]


def row_of(graph: Graph, times: Mapping[str, Sequence[float | None]], **more: Any) -> _Row:
    soc = make_soc(npu_operators={"Conv": {}}, npu_fuse=["Conv-Relu"])
    return _Row(make_problem(graph, soc, times, **more))


def test_a_row_holds_chains_and_what_they_take() -> None:
    """The NPU runs a Relu behind its Conv only, and no Softmax."""
    row = row_of(
        chain("Conv", "Relu", "Softmax", "Conv"),
        {"n0": [4, 9], "n1": [2, None], "n2": [3, None], "n3": [None, 7]},
        groups={(("n0", "n1"), 1): 1.0},
    )
    assert row.chains == [(0, 1), (2,), (3,)]
    assert row.seconds == [[6, 1], [3, 3], [7, 7]]
    assert row._sums == [[0, 6, 9, 16], [0, 1, 4, 11]]
    assert row.loads(((1, 2), (0, 3))) == [7, 4]
    # What the unit of a stage cannot run goes to one that can.
    plan = row.plan(((1, 2), (0, 3)))
    assert [(p.pu, p.operators) for p in plan.partitions] == [
        ("npu", ("n0", "n1")), ("cpu", ("n2", "n3")),
    ]  # fmt: skip
    plan = row.plan(((1, 3),))
    assert [(p.pu, p.operators) for p in plan.partitions] == [
        ("npu", ("n0", "n1")), ("cpu", ("n2",)), ("npu", ("n3",)),
    ]  # fmt: skip
    assert plan.scheduler == "pipeline"


def test_what_no_unit_runs_as_a_chain_takes_what_its_operators_take_where_they_run() -> None:
    row = row_of(
        chain("Conv", "Relu"), {"n0": [None, 9], "n1": [2, None]}, groups={(("n0", "n1"), 0): 1.0}
    )
    assert row.seconds == [[11, 11]]
    with pytest.raises(SchedulerError, match="no unit runs Conv 'n0'"):
        _ = row_of(chain("Conv"), {"n0": [None, None]}).seconds


def test_stages_begin_at_places_that_lie_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {f"n{i}": [1, 1] for i in range(9)}
    row = row_of(chain(*["Conv"] * 9), times)
    assert row._places == list(range(10))
    monkeypatch.setattr(pipeline, "PLACES", 3)
    row = row_of(chain(*["Conv"] * 9), times)
    assert row._places == [0, 3, 6, 9]
    # A stage on each unit: of 1 s each, six and three or three and six.
    assert sorted(row.loads(row.stages([0.0, 0.0], 1.0))) == [3, 6]
    assert row.loads(row.stages([0.0, 4.0], 1.0)) == [6, 3]
    assert row.stages([0.0, 9.0], 1.0) == ((0, 9),)
