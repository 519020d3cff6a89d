"""Reports of TFLite's benchmark_model: run order, sums by kind, delegates, other networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from hetsim.cost.measured.keys import group_key, operator_key
from hetsim.cost.measured.readers.base import Request
from hetsim.cost.measured.readers.registry import import_profiles
from hetsim.cost.measured.table import ProfileTable
from hetsim.errors import ConfigError
from hetsim.workload.networks import load_network
from hetsim.workload.zoo import load_model
from tests.workload.tflite_files import Op, saved, small_network, tflite_bytes

INIT = """\
Profiling Info for Benchmark Initialization:
============================== Run Order ==============================
node type, first, avg_ms, %, cdf%, mem KB, times called, name
CONV_2D, 99, 99, 100%, 100%, 0, 1, [a]:0

"""
RUNS = """\
Operator-wise Profiling Info for Regular Benchmark Runs:
============================== Run Order ==============================
node type, first, avg_ms, %, cdf%, mem KB, times called, name
CONV_2D, 0.9, 0.4, 40%, 40%, 0, 1, [a]:0
DEPTHWISE_CONV_2D, 0.3, 0.15, 30%, 70%, 0, 2, [b]:1
MEAN, 0, 0, 0%, 70%, 0, 1, [m]:2
FULLY_CONNECTED, 0.2, 0.2, 20%, 90%, 0, 1, [z]:3
SOFTMAX, 0.1, 0.1, 10%, 100%, 0, 1, [y]:4

============================== Top by Computation Time ==============================
node type, first, avg_ms, %, cdf%, mem KB, times called, name
CONV_2D, 7, 7, 40%, 40%, 0, 1, [a]:0

Number of nodes executed: 5
"""
SUMS = """\
============================== Summary by node type ==============================
node type, count, avg_ms, avg %, cdf %, mem KB, times called
CONV_2D, 1, 0.4, 40%, 40%, 0, 1
DEPTHWISE_CONV_2D, 1, 0.3, 30%, 70%, 0, 2
FULLY_CONNECTED, 1, 0.2, 20%, 90%, 0, 1
SOFTMAX, 1, 0.1, 10%, 100%, 0, 1

