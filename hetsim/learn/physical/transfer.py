"""The physical model of DMA transfers: a start-up time, a bandwidth, and a soft corner between.

    cycles = (latency^p + (bytes / bandwidth)^p)^(1/p)

p = 1 is a transfer whose start-up nothing hides; a large p one that hides it wholly. Fitted per
direction; a direction never measured is predicted by a fit to all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.physical.robust import fit_log_parameters
from hetsim.learn.tables.table import Measurements
from hetsim.numeric import Floats

Corner = tuple[float, float, float]
"""Latency in cycles, bandwidth in bytes per cycle, p."""

ANY = "*"
CEILING_MARGIN = 1.5
_SHARPEST = 8.0


def _cycles(size: Floats, latency: Floats, bandwidth: Floats, sharpness: Floats) -> Floats:
    moved = size / bandwidth
    # Scaled by the larger term, so that powers of large numbers do not overflow.
    top = np.maximum(latency, moved)
    parts = (latency / top) ** sharpness + (moved / top) ** sharpness
    return np.asarray(top * parts ** (1.0 / sharpness), dtype=float)


@dataclass(frozen=True)
class FittedTransfers(Fitted):
    """The corner of each direction, and the highest bandwidth that is believed."""

    corners: Mapping[str, Corner]
    ceiling: float

    def predict(self, table: Measurements) -> Floats:
        """Cycles of each transfer."""
        known = [self.corners.get(str(d), self.corners[ANY]) for d in table["direction"]]
        latency, bandwidth, sharpness = np.array(known).T
        return _cycles(table.number("bytes"), latency, bandwidth, sharpness)

    def floor(self, table: Measurements) -> Floats:
        """All bytes at the ceiling, cycles."""
        return table.number("bytes") / self.ceiling

    def parameters(self) -> Mapping[str, float]:
        """Flat names, e.g. ``latency.DDR2CMX``."""
        flat = {"ceiling": self.ceiling}
        for direction, (latency, bandwidth, sharpness) in self.corners.items():
            flat[f"latency.{direction}"] = latency
            flat[f"bandwidth.{direction}"] = bandwidth
            flat[f"sharpness.{direction}"] = sharpness
        return flat


@dataclass(frozen=True)
class TransferBaseline(Baseline):
    """The physical model before fitting."""

    name: str = "calibrated"

    def fit(self, table: Measurements) -> FittedTransfers:
        """Fits each direction by itself, and all together."""
        corners = {ANY: _corner(table)}
        for direction in sorted({str(d) for d in table["direction"]}):
            corners[direction] = _corner(table.select(np.asarray(table["direction"] == direction)))
        best = float(np.max(table.number("bytes") / table.target))
        return FittedTransfers(corners, CEILING_MARGIN * best)

    def restore(self, parameters: Mapping[str, float]) -> FittedTransfers:
        """The inverse of :meth:`FittedTransfers.parameters`."""
        directions = [n.split(".", 1)[1] for n in parameters if n.startswith("latency.")]
        corners = {
            d: (
                parameters[f"latency.{d}"],
                parameters[f"bandwidth.{d}"],
                parameters[f"sharpness.{d}"],
            )
            for d in directions
        }
        return FittedTransfers(corners, parameters["ceiling"])


def _corner(table: Measurements) -> Corner:
    size = table.number("bytes")
    start = np.array([float(table.target.min()), float(np.max(size / table.target)), 2.0])
    upper = np.array([np.inf, np.inf, _SHARPEST])

    def predict(values: Floats) -> Floats:
        # Below p = 1 the corner would turn inside out.
        return _cycles(size, values[0], values[1], np.maximum(values[2], 1.0))

    found, _ = fit_log_parameters(predict, table.target, start, upper)
    return float(found[0]), float(found[1]), float(max(found[2], 1.0))
