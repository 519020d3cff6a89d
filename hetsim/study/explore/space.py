"""Axes as others see them: what Optuna may suggest and the design it means, and positions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hetsim.numeric import Floats
from hetsim.study.axes import Axis, Interval
from hetsim.study.sweep.quantities import as_numbers

NODES = 32
"""A range without steps is averaged over the middles of so many equal parts."""

_BEYOND = 0.1
"""How far outside the designs known, as a share of the axis, a value may lie and be told of."""


def suggest(axis: Axis, trial: Any) -> None:
    """Lets a trial of Optuna choose a value of the axis, unless it has.

    Values in order (numbers, stepped ranges) are an integer that counts along them, so that
    neighbours are known to be neighbours; a range without steps is a float; other values are
    categories.
    """
    interval = axis.interval
    if interval is not None and not axis.stepped:
        trial.suggest_float(axis.path, interval.low, interval.high, log=interval.log)
    elif _ordered(axis):
        trial.suggest_int(axis.path, 0, len(axis.values) - 1)
    else:
        trial.suggest_categorical(axis.path, [str(value) for value in axis.values])


def design_of(axes: Sequence[Axis], suggested: Mapping[str, Any]) -> dict[str, object]:
    """The design that suggested parameters mean."""
    design: dict[str, object] = {}
    for axis in axes:
        value = suggested[axis.path]
        if axis.interval is not None and not axis.stepped:
            design[axis.path] = axis.interval.near(value)
        elif _ordered(axis):
            design[axis.path] = axis.values[int(value)]
        else:
            design[axis.path] = next(v for v in axis.values if str(v) == value)
    return design


def size(axes: Sequence[Axis]) -> float:
    """How many designs there are; infinite when a range has no steps."""
    if any(axis.interval is not None and not axis.stepped for axis in axes):
        return math.inf
    return float(math.prod(len(axis.values) for axis in axes))


@dataclass(frozen=True)
class Scale:
    """An axis as positions: ``nodes`` stand for all its values, which ``texts`` name.

    Positions are from 0 to 1, evenly along the values of a stepped axis and linear in a range
    without steps; where values have no order, numbers of categories. ``finite`` axes have no other
    values than their nodes.
    """

    path: str
    nodes: Floats
    texts: tuple[str, ...]
    ordered: bool
    values: tuple[object, ...] = ()
    interval: Interval | None = None
    finite: bool = True

    def among(self, positions: Floats) -> Scale:
        """The same without nodes that designs at ``positions`` say nothing about.

        Those are categories that none of them has, and what lies far beyond the outermost of them.
        """
        if self.ordered:
            low, high = positions.min() - _BEYOND, positions.max() + _BEYOND
            kept = (self.nodes >= low) & (self.nodes <= high)
        else:
            kept = np.isin(self.nodes, positions)
        texts = tuple(text for text, keep in zip(self.texts, kept, strict=True) if keep)
        return replace(self, nodes=self.nodes[kept], texts=texts)

    def position(self, value: object) -> float:
        """Where a value that a design has lies."""
        if self.interval is None:
            at = self.values.index(value)
            return at / max(1, len(self.values) - 1) if self.ordered else float(at)
        low, high = (self.interval.spell(end) for end in (self.interval.low, self.interval.high))
        if value in (low, high):
            return float(value == high)
        numbers = as_numbers([low, high, value])
        assert numbers is not None, "a range has numbers, and one between its ends is neither"
        return (numbers[2] - numbers[0]) / (numbers[1] - numbers[0])


def scale_of(axis: Axis) -> Scale:
    """Positions along ``axis``.

    A range without steps is averaged over :data:`NODES` nodes, and so is one of very many steps.
    """
    if axis.interval is not None and not axis.stepped:
        nodes = (np.arange(NODES) + 0.5) / NODES
        texts = tuple(str(axis.interval.at(float(node))) for node in nodes)
        return Scale(axis.path, nodes, texts, True, interval=axis.interval, finite=False)
    count = len(axis.values)
    ordered = _ordered(axis)
    if not ordered:
        return Scale(
            axis.path, np.arange(count, dtype=float), tuple(map(str, axis.values)), False,
            axis.values,
        )  # fmt: skip
    finite = count <= 2 * NODES
    kept = range(count) if finite else [(2 * k + 1) * count // (2 * NODES) for k in range(NODES)]
    nodes = np.array([i / max(1, count - 1) for i in kept])
    texts = tuple(str(axis.values[i]) for i in kept)
    return Scale(axis.path, nodes, texts, True, axis.values, finite=finite)


def _ordered(axis: Axis) -> bool:
    numbers = as_numbers(axis.values)
    return numbers is not None and (numbers == sorted(numbers) or axis.interval is not None)
