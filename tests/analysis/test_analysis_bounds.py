"""Lower bounds: by hand, and against every assignment there is."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "sim"))
from sim_samples import CLUSTER, FAST, MS, NPU, make_graph, make_soc, simulate

from hetsim.analysis.bounds import lower_bounds
from hetsim.cost.analytical import AnalyticalModel
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph

INF = float("inf")


def bounds(graph: Graph, soc: SoC) -> tuple[float, float, float]:
    return tuple(bound.seconds for bound in lower_bounds(graph, soc, AnalyticalModel()))  # type: ignore[return-value]


def test_a_chain_is_bounded_by_its_path_and_the_bound_is_reached() -> None:
    graph = make_graph(("a", ["x"], 3.0), ("b", ["a"], 4.0))
    soc = make_soc(partition_call="1 ms")
    path, area, moved = bounds(graph, soc)
    assert path == pytest.approx(8 * MS)
    assert area == pytest.approx(7 * MS)
    assert moved == pytest.approx(2 * MS)  # x and b, 1 MB each
    assert simulate(graph, soc, [("cpu", "a b")]).makespan_s == pytest.approx(path)


def test_independent_operators_are_bounded_by_the_area() -> None:
    graph = make_graph(*((f"o{i}", [f"x{i}"], 3.0) for i in range(4)))
    soc = make_soc({"big": CLUSTER}, memory=FAST)
    path, area, _ = bounds(graph, soc)
    assert path == pytest.approx(3 * MS)
    assert area == pytest.approx(6 * MS)
    best = simulate(graph, soc, [("cpu", "o0 o1"), ("big", "o2 o3")])
    assert best.makespan_s == pytest.approx(area)


def test_much_data_and_little_work_is_bounded_by_bytes() -> None:
    graph = make_graph(("a", ["x"], 0.0), ("b", ["y"], 0.0))
    soc = make_soc({"big": CLUSTER})
    _, _, moved = bounds(graph, soc)
    assert moved == pytest.approx(4 * MS)
    assert simulate(graph, soc, [("cpu", "a"), ("big", "b")]).makespan_s == pytest.approx(moved)


def test_bytes_count_in_the_smallest_form_any_unit_stores_them() -> None:
    int8 = {"dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}}
    graph = make_graph(("a", ["x"], 0.0))
    assert bounds(graph, make_soc({"npu": NPU | int8}))[2] == pytest.approx(0.5 * MS)


def test_the_path_pays_conversions_only_where_it_must_cross() -> None:
    int8 = {"dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}}
    npu = NPU | int8 | {"crossing": {"quantise": "4 ns"}, "vector_lanes": 10}
    soc = make_soc({"npu": npu}, memory=FAST)
    # 1 ms in, 0.3 ms of work, 1 ms out, or 3 ms on the CPU.
    short = make_graph(("a", ["x"], 3.0))
    assert bounds(short, soc)[0] == pytest.approx(2.3 * MS)
    # 1.5 ms on the CPU beats crossing twice.
    assert bounds(make_graph(("a", ["x"], 1.5)), soc)[0] == pytest.approx(1.5 * MS)
    chain = make_graph(("a", ["x"], 3.0), ("b", ["a"], 3.0))
    assert bounds(chain, soc)[0] == pytest.approx(2.6 * MS)


def test_an_operator_nobody_can_run_makes_the_bound_infinite() -> None:
    soc = make_soc({"cpu": {"exclude": ["Relu"]}})
    assert max(bounds(make_graph(("a", ["x"], 1.0)), soc)) == INF


KINDS = ("Relu", "Sigmoid", "MaxPool", "Tanh", "Exp")
share = st.floats(-6, 0).map(lambda exponent: 10.0**exponent)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*[share] * len(KINDS)), min_size=1, max_size=3), st.data())
def test_no_assignment_is_below_the_bounds(
    units: list[tuple[float, ...]], data: st.DataObject
) -> None:
    names = ["cpu", "big", "little"][: len(units)]
    tables = [dict(zip(KINDS, shares, strict=True)) for shares in units]
    pus = {
        name: CLUSTER | {"efficiency": table | {"default": 1.0}}
        for name, table in zip(names, tables, strict=True)
    }
    kinds = data.draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5))
    plain = make_graph(*((f"o{i}", [f"x{i}"], 1.0) for i in range(len(kinds))))
    operators = [replace(op, kind=k) for op, k in zip(plain.operators, kinds, strict=True)]
    graph = Graph.create(plain.name, operators, plain.tensors.values(), plain.inputs, plain.outputs)
    best = INF
    for chosen in product(range(len(units)), repeat=len(kinds)):
        loads = [0.0] * len(units)
        for kind, pu in zip(kinds, chosen, strict=True):
            loads[pu] += MS / tables[pu][kind]
        best = min(best, max(loads))
    found = max(bounds(graph, make_soc(pus, memory=FAST)))
    assert found <= best * (1 + 1e-12)
    fewest = [min(MS / table[kind] for table in tables) for kind in kinds]
    assert found >= max(max(fewest), sum(fewest) / len(units)) * (1 - 1e-9)


def test_a_fast_unit_beside_a_very_slow_one_has_an_exact_bound() -> None:
    # Ten operators of 1 ms, or a million times that: the slow unit takes a sliver of the work.
    graph = make_graph(*((f"o{i}", [f"x{i}"], 1.0) for i in range(10)))
    soc = make_soc({"slow": CLUSTER | {"efficiency": {"default": 1e-6}}}, memory=FAST)
    found = max(bounds(graph, soc))
    assert found == pytest.approx(10 * MS * 1e6 / (1e6 + 1), rel=1e-9)
