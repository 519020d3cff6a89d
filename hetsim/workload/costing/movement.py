"""Operators that move data: no arithmetic, all their time is bytes.

Resizing interpolates, so it also computes. Gathering reads only the rows it picks, which matters
for embedding tables: the constant's other rows never leave memory.
"""

from __future__ import annotations

from math import ceil

from hetsim.workload.costing.registry import Call, Cost, product, rule

_CONTROL: dict[str, tuple[int, ...]] = {
    "Concat": (), "Split": (1,), "Slice": (1, 2, 3, 4), "Transpose": (), "Pad": (1, 2, 3),
    "Tile": (1, 2), "Expand": (1,), "DepthToSpace": (), "SpaceToDepth": (), "ReverseSequence": (1,),
    "ConstantOfShape": (0,), "EyeLike": (0,), "Range": (0, 1, 2), "Flatten": (), "Identity": (),
    "Reshape": (1,), "Squeeze": (1,), "Unsqueeze": (1,), "Dropout": (1, 2), "CenterCropPad": (1,),
    "Shape": (0,), "Size": (0,), "Col2Im": (1, 2),
    "TensorScatter": (), "BitCast": (), "ReorderInput": (), "ReorderOutput": (),
}  # fmt: skip
"""Pure movement, with the inputs that only steer it."""


def _move(_: Call) -> Cost:
    return Cost()


for _kind, _steering in _CONTROL.items():
    rule(_kind, control=_steering)(_move)


@rule("Gather", "GatherElements", "GatherND")
def _gather(call: Call) -> Cost:
    table = call.input(0)
    return Cost(reads={0: min(table.elements, call.result_elements)})


@rule("GatherBlockQuantized")
def _gather_blocks(call: Call) -> Cost:
    """The rows picked, and a scale for each of their elements."""
    table = call.input(0)
    share = min(1.0, call.result_elements / max(1, table.elements))
    reads = {p: int(call.input(p).elements * share) for p in (0, 2) if call.has(p)}
    return Cost(element_ops=2 * call.result_elements, reads=reads)


@rule("ScatterND", "ScatterElements", "Scatter")
def _scatter(call: Call) -> Cost:
    """A plain scatter moves; with a reduction it combines each update with what is there."""
    combines = call.text("reduction", "none") != "none"
    return Cost(element_ops=call.input(2).elements if combines else 0)


@rule("OneHot", control=(1,), typed_by="output")
def _one_hot(call: Call) -> Cost:
    return Cost(element_ops=call.result_elements)


@rule("Resize", "Upsample", control=(1, 2, 3))
def _resize(call: Call) -> Cost:
    """A multiply and an add for each tap: 2 taps a resized axis when linear, 4 when cubic.

    With ``antialias``, an axis that shrinks has as many times more as it shrinks.
    """
    mode = call.text("mode", "nearest")
    taps_per_axis = {"nearest": 0, "linear": 2, "bilinear": 2, "cubic": 4}.get(mode, 2)
    if taps_per_axis == 0:
        return Cost()
    smooth = call.integer("antialias", 0)
    taps = [
        ceil(taps_per_axis * (max(1.0, before / after) if smooth else 1))
        for before, after in zip(call.input(0).shape, call.output.shape, strict=True)
        if before != after
    ]
    return Cost(element_ops=2 * product(tuple(taps)) * call.result_elements)


@rule("AffineGrid", control=(1,))
def _affine_grid(call: Call) -> Cost:
    return Cost(element_ops=6 * call.result_elements)
