"""Quantised operators: integer products, and the scaling between integers and floats."""

from __future__ import annotations

from hetsim.workload.convolution import convolution_class
from hetsim.workload.costing.elementwise import DIV, SIGMOID
from hetsim.workload.costing.products import convolution_nest, matmul_nest
from hetsim.workload.costing.registry import Call, Cost, rule

REQUANTISE = 4
"""Scale, round, add the zero point, saturate: operations for each result of an integer product."""
DEQUANTISE = 2
"""Subtract the zero point, scale."""


@rule("QLinearConv", statistics=(1, 2, 4, 5, 6, 7))
def _qlinear_conv(call: Call) -> Cost:
    nest = convolution_nest(call, call.input(0), call.input(3), call.output)
    return Cost.of_nest(nest, convolution_class(nest), REQUANTISE * call.result_elements)


@rule("QLinearMatMul", statistics=(1, 2, 4, 5, 6, 7))
def _qlinear_matmul(call: Call) -> Cost:
    nest = matmul_nest(call.input(0), call.input(3))
    return Cost.of_nest(nest, element_ops=REQUANTISE * call.result_elements)


@rule("QuantizeLinear", statistics=(1, 2))
def _quantise(call: Call) -> Cost:
    return Cost(element_ops=(REQUANTISE - 1 + DIV) * call.result_elements)


@rule("DequantizeLinear", statistics=(1, 2), typed_by="output")
def _dequantise(call: Call) -> Cost:
    return Cost(element_ops=DEQUANTISE * call.result_elements)


@rule("DynamicQuantizeLinear")
def _dynamic_quantise(call: Call) -> Cost:
    """Minimum and maximum of all elements, then quantisation."""
    return Cost(element_ops=(2 + REQUANTISE - 1 + DIV) * call.result_elements)


@rule("QLinearAdd", "QLinearMul", statistics=(1, 2, 4, 5, 6, 7))
def _qlinear_binary(call: Call) -> Cost:
    return Cost(element_ops=(2 * DEQUANTISE + 1 + REQUANTISE) * call.result_elements)


@rule("QLinearLeakyRelu", "QLinearSigmoid", "QLinearSoftmax", statistics=(1, 2, 3, 4))
def _qlinear_unary(call: Call) -> Cost:
    return Cost(element_ops=(DEQUANTISE + SIGMOID + REQUANTISE) * call.result_elements)


@rule("QLinearConcat", statistics=(0, 1))
def _qlinear_concat(call: Call) -> Cost:
    return Cost(element_ops=(DEQUANTISE + REQUANTISE) * call.result_elements)


@rule("QLinearGlobalAveragePool", "QLinearAveragePool", statistics=(1, 2, 3, 4))
def _qlinear_average(call: Call) -> Cost:
    return Cost(element_ops=call.input(0).elements + REQUANTISE * call.result_elements)
