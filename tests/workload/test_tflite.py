"""TFLite files: work against counts by hand, the same operators as ONNX's, layout, errors."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from hetsim.cost.measured.keys import operator_key
from hetsim.errors import MissingExtraError, WorkloadError
from hetsim.workload.networks import load_network, network_inputs, open_dims
from hetsim.workload.onnx.loader import load_onnx
from tests.workload.samples import model, node, weight
from tests.workload.tflite_files import Op, conv, saved, small_network, tflite, tflite_bytes


def graph_of(content: bytes, folder: Path, **options):
    return load_network(saved(content, folder), **options)


def kinds(graph) -> list[str]:
    return [op.kind for op in graph.operators]


# -- work -----------------------------------------------------------------------------------------


def counted(height, width, channels, filters, kernel, stride, pad, group=1) -> int:
    """Multiplications of a padded convolution, one by one, those with padding included."""
    total = 0
    rows = range(-pad, height + pad - kernel + 1, stride)
    columns = range(-pad, width + pad - kernel + 1, stride)
    for _ in itertools.product(rows, columns, range(filters), range(channels // group),
                               range(kernel), range(kernel)):  # fmt: skip
        total += 1
    return total


def test_products_are_as_many_as_the_loops_make(tmp_path: Path) -> None:
    graph = graph_of(small_network(), tmp_path)
    macs = {op.name: op.macs for op in graph.operators if op.macs}
    assert macs == {
        # SAME of 9x8 with 3x3/2: 5 rows (one row of padding each side), 4 columns (one at the end)
        "CONV_2D_0": counted(9, 7, 3, 4, 3, 2, 1),
        "DEPTHWISE_CONV_2D_1": counted(5, 4, 4, 8, 3, 1, 0, group=4),
        "FULLY_CONNECTED_3": 8 * 10,
    }
    assert graph.parameters == 4 * 27 + 4 + 8 * 9 + 8 + 80 + 10


def test_operators_have_the_names_and_keys_that_onnx_gives_them(tmp_path: Path) -> None:
    nodes = [
        node("Conv", ["x", "w1", "b1"], "a", auto_pad="SAME_UPPER", strides=[2, 2]),
        node("Clip", ["a", "low", "high"], "c"),
        node("Conv", ["c", "w2", "b2"], "b", group=4),
        node("GlobalAveragePool", ["b"], "g"),
        node("Flatten", ["g"], "m"),
        node("Gemm", ["m", "w3", "b3"], "z", transB=1),
        node("Softmax", ["z"], "y", axis=1),
    ]
    constants = {
        "w1": weight(4, 3, 3, 3), "b1": weight(4), "w2": weight(8, 1, 3, 3), "b2": weight(8),
        "w3": weight(10, 8), "b3": weight(10), "low": weight(), "high": weight(),
    }  # fmt: skip
    other = load_onnx(model(nodes, {"x": [1, 3, 9, 8]}, ["y"], constants))
    graph = graph_of(small_network(), tmp_path)
    assert kinds(graph) == kinds(other)
    assert graph.macs == other.macs
    assert graph.parameters == other.parameters
    for ours, theirs in zip(graph.operators, other.operators, strict=True):
        assert ours.variant == theirs.variant
        assert ours.element_ops == theirs.element_ops
        if ours.nest is not None:
            assert operator_key(graph, ours) == operator_key(other, theirs)
    assert graph.operators[0].attributes["pads"] == (1, 0, 1, 1)
    assert [graph.tensors[t].shape for t in ("x", "a", "b")] == [
        (1, 3, 9, 8), (1, 4, 5, 4), (1, 8, 3, 2)
    ]  # fmt: skip


def test_an_activation_function_inside_becomes_an_operator_behind(tmp_path: Path) -> None:
    graph = graph_of(small_network(), tmp_path)
    first, second = graph.operators[:2]
    assert (first.name, second.name) == ("CONV_2D_0", "CONV_2D_0/Clip")
    assert second.inputs == first.outputs
    assert second.outputs == ("a",)
    assert (second.attributes["min"], second.attributes["max"]) == (0.0, 6.0)


def test_quantised_operators_compute_in_int8(tmp_path: Path) -> None:
    graph = graph_of(small_network("int8"), tmp_path)
    assert {op.dtype for op in graph.operators} == {"int8"}
    assert graph.operators[0].weights == (("int8", 108), ("int32", 4))
    assert graph.macs == graph_of(small_network(), tmp_path).macs


def test_weights_behind_a_dequantize_are_read_as_they_are_stored(tmp_path: Path) -> None:
    ops = [
        Op("DEQUANTIZE", ("half",), ("flat",)),
        Op("RESHAPE", ("flat", "shape"), ("w",)),
        conv("x", "w", "b", "y"),
    ]
    shapes = {"x": (1, 4, 4, 2), "flat": (6,), "w": (3, 1, 1, 2), "y": (1, 4, 4, 3)}
    constants = {
        "half": np.ones(6, np.float16), "b": np.ones(3, np.float32),
        "shape": np.array([3, 1, 1, 2], np.int32),
    }  # fmt: skip
    graph = graph_of(tflite_bytes(ops, shapes, constants), tmp_path)
    assert kinds(graph) == ["Conv"]
    assert graph.operators[0].weights == (("float16", 6), ("float32", 3))
    assert graph.operators[0].dtype == "float32"
    assert graph.parameters == 9


def test_a_transposed_convolution_applies_its_kernel_at_every_input(tmp_path: Path) -> None:
    op = conv("size", "w", "x", "y", kind="TRANSPOSE_CONV", StrideH=2, StrideW=2)
    content = tflite_bytes(
        [op], {"x": (1, 4, 5, 6), "y": (1, 8, 10, 7)},
        {"size": np.array([1, 8, 10, 7], np.int32), "w": weight(7, 3, 3, 6)},
    )  # fmt: skip
    graph = graph_of(content, tmp_path)
    assert kinds(graph) == ["ConvTranspose"]
    assert graph.macs == 4 * 5 * 6 * 7 * 9


def lstm(shape, made, *, peephole: str = "", **options) -> bytes:
    """An LSTM of 20 cells over 28 features, its gates' weights apart as TFLite has them."""
    names = [f"i{k}" for k in range(4)], [f"r{k}" for k in range(4)], [f"b{k}" for k in range(4)]
    inputs = ["x", *names[0], *names[1], "", peephole, "", *names[2], "", ""]
    constants = {
        **{n: weight(20, 28) for n in names[0]}, **{n: weight(20, 20) for n in names[1]},
        **{n: weight(20) for n in (*names[2], "peep")},
    }  # fmt: skip
    fields = {"FusedActivationFunction": tflite.ActivationFunctionType.TANH, **options}
    op = Op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, ["y"],
            "UnidirectionalSequenceLSTMOptions", fields)  # fmt: skip
    return tflite_bytes([op], {"x": shape, "y": made}, constants)


