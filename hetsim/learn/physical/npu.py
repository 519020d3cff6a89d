"""The physical model of NPU workloads: cycles for the blocks its array works in.

A matrix array works on blocks: output channels and pixels are filled up to them, and the filled
multiply-accumulates run at a rate per kind of operation, plus an overhead. Element width scales
the work: an array does half as many 16-bit operations as 8-bit ones. For a kind of operation
that was not measured the vendor's theoretical cycles stand in, times the ratio seen elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.physical.convolution import CEILING_MARGIN
from hetsim.learn.physical.robust import fit_log_parameters
from hetsim.learn.tables.table import Measurements
from hetsim.numeric import Floats, Ints, Texts

CHANNEL_BLOCK = 16
"""Output channels an array works on together."""

CHANNEL_BYTES = 32
"""Bytes of channels that it works on together where each output channel reads its own.

One read of its memory is as wide: 16 channels of 8 bits take what 32 take, and 16 of 16 bits too.
"""

PIXEL_BLOCK = 4
"""Output pixels it works on together, along each axis."""

KINDS = ("convolution", "depthwise", "elementwise")
_OVERHEAD_SHARE = 0.05


def element_width(names: Texts) -> Floats:
    """Bytes of one element, from names such as ``UINT8``, ``FLOAT16``, ``bf16``; 1 if unclear."""
    known, member = np.unique(names, return_inverse=True)
    widths = [
        next((size for digits, size in _WIDTHS if digits in str(name)), 1.0) for name in known
    ]
    return np.array(widths)[member]


_WIDTHS = (("64", 8.0), ("32", 4.0), ("16", 2.0), ("8", 1.0), ("4", 0.5))


def operation_kind(table: Measurements) -> Ints:
    """Position in :data:`KINDS` of each row."""
    return np.asarray(table.number("depthwise") + 2 * table.number("elementwise"), dtype=np.int64)


def array_work(table: Measurements) -> Floats:
    """Multiply-accumulates of each row in units of 8-bit ones, blocks filled up."""
    work = table.number("macs") * element_width(table["input_0_datatype"])
    dense = _filled(table.number("output_0_channels"), CHANNEL_BLOCK)
    work = work * np.where(table.number("depthwise") > 0, depthwise_fill(table), dense)
    for name in ("output_0_height", "output_0_width"):
        work = work * _filled(table.number(name), PIXEL_BLOCK)
    return np.asarray(work, dtype=float)


def depthwise_fill(table: Measurements) -> Floats:
    """How much more than its channels a depthwise row works on; 1 for the others."""
    channels = table.number("output_0_channels") * element_width(table["input_0_datatype"])
    return np.where(table.number("depthwise") > 0, _filled(channels, CHANNEL_BYTES), 1.0)


def _filled(size: Floats, block: float) -> Floats:
    return np.asarray(np.ceil(size / block) * block / size, dtype=float)


@dataclass(frozen=True)
class FittedNPU(Fitted):
    """``overhead`` cycles, cycles per unit of work by kind, and the observed ceiling.

    ``per_work`` is NaN for kinds that were not measured; they cost ``vendor_ratio`` times the
    vendor's theoretical cycles where a row has them, else as the dearest measured kind.
    """

    overhead: float
    per_work: Floats
    vendor_ratio: float
    ceiling: float

    def predict(self, table: Measurements) -> Floats:
        """Cycles of each row."""
        factor = self.per_work[operation_kind(table)]
        known = ~np.isnan(factor)
        dearest = float(np.nanmax(self.per_work))
        own = self.overhead + array_work(table) * np.where(known, factor, dearest)
        vendor = table.number("theoretical_cycles") * depthwise_fill(table) * self.vendor_ratio
        return np.asarray(np.where(known | (vendor <= 0), own, vendor), dtype=float)

    def floor(self, table: Measurements) -> Floats:
        """Multiply-accumulates at the observed ceiling, cycles."""
        return table.number("macs") * element_width(table["input_0_datatype"]) / self.ceiling

    def parameters(self) -> Mapping[str, float]:
        """Flat names; NaN for kinds never measured."""
        pairs = zip(KINDS, self.per_work.tolist(), strict=True)
        return {f"per_work.{kind}": value for kind, value in pairs} | {
            "vendor_ratio": self.vendor_ratio,
            "overhead": self.overhead,
            "ceiling": self.ceiling,
        }


@dataclass(frozen=True)
class NPUBaseline(Baseline):
    """The physical model before fitting."""

    name: str = "calibrated"

    def fit(self, table: Measurements) -> FittedNPU:
        """Fits the overhead and the rate of each kind of operation measured."""
        work, kind, target = array_work(table), operation_kind(table), table.target
        seen = np.bincount(kind, minlength=len(KINDS)) > 0
        rates = [
            float(np.median((target / work)[kind == k])) if seen[k] else 1.0
            for k in range(len(KINDS))
        ]
        start = np.array([float(target.min()) * _OVERHEAD_SHARE, *rates])

        def predict(values: Floats) -> Floats:
            return np.asarray(values[0] + work * values[1 + kind], dtype=float)

        found, _ = fit_log_parameters(predict, target, start)
        vendor = table.number("theoretical_cycles")
        ratio = float(np.median(target[vendor > 0] / vendor[vendor > 0])) if vendor.any() else 1.0
        rate = table.number("macs") * element_width(table["input_0_datatype"]) / target
        return FittedNPU(
            float(found[0]),
            np.where(seen, found[1:], np.nan),
            ratio,
            CEILING_MARGIN * float(rate.max()),
        )

    def restore(self, parameters: Mapping[str, float]) -> FittedNPU:
        """The inverse of :meth:`FittedNPU.parameters`."""
        return FittedNPU(
            parameters["overhead"],
            np.array([parameters[f"per_work.{kind}"] for kind in KINDS]),
            parameters["vendor_ratio"],
            parameters["ceiling"],
        )
