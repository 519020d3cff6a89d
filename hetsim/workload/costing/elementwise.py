"""Element-wise operators: so many arithmetic operations for each element of the result.

The unit is one add, multiply, compare or select. Functions that vector units lack are counted as
the polynomial that a vector library evaluates: range reduction plus a polynomial of degree five or
six for exp and log (Cephes), Newton steps for division and roots, formula 7.1.26 of Abramowitz
and Stegun for erf. The numbers are conventions, not measurements; a SoC's efficiencies scale them.
"""

from __future__ import annotations

from hetsim.workload.costing.registry import Call, Cost, rule

DIV = 4
SQRT = 4
EXP = 8
LOG = 8
POW = LOG + 1 + EXP
TRIG = 10
SIGMOID = 1 + EXP + 1 + DIV
TANH = SIGMOID + 2
ERF = EXP + DIV + 10
GELU = ERF + 4
TANH_GELU = TANH + 6
SOFTPLUS = EXP + 1 + LOG

WEIGHTS: dict[str, int] = {
    # one input
    "Relu": 1, "Clip": 2, "LeakyRelu": 2, "PRelu": 2, "ThresholdedRelu": 2, "Elu": EXP + 3,
    "Selu": EXP + 4, "Celu": EXP + DIV + 3, "Sigmoid": SIGMOID, "HardSigmoid": 4, "HardSwish": 5,
    "Tanh": TANH, "Gelu": GELU, "Erf": ERF, "Mish": SOFTPLUS + TANH + 1, "Softplus": SOFTPLUS,
    "Softsign": 2 + DIV, "Swish": SIGMOID + 1, "Silu": SIGMOID + 1, "Shrink": 3,
    "Abs": 1, "Neg": 1, "Sqrt": SQRT, "Exp": EXP, "Log": LOG, "Reciprocal": DIV, "Floor": 1,
    "Ceil": 1, "Round": 1, "Sign": 2, "Sin": TRIG, "Cos": TRIG, "Tan": TRIG + DIV, "Asin": TRIG,
    "Acos": TRIG, "Atan": TRIG, "Sinh": EXP + DIV + 2, "Cosh": EXP + DIV + 2,
    "Asinh": LOG + SQRT + 2,
    "Acosh": LOG + SQRT + 2, "Atanh": LOG + DIV + 3, "Not": 1, "IsNaN": 1, "IsInf": 1,
    "BitwiseNot": 1, "Cast": 1, "CastLike": 1, "Trilu": 1,
    # two inputs
    "Add": 1, "Sub": 1, "Mul": 1, "Div": DIV, "Pow": POW, "Mod": DIV + 2, "And": 1, "Or": 1,
    "Xor": 1, "Equal": 1, "Greater": 1, "GreaterOrEqual": 1, "Less": 1, "LessOrEqual": 1,
    "BitShift": 1, "BitwiseAnd": 1, "BitwiseOr": 1, "BitwiseXor": 1, "Where": 1,
    "SwiGLU": SIGMOID + 2, "ComplexMul": 3, "ComplexMulConj": 3,
}  # fmt: skip
"""Arithmetic operations for each element of the result."""

_CONTROL = {"Clip": (1, 2), "Trilu": (1,), "Shrink": (), "CastLike": (1,)}


def _elementwise(call: Call) -> Cost:
    return Cost(element_ops=WEIGHTS[call.kind] * call.result_elements)


for _kind in WEIGHTS:
    _typed_by = "output" if _kind in ("Where", "Cast", "CastLike") else "input"
    rule(_kind, control=_CONTROL.get(_kind, ()), typed_by=_typed_by)(_elementwise)


@rule("Pow", control=())
def _pow(call: Call) -> Cost:
    """Squares and other small whole powers are multiplications, square roots are roots."""
    exponent = call.data(1)
    weight = POW
    if exponent is not None and exponent.size == 1:
        value = float(exponent.reshape(-1)[0])
        if value == 0.5:
            weight = SQRT
        elif value == int(value) and 1 <= value <= 4:
            weight = max(1, int(value) - 1)
    return Cost(element_ops=weight * call.result_elements)


@rule("BiasSplitGelu")
def _split_gelu(call: Call) -> Cost:
    """A bias on both halves, one of them through GELU, their product."""
    return Cost(element_ops=(GELU + 3) * call.result_elements)


@rule("Gelu")
def _gelu(call: Call) -> Cost:
    """Through erf, or through tanh of a polynomial."""
    weight = TANH_GELU if call.text("approximate", "none") == "tanh" else GELU
    return Cost(element_ops=weight * call.result_elements)


@rule("Sum", "Max", "Min")
def _variadic(call: Call) -> Cost:
    return Cost(element_ops=max(1, len(call.inputs) - 1) * call.result_elements)


@rule("Mean")
def _mean(call: Call) -> Cost:
    return Cost(element_ops=len(call.inputs) * call.result_elements)
