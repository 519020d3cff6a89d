"""From operators of a graph to rows of a table: the door between networks and learned models.

The same rows serve to predict (what would this operator take on that device?) and to train (what
did the simulator, at a finer fidelity, say it took?).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hetsim.learn.physical.given import FLOOR, PHYSICAL
from hetsim.learn.tables.forms import CONVOLUTION
from hetsim.learn.tables.table import Column, Measurements
from hetsim.soc.model import PU
from hetsim.workload.graph import LoopNest, Operator

_NEST = {
    "n": "batch", "groups": "groups", "out_h": "out_h", "out_w": "out_w", "h_in": "in_h",
    "w_in": "in_w", "k_h": "k_h", "k_w": "k_w", "stride_h": "stride_h", "stride_w": "stride_w",
    "dilation_h": "dilation_h", "dilation_w": "dilation_w",
}  # fmt: skip


def operator_rows(
    operators: Sequence[Operator],
    pu: PU,
    *,
    seconds: Sequence[float] | None = None,
    physical: Sequence[float] | None = None,
    floor: Sequence[float] | None = None,
    family: Sequence[str] | None = None,
) -> Measurements:
    """A convolution table whose rows are ``operators`` as ``pu`` would store their tensors.

    All operators must have a loop nest. ``seconds`` are measured (or finely simulated) times, for
    training; ``physical`` and ``floor`` what a faster model says, for
    :class:`~hetsim.learn.physical.given.GivenBaseline`; ``family`` names of their networks.
    """
    nests = [op.nest for op in operators]
    assert all(nest is not None for nest in nests), "an operator without loops"
    columns: dict[str, Column] = {
        name: np.array([getattr(nest, field) for nest in nests], dtype=np.int64)
        for name, field in _NEST.items()
    }
    groups = columns["groups"]
    columns["c_in"] = np.array([nest.in_c for nest in nests if nest], dtype=np.int64) * groups
    columns["c_out"] = np.array([nest.out_c for nest in nests if nest], dtype=np.int64) * groups
    columns["macs"] = np.array([op.macs for op in operators], dtype=np.int64)
    columns["pad_top"] = np.array([_padding(op) for op in operators], dtype=np.int64)
    columns["op"] = np.array([op.kind for op in operators])
    columns["dtype"] = np.array([pu.stored_dtype(op.dtype) for op in operators])
    columns["device"] = np.array([pu.cluster] * len(operators))
    for name, values in ((PHYSICAL, physical), (FLOOR, floor)):
        if values is not None:
            columns[name] = np.asarray(values, dtype=float)
    count = len(operators)
    shapes = np.array([
        f"{h}x{w} k{a}x{b}"
        for h, w, a, b in zip(
            columns["h_in"], columns["w_in"], columns["k_h"], columns["k_w"], strict=True
        )
    ])  # fmt: skip
    return Measurements(
        form=CONVOLUTION.name,
        file="<operators>",
        unit="seconds",
        columns=columns,
        target=np.ones(count) if seconds is None else np.asarray(seconds, dtype=float),
        families=shapes if family is None else np.array(list(family)),
        shapes=shapes,
        lines=np.arange(1, count + 1),
        rows_read=count,
    )


Key = tuple[str, LoopNest | None, str, int]


def row_key(op: Operator, pu: PU) -> Key:
    """What the row of ``op`` depends on: operators of equal keys on ``pu`` are one workload."""
    return op.kind, op.nest, pu.stored_dtype(op.dtype), _padding(op)


def _padding(op: Operator) -> int:
    """Padding above the image; ``auto_pad`` exports pad when the kernel is larger than one."""
    pads = op.attributes.get("pads")
    if isinstance(pads, list | tuple) and pads:
        return int(pads[0])
    same = str(op.attributes.get("auto_pad", "")).startswith("SAME")
    return (op.nest.k_h - 1) // 2 if same and op.nest is not None else 0