Timings (microseconds): count=50 first=1 curr=1 min=1 max=1 avg=1000 std=0
Memory (bytes): count=0
"""
PRINTED = """\
INFO: Operator-wise Profiling Info for Regular Benchmark Runs:
============================== Run Order ==============================
\t             [node type]\t          [start]\t  [first]\t [avg ms]\t     [%]\t  [cdf%]\t  [mem KB]\t[times called]\t[Name]
\t                 CONV_2D\t            0.066\t   87.754\t   60.957\t  2.066%\t  2.066%\t     0.000\t        1\t[a]:0
\t       DEPTHWISE_CONV_2D\t           61.033\t   53.628\t   49.870\t  1.691%\t  3.757%\t     0.000\t        1\t[b]:1
"""  # noqa: E501


@pytest.fixture
def graph(tmp_path: Path):
    return load_network(saved(small_network(), tmp_path))


def table(text: str, graph, folder: Path) -> ProfileTable:
    path = folder / "report.csv"
    path.write_text(text)
    [found] = import_profiles("tflite", Request((path,), (graph,), device="board"))
    return found


def doubts(found: ProfileTable) -> dict[str, str]:
    return {doubt.kind: str(doubt) for doubt in found.doubts}


def test_times_are_those_of_the_run_order_of_the_runs(graph, tmp_path: Path) -> None:
    found = table(INIT + RUNS + SUMS, graph, tmp_path)
    conv = group_key(graph, graph.operators[:2])  # with the ReLU6 inside
    depthwise, mean, dense, softmax = (operator_key(graph, op) for op in graph.operators[2:])
    assert found.time(conv) == pytest.approx(0.4e-3)
    assert found.time(depthwise) == pytest.approx(0.3e-3)  # called twice in a run
    assert found.time(mean) == pytest.approx(0.5e-6)
    assert found.time(dense) == pytest.approx(0.2e-3)
    assert found.entries[softmax].samples == 50
    assert found.device == "board"
    told = doubts(found)
    assert "1 times cover an operator" in told["groups"]  # each other node is one operator
    assert "CONV_2D_0" in told["groups"]
    assert "MEAN_2" in told["below the clock"]
    assert set(told) == {"groups", "below the clock", "missing operators"}
    assert (found.entries[dense].where.line, found.entries[dense].spread_s) == (12, None)
    assert found.entries[conv].seen == tuple(
        f"{graph.name}:{op.name}" for op in graph.operators[:2]
    )


def test_the_printed_form_is_read_too(graph, tmp_path: Path) -> None:
    found = table(PRINTED, graph, tmp_path)
    assert found.time(group_key(graph, graph.operators[:2])) == pytest.approx(60.957e-3)
    assert found.time(operator_key(graph, graph.operators[2])) == pytest.approx(49.870e-3)
    assert "3 of 6 operators" not in doubts(found).get("missing operators", "")
    spaces = PRINTED.expandtabs(4)
    assert table(spaces, graph, tmp_path).entries.keys() == found.entries.keys()


def test_sums_alone_tell_kinds_that_stand_once(graph, tmp_path: Path) -> None:
    header = "Operator-wise Profiling Info for Regular Benchmark Runs:\n"
    text = header + SUMS.replace("DEPTHWISE_CONV_2D, 1, 0.3", "DEPTHWISE_CONV_2D, 4, 0.3")
    found = table(text, graph, tmp_path)
    assert found.time(operator_key(graph, graph.operators[-1])) == pytest.approx(0.1e-3)
    assert found.time(operator_key(graph, graph.operators[2])) is None
    assert "DEPTHWISE_CONV_2D (4 nodes, 0.300 ms)" in doubts(found)["only sums"]


def test_sums_that_contradict_the_nodes_are_told(graph, tmp_path: Path) -> None:
    text = RUNS + SUMS.replace("SOFTMAX, 1, 0.1", "SOFTMAX, 1, 0.9")
    assert "SOFTMAX 0.100 against 0.900 ms" in doubts(table(text, graph, tmp_path))["sums"]


def test_nodes_that_are_views_here_are_told_with_their_time(tmp_path: Path) -> None:
    ops = [Op("RESHAPE", ("x",), ("f",)), Op("TANH", ("f",), ("y",))]
    content = tflite_bytes(ops, {"x": (1, 4, 6), "f": (1, 24), "y": (1, 24)})
    graph = load_network(saved(content, tmp_path))
    rows = RUNS.split("CONV_2D")[0] + (
        "RESHAPE, 1, 0.02, 1%, 1%, 0, 1, [f]:0\nTANH, 1, 0.5, 1%, 1%, 0, 1, [y]:1\n"
    )
    found = table(rows, graph, tmp_path)
    assert found.time(operator_key(graph, graph.operators[0])) == pytest.approx(0.5e-3)
    assert "1 nodes are views" in doubts(found)["views"]
    assert "0.020 ms" in doubts(found)["views"]
    assert "unknown nodes" not in doubts(found)


def test_what_a_delegate_ran_stays_open(graph, tmp_path: Path) -> None:
    rows = RUNS.replace("SOFTMAX, 0.1, 0.1", "TfLiteXNNPackDelegate, 0.1, 0.1")
    found = table(rows, graph, tmp_path)
    assert "TfLiteXNNPackDelegate 0.100 ms" in doubts(found)["unknown nodes"]
    assert found.time(operator_key(graph, graph.operators[-1])) is None
    inside = rows.replace("[y]:4", "Delegate/Softmax (NC, F32):3")
    assert "TfLiteXNNPackDelegate" in doubts(table(inside, graph, tmp_path))["unknown nodes"]


@pytest.mark.parametrize("text", [RUNS, "Profiling Info for Regular Benchmark Runs:\n" + SUMS])
def test_the_network_that_was_measured_is_found_among_several(graph, tmp_path, text: str) -> None:
    path = tmp_path / "report.csv"
    path.write_text(text)
    other = load_model("squeezenet")
    for graphs in ((graph, other), (other, graph)):
        [found] = import_profiles("tflite", Request((path,), graphs))
        assert found.time(operator_key(graph, graph.operators[-1])) == pytest.approx(0.1e-3)
        assert "--device" in doubts(found)["unknown device"]
    assert "unknown device" not in doubts(table(text, graph, tmp_path))


def test_rows_that_cannot_be_used_are_told(graph, tmp_path: Path) -> None:
    text = RUNS.replace("SOFTMAX, 0.1, 0.1", "SOFTMAX, 0.1, -0.1").replace("0.2, 0.2,", "0.2, ?,")
    found = table(text, graph, tmp_path)
    told = doubts(found)["broken rows"]
    assert "line 7: -0.1 ms is no time" not in told
    assert "line 8: -0.1 ms is no time" in told
    assert "line 7: 'FULLY_CONNECTED" in told
    assert found.time(operator_key(graph, graph.operators[-1])) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no operator was timed"),
        (INIT, "no operator was timed"),
        (RUNS.replace("[a]:0", "[other/conv]:0"), "make other tensors"),
        (RUNS.replace("avg_ms", "avg_us"), r"report\.csv:3.*expected are: node type"),
        (RUNS.replace("]:", "]:9"), "none of its 5 nodes is an operator of net"),
    ],
)
def test_what_is_no_such_report_is_refused(graph, tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){told}") as caught:
        table(text, graph, tmp_path)
    assert "report.csv" in str(caught.value)


def test_a_unit_and_a_missing_network_are_refused(graph, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text(RUNS)
    with pytest.raises(ConfigError, match="states the unit"):
        import_profiles("tflite", Request((path,), (graph,), unit="ms"))
    with pytest.raises(ConfigError, match="a network must be given"):
        import_profiles("tflite", Request((path,)))
