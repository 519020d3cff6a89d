"""Between a SoC description and the physical models: what it states, its bounds, what to write.

A description holds shares of a peak and core cycles; the fits hold rates and seconds. The peak
(MACs per cycle, clock, cores) is taken as true, so that fitted efficiencies never exceed one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hetsim.cost.analytical.convolution import cycle_parameters
from hetsim.errors import ConfigError
from hetsim.forms.convolution import WINOGRAD, ConvParameters, winograd_saving
from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.physical.choose import baseline_for
from hetsim.learn.physical.convolution import Ceiling, ConvBaseline, FittedConvolution, conv_rows
from hetsim.learn.physical.npu import KINDS, FittedNPU
from hetsim.learn.tables.forms import CONVOLUTION, NPU
from hetsim.learn.tables.table import Measurements
from hetsim.names import suggest
from hetsim.soc.accelerator import AcceleratorSpec
from hetsim.soc.cpu import CPUClusterSpec
from hetsim.soc.model import PU, SoC
from hetsim.soc.npu import NPUSpec, SystolicArray
from hetsim.units import format_quantity
from hetsim.workload.convolution import CLASSES, spelled
from hetsim.yamlio import Keys

FEWEST_ROWS = 3
"""A class of convolution with fewer rows than this keeps the efficiency it had."""

Changes = Mapping[Keys, Any]
"""New values by their path in the SoC file."""


@dataclass(frozen=True)
class Target:
    """The PU whose parameters are fitted, and the data type that was measured."""

    soc: SoC
    pu: PU
    dtype: str

    @classmethod
    def find(cls, soc: SoC, name: str, table: Measurements) -> Target:
        """Checks that ``table`` can say something about the PU ``name``.

        Raises:
            ConfigError: no such PU, a form of measurement that its kind has no parameters for, or
                a data type it states no peak for.
        """
        pu = next((pu for pu in soc.pus if name in (pu.name, pu.cluster)), None)
        if pu is None:
            known = [pu.cluster for pu in soc.pus]
            raise ConfigError(f"{soc.name} has no PU called {name!r}; {suggest(name, known)}")
        spec = pu.spec
        if isinstance(spec, CPUClusterSpec | AcceleratorSpec) and table.form == CONVOLUTION.name:
            dtype = str(table["dtype"][0])
            if dtype not in spec.macs_per_cycle:
                raise ConfigError(
                    f"{name} states no macs_per_cycle for {dtype}, which was measured",
                    hint=f"it states {', '.join(spec.macs_per_cycle)}",
                )
            return cls(soc, pu, dtype)
        if isinstance(spec, NPUSpec) and table.form == NPU.name:
            return cls(soc, pu, "int8")
        raise ConfigError(
            f"{table.form} does not calibrate {name}, which is a {spec.kind}",
            hint=f"a CPU cluster or accelerator needs {CONVOLUTION.name}, an NPU {NPU.name}",
        )

    @property
    def cycles_per_s(self) -> float:
        """Core cycles per second of the whole unit."""
        spec = self.pu.spec
        further = spec.parallel_efficiency if isinstance(spec, CPUClusterSpec) else 0.0
        return float(spec.point.clock) * (1.0 + (self.pu.cores - 1) * further)

    @property
    def bandwidth(self) -> float:
        """Bytes per second of the narrowest link of its path."""
        return min(self.soc.links[name].bandwidth[0] for name in self.pu.path)

    def baseline(self, table: Measurements) -> Baseline:
        """The physical model, bounded by what the description states as the peak."""
        if table.form != CONVOLUTION.name:
            return baseline_for(table)
        return ConvBaseline(self._peak_rate(), self.bandwidth)

    def _peak_rate(self) -> float:
        spec = self.pu.spec
        assert isinstance(spec, CPUClusterSpec | AcceleratorSpec)
        return spec.macs_per_cycle[self.dtype] * self.cycles_per_s

    def stated(self) -> Fitted | None:
        """The model as described now, before calibration; ``None`` for NPUs (no closed form)."""
        spec = self.pu.spec
        if not isinstance(spec, CPUClusterSpec | AcceleratorSpec):
            return None
        cycles = cycle_parameters(spec, self.dtype)
        rate = self.cycles_per_s
        values = replace(
            cycles,
            rate={name: value * rate for name, value in cycles.rate.items()},
            input_s={name: value / rate for name, value in cycles.input_s.items()},
            output_s={name: value / rate for name, value in cycles.output_s.items()},
            reduction_s=cycles.reduction_s / rate,
            dispatch_s=float(spec.dispatch),
            bandwidth=self.bandwidth,
        )
        saving = winograd_saving(values.winograd_tile) if values.winograd_tile else 1.0
        return FittedConvolution(values, Ceiling(self._peak_rate() / saving, self.bandwidth))

    def changes(self, fitted: Fitted, table: Measurements) -> Changes:
        """What to write into the SoC file to make it state ``fitted``."""
        root: Keys = ("pus", self.pu.cluster)
        if isinstance(fitted, FittedNPU):
            return self._npu_changes(root, fitted)
        assert isinstance(fitted, FittedConvolution)
        p, peak, rate = fitted.values, self._peak_rate(), self.cycles_per_s
        counts = np.bincount(conv_rows(table).variant, minlength=len(CLASSES))
        changes: dict[Keys, Any] = {}
        for position, name in enumerate(CLASSES):
            if counts[position] >= FEWEST_ROWS:
                key = f"Conv.{name}" if name else "Conv"
                changes[(*root, "efficiency", key)] = _rounded(min(p.rate[name] / peak, 1.0))
        changes[(*root, "dispatch")] = format_quantity(p.dispatch_s, "time")
        changes[(*root, "convolution")] = _convolution(p, rate, peak, bool(counts[2]))
        return changes

    def _npu_changes(self, root: Keys, fitted: FittedNPU) -> Changes:
        spec = self.pu.spec
        assert isinstance(spec, NPUSpec)
        changes: dict[Keys, Any] = {
            (*root, "dispatch"): format_quantity(fitted.overhead / spec.point.clock, "time")
        }
        share = _array_share(spec, fitted)
        if share is not None:
            changes[(*root, "array_efficiency")] = _rounded(min(share, 1.0))
        return changes

    def bound_notes(self, fitted: Fitted) -> list[str]:
        """Parameters that ended at a bound, which says that the description's peak is too low."""
        spec = self.pu.spec
        if isinstance(fitted, FittedNPU) and isinstance(spec, NPUSpec):
            share = _array_share(spec, fitted)
            if share is None:
                return ["no convolution was measured, so array_efficiency is left as it was"]
            if share <= 1.0:
                return []
            return [
                f"what was measured does {share:.3g} times as many multiply-accumulates a cycle as"
                " the stated array can; array_efficiency ended at 1"
            ]
        if not isinstance(fitted, FittedConvolution):
            return []
        peak = self._peak_rate()
        at = [spelled(n) for n, rate in fitted.values.rate.items() if rate > 0.999 * peak]
        if not at:
            return []
        return [
            f"the efficiency of {', '.join(at)} ended at 1: the stated peak of"
            f" {peak / 1e9:.3g} GMAC/s may be too low for what was measured"
        ]


