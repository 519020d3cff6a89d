"""The zoo's networks against published figures, and against their layer tables by hand."""

from __future__ import annotations

import math
import subprocess
import sys
from functools import cache

import onnx
import pytest

from hetsim.errors import WorkloadError
from hetsim.workload import zoo
from hetsim.workload.graph import Graph
from hetsim.workload.onnx.loader import load_onnx
from hetsim.workload.zoo import (
    MODELS,
    build_model_proto,
    measured_as,
    model_names,
    with_random_weights,
)
from hetsim.workload.zoo.randwire import randwire, watts_strogatz

BUILT = [name for name, entry in MODELS.items() if entry.build]

load_model = cache(zoo.load_model)
"""Graphs do not change, and several tests look at the same."""


@pytest.mark.slow
@pytest.mark.parametrize("name", model_names())
def test_figures_match_the_published_ones_within_a_percent(name: str) -> None:
    entry, graph = MODELS[name], load_model(name)
    assert entry.source
    for what in sorted(entry.comparable):
        published = getattr(entry, what)
        if published is not None:
            assert getattr(graph, what) == pytest.approx(published, rel=0.01)
    if len(entry.comparable) < 2 or entry.macs is None:
        assert entry.remark, "a figure that the file does not reach needs its reason"


def test_alexnet_has_the_published_work_at_the_published_input_size() -> None:
    proto = build_model_proto("alexnet")
    data = next(i for i in proto.graph.input if i.name == "data_0")
    for dim in data.type.tensor_type.shape.dim[2:]:
        dim.dim_value = 227
    for node in proto.graph.node:  # the exporter padded the last pool to make up for 224
        if node.op_type == "MaxPool":
            for attribute in node.attribute:
                if attribute.name == "pads":
                    attribute.ints[:] = [0, 0, 0, 0]
    assert load_onnx(proto).macs == pytest.approx(MODELS["alexnet"].macs, rel=0.01)


def test_googlenet_has_the_published_work_when_pools_round_up() -> None:
    proto = build_model_proto("googlenet")
    proto.opset_import[0].version = 10
    for node in proto.graph.node:
        if node.op_type == "MaxPool":
            node.attribute.append(onnx.helper.make_attribute("ceil_mode", 1))
        if node.op_type == "AveragePool":
            for attribute in node.attribute:
                if attribute.name == "pads":
                    attribute.ints[:] = [0, 0, 0, 0]
    assert load_onnx(proto).macs == pytest.approx(MODELS["googlenet"].macs, rel=0.01)


@pytest.mark.slow
def test_densenet_has_the_published_parameters_without_the_doubled_affine() -> None:
    graph = load_model("densenet121", fold_batch_norm=False)
    doubled = sum(
        2 * graph.tensors[operator.inputs[0]].shape[1]
        for operator in graph.operators
        if operator.kind == "BatchNormalization"
    )
    assert graph.parameters - doubled == pytest.approx(MODELS["densenet121"].parameters, rel=1e-3)


def test_zfnet_from_its_layer_table() -> None:
    convolutions = [  # output extent, kernel, input and output channels
        (109, 7, 3, 96), (25, 5, 96, 256), (12, 3, 256, 512), (12, 3, 512, 512), (12, 3, 512, 512),
    ]  # fmt: skip
    dense = [(6 * 6 * 512, 4096), (4096, 1024), (1024, 1000)]
    graph = load_model("zfnet512")
    assert graph.macs == sum(o * o * k * k * i * c for o, k, i, c in convolutions) + sum(
        i * o for i, o in dense
    )
    assert graph.parameters == sum(k * k * i * c + c for _, k, i, c in convolutions) + sum(
        i * o + o for i, o in dense
    )


