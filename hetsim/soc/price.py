"""What a SoC takes on the die and what it costs: sums that the SoC file states.

Both models have the same form: a base plus so much for each part and each unit of size. They are
as good as their coefficients; their use is to make design-space exploration pay for what it adds.
A coefficient for something that the SoC does not have would do nothing and is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Protocol

from pydantic import Field

from hetsim.soc.fields import Name, Spec
from hetsim.soc.links import LinkSpec, MemorySpec
from hetsim.soc.pu import PUSpec

Coefficient = Annotated[float, Field(ge=0)]

_MIB, _GIB, _GB = 2.0**20, 2.0**30, 1e9


class Parts(Protocol):
    """What is summed over: the description of a SoC."""

    @property
    def pus(self) -> Mapping[str, PUSpec]: ...
    @property
    def links(self) -> Mapping[str, LinkSpec]: ...
    @property
    def memory(self) -> Mapping[str, MemorySpec]: ...


class AdditiveModel(Spec):
    """Square millimetres, or money: the sum of all terms, in whatever unit they are written in."""

    base: Coefficient = Field(default=0.0, description="of the whole SoC, whatever is in it")
    pus: dict[Name, Coefficient] = Field(
        default_factory=dict, description="of each processing unit, beside what follows"
    )
    per_core: Coefficient = Field(default=0.0, description="for each CPU core")
    per_mac: Coefficient = Field(
        default=0.0,
        description="for each multiply-accumulate a cycle of matrix arrays and accelerators (their"
        " fastest data type)",
    )
    per_sram_mib: Coefficient = Field(
        default=0.0,
        description="for each MiB on the die: NPU SRAM, caches, a DSP's TCM, a GPU's local memory",
    )
    per_dma_gbps: Coefficient = Field(
        default=0.0, description="for each GB/s of DMA engines, all together"
    )
    per_link_gbps: Coefficient = Field(default=0.0, description="for each GB/s of all links")
    per_memory_gbps: Coefficient = Field(default=0.0, description="for each GB/s of peak memory")
    per_memory_gib: Coefficient = Field(default=0.0, description="for each GiB of memory")

    def terms(self, parts: Parts) -> Mapping[str, float]:
        """The summands by name, in the order of the fields."""
        amounts = _amounts(parts)
        own = {f"pus.{name}": self.pus[name] for name in self.pus}
        sized = {name: getattr(self, name) * amount for name, amount in amounts.items()}
        return {"base": self.base, **own, **sized}

    def total(self, parts: Parts) -> float:
        """The sum."""
        return sum(self.terms(parts).values())

    def faults(self, parts: Parts) -> Iterator[tuple[tuple[str, ...], str, object]]:
        """What in this model does nothing for ``parts``: place, message, value."""
        for name, value in self.pus.items():
            if name not in parts.pus:
                known = ", ".join(parts.pus)
                yield (
                    ("pus", name),
                    f"no processing unit is called {name!r}; there are {known}",
                    value,
                )
        for name, amount in _amounts(parts).items():
            if getattr(self, name) and not amount:
                message = "has no effect: the SoC has nothing of the kind"
                yield (name,), message, getattr(self, name)


def _memory(pu: PUSpec) -> float:
    return pu.on_chip_memory + pu.cache + pu.core_memory + (pu.weight_memory or 0.0)


def _amounts(parts: Parts) -> dict[str, float]:
    """How much of what each coefficient counts is in the SoC."""
    pus, links, memories = parts.pus.values(), parts.links.values(), parts.memory.values()
    system = sum(link.cache.capacity for link in links if link.cache is not None)
    return {
        "per_core": float(sum(pu.thread_cores for pu in pus)),
        "per_mac": sum(pu.multipliers for pu in pus),
        "per_sram_mib": (sum(_memory(pu) for pu in pus) + system) / _MIB,
        "per_dma_gbps": sum(pu.dma_bandwidth for pu in pus) / _GB,
        "per_link_gbps": sum(link.bytes_per_second * link.directions for link in links) / _GB,
        "per_memory_gbps": sum(memory.bandwidth for memory in memories) / _GB,
        "per_memory_gib": sum(memory.capacity for memory in memories) / _GIB,
    }
