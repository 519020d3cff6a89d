"""Profiles of ONNX Runtime: what they say arrives, what they cannot say is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.readers.base import Request
from hetsim.cost.measured.readers.ort import half_quartiles, typical
from hetsim.cost.measured.readers.registry import import_profiles
from hetsim.errors import ConfigError
from hetsim.workload.onnx.loader import load_onnx
from tests.cost.foreign import RESNET, SQUEEZENET, events, kinds, store
from tests.workload.samples import model, node, weight


def test_ort_times_by_node_without_the_first_run(tmp_path):
    names = [op.name for op in SQUEEZENET.operators]
    times = {name: [9999, 100, 120, 110] for name in names}
    times[names[1]] = [0, 0, 0]
    times["fused_thing"] = [5, 5]
    path = store(tmp_path, "p.json", json.dumps(events(times)))
    (table,) = import_profiles("ort", Request((path,), (RESNET, SQUEEZENET)))
    assert table.entries[
        operator_key(SQUEEZENET, SQUEEZENET.operators[0])
    ].seconds == pytest.approx(110e-6)
    assert min(entry.seconds for entry in table.entries.values()) > 0
    assert {"below the clock", "unknown nodes"} <= set(kinds(table))
    missing = [d.message for d in table.doubts if d.kind == "missing operators"]
    assert all("squeezenet" not in message for message in missing)


def test_spreads_are_half_of_what_lies_between_the_quartiles():
    assert half_quartiles([1.0, 2.0, 3.0]) is None
    assert half_quartiles([4.0, 1.0, 3.0, 2.0]) == pytest.approx(0.5)
    assert half_quartiles([1, 2, 3, 4, 5, 6, 7, 900]) == pytest.approx(1.5)


def test_ort_takes_off_what_a_node_without_work_takes(tmp_path):
    conv, relu, pool = SQUEEZENET.operators[:3]
    times = {
        conv.name: [999, 104, 104, 103, 105],
        relu.name: [999, 9, 9, 10, 900],  # the last run was disturbed
        pool.name: [999, 3, 3, 3, 3],
        "copying": [999, 80, 80, 80, 80],
        "view": [999, 4, 4, 5, 4],
    }
    shapes = {"copying": "Reshape", "view": "Flatten"}
    path = store(tmp_path, "p.json", json.dumps(events(times, kinds=shapes)))
    (table,) = import_profiles("ort", Request((path,), (SQUEEZENET,)))
    found = {op.name: table.time(operator_key(SQUEEZENET, op)) for op in (conv, relu, pool)}
    assert found[conv.name] == pytest.approx(100e-6)
    assert found[relu.name] == pytest.approx(5.5e-6)
    assert found[pool.name] == pytest.approx(0.5e-6)  # less than the profiler: below the clock
    told = {d.kind: d.message for d in table.doubts}
    assert "4.0 us were taken off every kernel: view" in told["profiler"]
    assert "unknown nodes" not in told


def test_ort_tells_nodes_that_other_operators_took_in(tmp_path):
    nodes = [
        node("Conv", ["x", "w"], "a", name="conv"),
        node("BatchNormalization", ["a", "s", "s", "s", "s"], "y", name="norm"),
    ]
    proto = model(nodes, {"x": [1, 3, 8, 8]}, ["y"], {"w": weight(4, 3, 3, 3), "s": weight(4)})
    graph = load_onnx(proto)
    times = events({"conv": [9, 9], "norm": [5, 5]}, kinds={"norm": "BatchNormalization"})
    path = store(tmp_path, "p.json", json.dumps(times))
    (table,) = import_profiles("ort", Request((path,), (graph,)))
    told = {d.kind: d.message for d in table.doubts}
    assert "norm (BatchNormalization)" in told["absorbed nodes"]
    assert "unknown nodes" not in told


def test_ort_leaves_the_profiler_in_where_nothing_tells_what_it_takes(tmp_path):
    conv, relu = SQUEEZENET.operators[:2]
    path = store(tmp_path, "p.json", json.dumps(events({conv.name: [9, 9], relu.name: [5, 5]})))
    (table,) = import_profiles("ort", Request((path,), (SQUEEZENET,)))
    assert table.time(operator_key(SQUEEZENET, relu)) == pytest.approx(5e-6)
    told = {d.kind: d.message for d in table.doubts}
    assert f"at most the 5.0 us of {relu.name}" in told["profiler"]


def test_ort_reads_what_onnxruntime_writes(tmp_path):
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    nodes = [
        node("Conv", ["x", "w"], "a", name="conv"),
        node("Flatten", ["a"], "f", name="view"),
        node("Relu", ["f"], "y", name="relu"),
    ]
    proto = model(nodes, {"x": [1, 3, 32, 32]}, ["y"], {"w": weight(8, 3, 3, 3)})
    proto.ir_version = 8
    options = ort.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "real")
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    for _ in range(6):
        session.run(None, {"x": np.ones((1, 3, 32, 32), np.float32)})
    graph = load_onnx(proto)
    (table,) = import_profiles("ort", Request((Path(session.end_profiling()),), (graph,)))
    assert [table.time(operator_key(graph, op)) > 0 for op in graph.operators] == [True, True]
    assert [entry.samples for entry in table.entries.values()] == [5, 5]  # not the first run
    told = {d.kind: d.message for d in table.doubts}
    assert "were taken off every kernel: view" in told["profiler"]
    assert "unknown nodes" not in told


def test_ort_shapes_of_another_input_size_are_refused(tmp_path):
    op = SQUEEZENET.operators[0]
    text = json.dumps(events({op.name: [1, 2]}, {op.name: (1, 64, 9, 9)}))
    path = store(tmp_path, "p.json", text)
    with pytest.raises(ConfigError, match=r"other shapes.*\[1, 64, 9, 9\]"):
        import_profiles("ort", Request((path,), (SQUEEZENET,)))


@pytest.mark.parametrize(
    ("text", "told"),
    [("[1,", "not JSON"), ("7", "array of events"), ("[]", "none of its 0 events")],
)
def test_ort_files_that_are_none(tmp_path, text, told):
    path = store(tmp_path, "p.json", text)
    with pytest.raises(ConfigError, match=told):
        import_profiles("ort", Request((path,), (SQUEEZENET,)))


def kernel(name: str, dur: object, provider: str = "CPUExecutionProvider", **more: object):
    args = {"op_name": "X", "provider": provider}
    return {"cat": "Node", "name": f"{name}_kernel_time", "dur": dur, "ts": 0, "args": args} | more


def test_ort_units_have_a_table_each_and_what_is_no_kernel_is_left_out(tmp_path):
    conv, relu = SQUEEZENET.operators[:2]
    made = [
        kernel(conv.name, 8),
        kernel(conv.name, 16, "CUDAExecutionProvider"),
        kernel(relu.name, 2),
        kernel(relu.name, 500, cat="Session"),
        kernel(relu.name, 600) | {"name": f"{relu.name}_fence_before"},
        kernel(relu.name, -700),
        kernel(relu.name, "800"),
        kernel(relu.name, 900, ts="late"),
        kernel(relu.name, 1e18),
        "noise",
    ]
    for text in (json.dumps(made), json.dumps({"traceEvents": made})):
        path = store(tmp_path, "p.json", text)
        tables = import_profiles("ort", Request((path,), (SQUEEZENET,)))
        assert {table.device: [entry.seconds for entry in table.entries.values()]
                for table in tables} == {
            "CPUExecutionProvider": pytest.approx([8e-6, 2e-6]),
            "CUDAExecutionProvider": pytest.approx([16e-6]),
        }  # fmt: skip
        [mine] = import_profiles("ort", Request((path,), (SQUEEZENET,), device="mine"))
        assert mine.device == "mine"
        assert mine.entries[operator_key(SQUEEZENET, conv)].seconds == pytest.approx(12e-6)


def test_ort_runs_are_in_order_of_time_whatever_their_place(tmp_path):
    """The first, which allocates memory, is left out, unless there is no other."""
    conv, relu = SQUEEZENET.operators[:2]
    made = [kernel(conv.name, dur, ts=ts) for ts, dur in ((3, 12), (1, 99), (2, 8), (4, 10))]
    path = store(tmp_path, "p.json", json.dumps([*made, kernel(relu.name, 7)]))
    [table] = import_profiles("ort", Request((path,), (SQUEEZENET,)))
    first, second = table.entries.values()
    assert (first.seconds, first.samples, first.spread_s) == (pytest.approx(10e-6), 3, None)
    assert (second.seconds, second.samples) == (pytest.approx(7e-6), 1)
    assert first.seen == (f"squeezenet:{conv.name}",)
    assert set(kinds(table)) == {"profiler", "missing operators"}


def test_ort_the_middle_half_of_the_runs_is_averaged():
    assert typical([4.0]) == 4.0
    assert typical([9.0, 1.0, 2.0]) == 4.0
    assert typical([1.0, 900.0, 2.0, 4.0]) == 3.0
    assert typical([0.0, 0.0, 5.0, 6.0, 7.0, 8.0, 900.0, 900.0]) == 6.5
