"""Conversions between floats and integers, and what quantised operators are called plainly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hetsim.workload.costing.registry import Call, Cost, rule

QUANTISE = 4
"""Multiply by the inverse scale, round, add the zero point, saturate: operations an element."""
DEQUANTISE = 2
"""Subtract the zero point, scale."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A quantised kind of a file: the ``kind`` it computes, and where its operands stand.

    ``operands`` are input positions; with ``every``, those are the first of many, so far apart.
    """

    kind: str
    operands: tuple[int, ...]
    every: int = 0

    def data(self, inputs: Sequence[str]) -> list[str]:
        """The operands among ``inputs``."""
        if self.every:
            return list(inputs[self.operands[0] :: self.every])
        return [inputs[position] for position in self.operands if position < len(inputs)]


PLAIN: Mapping[str, Plain] = {
    "QLinearConv": Plain("Conv", (0, 3, 8)),
    "QLinearMatMul": Plain("MatMul", (0, 3)),
    "QGemm": Plain("Gemm", (0, 3, 6)),
    "ConvInteger": Plain("Conv", (0, 1)),
    "MatMulInteger": Plain("MatMul", (0, 1)),
    "MatMulIntegerToFloat": Plain("MatMul", (0, 1, 6)),
    "DynamicQuantizeMatMul": Plain("MatMul", (0, 1, 4)),
    "QLinearAdd": Plain("Add", (0, 3)),
    "QLinearMul": Plain("Mul", (0, 3)),
    "QLinearLeakyRelu": Plain("LeakyRelu", (0,)),
    "QLinearSigmoid": Plain("Sigmoid", (0,)),
    "QLinearSoftmax": Plain("Softmax", (0,)),
    "QLinearConcat": Plain("Concat", (2,), every=3),
    "QLinearWhere": Plain("Where", (0, 1, 4)),
    "QLinearAveragePool": Plain("AveragePool", (0,)),
    "QLinearGlobalAveragePool": Plain("GlobalAveragePool", (0,)),
    "QLinearReduceMean": Plain("ReduceMean", (0,)),
}
"""Quantised kinds: their scales and zero points only steer, the rest is the plain kind's."""


@rule("QuantizeLinear", statistics=(1, 2), control=(1, 2))
def _quantise(call: Call) -> Cost:
    return Cost(element_ops=QUANTISE * call.result_elements)


@rule("DequantizeLinear", statistics=(1, 2), control=(1, 2), typed_by="output")
def _dequantise(call: Call) -> Cost:
    return Cost(element_ops=DEQUANTISE * call.result_elements)


@rule("DynamicQuantizeLinear")
def _dynamic_quantise(call: Call) -> Cost:
    """Minimum and maximum of all elements, then quantisation."""
    return Cost(element_ops=(2 + QUANTISE) * call.result_elements)
