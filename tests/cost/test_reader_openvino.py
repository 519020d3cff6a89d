"""Profiles of OpenVINO: fused layers, other names, other shapes, what stays open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hetsim.cost.measured.keys import group_key
from hetsim.cost.measured.readers.base import Request
from hetsim.cost.measured.readers.registry import import_profiles
from hetsim.errors import ConfigError
from hetsim.workload.onnx.loader import load_onnx
from tests.workload.samples import model, node, weight


@pytest.fixture
def graph():
    """conv - relu - conv - relu - conv - softmax, the second and third of one shape."""
    nodes = [
        node("Conv", ["x", "w1"], "a", name="c1", pads=[1, 1, 1, 1]),
        node("Relu", ["a"], "b", name="r1"),
        node("Conv", ["b", "w2"], "c", name="c2"),
        node("Relu", ["c"], "d", name="r2"),
        node("Conv", ["d", "w3"], "e", name="c3"),
        node("Softmax", ["e"], "y", name="", axis=1),
    ]
    constants = {"w1": weight(4, 3, 3, 3), "w2": weight(6, 4, 1, 1), "w3": weight(6, 6, 1, 1)}
    return load_onnx(model(nodes, {"x": [1, 3, 8, 8]}, ["y"], constants))


def layer(order: int, name: str, kind: str, time: object, names: str, shape=()) -> str:
    dims = "".join(f"<dim>{d}</dim>" for d in shape)
    return (
        f'<layer id="{order}" name="{name}" type="{kind}">\n'
        f'<data execOrder="{order}" execTimeMcs="{time}" originalLayersNames="{names}"'
        f' runtimePrecision="bf16"/>\n'
        + (f'<output><port id="0">{dims}</port></output>' if shape else "")
        + "</layer>\n"
    )


GRAPH = (
    '<?xml version="1.0"?>\n<net name="runtime"><layers>\n'
    + layer(0, "x", "Input", "not_executed", "x", (1, 3, 8, 8))
    + layer(1, "x_reorder", "Reorder", 7, "", (1, 3, 8, 8))
    + layer(2, "c1/WithoutBiases", "Convolution", 40, "c1/WithoutBiases,c1,r1", (1, 4, 8, 8))
    + layer(3, "Multiply_7", "Convolution", 30, "Multiply_7,r2", (1, 6, 8, 8))
    + layer(4, "Multiply_9", "Convolution", 20, "Multiply_9", (1, 6, 8, 8))
    + layer(5, "Softmax_3", "Softmax", 0, "y", (1, 6, 8, 8))
    + "</layers></net>\n"
)


def table(text: str, graph, folder: Path):
    path = folder / "profile.txt"
    path.write_text(text)
    [found] = import_profiles("openvino", Request((path,), (graph,)))
    return found


def time(found, graph, *names: str) -> float | None:
    return found.time(group_key(graph, [graph.operator(name) for name in names]))


def doubts(found) -> dict[str, str]:
    return {doubt.kind: str(doubt) for doubt in found.doubts}


def test_a_layer_stands_for_the_operators_it_names(graph, tmp_path: Path) -> None:
    found = table(GRAPH, graph, tmp_path)
    assert time(found, graph, "c1", "r1") == pytest.approx(40e-6)
    # renamed, but the activation behind it is not
    assert time(found, graph, "c2", "r2") == pytest.approx(30e-6)
    # renamed altogether, and the only one of its kind and shape that is left
    assert time(found, graph, "c3") == pytest.approx(20e-6)
    # found by what it makes; below the clock
    assert time(found, graph, graph.operators[-1].name) == pytest.approx(0.5e-6)
    told = doubts(found)
    assert "Multiply_9 as c3" in told["by kind and shape"]
    assert "x_reorder (Reorder, 7 us)" in told["unknown nodes"]
    assert "bfloat16, the network says float32" in told["precision"]
    assert (
        "1 layers took less than the clock's microsecond; 0.5 us is used: Softmax_3"
        in (told["below the clock"])
    )
    assert "--device" in told["unknown device"]
    assert "Softmax_3" in told["below the clock"]
    assert set(told) == {
        "by kind and shape", "unknown nodes", "precision", "unknown device", "below the clock",
        "missing operators",
    }  # fmt: skip
    conv = found.entries[group_key(graph, [graph.operator("c1"), graph.operator("r1")])]
    assert (conv.samples, conv.spread_s, conv.where.line) == (1, None, 9)
    assert conv.seen == ("test:c1", "test:r1")


def test_the_network_that_was_measured_is_found_among_several(graph, tmp_path: Path) -> None:
    constants = {"w": weight(4, 3, 1, 1)}
    nodes = [node("Conv", ["x", "w"], "y", name="c1")]
    other = load_onnx(model(nodes, {"x": [1, 3, 8, 8]}, ["y"], constants))
    path = tmp_path / "profile.txt"
    path.write_text(GRAPH)
    for graphs in ((graph, other), (other, graph)):
        [found] = import_profiles("openvino", Request((path,), graphs))
        assert time(found, graph, "c2", "r2") == pytest.approx(30e-6)


def shaped(*layers: str) -> str:
    return f'<net name="r"><layers>{"".join(layers)}</layers></net>'


def test_a_head_is_of_the_layer_s_kind_and_of_no_other_layer(tmp_path: Path) -> None:
    """Two operators read a convolution, which is of one layer; before the third there is none."""
    nodes = [
        node("Conv", ["x", "w"], "a", name="c"),
        node("Relu", ["a"], "b", name="r1"),
        node("Relu", ["a"], "d", name="r2"),
        node("Relu", ["b"], "e", name="r3"),
    ]
    fork = load_onnx(model(nodes, {"x": [1, 3, 8, 8]}, ["d", "e"], {"w": weight(4, 3, 1, 1)}))
    text = shaped(
        layer(0, "L", "Convolution", 40, "r1"), layer(1, "M", "Convolution", 30, "r2"),
        layer(2, "N", "Convolution", 20, "r3"), layer(3, "O", "Reorder", 10, "r3"),
    )  # fmt: skip
    seen = [entry.seen for entry in table(text, fork, tmp_path).entries.values()]
    assert seen == [("test:c", "test:r1"), ("test:r2", "test:r3")]


def test_shapes_are_those_of_the_last_operator_of_a_layer(tmp_path: Path) -> None:
    """A pool behind a convolution makes less of it; how elements are arranged does not matter."""
    nodes = [
        node("Conv", ["x", "w"], "a", name="c"),
        node("MaxPool", ["a"], "y", name="p", kernel_shape=[2, 2], strides=[2, 2]),
    ]
    pair = load_onnx(model(nodes, {"x": [1, 3, 8, 8]}, ["y"], {"w": weight(4, 3, 1, 1)}))
    for shape in ((1, 4, 4, 4), (64,), (1, 16, 4)):
        for names in ("c,p", "p,c"):
            found = table(shaped(layer(0, "c", "Convolution", 40, names, shape)), pair, tmp_path)
            assert time(found, pair, "c", "p") == pytest.approx(40e-6)
    text = shaped(layer(0, "c", "Convolution", 40, "c,p", (1, 4, 8, 8)))
    with pytest.raises(
        ConfigError, match=r"p made \[1, 4, 8, 8\], the network says \[1, 4, 4, 4\]"
    ):
        table(text, pair, tmp_path)
    assert time(table(shaped(layer(0, "c", "Convolution", 40, "c,p")), pair, tmp_path), pair, "c",
                "p") == pytest.approx(40e-6)  # fmt: skip


def test_layers_come_in_the_order_in_which_they_ran(tmp_path: Path) -> None:
    """As many alike are paired in that order, whatever their place in the file."""
    nodes = [node("Conv", ["x", "w1"], "a", name="c1"), node("Conv", ["a", "w2"], "y", name="c2")]
    constants = {"w1": weight(3, 3, 1, 1), "w2": weight(3, 3, 1, 1)}
    pair = load_onnx(model(nodes, {"x": [1, 3, 8, 8]}, ["y"], constants))
    shape = (1, 3, 8, 8)
    text = shaped(layer(11, "L", "Convolution", 40, "L", shape),
                  layer(2, "M", "Convolution", 20, "M", shape))  # fmt: skip
    found = table(text, pair, tmp_path)
    assert "M as c1, L as c2" in doubts(found)["by kind and shape"]
    # Both have one key, so their times are one entry: the median of 20 and 40.
    assert time(found, pair, "c1") == pytest.approx(30e-6)
    for unknown in ((), (3, 8, 8)):
        lost = text.replace("<output>", "<input>").replace("</output>", "</input>")
        lost = lost if not unknown else text.replace("<dim>1</dim>", "")
        with pytest.raises(ConfigError, match="none of its 2 layers is an operator"):
            table(lost, pair, tmp_path)


def test_several_layers_of_one_precision_are_told_once(graph, tmp_path: Path) -> None:
    told = doubts(table(GRAPH.replace('"bf16"', '"f32"'), graph, tmp_path))
    assert "precision" not in told
    told = doubts(table(GRAPH.replace(' runtimePrecision="bf16"', ""), graph, tmp_path))
    assert "precision" not in told
    told = doubts(table(GRAPH, graph, tmp_path))
    assert "4 layers computed in bfloat16, the network says float32" in told["precision"]


def test_a_layer_with_its_own_operator_takes_none_before_it(tmp_path: Path) -> None:
    nodes = [node("Conv", ["x", "w1"], "a", name="c1"), node("Conv", ["a", "w2"], "y", name="c2")]
    constants = {"w1": weight(4, 3, 1, 1), "w2": weight(6, 4, 1, 1)}
    pair = load_onnx(model(nodes, {"x": [1, 3, 8, 8]}, ["y"], constants))
    text = '<net name="r"><layers>' + layer(0, "c2", "Convolution", 40, "c2", (1, 6, 8, 8))
    found = table(text + "</layers></net>", pair, tmp_path)
    assert time(found, pair, "c2") == pytest.approx(40e-6)
    assert time(found, pair, "c1") is None


def test_several_alike_are_not_guessed_unless_they_are_as_many(graph, tmp_path: Path) -> None:
    extra = layer(6, "Multiply_11", "Convolution", 21, "Multiply_11", (1, 6, 8, 8))
    found = table(GRAPH.replace("</layers>", extra + "</layers>"), graph, tmp_path)
    assert time(found, graph, "c3") is None
    assert "Multiply_11" in doubts(found)["unknown nodes"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('execOrder="2"', 'execOrder="second"', "execOrder is 'second', not a number"),
        ("<dim>8</dim></port></output>", "<dim>?</dim></port></output>", "are not numbers"),
        ('"40"', '"-1"', "took '-1', which is no time"),
        ('"40"', '"1e12"', "took '1e12', which is no time"),
        ('"40"', '"nan"', "took 'nan', which is no time"),
    ],
)
def test_values_that_are_none_are_told(
    old: str, new: str, told: str, graph, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        table(GRAPH.replace(old, new), graph, tmp_path)
    assert caught.value.where.line > 2


HEADER = "layerName;execStatus;layerType;execType;realTime (ms);cpuTime (ms)\n"
COUNTERS = HEADER + (
    "c1/WithoutBiases;Status.EXECUTED;Convolution;jit;0.040;0.04\n"
    "r1;Status.NOT_RUN;Relu;undef;0.000;0.0\n"
    "c2;Status.EXECUTED;Convolution;jit;0.030;0.03\n"
    "r2;Status.EXECUTED;Relu;jit;0.010;0.01\n"
    "Total;;;;0.08;0.08\n\n"
)


def test_counters_join_what_did_not_run_to_the_layer_before(graph, tmp_path: Path) -> None:
    found = table(COUNTERS, graph, tmp_path)
    assert time(found, graph, "c1", "r1") == pytest.approx(40e-6)
    assert time(found, graph, "c2") == pytest.approx(30e-6)
    assert time(found, graph, "r2") == pytest.approx(10e-6)


def test_the_network_that_most_layers_name_is_the_one_that_was_measured(graph, tmp_path: Path):
    other = load_onnx(
        model([node("Relu", ["x"], "y", name="r2")], {"x": [1, 6, 8, 8]}, ["y"], {}), name="other"
    )
    path = tmp_path / "profile.txt"
    path.write_text(COUNTERS)
    for graphs in ((graph, other), (other, graph)):
        [found] = import_profiles("openvino", Request((path,), graphs))
        assert time(found, graph, "c2") == pytest.approx(30e-6)
        [line] = [e.where.line for e in found.entries.values() if e.seen == (f"{graph.name}:c2",)]
        assert line == 4


def test_blocks_of_several_requests_are_averaged(graph, tmp_path: Path) -> None:
    text = "".join(COUNTERS.replace("0.040", t) for t in ("0.030", "0.040", "0.050", "0.060"))
    found = table(text, graph, tmp_path)
    key = group_key(graph, [graph.operator("c1"), graph.operator("r1")])
    assert found.entries[key].seconds == pytest.approx(45e-6)
    assert found.entries[key].samples == 4
    assert found.entries[key].spread_s == pytest.approx(5e-6)


@pytest.mark.parametrize("times", [("0.040",), ("0.030", "0.050")])
def test_counters_as_json_are_the_same(graph, tmp_path: Path, times) -> None:
    blocks = [
        {"nodes": [{"name": "c2", "node_type": "Convolution", "status": "Status.EXECUTED",
                    "real_time": t, "cpu_time": t, "exec_type": "jit"}]}
        for t in times
    ]  # fmt: skip
    report = (
        {"report_type": "average", "avg_performance": blocks[0]}
        if len(blocks) == 1
        else {"report_type": "detailed", "detailed_performance": blocks}
    )
    found = table(json.dumps(report), graph, tmp_path)
    assert time(found, graph, "c2") == pytest.approx(40e-6)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GRAPH[:400], r"profile\.txt:\d+:\d+: not well-formed XML"),
        (GRAPH.replace('"40"', '"4x"'), r"profile\.txt:10: layer 'c1/WithoutBiases' took '4x'"),
        (GRAPH.replace("<dim>8</dim>", "<dim>9</dim>"), "other shapes"),
        (GRAPH.replace("<net ", "<!DOCTYPE net [<!ENTITY a 'b'>]>\n<net "), "no document type"),
        ("<svg></svg>", "this is <svg>"),
        (GRAPH.replace("net", "svg"), "this is <svg>"),
        ("<net><layers></layers></net>", "with layers"),
        (GRAPH.replace("execTimeMcs", "time"), "none of its 6 layers has a time"),
        (HEADER.replace("(ms)", "(us)"), r"profile\.txt:1: columns are .*realTime \(us\)"),
        (COUNTERS.replace("0.030", "-1"), r"profile\.txt:4: layer 'c2' took '-1'"),
        ("hello", r"profile\.txt:1: 'hello' is no row"),
        ('{"report_type": "average"}', "no counters"),
        (COUNTERS.replace("c1/", "q/").replace("\nc2", "\nq2").replace("\nr", "\nq"),
         "none of its 2 layers is an operator"),
    ],
)  # fmt: skip
def test_what_is_no_such_profile_is_refused(graph, tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){told}") as caught:
        table(text, graph, tmp_path)
    assert "profile.txt" in str(caught.value)
