"""Convolutions on PUs whose description refines them: the formula in core cycles."""

from __future__ import annotations

from hetsim.cost.convolution import CLASSES, WINOGRAD, ConvParameters, ConvRows, compute_seconds
from hetsim.soc.accelerator import AcceleratorSpec
from hetsim.soc.convolution import ConvolutionSpec
from hetsim.soc.cpu import CPUClusterSpec
from hetsim.workload.graph import LoopNest


def cycle_parameters(spec: CPUClusterSpec | AcceleratorSpec, dtype: str) -> ConvParameters:
    """The formula's parameters as the description states them, with core cycles for seconds."""
    shape = spec.convolution or ConvolutionSpec()
    peak, table = spec.macs_per_cycle[dtype], spec.efficiency
    plain = table.get("Conv", table["default"])
    rate = {name: peak * (table.get(f"Conv.{name}", plain) if name else plain) for name in CLASSES}
    depthwise = shape.depthwise or shape
    winograd = shape.winograd
    rate[WINOGRAD] = peak * winograd.efficiency if winograd else peak
    fast = winograd or shape
    return ConvParameters(
        rate=rate,
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


def convolution_cycles(nest: LoopNest, spec: CPUClusterSpec | AcceleratorSpec, dtype: str) -> float:
    """Core cycles of a convolution's arithmetic, element costs included."""
    rows = ConvRows.of_nests([nest], 1.0)
    return float(compute_seconds(cycle_parameters(spec, dtype), rows)[0])
