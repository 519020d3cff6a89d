"""Calibrating what runs convolutions on vector units: CPU clusters and accelerators.

A description holds shares of a peak and core cycles; the fits hold rates and seconds. The peak
(MACs per cycle, clock, cores) is taken as true, so that fitted efficiencies never exceed one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hetsim.calibrate.target import Changes, Target, rounded
from hetsim.cost.analytical.convolution import cycle_parameters
from hetsim.cost.analytical.roofline import RooflineModel
from hetsim.cost.pu import PUModel
from hetsim.errors import ConfigError
from hetsim.forms.convolution import WINOGRAD, ConvParameters, winograd_saving
from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.physical.convolution import (
    Ceiling,
    ConvBaseline,
    FittedConvolution,
    conv_rows,
)
from hetsim.learn.tables.forms import CONVOLUTION
from hetsim.learn.tables.table import Measurements
from hetsim.soc.model import SoC
from hetsim.units import format_quantity
from hetsim.workload.convolution import CLASSES, spelled
from hetsim.yamlio import Keys

FEWEST_ROWS = 3
"""A class of convolution with fewer rows than this keeps the efficiency it had."""


class ConvolutionTarget(Target):
    """``efficiency`` by class of convolution, ``convolution`` and ``dispatch``."""

    form = CONVOLUTION.name

    def __init__(self, soc: SoC, model: PUModel[Any], table: Measurements) -> None:
        super().__init__(soc, model, table)
        assert isinstance(model, RooflineModel), "it states rates and efficiencies"
        self.dtype = str(table["dtype"][0])
        peaks = model.spec.macs_per_cycle
        if self.dtype not in peaks:
            raise ConfigError(
                f"{model.pu.cluster} states no macs_per_cycle for {self.dtype}, which was measured",
                hint=f"it states {', '.join(peaks)}",
            )
        self._cycles_per_s = model.cycles_per_s
        self._peak = peaks[self.dtype] * self._cycles_per_s
        self._bandwidth = self.pu.bandwidth

    def baseline(self, table: Measurements) -> Baseline:
        return ConvBaseline(self._peak, self._bandwidth)

    def stated(self) -> Fitted:
        cycles = cycle_parameters(self.model.spec, self.dtype)
        rate = self._cycles_per_s
        values = replace(
            cycles,
            rate={name: value * rate for name, value in cycles.rate.items()},
            input_s={name: value / rate for name, value in cycles.input_s.items()},
            output_s={name: value / rate for name, value in cycles.output_s.items()},
            reduction_s=cycles.reduction_s / rate,
            dispatch_s=float(self.pu.spec.dispatch),
            bandwidth=self._bandwidth,
        )
        saving = winograd_saving(values.winograd_tile) if values.winograd_tile else 1.0
        return FittedConvolution(values, Ceiling(self._peak / saving, self._bandwidth))

    def changes(self, fitted: Fitted, table: Measurements) -> Changes:
        assert isinstance(fitted, FittedConvolution)
        root: Keys = ("pus", self.pu.cluster)
        p = fitted.values
        counts = np.bincount(conv_rows(table).variant, minlength=len(CLASSES))
        changes: dict[Keys, Any] = {}
        for name, rows in zip(CLASSES, counts, strict=True):
            if rows >= FEWEST_ROWS:
                key = f"Conv.{name}" if name else "Conv"
                share = min(p.rate[name] / self._peak, 1.0)
                changes[(*root, "efficiency", key)] = rounded(share)
        changes[(*root, "dispatch")] = format_quantity(p.dispatch_s, "time")
        changes[(*root, "convolution")] = _convolution(
            p, self._cycles_per_s, self._peak, bool(counts[CLASSES.index("depthwise")])
        )
        return changes

    def doubts(self, table: Measurements) -> list[str]:
        """Rows whose tensors cannot have crossed the memory in that time.

        Who repeats a kernel finds in the cache what fits there; without a stated cache, and with a
        system cache behind it, nobody knows how much that is.
        """
        if not (cache := self.pu.spec.cache) or self.pu.cached is not None:
            return []
        most = float(self.soc.spec.memory[self.pu.memory].bandwidth)
        needed = (conv_rows(table).data_bytes - cache) / table.target
        return [
            f"line {table.lines[row]} ({table.shapes[row]}) is too fast: beside what the cache"
            f" holds it needs {needed[row] / 1e9:.3g} GB/s, and {self.pu.memory} has at most"
            f" {most / 1e9:.3g}. Either another shape ran, or its weights were not read"
            for row in np.flatnonzero(needed > most)
        ]

    def bound_notes(self, fitted: Fitted) -> list[str]:
        assert isinstance(fitted, FittedConvolution)
        at = [spelled(n) for n, rate in fitted.values.rate.items() if rate > 0.999 * self._peak]
        if not at:
            return []
        return [
            f"the efficiency of {', '.join(at)} ended at 1: the stated peak of"
            f" {self._peak / 1e9:.3g} GMAC/s may be too low for what was measured"
        ]


def _convolution(p: ConvParameters, rate: float, peak: float, depthwise: bool) -> dict[str, Any]:
    """The ``convolution`` field, in core cycles."""

    def cost(place: str) -> dict[str, float]:
        return {
            "input_cycles": rounded(p.input_s[place] * rate),
            "output_cycles": rounded(p.output_s[place] * rate),
        }

    field: dict[str, Any] = {
        **cost(""),
        "reduction_cycles": rounded(p.reduction_s * rate),
        "width_penalty": rounded(p.width_penalty),
        "width_tile": p.width_tile,
    }
    if depthwise:
        field["depthwise"] = cost("depthwise")
    if p.winograd_tile:
        field["winograd"] = {
            "tile": p.winograd_tile,
            "efficiency": rounded(min(p.rate[WINOGRAD] / peak, 1.0)),
            **cost(WINOGRAD),
        }
    return field
