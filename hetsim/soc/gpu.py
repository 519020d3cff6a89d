"""GPUs: many like cores that work-groups are dealt to."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from hetsim.soc.fields import Count, Rates, Size, Spec, Time, located
from hetsim.soc.pu import Efficiencies
from hetsim.soc.turning import Joint, Turned
from hetsim.soc.weights import WeighingSpec
from hetsim.workload.graph import DTYPE_BYTES


class TileSpec(Spec):
    """The part of a product's result that one work-group makes."""

    rows: Count = Field(description="positions of the output")
    columns: Count = Field(description="channels of the output")


TILES = ((64, 16), (32, 32), (16, 16), (64, 4), (32, 8))
"""Rows and columns that a library's kernels come in: 256 to 1,024 results a group of 64."""


class MatrixUnitSpec(Spec):
    """Matrix cores: what multiplies small matrices in each core, beside its lanes."""

    macs_per_cycle: Rates = Field(description="multiply-accumulates per cycle of one core's unit")
    depth: Count = Field(description="terms of the sums that one instruction takes; others are 0")


class StagingSpec(Spec):
    """Local (shared) memory of a core, which groups stage their operands in."""

    memory: Size = Field(description="of one core")
    steps: Count = Field(default=16, description="terms of the sums that are staged at once")

    def fit(self, rows: int, columns: int, element: float) -> int:
        """Groups that find room."""
        return int(self.memory // ((rows + columns) * self.steps * element))


class GPUSpec(WeighingSpec):
    """A GPU: cores that work-groups are dealt to; what it reaches follows from the shapes."""

    kind: Literal["gpu"]
    model: ClassVar[str] = "hetsim.cost.analytical.gpu:GPUModel"
    cores: Count = Field(description="shader cores, compute units, multiprocessors")
    macs_per_cycle: Rates = Field(description="multiply-accumulates per cycle of one core's lanes")
    element_ops_per_cycle: Rates = Field(description="other operations per cycle of one core")
    efficiency: Efficiencies = Field(
        description="share of the rates that kernels reach on full cores ('Conv'), and 'default'"
    )
    work_group: Count = Field(default=64, description="work-items of an element-wise work-group")
    resident: Count = Field(
        default=1, description="work-groups that a core must hold to hide latency and be busy"
    )
    tiles: list[TileSpec] = Field(
        default=[TileSpec(rows=rows, columns=columns) for rows, columns in TILES],
        min_length=1,
        description="sizes that product kernels come in; the quickest is taken",
    )
    operand_width: Annotated[float, Field(gt=0)] | None = Field(
        default=None,
        description="bytes of operands per cycle that reach the lanes of one core from its cache or"
        " local memory; absent = never too few",
    )
    staging: StagingSpec | None = Field(
        default=None, description="absent = operands come through the cache, and any tile has room"
    )
    matrix: MatrixUnitSpec | None = Field(
        default=None, description="absent = products run on the lanes"
    )
    winograd: Literal[2, 4] | None = Field(
        default=None,
        description="largest output tile of Winograd kernels, F(2x2, 3x3) or F(4x4, 3x3), taken"
        " where they are quicker; absent = the library has none",
    )
    l2: Size | None = Field(
        default=None, description="shared cache; a tensor that fits and was just written stays"
    )
    completion: Time = Field(
        default=0.0,
        description="from the last kernel of a partition to the host's reaction: fence, interrupt",
    )

    @model_validator(mode="after")
    def _a_tile_has_room(self) -> GPUSpec:
        if self.staging is None:
            return self
        widest = max(self._product_types, key=lambda dtype: DTYPE_BYTES[dtype])
        least = min(self.tiles, key=lambda tile: tile.rows + tile.columns)
        if not self.staging.fit(least.rows, least.columns, DTYPE_BYTES[widest]):
            need = (least.rows + least.columns) * self.staging.steps * DTYPE_BYTES[widest]
            message = f"the smallest tile stages {need:.0f} bytes of {widest}"
            raise located("GPU", ("staging", "memory"), message, self.staging.memory)
        return self

    @property
    def _product_types(self) -> tuple[str, ...]:
        return (*self.macs_per_cycle, *(self.matrix.macs_per_cycle if self.matrix else ()))

    @property
    def completion_latency(self) -> float:
        """As stated."""
        return float(self.completion)

    @property
    def cache(self) -> float:
        """The L2."""
        return float(self.l2 or 0.0)

    @property
    def core_memory(self) -> float:
        """The local memory of all cores."""
        return self.cores * self.staging.memory if self.staging else 0.0

    @property
    def multipliers(self) -> float:
        """Of all cores, in the fastest data type; lanes and matrix units are both paid for."""
        matrix = max(self.matrix.macs_per_cycle.values()) if self.matrix else 0.0
        return self.cores * (max(self.macs_per_cycle.values()) + matrix)

    def accepts_dtype(self, dtype: str, *, macs: bool) -> bool:
        """Matrix work needs a stated rate; element-wise work can be done in any type."""
        return dtype in self._product_types or not macs

    def joints(self) -> tuple[Joint, ...]:
        """Tiles grow by their rows."""
        now = ", ".join(f"{tile.rows}x{tile.columns}" for tile in self.tiles)
        return (Joint("tiles", ("tiles",), now, self._with_rows),)

    def _with_rows(self, factor: float) -> Turned | None:
        tiles = [(max(1, int(tile.rows * factor)), tile.columns) for tile in self.tiles]
        if tiles == [(tile.rows, tile.columns) for tile in self.tiles]:
            return None
        label = ", ".join(f"{rows}x{columns}" for rows, columns in tiles)
        values = [{"rows": rows, "columns": columns} for rows, columns in tiles]
        return Turned(label, {"tiles": values}, factor)
