"""The residuals of a calibration: what its rows kept aside say about how sure its models are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hetsim.calibrate.folds import Split
from hetsim.calibrate.spread import FEWEST_ROWS, EstimatedSpread, Residual, estimate_spread
from hetsim.learn.physical.convolution import conv_rows
from hetsim.learn.tables.forms import CONVOLUTION
from hetsim.learn.tables.table import Measurements
from hetsim.numeric import Floats
from hetsim.soc.uncertainty import LEVEL
from hetsim.workload.convolution import CLASSES


def spread_of_rows(table: Measurements, predicted: Floats, split: Split) -> EstimatedSpread | None:
    """The uncertainty of a model whose predictions of rows kept aside are ``predicted``.

    ``None`` where there are too few rows to tell.
    """
    if len(table) < FEWEST_ROWS:
        return None
    return estimate_spread(residuals_of(table, predicted, split))


def residuals_of(table: Measurements, predicted: Floats, split: Split) -> list[Residual]:
    """Of each row; what ``split`` keeps together shares errors, and rows by themselves families."""
    logs = np.log(table.target / predicted)
    groups = table.shapes if split == "shape" else table.families
    return [
        Residual(float(log), str(group), shares)
        for log, group, shares in zip(logs, groups, _classes(table), strict=True)
    ]


def coverage_note(model: str, found: EstimatedSpread) -> str:
    """What the report says about it."""
    spread = found.spread
    classes = "".join(f", {name} {value:.0%}" for name, value in spread.classes.items())
    return (
        f"ranges of the {model} model at {LEVEL:.0%} hold {found.covered:.0%} of {found.rows} rows"
        f" whose families their estimate has not seen (unit {spread.unit:.0%}{classes}, kernel"
        f" {spread.kernel:.0%})"
    )


def _classes(table: Measurements) -> Sequence[Mapping[str, float]]:
    """Of each row, its class of operator; of forms other than convolutions none is known."""
    if table.form != CONVOLUTION.name:
        return [{}] * len(table)
    names = [f"Conv.{name}" if name else "Conv" for name in CLASSES]
    return [{names[variant]: 1.0} for variant in conv_rows(table).variant]
