"""Vector DSPs: hardware threads with long vectors beside a memory of their own."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hetsim.soc.fields import Bandwidth, Count, Rates, Size, Time, Width
from hetsim.soc.pu import Efficiencies
from hetsim.soc.turning import Joint, Turned
from hetsim.soc.weights import WeighingSpec
from hetsim.units import format_quantity


class DSPSpec(WeighingSpec):
    """A vector DSP (Hexagon HVX, Cadence Vision): threads take tiles of registers full of sums.

    As on a GPU the arithmetic follows from how shapes fill the threads. What differs: the tiles
    are those of the vector registers, tensors stay in memory of its own, and it is called remotely.
    """

    kind: Literal["dsp"]
    model: ClassVar[str] = "hetsim.cost.analytical.dsp:DSPModel"
    threads: Count = Field(description="hardware threads that compute with vectors at once")
    vector: Width = Field(description="one vector register; a lane sums in 32 bits")
    sums: Count = Field(default=8, description="vector registers that a kernel sums in")
    macs_per_cycle: Rates = Field(description="multiply-accumulates per cycle of one thread")
    element_ops_per_cycle: Rates = Field(description="other operations per cycle of one thread")
    efficiency: Efficiencies = Field(
        description="share of the rates that kernels reach on all threads, and 'default'"
    )
    loads: Annotated[float, Field(gt=0)] = Field(
        default=1.0, description="vectors that one thread loads per cycle"
    )
    tcm: Size | None = Field(
        default=None, description="memory of its own (VTCM, TCM) in which tensors can stay"
    )
    dma: Bandwidth | None = Field(
        default=None, description="engines that fill it; absent = as fast as the path"
    )
    rpc: Time = Field(
        default=0.0, description="a remote call, there and back, beside what it computes"
    )

    @property
    def completion_latency(self) -> float:
        """The remote call, all of it when it returns."""
        return float(self.rpc)

    @property
    def managed_memory(self) -> float:
        """The TCM, unless the host must change tensors between kernels."""
        return 0.0 if self.relayouts_kernels else self.on_chip_memory

    @property
    def on_chip_memory(self) -> float:
        """The TCM."""
        return float(self.tcm or 0.0)

    @property
    def multipliers(self) -> float:
        """Of all threads, in the fastest data type."""
        return self.threads * max(self.macs_per_cycle.values())

    @property
    def dma_bandwidth(self) -> float:
        """As stated."""
        return float(self.dma or 0.0)

    def private_links(self, latency: float) -> dict[str, float]:
        """The DMA engines."""
        return {"dma": self.dma} if self.dma else {}

    def joints(self) -> tuple[Joint, ...]:
        """Longer vectors compute more."""
        names = ("vector", "macs_per_cycle", "element_ops_per_cycle")
        return (Joint("vector", names, format_quantity(self.vector, "width"), self._with_vector),)

    def _with_vector(self, factor: float) -> Turned | None:
        width = format_quantity(self.vector * factor, "width")
        values = {
            "vector": width,
            "macs_per_cycle": {k: v * factor for k, v in self.macs_per_cycle.items()},
            "element_ops_per_cycle": {k: v * factor for k, v in self.element_ops_per_cycle.items()},
        }
        return Turned(width, values, factor)

    def accepts_dtype(self, dtype: str, *, macs: bool) -> bool:
        """Matrix work needs a stated rate; element-wise work can be done in any type."""
        return dtype in self.macs_per_cycle or not macs
