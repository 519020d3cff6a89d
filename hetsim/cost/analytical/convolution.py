"""Convolutions on PUs whose description refines them: the formula in core cycles."""

from __future__ import annotations

from functools import lru_cache

from hetsim.forms.convolution import WINOGRAD, ConvParameters, ConvRows, compute_seconds
from hetsim.soc.accelerator import AcceleratorSpec
from hetsim.soc.convolution import ConvolutionSpec
from hetsim.soc.cpu import CPUClusterSpec
from hetsim.workload.convolution import CLASSES
from hetsim.workload.graph import LoopNest

VectorUnits = CPUClusterSpec | AcceleratorSpec
"""What states rates, efficiencies and the refinement; a kind from outside may inherit from one."""


def cycle_parameters(spec: VectorUnits, dtype: str) -> ConvParameters:
    """The formula's parameters as the description states them, with core cycles for seconds."""
    return _parameters(spec.convolution or ConvolutionSpec(), _rates(spec, dtype))


def convolution_cycles(
    nest: LoopNest, spec: VectorUnits, dtype: str, speedup: float = 1.0
) -> float:
    """Core cycles of a convolution's arithmetic, element costs included.

    ``speedup`` is of direct products alone: Winograd's transform leaves no zeros in the weights.
    """
    *direct, peak = _rates(spec, dtype)
    rates = (*(rate * speedup for rate in direct), peak)
    return _cycles(nest, spec.convolution or ConvolutionSpec(), rates)


def _rates(spec: VectorUnits, dtype: str) -> tuple[float, ...]:
    """Multiply-accumulates per cycle of each class, then the peak."""
    peak, table = spec.macs_per_cycle[dtype], spec.efficiency
    plain = table.get("Conv", table["default"])
    shares = (table.get(f"Conv.{name}", plain) if name else plain for name in CLASSES)
    return (*(peak * share for share in shares), peak)


def _parameters(shape: ConvolutionSpec, rates: tuple[float, ...]) -> ConvParameters:
    depthwise, winograd = shape.depthwise or shape, shape.winograd
    fast = winograd or shape
    return ConvParameters(
        rate={
            **dict(zip(CLASSES, rates, strict=False)),
            WINOGRAD: rates[-1] * (winograd.efficiency if winograd else 1.0),
        },
        input_s={
            "": shape.input_cycles,
            "depthwise": depthwise.input_cycles,
            WINOGRAD: fast.input_cycles,
        },
        output_s={
            "": shape.output_cycles,
            "depthwise": depthwise.output_cycles,
            WINOGRAD: fast.output_cycles,
        },
        reduction_s=shape.reduction_cycles,
        width_penalty=shape.width_penalty,
        width_tile=shape.width_tile,
        winograd_tile=winograd.tile if winograd else 0,
    )


# Networks repeat layers and studies repeat networks; the vectorised formula is slow on one row.
@lru_cache(maxsize=8192)
def _cycles(nest: LoopNest, shape: ConvolutionSpec, rates: tuple[float, ...]) -> float:
    rows = ConvRows.of_nests([nest], 1.0)
    return float(compute_seconds(_parameters(shape, rates), rows)[0])
