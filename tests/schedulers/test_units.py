"""Units of scheduling by hand: what passes between them, from the host and back, and how long."""

from __future__ import annotations

import pytest

from hetsim.cost.profile import INFEASIBLE
from hetsim.errors import SchedulerError
from hetsim.schedulers.base import Problem
from hetsim.schedulers.groups import FUSED_GROUPS, fused_groups
from hetsim.schedulers.list.heft import by_rank, upward_ranks
from hetsim.schedulers.units import Units
from hetsim.workload.graph import Graph, Operator, Tensor
from tests.schedulers.fakes import FakeProfile, make_graph, make_problem, make_soc

BASE = {"x": 100.0, "y": 200.0, "a": 300.0, "b": 400.0, "c": 0.0, "r": 500.0, "d": 600.0}


class Told(FakeProfile):
    """A crossing tells its tensor, its source and its target."""

    def crossing(self, tensor: str, source: int, target: int) -> float:
        return 0.0 if source == target else BASE[tensor] + 10 * source + target


def problem() -> Problem:
    """a; b beside c - r, which NPUs run as one; d reads all. b is an output, too; c reads y."""
    tensors = [Tensor(name, (1,)) for name in "xyabcrd"]
    operators = [
        Operator("a", "Conv", ("x",), ("a",)),
        Operator("b", "Conv", ("a",), ("b",)),
        Operator("c", "Conv", ("a", "y"), ("c",)),
        Operator("r", "Relu", ("c",), ("r",)),
        Operator("d", "Add", ("b", "r", "a"), ("d",)),
    ]
    graph = Graph.create("net", operators, tensors, ["x", "y"], ["d", "b"])
    soc = make_soc(npus=2, npu_operators={"Conv": {}, "Add": {}}, npu_fuse=["Conv-Relu"])
    times: dict[str, list[float | None]] = {
        "a": [1, 2, 3], "b": [4, None, 6], "c": [5, 7, 8], "r": [1, None, None], "d": [2, 3, 4],
    }  # fmt: skip
    groups = {(("c", "r"), 1): 9.0, (("c", "r"), 2): 10.0}
    return Problem(graph, soc, Told(graph, soc, times, groups, call=0.5), "dataflow", 0)


def test_units_their_times_and_who_waits_for_whom() -> None:
    units = Units(problem())
    assert units.ops == ((0,), (1,), (2, 3), (4,))
    assert units.home == [0, 1, 2, 2, 3]
    assert units.time == ((1, 2, 3), (4, INFEASIBLE, 6), (5 + 1, 9, 10), (2, 3, 4))
    assert [units.feasible(u) for u in range(4)] == [[0, 1, 2], [0, 2], [0, 1, 2], [0, 1, 2]]
    assert [units.mean_time(u) for u in range(4)] == pytest.approx([2, 5, 25 / 3, 3])
    assert units.preds == ((), (0,), (0,), (0, 1, 2))
    assert units.succs == ((1, 2, 3), (3,), (3,), ())
    assert [units.name(u) for u in (1, 2)] == ["b", "c+r"]
    assert units.call == 0.5


def test_a_chain_stands_where_its_last_operator_does() -> None:
    graph = make_graph({"a": [], "b": [], "r": ["a"]}, {"r": "Relu"})
    times: dict[str, list[float | None]] = {"a": [1, 1], "b": [1, 1], "r": [1, None]}
    soc = make_soc(npu_fuse=["Conv-Relu"])
    told = make_problem(graph, soc, times, groups={(("a", "r"), 1): 1.0})
    assert Units(told).ops == ((1,), (0, 2))


def test_what_passes_between_units_and_what_that_takes() -> None:
    units = Units(problem())
    assert units.edge_tensors == {
        (0, 1): ("a",), (0, 2): ("a",), (0, 3): ("a",), (1, 3): ("b",), (2, 3): ("r",),
    }  # fmt: skip
    assert [units.reads(u) for u in range(4)] == [("x",), ("a",), ("a", "y"), ("b", "r", "a")]
    assert units.comm(0, 1, 1, 2) == 0.5 + 300 + 10 + 2
    assert units.comm(2, 3, 2, 0) == 0.5 + 500 + 20
    assert units.comm(2, 3, 1, 1) == 0
    # Over the six pairs of units, sources and targets are 1 on average.
    assert units.mean_comm(0, 3) == pytest.approx(0.5 + 300 + 10 + 1)
    assert units.mean_comm(2, 3) == pytest.approx(0.5 + 500 + 10 + 1)


def test_inputs_come_from_the_host_and_outputs_go_back() -> None:
    units = Units(problem())
    # Who waits for nobody begins with a call; who does has paid for it as he changed his unit.
    assert [units.entry(0, p) for p in range(3)] == [0.5, 0.5 + 101, 0.5 + 102]
    assert [units.entry(2, p) for p in range(3)] == [0, 201, 202]
    assert units.entry(1, 2) == 0
    assert [units.exit(1, p) for p in range(3)] == [0, 410, 420]
    assert [units.exit(3, p) for p in range(3)] == [0, 610, 620]
    assert [units.exit(0, 1), units.exit(2, 1)] == [0, 0]


def test_ranks_are_the_costliest_way_to_the_end() -> None:
    units = Units(problem())
    d = 3.0
    c = 25 / 3 + (0.5 + 511) + d
    b = 5 + (0.5 + 411) + d
    assert upward_ranks(units) == pytest.approx([2 + (0.5 + 311) + c, b, c, d])
    assert by_rank([2.0, 5.0, 2.0, 7.0]) == [3, 1, 0, 2]


def test_on_one_unit_nothing_is_brought_anywhere() -> None:
    graph = make_graph({"a": [], "b": ["a"]})
    alone = make_problem(graph, make_soc(npus=0), {"a": [1], "b": [2]}, call=0.5, default_comm=9.0)
    units = Units(alone)
    assert (units.mean_comm(0, 1), units.comm(0, 1, 0, 0)) == (0, 0)
    assert upward_ranks(units) == [3, 2]


def test_what_nobody_runs_is_told_with_its_kinds() -> None:
    graph = make_graph({"a": [], "b": ["a"]}, {"b": "Softmax"})
    with pytest.raises(SchedulerError, match=r"'b' \(Softmax\)"):
        Units(make_problem(graph, make_soc(), {"a": [1, 1], "b": [None, None]}))


def test_the_finest_plan_has_a_partition_for_each_unit_where_it_is_fastest() -> None:
    plan = fused_groups(problem())
    assert [(p.pu, p.operators) for p in plan.partitions] == [
        ("cpu", ("a",)), ("cpu", ("b",)), ("cpu", ("c", "r")), ("cpu", ("d",)),
    ]  # fmt: skip
    assert plan.scheduler == FUSED_GROUPS
    graph = make_graph({"a": [], "b": ["a"]})
    times = {"a": [2, 1, 1], "b": [3, None, 1]}
    plan = fused_groups(make_problem(graph, make_soc(npus=2), times))
    assert [(p.pu, p.operators) for p in plan.partitions] == [("npu0", ("a",)), ("npu1", ("b",))]
