"""Our readers of foreign profiles pass the readers' kit."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cached_property

import pytest

from hetsim.cost.measured.readers.nestc import write
from hetsim.testing import ReaderKit
from hetsim.workload.zoo import load_model

pytestmark = pytest.mark.slow


class TestCSV(ReaderKit):
    form = "csv"

    def write(self, graph, times):
        return "operators,time_us\n" + "".join(f"{op},{s * 1e6!r}\n" for op, s in times.items())


class TestNESTC(ReaderKit):
    form = "nestc"
    # Gemm keys hold no width and ours do, but SqueezeNet has none.

    def write(self, graph, times):
        return write("CPU", [(graph, (graph.operator(op),), s) for op, s in times.items()]).text


class TestORT(ReaderKit):
    form = "ort"

    def write(self, graph, times):
        return json.dumps(
            [
                {
                    "cat": "Node", "name": f"{op}_kernel_time", "dur": s * 1e6, "ts": run * 1000,
                    "args": {"op_name": "X", "provider": "CPUExecutionProvider"},
                }
                for run in range(3)
                for op, s in times.items()
            ]
        )  # fmt: skip


class TestAutoTVM(ReaderKit):
    form = "autotvm"
    tells = ("Conv",)

    def write(self, graph, times):
        return "\n".join(
            json.dumps(
                {"input": [TARGET, TASK, arguments(graph, op), {}], "result": [[s], 0, 1, 0]}
            )
            for op, s in times.items()
        )


class TestTFLite(ReaderKit):
    form = "tflite"

    @cached_property
    def graph(self):
        """SqueezeNet under the names that a TFLite file gives its operators."""
        return numbered(load_model("squeezenet"))

    def write(self, graph, times):
        rows = [
            f"{name.rpartition('_')[0]}, 0, {s * 1e3!r}, {s * 1e3!r}, 1%, 1%, 0, 1,"
            f" [{graph.operator(name).outputs[0]}]:{name.rpartition('_')[2]}"
            for name, s in times.items()
        ]
        return "\n".join(
            [
                "Operator-wise Profiling Info for Regular Benchmark Runs:",
                "============================== Run Order ==============================",
                "node type, start, first, avg_ms, %, cdf%, mem KB, times called, name",
                *rows,
                "",
                "Timings (microseconds): count=50 first=1 curr=1 min=1 max=1 avg=1 std=0",
            ]
        )


class TestOpenVINO(ReaderKit):
    """Execution graphs."""

    form = "openvino"

    def write(self, graph, times):
        layers = "".join(
            f'<layer id="{i}" name="{op}" type="X">\n<data execOrder="{i}" execTimeMcs='
            f'"{round(s * 1e6)}" originalLayersNames="{op}"/>\n</layer>\n'
            for i, (op, s) in enumerate(times.items())
        )
        return f'<?xml version="1.0"?>\n<net name="x"><layers>\n{layers}</layers></net>\n'


class TestOpenVINOCounters(ReaderKit):
    form = "openvino"

    def write(self, graph, times):
        rows = [f"{op};Status.EXECUTED;X;jit;{s * 1e3!r};0" for op, s in times.items()]
        header = "layerName;execStatus;layerType;execType;realTime (ms);cpuTime (ms)"
        return "\n".join([header, *rows, "Total;;;;1.0;1.0", ""])


def numbered(graph):
    """The same network, every operator called by its kind and position."""
    operators = [replace(op, name=f"{op.kind.upper()}_{i}") for i, op in enumerate(graph.operators)]
    return replace(graph, operators=tuple(operators))


TARGET, TASK = "llvm -device=arm_cpu -model=board", "conv2d_nchw_spatial_pack.arm_cpu"


def arguments(graph, name):
    op = graph.operator(name)
    nest, a = op.nest, op.attributes
    weights = [nest.out_c * nest.groups, nest.in_c, nest.k_h, nest.k_w]
    data = ["TENSOR", list(graph.tensors[op.inputs[0]].shape), "float32"]
    pads = list(a.get("pads", [0, 0, 0, 0]))
    strides, dilations = list(a.get("strides", [1, 1])), list(a.get("dilations", [1, 1]))
    return [data, ["TENSOR", weights, "float32"], strides, pads, dilations, "NCHW", "float32"]
