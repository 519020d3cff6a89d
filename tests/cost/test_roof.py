"""What a kernel is said to compute, whatever kind of unit it runs on."""

from __future__ import annotations

import math

import pytest

from hetsim.cost.pu import PUModel, Roof, model_of
from hetsim.cost.support import why_not
from hetsim.cost.work import NOWHERE, Kernel
from hetsim.soc.loader import load_soc
from hetsim.workload.zoo import load_model
from tests.cost.samples import FAR, graph_of, matmul, unit


@pytest.fixture(scope="module")
def graph():
    return load_model("squeezenet")


@pytest.mark.parametrize("name", ["zcu102-vta", "phone-gpu-dsp", "qcm6690", "edge-mcu"])
def test_products_count_where_there_are_any_else_element_wise_operations(graph, name):
    seen = set()
    for pu in load_soc(name).pus:
        for kind in ("Conv", "MaxPool"):
            op = next(op for op in graph.operators if op.kind == kind)
            kernel = Kernel.of(graph, (op,))
            if why_not(pu, kernel) is None:
                roof = model_of(pu).roof(kernel)
                assert roof.operations == (op.macs if kind == "Conv" else op.element_ops) > 0
                assert roof.per_second > 0
                # What a kind from outside gets that says nothing itself.
                plain = PUModel.roof(model_of(pu), kernel)
                assert (plain.operations, plain.per_second) == (roof.operations, math.inf)
                seen.add(kind)
    assert seen == {"Conv", "MaxPool"}


def test_of_a_kind_from_outside_nothing_is_known_that_it_does_not_say():
    class Bare(PUModel):
        def work(self, graph, kernel, residency):
            raise AssertionError("only what it does not say is asked")

        def floor(self, op):
            return 0.0

    points = {"slow": {"clock": "1 GHz"}, "fast": {"clock": "3 GHz"}}
    pu = unit("accelerator", macs_per_cycle={"int8": 4.0}, element_ops_per_cycle={"int8": 1.0},
              efficiency={"default": 1.0}, operating_points=points)  # fmt: skip
    op = matmul(2, 3, 4)
    bare, graph = Bare(pu), graph_of(op)
    assert bare.least(op.nest, "int8") == 0.0  # no measured time is refuted
    assert bare.quickest(graph, Kernel.of(graph, (op,)), NOWHERE, FAR) is None
    assert bare.top_clock == 3e9
    assert bare.roof(Kernel.of(graph, (op,))) == Roof(24, math.inf, "operations")
