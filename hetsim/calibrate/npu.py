"""Calibrating an NPU: the share of its array's cycles that do work, and the cost of a launch."""

from __future__ import annotations

from typing import Any

import numpy as np

from hetsim.calibrate.target import Changes, Target, rounded
from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.physical.npu import KINDS, FittedNPU, NPUBaseline
from hetsim.learn.tables.forms import NPU
from hetsim.learn.tables.table import Measurements
from hetsim.units import format_quantity
from hetsim.yamlio import Keys


class NPUTarget(Target):
    """``array_efficiency`` and ``dispatch``."""

    form = NPU.name
    dtype = "int8"

    def baseline(self, table: Measurements) -> Baseline:
        return NPUBaseline()

    def changes(self, fitted: Fitted, table: Measurements) -> Changes:
        assert isinstance(fitted, FittedNPU)
        root: Keys = ("pus", self.pu.cluster)
        launch = fitted.overhead / self.pu.spec.point.clock
        changes: dict[Keys, Any] = {(*root, "dispatch"): format_quantity(launch, "time")}
        share = self._share(fitted)
        if share is not None:
            changes[(*root, "array_efficiency")] = rounded(min(share, 1.0))
        return changes

    def bound_notes(self, fitted: Fitted) -> list[str]:
        assert isinstance(fitted, FittedNPU)
        share = self._share(fitted)
        if share is None:
            return ["no convolution was measured, so array_efficiency is left as it was"]
        if share <= 1.0:
            return []
        return [
            f"what was measured does {share:.3g} times as many multiply-accumulates a cycle as"
            " the stated array can; array_efficiency ended at 1"
        ]

    def _share(self, fitted: FittedNPU) -> float | None:
        """Multiply-accumulates a cycle that convolutions reached, as a share of the array's."""
        array = self.pu.spec.matrix_array
        assert array is not None
        cycles_per_mac = float(fitted.per_work[KINDS.index("convolution")])
        if np.isnan(cycles_per_mac):
            return None
        return 1.0 / (cycles_per_mac * array.macs_per_cycle * self.pu.cores)
