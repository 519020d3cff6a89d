"""NPUs of phones as whole networks see them: few numbers, each of which measurements can tell.

The block of a phone that runs quantised and float16 networks (Qualcomm's Hexagon with HMX, HVX and
VTCM is the one it was fitted to) is documented by a peak rate. What a network takes there follows
from how its channels fill the blocks in which tensors are stored, from what stays on chip, from
bytes of weights, and from the number of kernels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from hetsim.soc.fields import Bandwidth, Count, Dtype, Fraction, Size, Spec, Time, located
from hetsim.soc.kindnames import Kind
from hetsim.soc.pu import Efficiencies, PUSpec


def _has_default(table: dict[str, float]) -> dict[str, float]:
    if "default" not in table:
        raise ValueError("a 'default' is missing; it holds for every operator kind not listed")
    return table


def first(table: Mapping[str, float], names: Sequence[str]) -> float:
    """The entry of the first of ``names`` that has one, else ``default``."""
    return next((table[name] for name in names if name in table), table["default"])


ATTENTION, VOLUME = "attention", "volume"
"""Names of shares that are no operator kind."""

Passes = Annotated[dict[Kind, Annotated[float, Field(gt=0)]], AfterValidator(_has_default)]


class ReachedSpec(Spec):
    """What it reaches in one data type, which is a matter of its compiler, too."""

    macs_per_cycle: float = Field(gt=0, description="multiply-accumulates per cycle, all busy")
    elements_per_cycle: float = Field(
        gt=0, description="elements per cycle of an element-wise operator of one pass"
    )
    efficiency: Efficiencies = Field(
        description="share of the products' rate by operator kind or its variant, and 'default'"
    )
    outputs_per_cycle: float | None = Field(
        default=None,
        gt=0,
        description="results of products that are scaled and stored per cycle; few channels to sum"
        " over wait for it. Absent = never",
    )
    attention: Fraction = Field(
        default=1.0, description="that share for products of two computed tensors"
    )
    volume: Fraction = Field(
        default=1.0, description="that share for convolutions in three dimensions"
    )
    passes: Passes = Field(
        default={"default": 1.0},
        description="passes over the larger of what is read and written, by operator kind",
    )
    tail: float = Field(
        default=0.0, ge=0, description="passes of each operator that is fused behind another"
    )
    bandwidth: Bandwidth = Field(
        description="rate at which its engines read and write tensors and weights of this type"
    )
    kernel: Time = Field(default=0.0, description="overhead of one kernel beside 'dispatch'")

    def share(self, names: Sequence[str]) -> float:
        """The share of the products' rate that has the first of ``names``."""
        own = {ATTENTION: self.attention, VOLUME: self.volume}
        return own[names[0]] if names[0] in own else first(self.efficiency, names)


class MobileNPUSpec(PUSpec):
    """A phone's NPU (Hexagon with HMX and VTCM): products in blocks of channels, a vector unit.

    Tensors are stored with their channels filled up to whole blocks and stay on chip while they
    fit; all else, and all weights, are read and written while it computes.
    """

    kind: Literal["mobile_npu"]
    model: ClassVar[str] = "hetsim.cost.analytical.mobile_npu:MobileNPUModel"
    dtypes: dict[Dtype, ReachedSpec] = Field(
        min_length=1, description="what it reaches, by the data type in which it keeps tensors"
    )
    block: Count = Field(
        default=32, description="channels that tensors are stored by and products are padded to"
    )
    few_channels: Literal["packed", "padded"] = Field(
        default="packed",
        description="of an image's few channels: 'packed' lays the taps of a kernel beside them"
        " before a block is filled up, 'padded' fills one up for every tap",
    )
    sram: Size = Field(description="on-chip memory (VTCM)")
    strips: float = Field(
        default=1.0,
        ge=1,
        le=16,
        description="how many times that memory tensors can take together, as compilers cut chains"
        " of layers into strips of rows that pass through it",
    )
    rpc: Time = Field(
        default=0.0, description="a remote call, there and back, beside what it computes"
    )

    @model_validator(mode="after")
    def _reaches_something_listed(self) -> MobileNPUSpec:
        for given, kept in self.precision.items():
            if kept not in self.dtypes:
                message = f"{given} becomes {kept}, of which 'dtypes' says nothing"
                raise located("precision", ("precision", given), message, kept)
        return self

    @property
    def role(self) -> str:
        """An NPU, whatever it is made of."""
        return "npu"

    @property
    def completion_latency(self) -> float:
        """The remote call, all of it when it returns."""
        return float(self.rpc)

    @property
    def channel_block(self) -> int:
        """As stated."""
        return self.block

    @property
    def managed_memory(self) -> float:
        """Of tensors that stay, or pass through in strips; none if the host changes layouts."""
        return 0.0 if self.relayouts_kernels else float(self.sram) * self.strips

    @property
    def on_chip_memory(self) -> float:
        """What tensors can take, in strips or whole."""
        return float(self.sram) * self.strips

    @property
    def multipliers(self) -> float:
        """In the fastest data type."""
        return max(reached.macs_per_cycle for reached in self.dtypes.values())

    @property
    def dma_bandwidth(self) -> float:
        """In the data type that is read fastest."""
        return max(float(reached.bandwidth) for reached in self.dtypes.values())

    def accepts_dtype(self, dtype: str, *, macs: bool) -> bool:
        """Products need a type that is listed; element-wise work can be done in any."""
        return dtype in self.dtypes or not macs
