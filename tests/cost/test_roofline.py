"""Cycles of units that state rates and efficiencies, by hand."""

from __future__ import annotations

import pytest

from hetsim.cost.analytical.roofline import element_rate
from hetsim.cost.pu import model_of
from hetsim.soc.loader import build_soc
from hetsim.workload.graph import Operator
from hetsim.yamlio import parse_yaml

SOC = """
hetsim: soc/1
name: one
memory: {dram: {bandwidth: 100 GB/s, capacity: 1 GiB}}
runtime: {host: cpu}
pus:
  cpu:
    kind: cpu_cluster
    cores: 1
    path: [dram]
    operating_points: {on: {clock: 1 GHz}}
    macs_per_cycle: {float32: 8}
    element_ops_per_cycle: {float32: 4, int8: 16}
    efficiency: {default: 0.5, Softmax: 0.25, Conv: 0.4, Conv.depthwise: 0.2}
"""


def cycles(kind, macs, element_ops, dtype="float32"):
    op = Operator(
        "o", kind, ("x",), ("y",), macs=macs, element_ops=element_ops, dtype=dtype
    )  # fmt: skip
    return model_of(build_soc(parse_yaml(SOC, "one.yaml")).by_name["cpu"]).cycles(op)


def test_products_and_other_operations_take_their_time_one_after_the_other():
    assert cycles("Gemm", 800, 0) == pytest.approx(800 / (8 * 0.5))
    assert cycles("Gemm", 0, 600) == pytest.approx(600 / (4 * 0.5))
    assert cycles("Gemm", 800, 600) == pytest.approx(200 + 300)


def test_a_kind_with_an_efficiency_of_its_own_goes_by_it():
    assert cycles("Softmax", 0, 600) == pytest.approx(600 / (4 * 0.25))
    assert cycles("Add", 0, 600) == pytest.approx(600 / (4 * 0.5))


def test_each_data_type_has_its_own_rate():
    assert cycles("Add", 0, 600, "int8") == pytest.approx(600 / (16 * 0.5))


def test_a_type_without_a_rate_goes_by_its_width_and_failing_that_by_the_slowest():
    rates = {"float32": 4.0, "int32": 3.0, "int8": 16.0}
    assert element_rate(rates, "int8") == 16.0
    assert element_rate(rates, "uint8") == 16.0  # as wide as int8
    assert element_rate(rates, "uint32") == 3.0  # the slower of two as wide
    assert element_rate(rates, "float16") == 3.0  # none is as wide