def test_shufflenet_from_its_stages() -> None:
    groups, macs, extent, channels = 4, 112 * 112 * 27 * 24, 56, 24
    for width, units in ((136, 4), (272, 8), (544, 4)):
        for unit in range(units):
            stride = 2 if unit == 0 else 1
            inner = width - channels if stride == 2 else width
            first_groups = groups
            macs += extent * extent * channels * inner // first_groups
            extent //= stride
            macs += extent * extent * 9 * inner
            macs += extent * extent * inner * inner // groups
            channels = width
    macs += 544 * 1000
    assert load_model("shufflenet").macs == macs


CLOSED_FORMS = {
    # 384 tokens: 12 layers of four products and two of four times the width, attention, the head
    "bert_base_words": 384 * 768 * (12 * (12 * 768 + 2 * 384) + 768 + 30522),
    "distilbert_words": 384 * 768 * (6 * (12 * 768 + 2 * 384) + 768 + 30522),
    # two convolutions of three rows, 1500 tokens, keys and values of as many decoder layers
    "whisper_tiny_encoder": 3000 * 240 * 384 + 1500 * 384 * (1152 + 4 * (14 * 384 + 2 * 1500)),
    "whisper_small_encoder": 3000 * 240 * 768 + 1500 * 768 * (2304 + 12 * (14 * 768 + 2 * 1500)),
    # 24 layers on 128 frames, behind one that widens 320 features
    "emformer_24": 128 * 512 * (320 + 24 * (12 * 512 + 2 * 128)),
    # each level has a quarter of the pixels of the one above, and twice the channels
    "unet": 640 * 1280 * (9 * (3 * 64 + 64 * 64) + 4 * 9 * (64 * 128 + 128 * 128) // 4
                          + 4 * (128 * 64 + 9 * (128 * 64 + 64 * 64)) + 64 * 2),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_work_that_nobody_published_is_that_of_the_papers_structure(name: str) -> None:
    assert MODELS[name].macs is None
    assert load_model(name).macs == CLOSED_FORMS[name]


def test_the_hands_convolutions_are_those_of_xrbenchs_table() -> None:
    listed, uncounted_stride = 4_162_060_288, 3 * 64 * 7 * 7 * (128 * 128 - 64 * 64)
    convolutions = [op for op in load_model("hand_graph_cnn_half").operators if op.kind == "Conv"]
    assert len(convolutions) == 212
    assert sum(op.macs for op in convolutions) == listed - uncounted_stride


@pytest.mark.parametrize(
    ("name", "layers", "listed"),
    [("d2go_rcnn", 138, 5_270_832), ("plane_rcnn_body", 112, 45_737_152)],
)
def test_layers_have_the_weights_of_xrbenchs_table(name: str, layers: int, listed: int) -> None:
    found = [op for op in load_model(name).operators if op.kind in ("Conv", "Gemm")]
    assert len(found) == layers
    tensors = load_model(name).tensors
    weights = [op.macs // math.prod(tensors[op.outputs[0]].shape[2:]) for op in found]
    assert sum(weights) == listed  # a depthwise convolution's channels once


def test_shufflenet_v2_has_the_published_work_where_pooling_counts() -> None:
    pooled = 7 * 7 * 1024
    assert round((load_model("shufflenet_v2_x0_5").macs + pooled) / 1e6) == 41


def test_swin_has_the_published_parameters_but_for_what_exports_write_out() -> None:
    heads = [3] * 2 + [6] * 2 + [12] * 6 + [24] * 2
    places, windows = 49 * 49, [64, 16, 4, 4, 4]  # every second block of the first three stages
    written = (places - 13 * 13) * sum(heads) + places * sum(windows)
    trained = load_model("swin_t").parameters - written
    assert trained == pytest.approx(MODELS["swin_t"].parameters, rel=1e-3)


@pytest.mark.slow
def test_gelu_through_erf_and_gelu_as_one_operator_cost_the_same() -> None:
    written_out, graph = build_model_proto("bert_base"), load_model("bert_base")
    proto = onnx.version_converter.convert_version(written_out, 20)
    halves = {n.name: n for n in proto.graph.node if n.name.endswith("gelu.halve")}
    starts = {n.name: n for n in proto.graph.node if n.name.endswith("gelu.div")}
    for name, node in halves.items():
        source = starts[name.replace("halve", "div")].input[0]
        node.CopyFrom(onnx.helper.make_node("Gelu", [source], node.output, name=name))
    joined = load_onnx(proto)
    assert sum(op.kind == "Gelu" for op in joined.operators) == 12
    assert [(op.kind, op.macs, op.element_ops) for op in joined.operators] == [
        (op.kind, op.macs, op.element_ops) for op in graph.operators
    ]


def test_measured_names_lead_to_the_networks_that_were_measured() -> None:
    assert measured_as("googlenet") == "googlenet_bn"
    assert measured_as("mobilenet_v2", "MobileNet-v2") == "mobilenet_v2"
    assert measured_as("whisper_tiny", "HfWhisperEncoder") == "whisper_tiny_encoder"
    assert measured_as("whisper_tiny", "HfWhisperDecoder") is None
    assert measured_as("alexnet") is None
    # torchvision's exports at 224x224, as they were measured
    for network, macs in (("inception_v3", 2.8379e9), ("efficientnet_v2_s", 2.8499e9)):
        name = measured_as(network)
        assert name
        assert load_model(name).macs == pytest.approx(macs, rel=1e-4)


@pytest.mark.slow
def test_randwire_reproduces_the_published_mean_over_its_family() -> None:
    graphs = [load_onnx(randwire(seed)) for seed in range(5)]
    mean_macs = sum(graph.macs for graph in graphs) / 5
    mean_parameters = sum(graph.parameters for graph in graphs) / 5
    assert mean_macs == pytest.approx(583e6, rel=0.01)
    assert mean_parameters == pytest.approx(5.6e6, rel=0.01)
    for graph in graphs:  # published: mean +- 6.2 M over five networks
        assert abs(graph.macs - 583e6) < 2 * 6.2e6


def test_watts_strogatz_keeps_edges_connects_and_points_forward() -> None:
    for seed in range(20):
        before = watts_strogatz(32, 4, 0.75, seed)
        assert sum(map(len, before)) == 32 * 4 // 2
        assert all(origin < node for node, origins in enumerate(before) for origin in origins)
        assert before == watts_strogatz(32, 4, 0.75, seed)
    ring = watts_strogatz(8, 2, 0.0, 0)
    assert ring == [set(), {0}, {1}, {2}, {3}, {4}, {5}, {0, 6}]


def test_moving_the_stride_changes_only_the_work() -> None:
    early, late = load_model("resnet50_v1"), load_model("resnet50_v1_5")
    assert early.parameters == late.parameters
    # three 1x1 convolutions run at half the extent: 56 -> 28 and so on
    saved = sum(
        (4 - 1) * (56 // s // 2) ** 2 * c * c // 2 for s, c in ((1, 256), (2, 512), (4, 1024))
    )
    assert late.macs - early.macs == saved


def test_resnet_versions_differ_only_by_origin() -> None:
    light, built = load_model("resnet50"), load_model("resnet50_v1_5")
    assert (light.macs, light.parameters) == (built.macs, built.parameters)


def test_squeezenet_file_is_version_1_1() -> None:
    assert load_model("squeezenet").macs == load_model("squeezenet1_1").macs


@pytest.mark.parametrize("name", BUILT)
def test_built_models_are_small_valid_and_shaped_as_onnx_says(name: str) -> None:
    proto = build_model_proto(name)
    assert proto.ByteSize() < 500_000
    inferred = onnx.shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True)
    shapes = {
        v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim)
        for v in inferred.graph.value_info
    }
    graph = load_model(name)
    compared = [t for t in graph.tensors.values() if t.name in shapes]
    assert len(compared) > 0.9 * len(graph)
    for tensor in compared:
        assert tensor.shape == shapes[tensor.name]
    assert graph.macs == counted_from_shapes(inferred)


def counted_from_shapes(model: onnx.ModelProto) -> int:
    """Multiply-accumulates from the shapes that ONNX infers, with nothing of hetsim's."""
    values = [*model.graph.value_info, *model.graph.input, *model.graph.output]
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
    total = 0
    for node in model.graph.node:
        first, result = shapes.get(node.input[0], []) if node.input else [], shapes[node.output[0]]
        if node.op_type == "Conv":
            total += math.prod(result) * math.prod(shapes[node.input[1]][1:])
        elif node.op_type == "ConvTranspose":
            total += math.prod(first) * math.prod(shapes[node.input[1]][1:])
        elif node.op_type in ("MatMul", "Gemm"):
            total += math.prod(result) * first[-1]
    return total


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "resnet18", "mobilenet_v2"])
def test_no_weights_views_or_normalisations_are_left(name: str) -> None:
    graph: Graph = load_model(name)
    kinds = {operator.kind for operator in graph.operators}
    assert not kinds & {
        "ConstantOfShape", "Constant", "Reshape", "Flatten", "Dropout", "Identity",
        "BatchNormalization", "Unsqueeze",
    }  # fmt: skip
    assert len(graph.inputs) == 1
    assert graph.tensors[graph.inputs[0]].shape == (1, 3, 224, 224)


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(WorkloadError, match=r"did you mean 'resnet18'"):
        load_model("resnet_18")


