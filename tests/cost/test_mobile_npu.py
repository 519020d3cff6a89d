"""A phone's NPU against closed forms: padded channels, shares, passes, strips, and its bytes."""

from __future__ import annotations

import pytest

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.analytical.traffic import tensor_bytes
from hetsim.cost.pu import model_of
from hetsim.cost.work import NOWHERE, Kernel
from hetsim.lower.lowering import Lowering
from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.soc.loader import build_soc
from hetsim.workload.onnx.loader import load_onnx
from hetsim.yamlio import parse_yaml

SOC = """
hetsim: soc/1
name: phone
memory: {dram: {bandwidth: 50 GB/s, capacity: 4 GiB}}
pus:
  cpu:
    kind: cpu_cluster
    cores: 1
    path: [dram]
    operating_points: {on: {clock: 1 GHz}}
    macs_per_cycle: {float32: 4}
    element_ops_per_cycle: {float32: 4}
    efficiency: {default: 0.5}
  npu:
    kind: mobile_npu
    path: [dram]
    operating_points: {on: {clock: 1 GHz}}
    precision: {float32: float16}
    dtypes:
      float16:
        macs_per_cycle: 1000
        elements_per_cycle: 50
        efficiency: {default: 0.5, Conv.depthwise: 0.05, Conv.pointwise: 0.8}
        attention: 0.1
        volume: 0.25
        passes: {default: 1.0, Softmax: 4.0, Transpose: 2.0}
        tail: 0.2
        bandwidth: 20 GB/s
        kernel: 1 us
    sram: 8 MiB
    dispatch: 2 us
    rpc: 30 us
    fuse: [Conv-Relu, Conv-Relu-Add]
runtime: {host: cpu}
"""


def soc(**replaced):
    text = SOC
    for old, new in replaced.values():
        assert old in text
        text = text.replace(old, new)
    return build_soc(parse_yaml(text, "phone.yaml"))


def network(body, inputs, outputs, weights=""):
    import onnx.parser

    text = f'<ir_version: 8, opset_import: ["" : 17]>\nn ({inputs}) => ({outputs})\n'
    model = onnx.parser.parse_model(f"{text}{weights}{{ {body} }}")
    for node in model.graph.node:
        node.name = node.output[0]
    for value in list(model.graph.value_info):
        shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
        count = 1
        for dim in shape:
            count *= dim
        model.graph.initializer.append(
            onnx.helper.make_tensor(value.name, 1, shape, bytes(4 * count), raw=True)
        )
    return load_onnx(model, name="n")


def work(graph, *ops, phone=None):
    unit = (phone or soc()).by_name["npu"]
    kernel = Kernel.of(graph, tuple(graph.operator(name) for name in ops))
    return model_of(unit).work(graph, kernel, NOWHERE)


CONV = network(
    "a = Conv <pads=[1,1,1,1]> (x, w)  r = Relu (a)  p = Conv (r, v)",
    "float[1,3,16,16] x", "float[1,40,16,16] p",
    "<float[40,3,3,3] w, float[40,40,1,1] v>",
)  # fmt: skip


def test_channels_fill_up_to_whole_blocks():
    # The stem's 27 taps of channels and its 40 results fill 1 and 2 blocks of 32.
    stem, point = work(CONV, "a").compute_s, work(CONV, "p").compute_s
    assert stem == pytest.approx(256 * 32 * 64 / (1000 * 0.5) / 1e9)
    assert point == pytest.approx(256 * 64 * 64 / (1000 * 0.8) / 1e9)


def test_feature_maps_are_stored_by_blocks_too():
    unit = soc().by_name["npu"]
    assert tensor_bytes(CONV, "x", unit) == 32 * 256 * 2
    assert tensor_bytes(CONV, "p", unit) == 64 * 256 * 2
    assert tensor_bytes(CONV, "x", soc().by_name["cpu"]) == 3 * 256 * 4
    moved = work(CONV, "a")
    assert moved.load_bytes == 32 * 256 * 2 + 40 * 27 * 2
    assert moved.phases[0].seconds == pytest.approx(moved.bytes / 20e9)


def test_a_fused_tail_is_a_cheaper_pass():
    alone, fused = work(CONV, "a"), work(CONV, "a", "r")
    assert fused.compute_s - alone.compute_s == pytest.approx(0.2 * 64 * 256 / 50 / 1e9)
    assert fused.dispatch_s == pytest.approx(3e-6)


