"""What convolutions cost on cores with vector units beyond multiply-accumulates at a rate.

Optional refinement of a CPU cluster or an accelerator, usually written by ``hetsim calibrate``; the
formula is in :mod:`hetsim.forms.convolution`. Cycles are those of one core.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from hetsim.soc.fields import Fraction, Spec

Cycles = Annotated[float, Field(ge=0)]


class ElementCost(Spec):
    """Cycles per element of the input (packing, loading) and of the output (writing)."""

    input_cycles: Cycles = 0.0
    output_cycles: Cycles = 0.0


class WinogradSpec(ElementCost):
    """Stride-1 3x3 convolutions by the Winograd transform, where that is faster.

    The element costs are those of the transforms.
    """

    tile: Literal[2, 4] = Field(description="output tile: F(2x2, 3x3) or F(4x4, 3x3)")
    efficiency: Fraction = Field(description="share of the peak in the transformed products")


class ConvolutionSpec(ElementCost):
    """Costs of convolutions beside their multiply-accumulates."""

    depthwise: ElementCost | None = Field(
        default=None, description="element costs of depthwise convolutions; default: as the others"
    )
    reduction_cycles: Cycles = Field(
        default=0.0, description="cycles per term of one output's sum (c_in x k x k), once"
    )
    width_penalty: Cycles = Field(
        default=0.0,
        description="extra share of the MAC cycles at output width 1; falls as 1 / d with the"
        " largest divisor d of the output width up to 'width_tile'",
    )
    width_tile: Annotated[int, Field(ge=1, le=64)] = 8
    winograd: WinogradSpec | None = None