@pytest.mark.parametrize(
    ("shape", "made", "steps_first"), [((2, 9, 28), (2, 9, 20), 0), ((9, 2, 28), (9, 2, 20), 1)]
)
def test_an_lstm_multiplies_each_step_by_its_gates(tmp_path, shape, made, steps_first) -> None:
    graph = graph_of(lstm(shape, made, TimeMajor=steps_first), tmp_path)
    assert kinds(graph) == ["LSTM"]  # its tanh is inside and counted there
    [op] = graph.operators
    assert op.macs == 2 * 9 * 4 * 20 * (28 + 20)
    assert (op.nest.out_h, op.nest.out_w) == (9, 2)  # steps, batch
    assert graph.parameters == 4 * 20 * (28 + 20 + 1)


def test_an_lstm_that_onnx_does_not_have_is_not_taken_for_one(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"TFLite.UNIDIRECTIONAL_SEQUENCE_LSTM \(1\)"):
        graph_of(lstm((1, 9, 28), (1, 9, 20), peephole="peep"), tmp_path)


TINY = {
    "pretrainedResnet_quant.tflite": 12_501_632, "kws_ref_model.tflite": 2_656_768,
    "vww_96_int8.tflite": 7_489_664, "ad01_int8.tflite": 264_192,
}  # fmt: skip
"""Products of the reference networks of MLPerf Tiny (Banbury et al., 2021), as Arm's compiler Vela
5.2 counts them layer by layer; usually given as 12.5, 2.7, 7.5 and 0.27 million."""


