"""From raw descriptor columns to standardised network inputs, and whether a row is in range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hetsim.numeric import Bools, Floats, Texts

RANGE_MARGIN = float(np.log(1.5))
"""How far outside the range seen in training (in log units: 50 %) a row may lie."""

CLIP = 4.0
"""Standardised inputs are limited to this many deviations, so that extrapolation flattens out."""


@dataclass(frozen=True)
class Descriptors:
    """Descriptor columns of some rows: ``numbers`` (mostly logarithms) and ``labels`` (text).

    ``ranged`` names the numbers that decide whether a row resembles the training rows.
    """

    numbers: Mapping[str, Floats]
    labels: Mapping[str, Texts]
    ranged: tuple[str, ...]

    def __len__(self) -> int:
        return len(next(iter(self.numbers.values())))

    def select(self, rows: Bools | NDArray[np.intp]) -> Descriptors:
        """The descriptors of ``rows``."""
        return Descriptors(
            {name: values[rows] for name, values in self.numbers.items()},
            {name: values[rows] for name, values in self.labels.items()},
            self.ranged,
        )


@dataclass(frozen=True)
class Encoder:
    """Learned from training rows: scale of each number, known labels, ranges.

    Numbers that never varied in training are left out: nothing was learned about them.
    """

    names: tuple[str, ...]
    mean: Floats
    scale: Floats
    categories: Mapping[str, tuple[str, ...]]
    ranges: Mapping[str, tuple[float, float]]

    @classmethod
    def learn(cls, rows: Descriptors) -> Encoder:
        """The encoder for rows like ``rows``."""
        categories = {
            name: tuple(sorted({str(v) for v in values})) for name, values in rows.labels.items()
        }
        names = [name for name, v in rows.numbers.items() if float(np.std(v)) > 1e-9]
        ranges = {
            name: (float(rows.numbers[name].min()), float(rows.numbers[name].max()))
            for name in rows.ranged
        }
        raw = _raw(rows, names, categories)
        scale = raw.std(axis=0)
        return cls(
            tuple(names), raw.mean(axis=0), np.where(scale > 1e-9, scale, 1.0), categories, ranges
        )

    def transform(self, rows: Descriptors) -> Floats:
        """Inputs of shape (rows, features): numbers and one-hot labels, standardised, clipped."""
        raw = _raw(rows, self.names, self.categories)
        return np.clip((raw - self.mean) / self.scale, -CLIP, CLIP)

    def inside(self, rows: Descriptors) -> Bools:
        """Which rows are within the ranges seen in training, with labels seen in training."""
        valid = np.ones(len(rows), dtype=bool)
        for name, (low, high) in self.ranges.items():
            values = rows.numbers[name]
            valid &= (values >= low - RANGE_MARGIN) & (values <= high + RANGE_MARGIN)
        for name, known in self.categories.items():
            valid &= np.isin(rows.labels[name], known)
        return valid

    def outside(self, rows: Descriptors, row: int) -> str:
        """Why row ``row`` is out of range; empty when it is not."""
        one = rows.select(np.array([row]))
        for name, (low, high) in self.ranges.items():
            value = float(one.numbers[name][0])
            if not low - RANGE_MARGIN <= value <= high + RANGE_MARGIN:
                return (
                    f"{name} {np.exp(value):.4g} is outside {np.exp(low):.4g} to {np.exp(high):.4g}"
                )
        for name, known in self.categories.items():
            if str(one.labels[name][0]) not in known:
                return f"{name} {one.labels[name][0]!s} was never measured"
        return ""


def _raw(
    rows: Descriptors,
    names: tuple[str, ...] | list[str],
    categories: Mapping[str, tuple[str, ...]],
) -> Floats:
    columns = [rows.numbers[name] for name in names]
    for name, known in categories.items():
        if len(known) > 1:
            columns += [(rows.labels[name] == label).astype(float) for label in known]
    if not columns:
        return np.zeros((len(rows), 1))
    return np.stack(columns, axis=1)
