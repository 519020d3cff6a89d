"""Neural processing units: a matrix array, on-chip memory, DMA engines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from hetsim.soc.arrays import ArrayField, MatrixArray
from hetsim.soc.cores import CoresSpec
from hetsim.soc.fields import (
    Bandwidth,
    Count,
    Dtype,
    Fraction,
    Size,
    Spec,
    Time,
    located,
    one_or_many,
)
from hetsim.soc.turning import Turned
from hetsim.soc.weights import WeighingSpec

PRODUCTS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum"})
"""Operator kinds that are matrix products: a kernel of an array holds one, at its head."""


class BufferSizes(Spec):
    """Separate on-chip buffers."""

    input: Size
    weight: Size
    accumulator: Size


class DMASpec(Spec):
    """The engines that move data between DRAM and SRAM."""

    engines: Count = 1
    bandwidth: Bandwidth = Field(description="of one engine")
    setup: Time = Field(default=0.0, description="programming one transfer of a tile")
    outstanding: int | None = Field(
        default=None,
        ge=1,
        description="bursts an engine may have under way; with latency that bounds its bandwidth",
    )
    burst: Size = Field(default=256.0, description="bytes of one burst, for 'outstanding'")
    learned: str | None = Field(
        default=None,
        min_length=1,
        description="learned model of one engine's transfers alone (.vpunn), relative to this file;"
        " used with the unit's 'learned'",
    )

    def rate(self, latency: float) -> float:
        """Bandwidth in B/s of all engines over a path of ``latency`` seconds.

        Little's law bounds an engine to outstanding bursts per round trip.
        """
        one = float(self.bandwidth)
        if self.outstanding is not None and latency > 0.0:
            one = min(one, self.outstanding * self.burst / latency)
        return self.engines * one


class NPUSpec(CoresSpec, WeighingSpec):
    """A neural processing unit: a matrix array, SRAM that DMA engines fill, a vector unit.

    All of these are those of one core. Those of a schedulable unit share each operator
    (:mod:`hetsim.cost.analytical.sharing`); what stays on chip lies in all their SRAMs.
    """

    kind: Literal["npu"]
    model: ClassVar[str] = "hetsim.cost.analytical.npu:NPUModel"
    cores: Count = 1
    core_sync: Time = Field(
        default=0.0, description="meeting of the cores that share a kernel, once for each"
    )
    array: ArrayField = Field(
        description="rows, columns and dataflow; or batch, block_in and block_out"
    )
    array_efficiency: Fraction = Field(
        default=1.0, description="share of the array's cycles that do useful work (stalls, control)"
    )
    dtypes: dict[Dtype, Fraction] = Field(
        min_length=1,
        description="data types it computes in, and the share of the peak rate of each",
    )
    vector_lanes: Count = Field(description="element-wise operations per cycle")
    sram: Annotated[
        Annotated[Size, Tag("one size")] | Annotated[BufferSizes, Tag("separate buffers")],
        Discriminator(one_or_many("one size", "separate buffers")),
    ] = Field(description="unified, or separate buffers")
    dma: DMASpec
    double_buffer: bool = Field(default=True, description="overlap transfer and compute of tiles")
    prefetch: bool = Field(
        default=False,
        description="load the next operator's first weights while this one computes, as they fit",
    )
    host_wait: Literal["poll", "interrupt"] = Field(
        default="interrupt", description="'poll' keeps a host thread busy while the NPU runs"
    )
    interrupt_latency: Time = Field(default=0.0, description="from done to the host's reaction")

    @model_validator(mode="after")
    def _one_product_a_kernel(self) -> NPUSpec:
        for i, chain in enumerate(self.fuse):
            second = [kind.strip() for kind in chain.split("-")[1:] if kind.strip() in PRODUCTS]
            if second:
                message = f"{second[0]} is a matrix product; only a chain's first operator can be"
                raise located("NPU", ("fuse", i), message, chain)
        return self

    @model_validator(mode="after")
    def _cores_are_used(self) -> NPUSpec:
        if sum(self.units) < self.cores:
            message = f"{self.workers} leave cores idle, and there are {self.cores}"
            raise located("workers", ("workers",), message, self.workers)
        if self.core_sync and max(self.units) == 1:
            message = "has no effect: no unit has several cores"
            raise located("NPU", ("core_sync",), message, self.core_sync)
        return self

    @model_validator(mode="after")
    def _learned_transfers_are_asked(self) -> NPUSpec:
        if self.dma.learned is not None and self.learned is None:
            message = "has no effect: the unit has no 'learned' model of its kernels"
            raise located("NPU", ("dma", "learned"), message, self.dma.learned)
        if self.dma.learned is not None and self.prefetch:
            message = "has no effect: what comes early is not known where transfers were learned"
            raise located("NPU", ("prefetch",), message, self.prefetch)
        return self

    @model_validator(mode="after")
    def _interrupt_only_when_used(self) -> NPUSpec:
        if self.host_wait == "poll" and self.interrupt_latency:
            message = "has no effect with host_wait: poll; leave it out"
            raise located("NPU", ("interrupt_latency",), message, self.interrupt_latency)
        return self

    def _with_cores(self, factor: float) -> Turned | None:
        found = super()._with_cores(factor)
        if found is None or not self.core_sync:
            return found
        units = found.values.get("workers", [found.values["cores"]])
        alone = units == [1] * len(self.units)
        return replace(found, values={**found.values, "core_sync": 0}) if alone else found

    @property
    def polls_host(self) -> bool:
        """Whether ``host_wait`` is ``poll``."""
        return self.host_wait == "poll"

    @property
    def completion_latency(self) -> float:
        """The interrupt's."""
        return float(self.interrupt_latency)

    @property
    def prefetches(self) -> bool:
        """As stated."""
        return self.prefetch

    @property
    def transfer_setup(self) -> float:
        """The DMA engines'."""
        return float(self.dma.setup)

    @property
    def overlaps_tiles(self) -> bool:
        """With two buffers for each."""
        return self.double_buffer

    @property
    def core_meeting(self) -> float:
        """As stated."""
        return float(self.core_sync)

    @property
    def learned_transfers(self) -> str | None:
        """That of the DMA engines."""
        return self.dma.learned

    @property
    def fused_tails_hide(self) -> bool:
        """The vector unit works beside the array."""
        return True

    @property
    def managed_memory(self) -> float:
        """A unified SRAM keeps tensors, unless the host must change them; buffers are refilled."""
        refilled = isinstance(self.sram, BufferSizes) or self.relayouts_kernels
        return 0.0 if refilled else self.on_chip_memory

    @property
    def on_chip_memory(self) -> float:
        """The SRAM, or all its buffers together, of all cores."""
        if isinstance(self.sram, BufferSizes):
            one = float(self.sram.input + self.sram.weight + self.sram.accumulator)
        else:
            one = float(self.sram)
        return one * self.cores

    @property
    def matrix_array(self) -> MatrixArray:
        """As stated."""
        return self.array

    @property
    def multipliers(self) -> float:
        """Those of the arrays."""
        return float(self.array.macs_per_cycle * self.cores)

    @property
    def dma_bandwidth(self) -> float:
        """That of all engines, whatever they get of it."""
        return self.cores * self.dma.engines * self.dma.bandwidth

    def along(self, field: str, choice: object) -> Mapping[str, object] | None:
        """A host that polls takes no interrupt."""
        return {"interrupt_latency": 0} if (field, choice) == ("host_wait", "poll") else {}

    def private_links(self, latency: float) -> dict[str, float]:
        """The DMA engines together."""
        return {"dma": self.dma.rate(latency) * self.cores}

    def accepts_dtype(self, dtype: str, *, macs: bool) -> bool:
        """Only the listed types, whatever the work."""
        return dtype in self.dtypes