def test_alias() -> None:
    assert load_model("inception_v1").name == "googlenet"


@pytest.mark.parametrize("name", ["squeezenet1_1", "squeezenet"])
def test_random_weights_make_a_model_that_runs(name: str) -> None:
    runtime = pytest.importorskip("onnxruntime")
    numpy = pytest.importorskip("numpy")
    proto = with_random_weights(build_model_proto(name), seed=3)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session = runtime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    assert len(session.get_inputs()) == 1
    data = numpy.random.default_rng(0).standard_normal((1, 3, 224, 224)).astype("float32")
    result = session.run(None, {session.get_inputs()[0].name: data})[0]
    assert result.size == 1000
    assert numpy.isfinite(result).all()
    assert result.std() > 0
    again = with_random_weights(build_model_proto(name), seed=3)
    assert again.SerializeToString() == proto.SerializeToString()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["googlenet", "shufflenet", "mobilenet_v2"])
def test_every_shape_is_what_onnxruntime_computes(name: str) -> None:
    runtime = pytest.importorskip("onnxruntime")
    numpy = pytest.importorskip("numpy")
    graph = load_model(name, fold_batch_norm=False)
    proto = with_random_weights(build_model_proto(name))
    names = [tensor for operator in graph.operators for tensor in operator.outputs]
    del proto.graph.output[:]
    proto.graph.output.extend(onnx.helper.make_empty_tensor_value_info(t) for t in names)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = runtime.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    data = numpy.zeros((1, 3, 224, 224), dtype="float32")
    results = session.run(names, {session.get_inputs()[0].name: data})
    for tensor, result in zip(names, results, strict=True):
        assert result.shape == graph.tensors[tensor].shape


@pytest.mark.slow
def test_filling_weights_keeps_the_graph() -> None:
    proto = build_model_proto("resnet18")
    empty, filled = load_onnx(proto), load_onnx(with_random_weights(proto))
    assert filled.operators == empty.operators
    assert filled.parameters == empty.parameters


def test_listing_the_zoo_does_not_import_onnx() -> None:
    program = (
        "import sys, hetsim.workload.zoo as z; z.model_names(); assert 'onnx' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_network_is_read_once_unless_its_options_cannot_be_told_apart() -> None:
    load_model = zoo.load_model  # which is not remembered here as well
    once = load_model("ds_cnn", fold_batch_norm=False)
    assert load_model("kws", fold_batch_norm=False) is once
    assert load_model("ds_cnn", fold_batch_norm=False, name="other").name == "other"
    assert load_model("ds_cnn") is not once
    anew = load_model("ds_cnn", fold_batch_norm=False, dims={})
    assert anew is not once
    assert anew == once