@pytest.mark.parametrize(("name", "macs"), TINY.items())
def test_the_networks_of_mlperf_tiny_have_their_known_work(name: str, macs: int) -> None:
    folder = os.environ.get("HETSIM_MLPERF_TINY")
    if folder is None:
        pytest.skip("HETSIM_MLPERF_TINY names no folder with the networks of MLPerf Tiny")
    graph = load_network(Path(folder, name))
    assert graph.macs == macs
    assert {op.dtype for op in graph.operators} == {"int8"}


VALID = tflite.Padding.VALID
AXES = {"axes": np.array([1, 2], np.int32)}
KINDS = [
    # kind, shapes of inputs, of outputs, table, options, constants: kinds and attributes
    ("RSQRT", [(2, 5)], [(2, 5)], "", {}, {}, ["Sqrt", "Reciprocal"], {}),
    ("SQUARED_DIFFERENCE", [(2, 5), (5,)], [(2, 5)], "", {}, {}, ["Sub", "Mul"], {}),
    ("SQUARE", [(2, 5)], [(2, 5)], "", {}, {}, ["Mul"], {}),
    ("ADD_N", [(5,)] * 2, [(5,)], "", {}, {}, ["Add"], {}),
    ("ADD_N", [(5,)] * 3, [(5,)], "", {}, {}, ["Sum"], {}),
    ("RELU_N1_TO_1", [(5,)], [(5,)], "", {}, {}, ["Clip"], {"min": -1.0, "max": 1.0}),
    ("MAX_POOL_2D", [(1, 6, 8, 3)], [(1, 2, 3, 3)], "Pool2DOptions",
     {"StrideH": 2, "StrideW": 2, "FilterHeight": 3, "FilterWidth": 4, "Padding": VALID}, {},
     ["MaxPool"], {"kernel_shape": (3, 4), "strides": (2, 2), "pads": (0, 0, 0, 0)}),
    ("AVERAGE_POOL_2D", [(1, 6, 8, 3)], [(1, 6, 8, 3)], "Pool2DOptions",
     {"StrideH": 1, "StrideW": 1, "FilterHeight": 3, "FilterWidth": 4}, {},
     ["AveragePool"], {"pads": (1, 1, 1, 2)}),
    ("MEAN", [(1, 6, 8, 3)], [(1, 6, 8, 3)], "ReducerOptions", {"KeepDims": True},
     {"axes": np.array([3], np.int32)}, ["ReduceMean"], {"axes": (3,), "keepdims": 1}),
    ("SUM", [(1, 6, 8, 3)], [(1, 3)], "ReducerOptions", {}, AXES, ["ReduceSum"],
     {"axes": (1, 2), "keepdims": 0}),
    ("ARG_MAX", [(4, 6)], [(4,)], "ArgMaxOptions", {}, {"a": np.array(-1, np.int32)}, ["ArgMax"],
     {"axis": 1}),
    ("LOG_SOFTMAX", [(4, 6)], [(4, 6)], "", {}, {}, ["LogSoftmax"], {"axis": 1}),
    ("LOCAL_RESPONSE_NORMALIZATION", [(1, 4, 4, 6)], [(1, 4, 4, 6)],
     "LocalResponseNormalizationOptions", {"Radius": 2}, {}, ["LRN"], {"size": 5}),
    ("RESIZE_BILINEAR", [(1, 4, 4, 6)], [(1, 8, 8, 6)], "ResizeBilinearOptions", {},
     {"size": np.array([8, 8], np.int32)}, ["Resize"], {"mode": "linear"}),
    ("UNPACK", [(2, 5)], [(5,), (5,)], "UnpackOptions", {}, {}, ["Split"], {}),
    ("PACK", [(5,), (5,)], [(2, 5)], "PackOptions", {}, {}, ["Concat"], {}),
    ("PAD", [(1, 4)], [(1, 6)], "", {}, {"p": np.array([[0, 0], [1, 1]], np.int32)}, ["Pad"], {}),
    ("STRIDED_SLICE", [(4,)], [(4,)], "", {},
     {"b": np.array([3], np.int32), "e": np.array([-5], np.int32), "s": np.array([-1], np.int32)},
     ["Slice"], {}),
    ("EMBEDDING_LOOKUP", [(3,)], [(3, 8)], "", {}, {"t": weight(100, 8)}, ["Gather"], {}),
    ("SPACE_TO_BATCH_ND", [(1, 4, 4, 6)], [(4, 2, 2, 6)], "", {},
     {"block": np.array([2, 2], np.int32)}, ["SpaceToDepth"], {}),
    ("HARD_SWISH", [(5,)], [(5,)], "", {}, {}, ["HardSwish"], {}),
    ("TOPK_V2", [(4, 6)], [(4, 2), (4, 2)], "", {}, {"k": np.array(2, np.int32)}, ["TopK"], {}),
]  # fmt: skip


