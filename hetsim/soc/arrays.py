"""Matrix arrays of NPUs; their cycles in closed form are in :mod:`hetsim.forms.arrays`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from hetsim.soc.fields import Count, Spec
from hetsim.soc.turning import Joint, sides


class SystolicArray(Spec):
    """A rows × columns systolic array with a fixed dataflow."""

    rows: Count
    columns: Count
    dataflow: Literal["weight_stationary", "output_stationary", "input_stationary"]

    @property
    def macs_per_cycle(self) -> int:
        """Multiply-accumulates a cycle at the very most."""
        return self.rows * self.columns

    def joints(self) -> tuple[Joint, ...]:
        """Both sides grow together."""
        return (sides(self, "rows", "columns"),)


class GemmCore(Spec):
    """A blocked matrix core: batch × block_in × block_out multiply-accumulates each cycle."""

    batch: Count = 1
    block_in: Count
    block_out: Count

    @property
    def macs_per_cycle(self) -> int:
        """Multiply-accumulates a cycle at the very most."""
        return self.batch * self.block_in * self.block_out

    def joints(self) -> tuple[Joint, ...]:
        """Both blocks grow together."""
        return (sides(self, "block_in", "block_out"),)


def _form(value: Any) -> str:
    if isinstance(value, GemmCore):
        return "gemm core"
    blocked = isinstance(value, dict) and not value.keys().isdisjoint(GemmCore.model_fields)
    return "gemm core" if blocked else "systolic array"


MatrixArray = SystolicArray | GemmCore

ArrayField = Annotated[
    Annotated[SystolicArray, Tag("systolic array")] | Annotated[GemmCore, Tag("gemm core")],
    Discriminator(_form),
]
"""Either form, as a field of a description: told apart by what it states."""
