"""Which tensors are images: N, H, W, C in the file, told as N, C, H, W here.

TFLite does not say what a dimension means; what reads a tensor does. Tensors of four dimensions
that a convolution, a pool or another spatial operator touches are images, and so are those that
hang together with them by operators which keep the order of dimensions. A Reshape, a Transpose or a
matrix product between two tensors ends that: attention over heads keeps the file's dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx

from hetsim.workload.tflite.file import FileOperator, FileTensor

SPATIAL = frozenset(
    {
        "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "AVERAGE_POOL_2D", "MAX_POOL_2D",
        "L2_POOL_2D", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "SPACE_TO_DEPTH",
        "DEPTH_TO_SPACE", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", "LOCAL_RESPONSE_NORMALIZATION",
    }
)  # fmt: skip
"""Kinds whose tensors of four dimensions are images."""

REARRANGING = frozenset(
    {
        "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "BATCH_MATMUL", "FULLY_CONNECTED",
        "PACK", "UNPACK", "GATHER", "GATHER_ND", "EMBEDDING_LOOKUP", "SCATTER_ND", "ONE_HOT",
    }
)  # fmt: skip
"""Kinds whose results have other dimensions than their inputs, or the same in another order."""


def images(tensors: tuple[FileTensor, ...], operators: Iterable[FileOperator]) -> set[int]:
    """Positions of the computed tensors that are images."""
    together: nx.Graph[int] = nx.Graph()
    seeds: set[int] = set()
    for op in operators:
        touched = [
            i for i in (*op.inputs, *op.outputs)
            if i >= 0 and len(tensors[i].shape) == 4 and not tensors[i].constant
        ]  # fmt: skip
        if op.kind in SPATIAL:
            seeds.update(touched)
        if op.kind not in REARRANGING:
            nx.add_path(together, touched)
    found = set(seeds)
    for group in nx.connected_components(together):
        if not seeds.isdisjoint(group):
            found |= group
    return found
