"""The roofline of a described NPU: cycles of its matrix array in closed form, and bytes.

The plain roofline takes every multiply-accumulate for equal; an array does not. Here the cycles are
those of the whole operator on the array (:mod:`hetsim.forms.arrays`), padding of channels
and filling of the pipeline included, but nothing is cut into tiles, so nothing is read twice:

    seconds = overhead + max(cycles / rate, bytes / bandwidth)

All rows are computed at once, which makes it the cheap half of a stand-in for a simulation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hetsim.forms.arrays import Cut, tiled_cycles
from hetsim.learn.physical.base import Baseline, Fitted
from hetsim.learn.physical.convolution import CEILING_MARGIN, conv_rows
from hetsim.learn.physical.robust import fit_log_parameters
from hetsim.learn.tables.table import Measurements
from hetsim.numeric import Floats
from hetsim.soc.arrays import GemmCore, MatrixArray, SystolicArray

DATAFLOWS = ("weight_stationary", "output_stationary", "input_stationary")


def array_cycles(array: MatrixArray, table: Measurements) -> Floats:
    """Cycles of each convolution of ``table`` on ``array``, group after group, nothing cut."""
    # A blocked core takes several images at once.
    images = -(-table["n"] // array.batch) if isinstance(array, GemmCore) else table["n"]
    pixels = images * table["out_h"] * table["out_w"]
    groups = table["groups"]
    channels, filters = table["c_in"] // groups, table["c_out"] // groups
    cycles = tiled_cycles(
        array,
        Cut(pixels, pixels),
        Cut(channels, channels),
        Cut(filters, filters),
        table["k_h"] * table["k_w"],
    )
    return np.maximum(cycles * groups, 1).astype(float)


@dataclass(frozen=True)
class FittedArray(Fitted):
    """The array, cycles a second, B/s, and seconds before anything happens.

    ``ceiling`` is the highest rate that is believed, in cycles a second.
    """

    array: MatrixArray
    rate: float
    bandwidth: float
    overhead: float
    ceiling: float

    def predict(self, table: Measurements) -> Floats:
        """Seconds of each row."""
        cycles, moved = array_cycles(self.array, table), conv_rows(table).data_bytes
        return self.overhead + np.maximum(cycles / self.rate, moved / self.bandwidth)

    def floor(self, table: Measurements) -> Floats:
        """The array's cycles at the ceiling: cutting into tiles only adds to them."""
        return array_cycles(self.array, table) / self.ceiling

    def parameters(self) -> Mapping[str, float]:
        """Flat names; the dataflow by its position in :data:`DATAFLOWS`."""
        found = {
            "rate": self.rate,
            "bandwidth": self.bandwidth,
            "overhead": self.overhead,
            "ceiling": self.ceiling,
        }
        if isinstance(self.array, GemmCore):
            sizes = self.array.model_dump()
        else:
            sizes = {
                "rows": self.array.rows,
                "columns": self.array.columns,
                "dataflow": DATAFLOWS.index(self.array.dataflow),
            }
        return found | {f"array.{name}": float(value) for name, value in sizes.items()}


@dataclass(frozen=True)
class ArrayBaseline(Baseline):
    """The roofline of ``array`` before its rates are fitted; for tables of convolutions.

    Without an array it can only :meth:`restore`.
    """

    array: MatrixArray | None = None
    name: str = "array roofline"

    def fit(self, table: Measurements) -> FittedArray:
        """Fits rate, bandwidth and overhead under the robust loss of the other fits."""
        assert self.array is not None, "nothing to fit without an array"
        array, target = self.array, table.target
        cycles, moved = array_cycles(array, table), conv_rows(table).data_bytes
        start = np.array(
            [
                float(np.max(cycles / target)),
                float(np.max(moved / target)),
                0.5 * float(target.min()),
            ]
        )

        def predict(values: Floats) -> Floats:
            times = values[2] + np.maximum(cycles / values[0], moved / values[1])
            return np.asarray(times, dtype=float)

        found, _ = fit_log_parameters(predict, target, start)
        ceiling = CEILING_MARGIN * float(np.max(cycles / target))
        rate, bandwidth, overhead = (float(v) for v in found)
        return FittedArray(array, rate, bandwidth, overhead, ceiling)

    def restore(self, parameters: Mapping[str, float]) -> FittedArray:
        """The inverse of :meth:`FittedArray.parameters`."""
        sizes = {
            name.removeprefix("array."): int(value)
            for name, value in parameters.items()
            if name.startswith("array.")
        }
        array: MatrixArray
        if "dataflow" in sizes:
            array = SystolicArray(
                rows=sizes["rows"],
                columns=sizes["columns"],
                dataflow=DATAFLOWS[sizes["dataflow"]],  # type: ignore[arg-type]
            )
        else:
            array = GemmCore(**sizes)
        return FittedArray(
            array,
            parameters["rate"],
            parameters["bandwidth"],
            parameters["overhead"],
            parameters["ceiling"],
        )
