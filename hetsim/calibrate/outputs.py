"""The files of a calibration: report, scatter plot, learned model, calibrated SoC.

What is written was fitted to all rows of the device; the errors that go with it are those of
the rows kept aside in the report.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hetsim.calibrate.evaluate import CALIBRATED, LEARNED, DeviceReport
from hetsim.calibrate.report import as_json, scatter_figure
from hetsim.calibrate.socfile import write_calibrated_soc
from hetsim.calibrate.target import Target
from hetsim.drafts import write_file
from hetsim.errors import Location, ResultsError
from hetsim.learn.physical.base import Baseline
from hetsim.learn.regressor import LearnedModel, data_hash
from hetsim.learn.store import save_model
from hetsim.soc.calibrated import Calibration, HeldOut
from hetsim.version import version


def refuse_existing(files: list[Path]) -> None:
    """Raises ``ResultsError`` when one of ``files`` exists."""
    present = [file for file in files if file.exists()]
    if present:
        raise ResultsError(
            f"{present[0].name} exists and is not overwritten",
            where=Location(str(present[0].parent)),
            hint="give --force, or another directory with -o",
        )


def save_report(reports: Sequence[DeviceReport], path: Path) -> Path:
    """Writes all reports as JSON."""
    write_file(path, json.dumps([as_json(report) for report in reports], indent=1) + "\n")
    return path


def save_scatter(report: DeviceReport, path: Path) -> Path:
    """Writes the scatter plot."""
    picture = io.BytesIO()
    scatter_figure(report).savefig(picture, format="png", dpi=150)
    write_file(path, picture.getvalue())
    return path


def save_learned(report: DeviceReport, path: Path, baseline: Baseline | None = None) -> Path:
    """Trains on all rows and writes the model, with its errors on rows kept aside."""
    model = LearnedModel.fit(report.table, seed=report.seed, baseline=baseline)
    facts = {"score": score_line(report, LEARNED), "made by": f"hetsim {version()}"}
    save_model(model.noting(**facts), path)
    return path


def save_calibrated_soc(
    report: DeviceReport, target: Target, path: Path, *, force: bool
) -> list[str]:
    """Fits all rows and writes the SoC with the result; returns notes on parameters at bounds."""
    table = report.table
    fitted = target.baseline(table).fit(table)
    source = Path(table.file)
    digest = hashlib.sha256(source.read_bytes()).hexdigest() if source.is_file() else "unknown"
    header = (
        f"Calibrated by hetsim {version()}: {target.pu.cluster} of {target.soc.name},"
        f" {target.dtype}.\n"
        f"From {source.name} (sha256 {digest[:16]}), device {report.device},"
        f" {len(table)} rows (data {data_hash(table)[:16]}).\n"
        f"Errors on rows kept aside by {report.split}: {score_line(report, CALIBRATED)}.\n"
    )
    changes = dict(target.changes(fitted, table))
    if CALIBRATED in report.spreads:
        known = {
            name: spread.model_dump(exclude_defaults=True)
            for name, spread in target.pu.spec.uncertainty.items()
        }
        own = {target.dtype: report.spreads[CALIBRATED].as_dict()}
        changes[("pus", target.pu.cluster, "uncertainty")] = known | own
    changes[("calibrated",)] = calibrations(target, report)
    write_calibrated_soc(
        target.soc.source,
        path,
        changes,
        header=header,
        mark=f"calibrated: {report.device}",
        force=force,
    )
    return target.bound_notes(fitted)


def calibrations(target: Target, report: DeviceReport) -> list[dict[str, Any]]:
    """What the SoC's ``calibrated`` says with this fit: all else of the unit is no longer so."""
    scored = report.scores[CALIBRATED].overall
    source = Path(report.table.file).name
    fit = Calibration(
        what=f"{report.form}, {target.dtype}",
        unit=target.pu.cluster,
        source=f"{source}, {report.device}",
        rows=len(report.table),
        held_out=HeldOut(
            rows=scored.rows, median=round(scored.median, 4), p90=round(scored.p90, 4)
        ),
        by=f"hetsim calibrate {target.soc.name} --pu {target.pu.cluster}"
        f" --measurements {source} --device {report.device} --split {report.split}",
    )
    others = [known for known in target.soc.spec.calibrated if known.unit != fit.unit]
    return [known.model_dump(exclude_defaults=True) for known in (*others, fit)]


def score_line(report: DeviceReport, model: str) -> str:
    """The errors of ``model`` on rows kept aside, in one line."""
    m = report.scores[model].overall
    return (
        f"MAPE {m.mape:.1%}, median {m.median:.1%}, p90 {m.p90:.1%}, bias {m.bias:+.1%}"
        f" ({int(report.fold_of.max()) + 1} folds, seed {report.seed})"
    )