def test_depthwise_and_grouped_products():
    graph = network(
        "d = Conv <group=40> (x, w)  g = Conv <group=4> (d, v)",
        "float[1,40,8,8] x", "float[1,40,8,8] g", "<float[40,1,1,1] w, float[40,10,1,1] v>",
    )  # fmt: skip
    assert work(graph, "d").compute_s == pytest.approx(64 * 64 / (1000 * 0.05) / 1e9)
    assert work(graph, "g").compute_s == pytest.approx(64 * 40 * 32 / (1000 * 0.5) / 1e9)
    # One channel in one group is a convolution as any: it and its eight results fill a block each.
    grey = network("c = Conv (x, w)", "float[1,1,8,8] x", "float[1,8,8,8] c",
                   "<float[8,1,1,1] w>")  # fmt: skip
    assert work(grey, "c").compute_s == pytest.approx(64 * 32 * 32 / (1000 * 0.5) / 1e9)


def test_attention_softmax_and_transposes():
    graph = network(
        "t = Transpose <perm=[0,2,1]> (x)  m = MatMul (x, t)  s = Softmax (m)",
        "float[2,48,64] x", "float[2,48,48] s",
    )  # fmt: skip
    assert work(graph, "t").compute_s == pytest.approx(2.0 * 2 * 64 * 64 / 50 / 1e9)
    assert work(graph, "m").compute_s == pytest.approx(2 * 48 * 64 * 64 / (1000 * 0.1) / 1e9)
    assert work(graph, "s").compute_s == pytest.approx(4.0 * 2 * 48 * 64 / 50 / 1e9)


def test_convolutions_of_volumes_have_a_share_of_their_own():
    graph = network(
        "a = Conv <kernel_shape=[3,1,1], pads=[1,0,0,1,0,0]> (x, w)",
        "float[1,32,4,8,8] x", "float[1,32,4,8,8] a", "<float[32,32,3,1,1] w>",
    )  # fmt: skip
    assert work(graph, "a").compute_s == pytest.approx(256 * 3 * 32 * 32 / (1000 * 0.25) / 1e9)


def test_who_reduces_reads_all_of_it():
    graph = network("g = GlobalAveragePool (x)", "float[1,32,16,16] x", "float[1,32,1,1] g")
    assert work(graph, "g").compute_s == pytest.approx(32 * 256 / 50 / 1e9)


def test_strips_keep_larger_tensors():
    whole, strips = soc(), soc(a=("sram: 8 MiB", "sram: 16 KiB\n    strips: 2"))
    least = soc(a=("sram: 8 MiB", "sram: 1 KiB"))
    moved = [loads(CONV, phone) for phone in (whole, strips, least)]
    # A map of 40 channels is 32 KiB in blocks; half of what strips make of the memory is 16.
    assert moved[0] < moved[1] == moved[2]
    assert loads(CONV, soc(a=("sram: 8 MiB", "sram: 16 KiB\n    strips: 4"))) == moved[0]


def loads(graph, phone):
    lowering = Lowering(graph, phone, AnalyticalModel())
    unit = phone.by_name["npu"]
    return sum(launch.work.bytes for launch in lowering.launches(unit, range(len(graph))))


def test_a_network_alone_takes_the_sum_of_its_kernels_and_one_call():
    case = Case(CONV, soc())
    plan = case.plan(create("npu_only", {}))
    program = case.lowering.program(plan)
    (job,) = program.jobs
    kernels = [launch.work for launch in job.launches]
    # The host reads the image in float32 and writes it in float16, and the other way at the end.
    host = (3 + 40) * 256 * (4 + 2) / 50e9
    expected = 30e-6 + host + sum(w.dispatch_s + w.phases[0].seconds for w in kernels)
    assert case.simulate(plan).makespan_s == pytest.approx(expected, rel=1e-9)


def test_few_channels_wait_for_their_results_to_be_stored():
    phone = soc(
        a=("elements_per_cycle: 50", "elements_per_cycle: 50\n        outputs_per_cycle: 4")
    )
    # 64 x 256 stored results at 4 a cycle take longer than the products of one block of channels.
    assert work(CONV, "a", phone=phone).compute_s == pytest.approx(64 * 256 / 4 / 1e9)
    assert work(CONV, "p", phone=phone).compute_s == pytest.approx(64 * 256 / 4 / 1e9)
    fast = soc(
        a=("elements_per_cycle: 50", "elements_per_cycle: 50\n        outputs_per_cycle: 99")
    )
    assert work(CONV, "p", phone=fast) == work(CONV, "p")
