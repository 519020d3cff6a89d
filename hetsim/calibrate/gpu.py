"""Calibrating a GPU: the shares of its rates that kernels reach, and the cost of a launch.

Tiles, rounds and operands are taken as described, so three numbers are fitted to a whole table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hetsim.calibrate.target import Changes, Target, rounded
from hetsim.cost.analytical.gpu import GPUModel
from hetsim.cost.analytical.roofline import efficiency
from hetsim.cost.pu import PUModel
from hetsim.errors import ConfigError
from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.physical.convolution import conv_rows
from hetsim.learn.physical.robust import fit_log_parameters
from hetsim.learn.tables.forms import CONVOLUTION
from hetsim.learn.tables.table import Measurements
from hetsim.numeric import Floats
from hetsim.soc.model import SoC
from hetsim.units import format_quantity
from hetsim.workload.convolution import convolution_class
from hetsim.workload.graph import LoopNest, Operator
from hetsim.yamlio import Keys

DEPTHWISE = "depthwise"

FEWEST_ROWS = 3
"""A share for which there are fewer rows than this stays as it was."""

START_SHARE = 0.3


def nests_of(table: Measurements) -> list[LoopNest]:
    """The loops of each row of a convolution table."""
    same = ("out_h", "out_w", "k_h", "k_w", "stride_h", "stride_w", "dilation_h", "dilation_w")
    numbers = {name: table[name].tolist() for name in (*same, "n", "groups", "c_in", "c_out")}
    extents = {"in_h": table["h_in"].tolist(), "in_w": table["w_in"].tolist()}
    return [
        LoopNest(
            numbers["n"][i],
            numbers["groups"][i],
            in_c=numbers["c_in"][i] // numbers["groups"][i],
            out_c=numbers["c_out"][i] // numbers["groups"][i],
            **{name: numbers[name][i] for name in same},
            **{name: extents[name][i] for name in extents},
        )
        for i in range(len(table))
    ]


@dataclass(frozen=True)
class FittedGPU(Fitted):
    """``share`` of dense and of depthwise convolutions, ``dispatch_s`` seconds."""

    model: GPUModel
    dtype: str
    share: float
    depthwise: float
    dispatch_s: float

    def predict(self, table: Measurements) -> Floats:
        """The model's time of each row alone, seconds."""
        clock = self.model.cycles_per_s
        cycles = [
            self.model.product_cycles(
                nest, self.dtype, self.depthwise if _is_depthwise(nest) else self.share
            )
            for nest in nests_of(table)
        ]
        moved = conv_rows(table).data_bytes / self.model.pu.bandwidth
        return np.asarray(self.dispatch_s + np.maximum(np.array(cycles) / clock, moved))

    def floor(self, table: Measurements) -> Floats:
        """Every multiplier busy, seconds."""
        return np.array([self.model.least(nest, self.dtype) for nest in nests_of(table)])

    def parameters(self) -> Mapping[str, float]:
        """The three of them."""
        return {
            "share": self.share,
            "share.depthwise": self.depthwise,
            "dispatch_s": self.dispatch_s,
        }


@dataclass(frozen=True)
class GPUBaseline(Baseline):
    """A described GPU whose shares and launch are not known."""

    model: GPUModel
    dtype: str
    name: str = "calibrated"

    def fit(self, table: Measurements) -> FittedGPU:
        """The least robust loss."""
        start = np.array([START_SHARE, START_SHARE, 0.5 * float(table.target.min())])

        def fitted(values: Floats) -> FittedGPU:
            share, depthwise, dispatch = (float(v) for v in values)
            return FittedGPU(self.model, self.dtype, share, depthwise, dispatch)

        found, _ = fit_log_parameters(
            lambda values: fitted(values).predict(table),
            table.target,
            start,
            np.array([1.0, 1.0, np.inf]),
        )
        return fitted(found)

    def restore(self, parameters: Mapping[str, float]) -> FittedGPU:
        """The inverse of :meth:`FittedGPU.parameters`."""
        return FittedGPU(
            self.model,
            self.dtype,
            parameters["share"],
            parameters["share.depthwise"],
            parameters["dispatch_s"],
        )


class GPUTarget(Target):
    """``efficiency`` of ``Conv`` and ``Conv.depthwise``, and ``dispatch``."""

    form = CONVOLUTION.name
    correctable = False

    def __init__(self, soc: SoC, model: PUModel[Any], table: Measurements) -> None:
        super().__init__(soc, model, table)
        assert isinstance(model, GPUModel), "it states tiles and cores"
        self._model = model
        self.dtype = str(table["dtype"][0])
        if not model.spec.accepts_dtype(self.dtype, macs=True):
            raise ConfigError(
                f"{model.pu.cluster} states no macs_per_cycle for {self.dtype}, which was measured",
                hint=f"it states {', '.join(model.spec.macs_per_cycle)}",
            )

    def baseline(self, table: Measurements) -> Baseline:
        return GPUBaseline(self._model, self.dtype)

    def stated(self) -> Fitted:
        plain, depthwise = (
            efficiency(self._model.spec.efficiency, Operator("", "Conv", (), (), variant=name))
            for name in ("", DEPTHWISE)
        )
        launch = float(self.pu.spec.dispatch)
        return FittedGPU(self._model, self.dtype, plain, depthwise, launch)

    def changes(self, fitted: Fitted, table: Measurements) -> Changes:
        assert isinstance(fitted, FittedGPU)
        root: Keys = ("pus", self.pu.cluster)
        changes: dict[Keys, Any] = {
            (*root, "dispatch"): format_quantity(fitted.dispatch_s, "time"),
        }
        rows = sum(_is_depthwise(nest) for nest in nests_of(table))
        shares = (("Conv", fitted.share, len(table) - rows),
                  (f"Conv.{DEPTHWISE}", fitted.depthwise, rows))  # fmt: skip
        for key, share, count in shares:
            if count >= FEWEST_ROWS:
                changes[(*root, "efficiency", key)] = rounded(share)
        return changes

    def bound_notes(self, fitted: Fitted) -> list[str]:
        assert isinstance(fitted, FittedGPU)
        at = [name for name, value in fitted.parameters().items() if value > 0.999]
        if not at:
            return []
        return [f"{' and '.join(at)} ended at 1: the stated rates may be too low for what was"
                " measured"]  # fmt: skip


def _is_depthwise(nest: LoopNest) -> bool:
    return convolution_class(nest) == DEPTHWISE
