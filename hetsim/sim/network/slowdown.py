"""Loss of speed below saturation, from a measured table (see :class:`hetsim.soc.pu.Slowdown`)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from hetsim.soc.pu import Slowdown


def slowdown_curve(table: Slowdown) -> Callable[[float, float], float]:
    """(own demand, external demand) in B/s to the share of speed kept.

    Bilinear between the table's points, constant outside them; nobody else means no loss.
    """

    def kept(own: float, external: float) -> float:
        if external <= 0.0:
            return 1.0
        row, up = _place(table.own, own)
        column, right = _place(table.external, external)
        low = _mix(table.kept[row], column, right)
        high = _mix(table.kept[min(row + 1, len(table.own) - 1)], column, right)
        return low + (high - low) * up

    return kept


def _mix(values: Sequence[float], index: int, share: float) -> float:
    following = values[min(index + 1, len(values) - 1)]
    return values[index] + (following - values[index]) * share


def _place(axis: Sequence[float], value: float) -> tuple[int, float]:
    """The point at or below ``value``, and how far on towards the next one, in [0, 1]."""
    index = bisect_right(axis, value) - 1
    if index < 0:
        return 0, 0.0
    if index >= len(axis) - 1:
        return len(axis) - 1, 0.0
    return index, (value - axis[index]) / (axis[index + 1] - axis[index])
