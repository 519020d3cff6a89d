"""What a unit does with weights that are stored narrow or sparse."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hetsim.soc.fields import Rates, Sparsity, Spec
from hetsim.soc.pu import PUSpec


class WeightsSpec(Spec):
    """Weights that are not stored as the unit computes."""

    unpack: Rates | None = Field(
        default=None,
        description="weights per cycle (of one core, thread or decoder) that are widened to what"
        " is computed in, by the type they are stored in; absent = at no cost",
    )
    sparsity: dict[Sparsity, Annotated[float, Field(ge=1)]] | None = Field(
        default=None,
        description="patterns that it keeps packed, {'2:4': 2.0}: how many times as fast products"
        " are; absent = zeros are stored and multiplied as any number",
    )


class WeighingSpec(PUSpec):
    """A unit whose model says what narrow and sparse weights take: all that come with hetsim."""

    weights: WeightsSpec = Field(
        default=WeightsSpec(), description="weights that are stored narrow or sparse"
    )

    @property
    def packs(self) -> frozenset[str]:
        """The patterns stated."""
        return frozenset(self.weights.sparsity or ())
