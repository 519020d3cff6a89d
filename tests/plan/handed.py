"""A network with one node of each role, and plans of it, for tests of the hand-over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from hetsim.plan.handover.base import Order
from hetsim.plan.handover.targets import parse_targets
from hetsim.plan.model import Partition, Plan
from hetsim.soc.loader import load_soc
from hetsim.workload.onnx.runnable import Runnable, make_runnable

SOC = load_soc("zcu102-vta")


def every_role() -> ModelProto:
    """Operators, a folded BatchNormalization, views, shape arithmetic, a constant, a dead node.

    Two nodes have no name, two share one.
    """
    rng = np.random.default_rng(3)

    def weight(name: str, *shape: int) -> TensorProto:
        return numpy_helper.from_array((0.1 * rng.standard_normal(shape)).astype(np.float32), name)

    constant = numpy_helper.from_array(np.full((1, 8, 1, 1), 0.5, np.float32), "half")
    make = helper.make_node
    nodes = [
        make("Conv", ["x", "w0"], ["a"], "conv", pads=[2, 2, 2, 2]),
        make("BatchNormalization", ["a", "scale", "bias", "mean", "var"], ["b"], "norm"),
        make("Relu", ["b"], ["c"]),
        make("Constant", [], ["k"], "made", value=constant),
        make("Neg", ["k"], ["k2"], "turned"),
        make("Mul", ["c", "k2"], ["d"], "twice"),
        make("Add", ["d", "c"], ["e"], "twice"),
        make("Sigmoid", ["d"], ["nowhere"], "dead"),
        make("Shape", ["c"], ["s"], "shape"),
        make("Gather", ["s", "zero"], ["s0"], "first"),
        make("Unsqueeze", ["s0", "zeros"], ["s1"], "boxed"),
        make("Concat", ["s1", "rest"], ["target"], "target", axis=0),
        make("Reshape", ["e", "target"], ["f"], "view"),
        make("Gemm", ["f", "w1"], ["g"], "dense"),
        make("Softmax", ["g"], ["y"]),
    ]
    ints = {"zero": 0, "zeros": [0], "rest": [-1]}
    graph = helper.make_graph(
        nodes,
        "roles",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
        [
            weight("w0", 8, 3, 5, 5), weight("w1", 512, 5), weight("scale", 8), weight("bias", 8),
            weight("mean", 8), numpy_helper.from_array(np.ones(8, np.float32), "var"),
            *(numpy_helper.from_array(np.array(v, np.int64), k) for k, v in ints.items()),
        ],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def quantised() -> ModelProto:
    """Two convolutions that read one dequantised tensor, as quantisers write it (QDQ)."""
    rng = np.random.default_rng(4)
    make = helper.make_node
    tensors = [
        numpy_helper.from_array(np.float32(0.05), "s"), numpy_helper.from_array(np.int8(0), "z")
    ]  # fmt: skip
    nodes = [make("QuantizeLinear", ["x", "s", "z"], ["xq"], "q_x"),
             make("DequantizeLinear", ["xq", "s", "z"], ["xf"], "dq_x")]  # fmt: skip
    source = "xf"
    for name in ("first", "left", "right"):
        values = rng.integers(-20, 20, (4, 4, 1, 1)).astype(np.int8)
        tensors.append(numpy_helper.from_array(values, f"w_{name}"))
        nodes += [
            make("DequantizeLinear", [f"w_{name}", "s", "z"], [f"wf_{name}"], f"dq_w_{name}"),
            make("Conv", [source, f"wf_{name}"], [name], name),
            make("QuantizeLinear", [name, "s", "z"], [f"{name}_q"], f"q_{name}"),
            make("DequantizeLinear", [f"{name}_q", "s", "z"], [f"{name}_f"], f"dq_{name}"),
        ]
        source = "first_f"
    nodes.append(make("Sub", ["left_f", "right_f"], ["y"], "end"))
    info = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 4, 4, 4]) for n in ("x", "y")]
    graph = helper.make_graph(nodes, "quantised", info[:1], info[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def stretches(ready: Runnable, every: int) -> Plan:
    """A plan that changes the unit after ``every`` operators."""
    names = [op.name for op in ready.graph.operators]
    parts = [names[i : i + every] for i in range(0, len(names), every)]
    return Plan(
        ready.graph.name,
        tuple(Partition(f"p{i}", ("cpu", "npu")[i % 2], tuple(ops)) for i, ops in enumerate(parts)),
    )


def order(ready: Runnable, plan: Plan, mapped: Sequence[str] = ()) -> Order:
    """What an exporter is given."""
    return Order(plan, ready.graph, SOC, parse_targets(mapped), lambda: ready)


def roles() -> Runnable:
    """The network of :func:`every_role`, ready to be run."""
    return make_runnable(every_role(), "roles")
