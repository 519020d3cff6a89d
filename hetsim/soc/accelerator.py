"""Accelerators that a roofline describes."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from hetsim.soc.convolution import ConvolutionSpec
from hetsim.soc.fields import Rates
from hetsim.soc.pu import Efficiencies
from hetsim.soc.weights import WeighingSpec


class AcceleratorSpec(WeighingSpec):
    """Anything that a roofline describes, GPUs and DSPs included, with rates that were measured."""

    kind: Literal["accelerator"]
    model: ClassVar[str] = "hetsim.cost.analytical.accelerator:AcceleratorModel"
    macs_per_cycle: Rates
    element_ops_per_cycle: Rates
    efficiency: Efficiencies
    convolution: ConvolutionSpec | None = Field(
        default=None, description="what convolutions cost beside their multiply-accumulates"
    )

    @property
    def multipliers(self) -> float:
        """In the fastest data type."""
        return max(self.macs_per_cycle.values())

    def accepts_dtype(self, dtype: str, *, macs: bool) -> bool:
        """Matrix work needs a stated rate; element-wise work can be done in any type."""
        return dtype in self.macs_per_cycle or not macs
