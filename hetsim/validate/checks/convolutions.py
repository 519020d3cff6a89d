"""Convolutions on boards and phones: tuned kernels of TVM's TopHub logs, each kept aside once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np

from hetsim.calibrate.evaluate import CALIBRATED, evaluate
from hetsim.calibrate.folds import Split
from hetsim.calibrate.residuals import residuals_of
from hetsim.calibrate.spread import reaches
from hetsim.calibrate.target import find_target
from hetsim.learn.tables import read_measurements
from hetsim.soc.loader import load_soc
from hetsim.validate.base import Check, Row, Setting

TABLE = "measured_conv_latency.csv"

FITS = (
    ("bcm2837", "cpu", "bcm2837/cpu/float32", "family"),
    ("kirin970", "big", "kirin970/cpu/float32", "family"),
    ("pynq", "cpu", "pynq/cpu/float32", "family"),
    ("rk3399", "big", "rk3399/cpu/float32", "family"),
    ("rk3399", "gpu", "rk3399/gpu/float32", "shape"),
    ("ultra96", "cpu", "ultra96/cpu/int8", "family"),
)
"""SoC, unit, device of the table, and what is kept aside together, as its SoC file was fitted."""


class MeasuredConvolutions(Check):
    """What ``hetsim calibrate`` reports of the boards' SoC files, with the range of each row."""

    title = "convolutions on boards"
    compared = (
        "a convolution's time from a fit to the others beside the tuned kernel's, measured; a fifth"
        " of the families (on the GPU, of the shapes) is kept aside at a time"
    )
    kind = "measured"
    unit = "s"
    tables = (TABLE,)
    slow = True
    grouped = "device"

    def parts(self, setting: Setting) -> Sequence[str]:
        """A unit each."""
        return [str(i) for i in range(len(FITS))]

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """Every convolution that was measured on the unit."""
        soc, unit, device, split = FITS[int(part)]
        table = read_measurements(setting.tables.path(TABLE)).of_device(device)
        target = find_target(load_soc(soc), unit, table)
        kept = cast("Split", split)
        report = evaluate(table, split=kept, learned=False, baseline=target.baseline(table))
        predicted = report.scores[CALIBRATED].predicted
        factors = np.exp(reaches(residuals_of(table, predicted, kept)))
        for i, (seconds, factor) in enumerate(zip(predicted, factors, strict=True)):
            low, high = (seconds / factor, seconds * factor) if factor > 0 else (None, None)
            name = f"line {table.lines[i]}, {table.shapes[i]}"
            yield Row(name, device, float(table.target[i]), float(seconds), low, high)
