"""What was varied, as numbers where it is numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hetsim.units import UNITS

_NUMBER = re.compile(r"\s*([-+]?[\d_.]+(?:[eE][-+]?\d+)?)\s*(.*?)\s*")


def quantities(values: Sequence[Any]) -> tuple[str, list[float]] | None:
    """Dimension (a key of :data:`hetsim.units.UNITS`, or ``""``) and SI values of one axis.

    ``None`` when one is no number, two are the same, or units do not agree. Factors (``2x``) have
    the dimension ``×``.
    """
    numbers: list[float] = []
    dimensions: set[str] = set()
    for value in values:
        if isinstance(value, bool):
            return None
        match = _NUMBER.fullmatch(str(value))
        if match is None:
            return None
        number, unit = float(match[1].replace("_", "")), match[2]
        table = next(((d, u[unit]) for d, u in UNITS.items() if unit in u), None)
        if unit and unit not in ("x", "×") and table is None:
            return None
        dimensions.add(table[0] if table else "×" if unit else "")
        numbers.append(number * (table[1] if table else 1.0))
    if len(dimensions) != 1 or len(set(numbers)) != len(numbers):
        return None
    return dimensions.pop(), numbers


def as_numbers(values: Sequence[Any]) -> list[float] | None:
    """The SI values of :func:`quantities` alone."""
    found = quantities(values)
    return None if found is None else found[1]


def in_order(values: Sequence[Any]) -> list[Any]:
    """Distinct values of one axis: ascending where they are numbers, else as they come."""
    found = list(dict.fromkeys(values))
    numbers = as_numbers(found)
    if numbers is None:
        return found
    return [value for _, value in sorted(zip(numbers, found, strict=True), key=lambda p: p[0])]