@pytest.mark.parametrize("case", KINDS, ids=[case[0].lower() for case in KINDS])
def test_kinds_are_told_in_the_names_of_onnx(tmp_path: Path, case) -> None:
    kind, inputs, outputs, table, options, constants, expected, attributes = case
    names = [f"i{k}" for k in range(len(inputs))], [f"o{k}" for k in range(len(outputs))]
    shapes = dict(zip(names[0], inputs, strict=True)) | dict(zip(names[1], outputs, strict=True))
    op = Op(kind, [*names[0], *constants], names[1], table, options)
    content = tflite_bytes([op], shapes, constants, inputs=names[0], outputs=names[1])
    graph = graph_of(content, tmp_path)
    assert kinds(graph) == expected
    first = graph.operators[0]
    assert {key: first.attributes.get(key) for key in attributes} == attributes
    assert graph.outputs == tuple(names[1])
    assert graph.operators[-1].outputs == tuple(names[1])
    if kind == "EMBEDDING_LOOKUP":  # only the rows that are picked are read
        assert first.weights == (("float32", 24),)


# -- layout and views -----------------------------------------------------------------------------


def test_attention_keeps_the_dimensions_of_the_file(tmp_path: Path) -> None:
    ops = [Op("BATCH_MATMUL", ("x", "k"), ("s",), "BatchMatMulOptions", {"AdjY": True}),
           Op("SOFTMAX", ("s",), ("y",), "SoftmaxOptions")]  # fmt: skip
    shapes = {"x": (1, 3, 7, 16), "k": (1, 3, 9, 16), "s": (1, 3, 7, 9), "y": (1, 3, 7, 9)}
    graph = graph_of(tflite_bytes(ops, shapes, inputs=("x", "k")), tmp_path)
    assert graph.macs == 3 * 7 * 9 * 16
    assert graph.operators[0].inputs == ("x", "k")
    assert graph.tensors["s"].shape == (1, 3, 7, 9)
    assert graph.operators[1].attributes["axis"] == 3


def test_what_hangs_together_with_an_image_is_one(tmp_path: Path) -> None:
    ops = [
        conv("x", "w", "b", "a"),
        Op("LOGISTIC", ("a",), ("s",)),
        Op("CONCATENATION", ("a", "s"), ("y",), "ConcatenationOptions", {"Axis": -1}),
    ]
    shapes = {"x": (1, 4, 6, 2), "a": (1, 4, 6, 3), "s": (1, 4, 6, 3), "y": (1, 4, 6, 6)}
    graph = graph_of(tflite_bytes(ops, shapes, {"w": weight(3, 1, 1, 2), "b": weight(3)}), tmp_path)
    assert graph.tensors["y"].shape == (1, 6, 4, 6)
    assert graph.operators[-1].attributes["axis"] == 1


@pytest.mark.parametrize(("axis", "place"), [(0, 0), (1, 2), (2, 3), (3, 1), (-1, 1)])
def test_axes_of_images_are_told_where_they_stand_here(tmp_path, axis: int, place: int) -> None:
    made = [1, 4, 6, 3]
    made[axis] *= 2
    joined = Op("CONCATENATION", ("a", "a"), ("y",), "ConcatenationOptions", {"Axis": axis})
    ops = [conv("x", "w", "b", "a"), joined]
    shapes = {"x": (1, 4, 6, 2), "a": (1, 4, 6, 3), "y": made}
    graph = graph_of(tflite_bytes(ops, shapes, {"w": weight(3, 1, 1, 2), "b": weight(3)}), tmp_path)
    assert graph.operators[-1].attributes["axis"] == place


