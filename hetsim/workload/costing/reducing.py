"""Pooling, normalisation, softmax and reductions: arithmetic over windows or axes."""

from __future__ import annotations

from math import ceil, log2

from hetsim.workload.costing.elementwise import DIV, EXP, LOG, POW, SQRT
from hetsim.workload.costing.registry import Call, Cost, product, rule


def _window(call: Call) -> int:
    return product(call.integers("kernel_shape"))


@rule("MaxPool", "AveragePool")
def _pool(call: Call) -> Cost:
    """One comparison or addition for each element of each window; the average also scales."""
    scale = 1 if call.kind == "AveragePool" else 0
    return Cost(element_ops=(_window(call) + scale) * call.result_elements)


@rule("LpPool")
def _lp_pool(call: Call) -> Cost:
    power = 1 if call.integer("p", 2) <= 2 else POW
    return Cost(element_ops=((power + 1) * _window(call) + SQRT) * call.result_elements)


@rule("GlobalMaxPool")
def _global_max(call: Call) -> Cost:
    return Cost(element_ops=call.input(0).elements)


@rule("GlobalAveragePool")
def _global_average(call: Call) -> Cost:
    return Cost(element_ops=call.input(0).elements + call.result_elements)


@rule("GlobalLpPool")
def _global_lp(call: Call) -> Cost:
    return Cost(element_ops=2 * call.input(0).elements + SQRT * call.result_elements)


@rule("MaxUnpool", control=(2,))
def _max_unpool(_: Call) -> Cost:
    return Cost()


@rule("MaxRoiPool", "RoiAlign")
def _roi(call: Call) -> Cost:
    """Four-tap bilinear samples, ``sampling_ratio`` squared of them for each result."""
    samples = max(1, call.integer("sampling_ratio", 0)) ** 2
    return Cost(element_ops=8 * samples * call.result_elements)


@rule("CropAndResize", control=(3,))
def _crop(call: Call) -> Cost:
    """Two taps along each axis."""
    return Cost(element_ops=8 * call.result_elements)


@rule("GridSample")
def _grid_sample(call: Call) -> Cost:
    """Taps along each axis of the image or the volume: one, two, or four when cubic."""
    mode = call.text("mode", "linear").removeprefix("bi")
    taps = {"nearest": 1, "linear": 2, "cubic": 4}.get(mode, 2) ** (call.input(0).rank - 2)
    return Cost(element_ops=2 * taps * call.result_elements)


@rule("LRN")
def _lrn(call: Call) -> Cost:
    """Per element: its square, ``size`` additions, scale and offset, a power, a division."""
    return Cost(element_ops=(1 + call.integer("size", 1) + 2 + POW + DIV) * call.result_elements)


@rule("BatchNormalization", statistics=(3, 4))
def _batch_norm(call: Call) -> Cost:
    """At inference a multiplication and an addition; in training mode the moments as well."""
    training = 4 if call.integer("training_mode", 0) else 0
    return Cost(element_ops=(2 + training) * call.result_elements)


@rule("InstanceNormalization", "LayerNormalization", "GroupNormalization", "GroupNorm")
def _normalization(call: Call) -> Cost:
    """Mean (1), difference (1), square and sum (2), normalise (1), scale and shift (2)."""
    return Cost(element_ops=7 * call.result_elements)


@rule("RMSNormalization")
def _rms(call: Call) -> Cost:
    """Square and sum (2), normalise (1), scale (1)."""
    return Cost(element_ops=4 * call.result_elements)


@rule("MeanVarianceNormalization", "LpNormalization")
def _moments(call: Call) -> Cost:
    return Cost(element_ops=5 * call.result_elements)


@rule("Softmax")
def _softmax(call: Call) -> Cost:
    """Maximum (1), difference (1), exponential, sum (1), scale by the reciprocal (1)."""
    return Cost(element_ops=(EXP + 4) * call.result_elements)


@rule("LogSoftmax")
def _log_softmax(call: Call) -> Cost:
    return Cost(element_ops=(EXP + 4) * call.result_elements + LOG)


@rule("Hardmax")
def _hardmax(call: Call) -> Cost:
    return Cost(element_ops=2 * call.result_elements)


_REDUCTIONS = {
    "ReduceSum": (1, 0), "ReduceMean": (1, 1), "ReduceMax": (1, 0), "ReduceMin": (1, 0),
    "ReduceProd": (1, 0), "ReduceL1": (2, 0), "ReduceL2": (2, SQRT), "ReduceSumSquare": (2, 0),
    "ReduceLogSum": (1, LOG), "ReduceLogSumExp": (EXP + 3, LOG), "ArgMax": (1, 0), "ArgMin": (1, 0),
    "CumSum": (1, 0), "CumProd": (1, 0),
}  # fmt: skip
"""Operations for each element read, and for each element of the result."""


def _reduce(call: Call) -> Cost:
    read, result = _REDUCTIONS[call.kind]
    return Cost(element_ops=read * call.input(0).elements + result * call.result_elements)


for _kind in _REDUCTIONS:
    rule(_kind, control=(1,))(_reduce)


@rule("TopK", control=(1,))
def _top_k(call: Call) -> Cost:
    """A heap of k candidates: log2(k) comparisons for each element."""
    axis = call.integer("axis", -1)
    k = call.output.shape[axis]
    return Cost(element_ops=call.input(0).elements * max(1, ceil(log2(max(k, 1) + 1))))
