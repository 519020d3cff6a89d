"""A SoC file with what measured networks say of its NPU: numbers, errors kept aside, ranges."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hetsim.calibrate.networks.judge import Judged, score
from hetsim.calibrate.networks.rates import as_description
from hetsim.calibrate.networks.simulated import FittedUnit, SimulatedModel
from hetsim.calibrate.networks.sureness import sureness
from hetsim.calibrate.socfile import write_calibrated_soc
from hetsim.soc.calibrated import Calibration, HeldOut
from hetsim.version import version
from hetsim.yamlio import Keys


def save_fitted_soc(
    fitted: FittedUnit,
    judged: Judged,
    path: Path,
    *,
    table: Path,
    device: str,
    force: bool,
    by: str | None = None,
) -> None:
    """Writes the model's SoC with what was fitted to ``device``; ``judged`` has only its rows.

    ``by`` is the command that does this again; by default ``hetsim calibrate`` of the model's file.

    Raises:
        ResultsError: the file exists and ``force`` is not given.
    """
    model = fitted.model
    command = by or (
        f"hetsim calibrate {Path(model.file).name} --pu {model.unit} --networks {table.name}"
        f" --graphs DIR --device '{device}'"
    )
    changes: dict[Keys, Any] = dict(described(fitted))
    changes[("pus", model.unit, "uncertainty")] = {
        dtype: spread
        for dtype, spread in ranges(judged, model).items()
        if dtype in fitted.vectors
    }  # fmt: skip
    changes[("calibrated",)] = [
        fit.model_dump(exclude_defaults=True)
        for fit in calibrations(judged, model, f"{table.name}, {device}", command)
    ]
    header = (
        f"Calibrated by hetsim {version()}: {model.unit} of {model.soc}, from whole networks of\n"
        f"{table.name} on {device}; families of networks were kept aside to judge it.\n"
    )
    write_calibrated_soc(
        model.file, path, changes, header=header, mark=f"fitted: {device}", force=force
    )


def described(fitted: FittedUnit) -> Mapping[Keys, Any]:
    """The unit's fields as fitted, by their place in the SoC file."""
    model, unit = fitted.model, ("pus", fitted.model.unit)
    found: dict[Keys, Any] = {}
    for dtype, vector in fitted.vectors.items():
        reached = model.spec.dtypes[dtype]
        default = reached.efficiency["default"], reached.passes["default"]
        found[*unit, "dtypes", dtype] = as_description(model.layouts[dtype].table(vector, default))
    found[*unit, "rpc"] = f"{fitted.rpc * 1e6:.4g} us"
    return found


def calibrations(
    judged: Judged, model: SimulatedModel, source: str, command: str
) -> list[Calibration]:
    """What the SoC's ``calibrated`` says: a line for each precision; other units' stay."""
    made = []
    for group, part in judged.groups(lambda case: case.precision.group).items():
        scored = score(part, model.name)
        if scored.rows:
            held_out = HeldOut(
                rows=scored.rows, median=round(scored.median, 4), p90=round(scored.p90, 4)
            )
            made.append(
                Calibration(
                    what=f"networks, {group}", unit=model.unit, source=source,
                    rows=scored.rows, held_out=held_out, by=command,
                )
            )  # fmt: skip
    return [*(known for known in model.calibrated if known.unit != model.unit), *made]


def ranges(judged: Judged, model: SimulatedModel) -> dict[str, dict[str, object]]:
    """The unit's ``uncertainty`` by data type."""
    dtypes = {case.precision.group: case.precision.activations for case in judged.cases}
    spreads = sureness(judged, model.name)
    return {
        dtypes[group]: spread.as_dict()
        for (_, group), spread in spreads.items()
        if group != "mixed"
    }  # fmt: skip