@pytest.mark.parametrize(
    ("perm", "made", "moves"),
    [((0, 3, 1, 2), (1, 5, 4, 1), True), ((0, 2, 1, 3), (1, 1, 4, 5), False)],
)
def test_a_transpose_is_judged_in_the_layout_of_memory(tmp_path, perm, made, moves) -> None:
    # The image 1x4x1x5 is told as 1x5x4x1 here, and its channels-first form as 1x1x5x4: by the
    # numbers alone nothing would have moved.
    ops = [conv("x", "w", "b", "a"), Op("TRANSPOSE", ("a", "perm"), ("t",)),
           Op("RELU", ("t",), ("y",))]  # fmt: skip
    shapes = {"x": (1, 4, 1, 2), "a": (1, 4, 1, 5), "t": made, "y": made}
    constants = {
        "w": weight(5, 1, 1, 2), "b": weight(5), "perm": np.array(perm, np.int32)
    }  # fmt: skip
    graph = graph_of(tflite_bytes(ops, shapes, constants), tmp_path)
    assert ("Transpose" in kinds(graph)) == moves


def test_views_and_what_only_they_need_disappear(tmp_path: Path) -> None:
    ops = [
        Op("SHAPE", ("x",), ("shape",), "ShapeOptions"),
        Op("RESHAPE", ("x", "shape"), ("flat",), "ReshapeOptions"),
        Op("SQUEEZE", ("flat",), ("z",), "SqueezeOptions"),
        Op("TANH", ("z",), ("y",)),
    ]
    shapes = {"x": (1, 4, 6), "shape": (2,), "flat": (1, 24), "z": (24,), "y": (24,)}
    graph = graph_of(tflite_bytes(ops, shapes, dtypes={"shape": "int32"}), tmp_path)
    assert kinds(graph) == ["Tanh"]
    assert graph.operators[0].inputs == ("x",)
    assert graph.absorbed == dict.fromkeys(("SHAPE_0", "RESHAPE_1", "SQUEEZE_2"), "TANH_3")


# -- open dimensions ------------------------------------------------------------------------------


def test_an_open_batch_is_the_files_unless_it_is_stated(tmp_path: Path) -> None:
    content = small_network(open_batch=True)
    graph = graph_of(content, tmp_path)
    assert graph.tensors["x"].shape == (1, 3, 9, 8)
    assert "x [?, 9, 8, 3]" in graph.notes[0]
    four = graph_of(content, tmp_path, input_shapes={"x": (4, 9, 8, 3)})
    assert four.macs == 4 * graph.macs
    assert not four.notes


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        ({"q": (1, 2)}, "not an input"),
        ({"x": (1, 10, 8, 3)}, "only an open batch"),
        ({"x": (1, 9, 8)}, "only an open batch"),
        ({"x": (0, 9, 8, 3)}, "positive whole number"),
    ],
)
def test_other_shapes_are_refused(tmp_path: Path, shapes, told: str) -> None:
    with pytest.raises(WorkloadError, match=told):
        graph_of(small_network(open_batch=True), tmp_path, input_shapes=shapes)


def test_a_batch_that_is_fixed_stays(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="only an open batch"):
        graph_of(small_network(), tmp_path, input_shapes={"x": (2, 9, 8, 3)})


# -- what is refused ------------------------------------------------------------------------------


def test_nothing_truncated_is_read(tmp_path: Path) -> None:
    content = small_network()
    for end in range(0, len(content) - 1, 97):
        with pytest.raises(WorkloadError) as caught:
            graph_of(content[:end], tmp_path)
        assert "net.tflite" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (lambda: b"", "empty"),
        (lambda: b"\x08\x07\x12" * 9, "not a TFLite model"),
        (lambda: small_network(version=2), "version 2"),
        (lambda: one("SVDF"), r"nobody models these operators: TFLite.SVDF \(1\)"),
        (lambda: one("LSTM"), r"TFLite.LSTM \(1\)"),
        (lambda: one("MyNMS"), r"custom.MyNMS \(1\)"),
        (lambda: one("WHILE"), "control flow cannot be simulated.*WHILE"),
        (lambda: one("WHERE"), "the data decides the shape"),
        (lambda: one("ADD", made=(1, 5)), "do not make"),
        (lambda: one("RESHAPE", made=(1, 5)), "RESHAPE_0.*cannot be understood"),
        (lambda: one("RELU", dtypes={"y": "resource"}), "RESOURCE, which hetsim cannot size"),
    ],
)
def test_errors_name_the_file_and_what_is_wrong(tmp_path: Path, content, told: str) -> None:
    with pytest.raises(WorkloadError, match=told) as caught:
        graph_of(content(), tmp_path)
    assert caught.value.where is not None
    assert caught.value.where.file.endswith("net.tflite")


