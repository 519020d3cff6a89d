"""Which operators a unit takes: by type of data, by list, by rule."""

from __future__ import annotations

import pytest

from hetsim.cost.support import why_not
from hetsim.cost.work import Kernel
from hetsim.workload.onnx.loader import load_onnx
from tests.sim.samples import make_soc
from tests.workload.samples import model, node, weight

CPU = {"macs_per_cycle": {"int8": 4}}


@pytest.fixture(scope="module")
def graph():
    nodes = [
        node("Conv", ["x", "w"], "a", name="c", pads=[1, 1, 1, 1], group=2, strides=[1, 2]),
        node("Relu", ["a"], "y", name="r"),
    ]
    return load_onnx(model(nodes, {"x": [1, 4, 8, 8]}, ["y"], {"w": weight(6, 2, 3, 3)}))


def reason(graph, name, **spec):
    pu = make_soc({"cpu": spec}).by_name["cpu"]
    return why_not(pu, Kernel.of(graph, (graph.operator(name),)))


def test_products_need_a_rate_for_their_type_and_element_wise_work_needs_none(graph):
    assert reason(graph, "c", **CPU) == "cpu does not compute in float32"
    assert reason(graph, "r", **CPU) is None
    assert reason(graph, "c") is None


def test_a_list_of_operators_is_all_that_a_unit_takes(graph):
    only = {"operators": {"Conv": {}}}
    assert reason(graph, "c", **only) is None
    assert reason(graph, "r", **only) == "cpu does not run Relu"
    assert reason(graph, "r", exclude=["Relu"]) == "Relu is excluded on cpu"
    assert reason(graph, "c", exclude=["Relu"]) is None


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        ({"in_channels_multiple_of": 4}, True),
        ({"in_channels_multiple_of": 8}, False),
        ({"out_channels_multiple_of": 3}, True),
        ({"out_channels_multiple_of": 4}, False),
        ({"max_kernel": 3}, True),
        ({"max_kernel": 2}, False),
        ({"max_groups": 2}, True),
        ({"max_groups": 1}, False),
        ({"max_stride": 2}, True),
        ({"max_stride": 1}, False),
    ],
)
def test_a_rule_holds_to_its_last_value(graph, rule, fits):
    assert (reason(graph, "c", operators={"Conv": rule}) is None) is fits
