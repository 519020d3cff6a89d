"""What a SoC takes on the die and what it costs: sums that the SoC file states.

Both models have the same form: a base plus so much for each part and each unit of size. They are
as good as their coefficients; their use is to make design-space exploration pay for what it adds.
A coefficient for something that the SoC does not have would do nothing and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from hetsim.soc.accelerator import AcceleratorSpec
from hetsim.soc.cpu import CPUClusterSpec
from hetsim.soc.fields import Name, Spec
from hetsim.soc.npu import BufferSizes, NPUSpec, SystolicArray

if TYPE_CHECKING:
    from hetsim.soc.pu import PUSpec
    from hetsim.soc.schema import SoCSpec

Coefficient = Annotated[float, Field(ge=0)]

_MIB, _GIB, _GB = 2.0**20, 2.0**30, 1e9


class AdditiveModel(Spec):
    """Square millimetres, or money: the sum of all terms, in whatever unit they are written in."""

    base: Coefficient = Field(default=0.0, description="of the whole SoC, whatever is in it")
    pus: dict[Name, Coefficient] = Field(
        default_factory=dict, description="of each processing unit, beside what follows"
    )
    per_core: Coefficient = Field(default=0.0, description="for each CPU core")
    per_mac: Coefficient = Field(
        default=0.0,
        description="for each multiply-accumulate a cycle of NPU arrays and accelerators (their"
        " fastest data type)",
    )
    per_sram_mib: Coefficient = Field(
        default=0.0, description="for each MiB of NPU SRAM and L2 cache"
    )
    per_dma_gbps: Coefficient = Field(
        default=0.0, description="for each GB/s of DMA engines, all together"
    )
    per_link_gbps: Coefficient = Field(default=0.0, description="for each GB/s of all links")
    per_memory_gbps: Coefficient = Field(default=0.0, description="for each GB/s of peak memory")
    per_memory_gib: Coefficient = Field(default=0.0, description="for each GiB of memory")

    def terms(self, spec: SoCSpec) -> Mapping[str, float]:
        """The summands by name, in the order of the fields."""
        amounts = _amounts(spec)
        own = {f"pus.{name}": self.pus[name] for name in self.pus}
        sized = {name: getattr(self, name) * amount for name, amount in amounts.items()}
        return {"base": self.base, **own, **sized}

    def total(self, spec: SoCSpec) -> float:
        """The sum."""
        return sum(self.terms(spec).values())

    def faults(self, spec: SoCSpec) -> Iterator[tuple[tuple[str, ...], str, object]]:
        """What in this model does nothing for ``spec``: place, message, value."""
        for name, value in self.pus.items():
            if name not in spec.pus:
                known = ", ".join(spec.pus)
                yield (
                    ("pus", name),
                    f"no processing unit is called {name!r}; there are {known}",
                    value,
                )
        for name, amount in _amounts(spec).items():
            if getattr(self, name) and not amount:
                message = "has no effect: the SoC has nothing of the kind"
                yield (name,), message, getattr(self, name)


def _amounts(spec: SoCSpec) -> dict[str, float]:
    """How much of what each coefficient counts is in the SoC."""
    pus = spec.pus.values()
    return {
        "per_core": float(sum(pu.cores for pu in pus if isinstance(pu, CPUClusterSpec))),
        "per_mac": sum(_macs(pu) for pu in pus),
        "per_sram_mib": sum(_sram(pu) for pu in pus) / _MIB,
        "per_dma_gbps": sum(
            pu.dma.engines * pu.dma.bandwidth for pu in pus if isinstance(pu, NPUSpec)
        )
        / _GB,
        "per_link_gbps": sum(link.bytes_per_second for link in spec.links.values()) / _GB,
        "per_memory_gbps": sum(memory.bandwidth for memory in spec.memory.values()) / _GB,
        "per_memory_gib": sum(memory.capacity for memory in spec.memory.values()) / _GIB,
    }


def _macs(pu: PUSpec) -> float:
    if isinstance(pu, NPUSpec):
        array = pu.array
        if isinstance(array, SystolicArray):
            return float(array.rows * array.columns)
        return float(array.batch * array.block_in * array.block_out)
    if isinstance(pu, AcceleratorSpec):
        return max(pu.macs_per_cycle.values(), default=0.0)
    return 0.0


def _sram(pu: PUSpec) -> float:
    if isinstance(pu, NPUSpec):
        sram = pu.sram
        if isinstance(sram, BufferSizes):
            return sram.input + sram.weight + sram.accumulator
        return float(sram)
    if isinstance(pu, CPUClusterSpec):
        return float(pu.l2 or 0.0)
    return 0.0
