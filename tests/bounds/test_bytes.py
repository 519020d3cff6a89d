"""The bytes that any plan moves, counted by hand where units keep tensors in other types."""

from __future__ import annotations

import math

import pytest

from hetsim.bounds.makespan import bytes_bound
from hetsim.workload.onnx.loader import load_onnx
from tests.sim.samples import ELEMENTS, NPU, make_graph, make_soc
from tests.workload.samples import model, node, weight

NARROW = NPU | {"precision": {"float32": "int8"}, "dtypes": {"int8": 1.0}}
SOC = make_soc({"npu": NARROW})
GRAPH = make_graph(("a", ("x",), 1.0), ("b", ("a",), 1.0))
ANY, CPU_ONLY, NPU_ONLY = (1.0, 1.0), (1.0, math.inf), (math.inf, 1.0)


@pytest.mark.parametrize(
    ("floors", "of_input", "of_output"),
    [([ANY, ANY], 1, 1), ([CPU_ONLY] * 2, 4, 4), ([NPU_ONLY] * 2, 1, 1),
     ([CPU_ONLY, NPU_ONLY], 4, 1), ([NPU_ONLY, CPU_ONLY], 1, 4)],
)  # fmt: skip
def test_inputs_and_outputs_cross_memory_in_the_narrowest_type_that_a_unit_keeps(
    floors, of_input, of_output
):
    seconds = bytes_bound(GRAPH, SOC, floors)
    assert seconds == pytest.approx(ELEMENTS * (of_input + of_output) / 1e9)


def test_weights_count_in_the_narrowest_type_too():
    constants = {"w": weight(6, 4, 3, 3)}
    nodes = [node("Conv", ["x", "w"], "y", name="c", pads=[1, 1, 1, 1])]
    graph = load_onnx(model(nodes, {"x": [1, 4, 8, 8]}, ["y"], constants))
    elements = 6 * 4 * 9 + 4 * 64 + 6 * 64
    assert bytes_bound(graph, SOC, [ANY]) == pytest.approx(elements / 1e9)
    assert bytes_bound(graph, SOC, [CPU_ONLY]) == pytest.approx(4 * elements / 1e9)
    assert bytes_bound(graph, SOC, [(math.inf, math.inf)]) == 0.0


def test_memories_share_the_bytes_at_best():
    memory = {
        "dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"},
        "scratch": {"bandwidth": "3 GB/s", "capacity": "1 MB"},
    }
    two = make_soc({"npu": NARROW | {"routes": {"scratch": ["scratch"]}}}, memory=memory)
    alone = bytes_bound(GRAPH, SOC, [ANY, ANY])
    assert bytes_bound(GRAPH, two, [ANY, ANY]) == pytest.approx(alone / 4)
