"""Spectra, random numbers, and operators whose result is as large as the data make it.

A fast Fourier transform of n complex numbers takes 5 n log2 n operations (radix 2, Cooley and Tukey
1965), of n real ones half of that. The bound that a user states counts as the size of the result.
"""

from __future__ import annotations

from math import ceil, log2

from hetsim.workload.costing.elementwise import LOG, SQRT, TRIG
from hetsim.workload.costing.registry import Call, Cost, product, rule

RANDOM = 10
"""One number of a counter-based generator (Salmon et al., SC 2011: ten rounds of Philox)."""
NORMAL = RANDOM + (LOG + SQRT + 2 * TRIG + 2) // 2
"""Two uniform numbers make two normal ones (Box and Muller 1958)."""
OVERLAP = 16
"""Intersection over union of two boxes: corners, sides, areas, a division."""


def transform_ops(length: int, *, real: bool) -> int:
    """Operations of one fast Fourier transform of ``length`` numbers."""
    return ceil((2.5 if real else 5.0) * length * log2(max(2, length)))


@rule("DFT", control=(1, 2))
def _dft(call: Call) -> Cost:
    data, result = call.input(0), call.output
    axis = call.integer("axis", 1)
    given = call.data(2)
    if given is not None:
        axis = int(given.reshape(-1)[0])
    length = max(data.shape[axis], result.shape[axis])
    count = product(data.shape[:-1]) // max(1, data.shape[axis])
    return Cost(element_ops=count * transform_ops(length, real=data.shape[-1] == 1))


@rule("Rfft", "Irfft")
def _real_transform(call: Call) -> Cost:
    """ONNX Runtime's own: over the last dimensions, of real numbers or to real ones."""
    real = call.input(0) if call.kind == "Rfft" else call.output
    rank = call.integer("signal_ndim", 1)
    length = product(real.shape[-rank:])
    count = product(real.shape) // max(1, length)
    return Cost(element_ops=count * transform_ops(length, real=True))


@rule("STFT", control=(1, 3))
def _stft(call: Call) -> Cost:
    """Each frame times the window, then transformed."""
    batch, frames = call.output.shape[:2]
    length = call.data(3)
    if call.has(2):
        width = call.input(2).elements
    else:
        width = int(length.reshape(-1)[0]) if length is not None else 2 * call.output.shape[2] - 2
    real = call.input(0).rank < 3 or call.input(0).shape[-1] == 1
    return Cost(element_ops=batch * frames * (width + transform_ops(width, real=real)))


@rule("HannWindow", "HammingWindow", "BlackmanWindow", control=(0,))
def _window(call: Call) -> Cost:
    return Cost(element_ops=(TRIG + 3) * call.result_elements)


@rule("MelWeightMatrix", control=(0, 1, 2, 3, 4))
def _mel(call: Call) -> Cost:
    return Cost(element_ops=4 * call.result_elements)


@rule("RandomUniform", "RandomUniformLike", "Bernoulli")
def _uniform(call: Call) -> Cost:
    return Cost(element_ops=RANDOM * call.result_elements)


@rule("RandomNormal", "RandomNormalLike")
def _normal(call: Call) -> Cost:
    return Cost(element_ops=NORMAL * call.result_elements)


@rule("Multinomial")
def _multinomial(call: Call) -> Cost:
    """The running sum of the probabilities, then a search in it for each sample."""
    batch, classes = call.input(0).shape
    samples = call.result_elements // max(1, batch)
    search = RANDOM + ceil(log2(max(2, classes)))
    return Cost(element_ops=batch * (2 * classes + samples * search))


@rule("NonZero")
def _non_zero(call: Call) -> Cost:
    """Each element is compared, and its place counted."""
    return Cost(element_ops=2 * call.input(0).elements)


@rule("Compress")
def _compress(call: Call) -> Cost:
    return Cost(element_ops=call.input(1).elements)


@rule("Unique")
def _unique(call: Call) -> Cost:
    count = call.input(0).elements
    return Cost(element_ops=count * ceil(log2(max(2, count))) + count)


@rule("NonMaxSuppression", control=(2, 3, 4))
def _suppression(call: Call) -> Cost:
    """Scores sorted for each class, and each box that stays compared with all that are left."""
    batches, classes, boxes = call.input(1).shape
    kept = min(call.output.shape[0], batches * classes * boxes)
    ordered = batches * classes * boxes * ceil(log2(max(2, boxes)))
    return Cost(element_ops=ordered + kept * boxes * OVERLAP)


@rule("Det")
def _determinant(call: Call) -> Cost:
    """Elimination: a third of n cubed multiply-accumulates."""
    *_, size = call.input(0).shape
    return Cost(macs=call.result_elements * size**3 // 3)


@rule("Inverse")
def _inverse(call: Call) -> Cost:
    *outer, size, _ = call.input(0).shape
    return Cost(macs=product(tuple(outer)) * size**3)
