"""Axes as Optuna sees them: what it may suggest, and designs from what it did."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hetsim.study.axes import Axis
from hetsim.study.sweep.pictures import as_numbers


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


def _ordered(axis: Axis) -> bool:
    numbers = as_numbers(axis.values)
    return numbers is not None and (numbers == sorted(numbers) or axis.interval is not None)