def _array_share(spec: NPUSpec, fitted: FittedNPU) -> float | None:
    """Multiply-accumulates a cycle that convolutions reached, as a share of the array's."""
    array = spec.array
    if isinstance(array, SystolicArray):
        macs = array.rows * array.columns
    else:
        macs = array.batch * array.block_in * array.block_out
    cycles_per_mac = float(fitted.per_work[KINDS.index("convolution")])
    return None if np.isnan(cycles_per_mac) else 1.0 / (cycles_per_mac * macs)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _convolution(p: ConvParameters, rate: float, peak: float, depthwise: bool) -> dict[str, Any]:
    """The ``convolution`` field, in core cycles."""

    def cost(place: str) -> dict[str, float]:
        return {
            "input_cycles": _rounded(p.input_s[place] * rate),
            "output_cycles": _rounded(p.output_s[place] * rate),
        }

    field: dict[str, Any] = {
        **cost(""),
        "reduction_cycles": _rounded(p.reduction_s * rate),
        "width_penalty": _rounded(p.width_penalty),
        "width_tile": p.width_tile,
    }
    if depthwise:
        field["depthwise"] = cost("depthwise")
    if p.winograd_tile:
        field["winograd"] = {
            "tile": p.winograd_tile,
            "efficiency": _rounded(min(p.rate[WINOGRAD] / peak, 1.0)),
            **cost(WINOGRAD),
        }
    return field
