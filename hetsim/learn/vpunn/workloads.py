"""What VPUNN models are asked about: jobs of a tile's array, and transfers, as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from hetsim.learn.tables.table import Measurements
from hetsim.numeric import Array, Floats, Ints, Texts

OPERATIONS = (
    "CONVOLUTION", "DW_CONVOLUTION", "ELTWISE", "MAXPOOL", "AVEPOOL", "CM_CONVOLUTION",
)  # fmt: skip
"""What the array does; ``CM_CONVOLUTION`` reads fewer than 16 channels."""

DTYPES = ("UINT8", "INT8", "FLOAT16", "BFLOAT16")
MODES = ("CUBOID_16x16", "CUBOID_8x16", "CUBOID_4x16")
"""How the array's cells stand over pixels and channels of the output."""

STRATEGIES = ("Clustering", "SplitOverH", "SplitOverK")
"""How the tiles share an operator: each alone, rows that overlap, output channels."""

DIRECTIONS = ("DDR2CMX", "CMX2CMX", "CMX2DDR", "DDR2DDR")

CONVOLUTION, DEPTHWISE, ELTWISE, MAXPOOL, AVEPOOL, COMPRESSED = range(6)
FLOAT16 = DTYPES.index("FLOAT16")
CLUSTERING, SPLIT_OVER_H, SPLIT_OVER_K = range(3)


@dataclass(frozen=True)
class Workloads:
    """Jobs of one tile's array, a column of numbers for each property.

    ``operation``, ``in_dtype``, ``out_dtype``, ``mode`` and ``strategy`` are positions in the
    names above. ``write_tiles``: how many tiles the output is written to. Sparsity in shares of
    zeros. Pads, kernels, strides and extents in elements.
    """

    operation: Ints
    batch: Ints
    in_c: Ints
    in_h: Ints
    in_w: Ints
    out_c: Ints
    out_h: Ints
    out_w: Ints
    kernel_h: Ints
    kernel_w: Ints
    stride_h: Ints
    stride_w: Ints
    pad_top: Ints
    pad_bottom: Ints
    pad_left: Ints
    pad_right: Ints
    in_dtype: Ints
    out_dtype: Ints
    mode: Ints
    strategy: Ints
    write_tiles: Ints
    in_sparse: Ints
    weight_sparse: Ints
    in_sparsity: Floats
    weight_sparsity: Floats

    def __len__(self) -> int:
        return len(self.operation)

    def select(self, rows: Array) -> Workloads:
        """Those of ``rows`` (a mask or positions), in that order."""
        return Workloads(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @classmethod
    def of(cls, columns: Mapping[str, Array], count: int) -> Workloads:
        """``count`` jobs of the columns there are.

        The others are: batch, kernel, stride and tiles written one, no padding, ``UINT8``,
        ``CUBOID_16x16``, ``Clustering``, dense.
        """
        made: dict[str, Array] = {}
        for f in fields(cls):
            kind = float if f.name.endswith("sparsity") else np.int64
            value = columns.get(f.name, 1 if f.name in _ONES else 0)
            made[f.name] = np.array(np.broadcast_to(np.asarray(value, dtype=kind), (count,)))
        return cls(**made)

    @classmethod
    def of_table(cls, table: Measurements) -> Workloads:
        """Those of a table of NPU cycles.

        Raises:
            ValueError: a name in it that is none of those above.
        """
        columns: dict[str, Array] = {name: table[column] for name, column in _COLUMNS.items()}
        for name, (column, known) in _NAMES.items():
            columns[name] = _positions(table[column], known, column)
        return cls.of(columns, len(table))


_ONES = frozenset({
    "batch", "in_c", "in_h", "in_w", "out_c", "out_h", "out_w", "kernel_h", "kernel_w",
    "stride_h", "stride_w", "write_tiles",
})  # fmt: skip

_COLUMNS: Mapping[str, str] = {
    "batch": "input_0_batch", "in_c": "input_0_channels", "in_h": "input_0_height",
    "in_w": "input_0_width", "out_c": "output_0_channels", "out_h": "output_0_height",
    "out_w": "output_0_width", "kernel_h": "kernel_height", "kernel_w": "kernel_width",
    "stride_h": "kernel_stride_height", "stride_w": "kernel_stride_width",
    "pad_top": "kernel_pad_top", "pad_bottom": "kernel_pad_bottom",
    "pad_left": "kernel_pad_left", "pad_right": "kernel_pad_right",
    "write_tiles": "output_write_tiles", "in_sparse": "input_sparsity_enabled",
    "weight_sparse": "weight_sparsity_enabled", "in_sparsity": "input_sparsity_rate",
    "weight_sparsity": "weight_sparsity_rate",
}  # fmt: skip

_NAMES: Mapping[str, tuple[str, Sequence[str]]] = {
    "operation": ("operation", OPERATIONS),
    "in_dtype": ("input_0_datatype", DTYPES),
    "out_dtype": ("output_0_datatype", DTYPES),
    "mode": ("execution_order", MODES),
    "strategy": ("isi_strategy", STRATEGIES),
}


def _positions(names: Texts, known: Sequence[str], column: str) -> Ints:
    texts, member = np.unique(names, return_inverse=True)
    for text in texts:
        if text not in known:
            raise ValueError(f"{column} {str(text)!r} is unknown; known: {', '.join(known)}")
    return np.array([known.index(str(text)) for text in texts], dtype=np.int64)[member]


@dataclass(frozen=True)
class Transfers:
    """Transfers of ``bytes`` in a row; ``direction`` are positions in :data:`DIRECTIONS`."""

    bytes: Ints
    direction: Ints

    def __len__(self) -> int:
        return len(self.bytes)

    @classmethod
    def of_table(cls, table: Measurements) -> Transfers:
        """Those of a table of DMA transfers.

        Raises:
            ValueError: a direction that is not known.
        """
        direction = _positions(table["direction"], DIRECTIONS, "direction")
        return cls(np.asarray(table["bytes"], dtype=np.int64), direction)
