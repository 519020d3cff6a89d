"""CPU clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from hetsim.soc.convolution import ConvolutionSpec
from hetsim.soc.cores import CoresSpec
from hetsim.soc.fields import Rates, Size, located
from hetsim.soc.pu import Efficiencies
from hetsim.soc.weights import WeighingSpec


class CPUClusterSpec(CoresSpec, WeighingSpec):
    """A cluster of identical cores, divided into one or more schedulable units by ``workers``."""

    kind: Literal["cpu_cluster"]
    model: ClassVar[str] = "hetsim.cost.analytical.cpu:CPUModel"
    repeatable: ClassVar[bool] = False  # threads run on one host cluster
    macs_per_cycle: Rates = Field(
        description="peak multiply-accumulates per cycle of one core, by data type"
    )
    element_ops_per_cycle: Rates = Field(
        description="peak other operations per cycle of one core, by data type"
    )
    efficiency: Efficiencies = Field(
        description="share of the peak by operator kind ('Conv', 'Conv.depthwise'), and 'default'"
    )
    convolution: ConvolutionSpec | None = Field(
        default=None, description="what convolutions cost beside their multiply-accumulates"
    )
    parallel_efficiency: Annotated[float, Field(ge=0, le=1)] = Field(
        default=1.0, description="what each further core adds, as a share of a core"
    )
    fused_tails: Literal["added", "free"] = Field(
        default="added",
        description="what stands behind the first operator of a fused kernel: its arithmetic is"
        " added, or done in registers for nothing",
    )
    l2: Size | None = Field(
        default=None, description="shared cache; a tensor that fits and was just written stays"
    )

    @model_validator(mode="after")
    def _tails_are_fused(self) -> CPUClusterSpec:
        if self.fused_tails == "free" and not self.fuse:
            message = "has no effect: 'fuse' names no chain"
            raise located("fused tails", ("fused_tails",), message, self.fused_tails)
        return self

    def along(self, field: str, choice: object) -> Mapping[str, object] | None:
        """No tails are free where nothing is fused."""
        return None if (field, choice) == ("fused_tails", "free") and not self.fuse else {}

    @property
    def thread_cores(self) -> int:
        """All its cores."""
        return self.cores

    @property
    def fused_tails_hide(self) -> bool:
        """As stated."""
        return self.fused_tails == "free"

    @property
    def cache(self) -> float:
        """The L2."""
        return float(self.l2 or 0.0)

    def accepts_dtype(self, dtype: str, *, macs: bool) -> bool:
        """Matrix work needs a stated rate; element-wise work can be done in any type."""
        return dtype in self.macs_per_cycle or not macs