def one(kind: str, made=(1, 4), **options) -> bytes:
    return tflite_bytes([Op(kind, ("x",), ("y",))], {"x": (1, 4), "y": made}, **options)


def test_a_convolution_that_makes_another_size_is_refused(tmp_path: Path) -> None:
    content = tflite_bytes(
        [conv("x", "w", "b", "y")], {"x": (1, 4, 4, 2), "y": (1, 400, 4, 3)},
        {"w": weight(3, 3, 3, 2), "b": weight(3)},
    )  # fmt: skip
    with pytest.raises(WorkloadError, match=r"would make \[1, 4, 4\]"):
        graph_of(content, tmp_path)


def test_a_rule_that_refuses_names_the_file_as_well(tmp_path: Path) -> None:
    content = tflite_bytes(
        [conv("x", "w", "b", "y", kind="DEPTHWISE_CONV_2D")],
        {"x": (1, 4, 4, 4), "y": (1, 4, 4, 7)}, {"w": weight(1, 3, 3, 7), "b": weight(7)},
    )  # fmt: skip
    with pytest.raises(WorkloadError, match=r"net\.tflite.*do not make a convolution"):
        graph_of(content, tmp_path)


def test_unknown_kinds_can_be_costed_by_their_bytes(tmp_path: Path) -> None:
    graph = graph_of(one("MyNMS"), tmp_path, unknown_operators="bandwidth_bound")
    assert "custom.MyNMS (1)" in graph.notes[0]
    assert graph.operators[0].kind == "MyNMS"
    with pytest.raises(WorkloadError, match="unknown_operators is 'free'"):
        graph_of(one("RELU"), tmp_path, unknown_operators="free")


def test_further_subgraphs_are_told(tmp_path: Path) -> None:
    graph = graph_of(small_network(more_subgraphs=2), tmp_path)
    assert "2 further subgraphs" in graph.notes[0]


def test_the_missing_package_is_a_message(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tflite", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'hetsim\[tflite\]'"):
        graph_of(small_network(), tmp_path)


# -- as a format ----------------------------------------------------------------------------------


def test_the_content_tells_where_the_name_does_not(tmp_path: Path) -> None:
    graph = load_network(saved(small_network(), tmp_path, "model.bin"))
    assert graph.operators[0].name == "CONV_2D_0"
    assert network_inputs(str(saved(small_network(), tmp_path))) == ["x"]


def test_a_name_that_says_another_format_is_refused(tmp_path: Path) -> None:
    path = saved(small_network(), tmp_path, "net.onnx")
    with pytest.raises(WorkloadError, match="its name says ONNX, its content is TFLite"):
        load_network(path)
    proto = model([node("Relu", ["x"], "y")], {"x": [1, 4]}, ["y"])
    onnx.save(proto, tmp_path / "net.tflite")
    with pytest.raises(WorkloadError, match="not a TFLite model"):
        load_network(tmp_path / "net.tflite")


def test_a_batch_is_given_by_its_name(tmp_path: Path) -> None:
    content = small_network(open_batch=True)
    one, four = graph_of(content, tmp_path), graph_of(content, tmp_path, dims={"batch": 4})
    assert four.macs == 4 * one.macs
    for given, message in (
        ({"dims": {"seq": 4}}, "no dimension open but the batch"),
        ({"dims": {"batch": 0}}, "must be a positive number"),
        ({"max_output": {"y": 4}}, "states every shape"),
    ):
        with pytest.raises(WorkloadError, match=message):
            graph_of(content, tmp_path, **given)
    with pytest.raises(WorkloadError, match="is no open dimension"):
        graph_of(small_network(), tmp_path, dims={"batch": 4})


def test_what_has_an_open_batch_says_so(tmp_path: Path) -> None:
    assert open_dims([saved(small_network(open_batch=True), tmp_path)]) == ["batch"]
    (tmp_path / "fixed").mkdir()
    assert open_dims([saved(small_network(), tmp_path / "fixed")]) == []
