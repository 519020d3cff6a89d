"""Small networks to run for real, and measurements made up without running anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from hetsim.host.bandwidth import Bandwidth
from hetsim.host.cuts import CutCosts
from hetsim.host.describe import HostMeasurements
from hetsim.host.machine import Cache, Machine
from hetsim.host.measure import NetworkTimes, Timing
from hetsim.host.network import Network, make_network
from hetsim.workload.sizes import Sizes


def branches(extra: str | None = None) -> ModelProto:
    """Two convolutions beside each other behind a first one, joined; ``extra`` ends it."""
    rng = np.random.default_rng(0)

    def weights(name: str, o: int, i: int, k: int) -> TensorProto:
        return numpy_helper.from_array(rng.standard_normal((o, i, k, k)).astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["x", "w0"], ["a"], "stem", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w1"], ["c"], "left"),
        helper.make_node("Conv", ["b", "w2"], ["d"], "right", pads=[1, 1, 1, 1]),
        helper.make_node("Concat", ["c", "d"], ["e"], "join", axis=1),
        helper.make_node("Flatten", ["e"], ["f"]),
        helper.make_node("Sigmoid", ["f"], ["y"], "end"),
    ]
    out = "y"
    if extra is not None:
        nodes.append(helper.make_node(extra, ["y"], ["z"], "extra", domain="com.microsoft"))
        out = "z"
    graph = helper.make_graph(
        nodes,
        "branches",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info(out, TensorProto.FLOAT, None)],
        [weights("w0", 4, 3, 3), weights("w1", 4, 4, 1), weights("w2", 4, 4, 3)],
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def small_network(seed: int = 0) -> Network:
    return make_network(branches(), "branches", sizes=Sizes({"x": (1, 3, 8, 8)}), seed=seed)


MACHINE = Machine(
    "made up", "Nowhere", (0, 1), 2e9, (Cache(1, 32 << 10, 1), Cache(2, 1 << 20, 1)),
    4 << 30, 16, False,
)  # fmt: skip


def made_up(
    threads: int = 1, company: float = 0.9, overhead: float = 1.2, clock_hz: float = 2e9
) -> HostMeasurements:
    """Measurements of the small network: kernels of 10, 20, ... us, the whole a bit more."""
    network = small_network()
    kernels = {
        (op.name,): Timing(1e-5 * (i + 1), 1e-5 * (i + 1), 1e-7, 20)
        for i, op in enumerate(network.graph.operators)
    }
    total = sum(timing.low_s for timing in kernels.values())
    whole = Timing(total * overhead, total * overhead, 1e-6, 20)
    times = NetworkTimes(network, threads, "basic", kernels, whole, whole.median_s, (), 0.0, True)
    bandwidths = tuple(
        Bandwidth(n * threads, n * 8e9, n * 7e9, 64 << 20, False)
        for n in range(1, 2 // threads + 1)
    )
    machine = replace(MACHINE, clock_hz=clock_hz)
    return HostMeasurements(machine, threads, (times,), bandwidths, CutCosts(5e-6), company)
