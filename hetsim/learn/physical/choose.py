"""Which physical models go with which form of measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.physical.convolution import CEILING_MARGIN, ConvBaseline, conv_rows
from hetsim.learn.physical.npu import NPUBaseline, array_work, element_width
from hetsim.learn.physical.robust import fit_log_parameters
from hetsim.learn.physical.transfer import TransferBaseline
from hetsim.learn.tables.forms import CONVOLUTION, NPU, TRANSFER
from hetsim.learn.tables.table import Measurements
from hetsim.numeric import Floats

BASELINES: Mapping[str, type[Baseline]] = {
    CONVOLUTION.name: ConvBaseline,
    NPU.name: NPUBaseline,
    TRANSFER.name: TransferBaseline,
}


def baseline_for(table: Measurements) -> Baseline:
    """The physical model of the table's form, without bounds from a SoC."""
    return BASELINES[table.form]()


def demand(table: Measurements) -> tuple[Floats, Floats]:
    """Arithmetic operations and bytes of each row, for the plain roofline."""
    if table.form == CONVOLUTION.name:
        rows = conv_rows(table)
        return rows.macs, rows.data_bytes
    if table.form == NPU.name:
        outputs = table.number("output_0_channels") * table.number("output_0_height")
        outputs = outputs * table.number("output_0_width")
        inputs = table.number("input_0_channels") * table.number("input_0_height")
        inputs = inputs * table.number("input_0_width")
        return array_work(table), (inputs + outputs) * element_width(table["input_0_datatype"])
    return np.zeros(len(table)), table.number("bytes")


@dataclass(frozen=True)
class FittedRoofline(Fitted):
    """One rate, one bandwidth, one overhead; ``ceiling`` is the highest rate that is believed."""

    rate: float
    bandwidth: float
    overhead: float
    ceiling: float

    def predict(self, table: Measurements) -> Floats:
        """The larger of the two times, and the overhead."""
        macs, moved = demand(table)
        return self.overhead + np.maximum(macs / self.rate, moved / self.bandwidth)

    def floor(self, table: Measurements) -> Floats:
        """Arithmetic at the ceiling."""
        return demand(table)[0] / self.ceiling

    def parameters(self) -> Mapping[str, float]:
        """Flat names."""
        return {
            "rate": self.rate,
            "bandwidth": self.bandwidth,
            "overhead": self.overhead,
            "ceiling": self.ceiling,
        }


@dataclass(frozen=True)
class RooflineBaseline(Baseline):
    """The plain roofline fit, for comparison: what one rate and one bandwidth explain.

    Williams, Waterman & Patterson, CACM 52(4), 2009.
    """

    name: str = "roofline"

    def fit(self, table: Measurements) -> FittedRoofline:
        """The same robust loss as the other fits."""
        macs, moved = demand(table)
        target = table.target
        rate = float(np.median(macs / target)) or 1.0
        start = np.array([rate, float(np.max(moved / target)), 0.1 * float(target.min())])

        def predict(values: Floats) -> Floats:
            times = values[2] + np.maximum(macs / values[0], moved / values[1])
            return np.asarray(times, dtype=float)

        found, _ = fit_log_parameters(predict, target, start)
        ceiling = CEILING_MARGIN * float(np.max(macs / target)) or 1.0
        rate, bandwidth, overhead = (float(v) for v in found)
        return FittedRoofline(rate, bandwidth, overhead, ceiling)

    def restore(self, parameters: Mapping[str, float]) -> FittedRoofline:
        """The inverse of :meth:`FittedRoofline.parameters`."""
        return FittedRoofline(
            parameters["rate"],
            parameters["bandwidth"],
            parameters["overhead"],
            parameters["ceiling"],
        )
