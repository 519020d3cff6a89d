"""Calibration reports as tables, JSON and a scatter plot, each a function of the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hetsim.calibrate.evaluate import DeviceReport
from hetsim.learn.tables.forms import CONVOLUTION, NPU
from hetsim.learn.tables.table import Measurements

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.table import Table

SCHEMA = "hetsim.calibration/1"


def describe_row(table: Measurements, row: int) -> str:
    """A row in a few words, e.g. ``3x3/1 64->128 at 56x56``."""

    def get(name: str) -> Any:
        return table[name][row]

    if table.form == CONVOLUTION.name:
        groups = f" groups {get('groups')}" if get("groups") > 1 else ""
        return (
            f"{get('k_h')}x{get('k_w')}/{get('stride_h')} {get('c_in')}->{get('c_out')}"
            f" at {get('h_in')}x{get('w_in')}{groups}"
        )
    if table.form == NPU.name:
        return (
            f"{get('operation')} {get('kernel_height')}x{get('kernel_width')}"
            f" {get('input_0_channels')}->{get('output_0_channels')}"
            f" at {get('input_0_height')}x{get('input_0_width')} {get('input_0_datatype')}"
            f" {get('execution_order')}"
        )
    return f"{get('bytes')} bytes {get('direction')}"


def metrics_table(report: DeviceReport) -> Table:
    """Every model's errors on the rows kept aside, as a rich table; folds in its caption."""
    from rich.table import Table

    folds = int(report.fold_of.max()) + 1
    table = Table(
        title=f"{report.device}: {len(report.table)} rows, {folds} folds by {report.split}",
        title_justify="left",
    )
    table.add_column("model")
    headings = ["MAPE", "median", "p90", "<= 10 %", "bias"]
    with_regret = any(score.regret is not None for score in report.scores.values())
    if with_regret:
        headings.append("regret")
    for heading in headings:
        table.add_column(heading, justify="right")
    by_fold = []
    for score in report.scores.values():
        m = score.overall
        cells = [f"{m.mape:.1%}", f"{m.median:.1%}", f"{m.p90:.1%}", f"{m.within_10:.0%}"]
        cells.append(f"{m.bias:+.1%}")
        if score.regret is not None:
            cells.append(f"{score.regret:.1%}")
        table.add_row(score.model, *cells)
        by_fold.append(
            f"{score.model} " + " ".join(f"{100 * fold.mape:.1f}" for fold in score.folds)
        )
    table.caption = "MAPE by fold, %: " + "; ".join(by_fold)
    table.caption_justify = "left"
    return table


def worst_table(report: DeviceReport, model: str, count: int = 8) -> Table:
    """The rows that ``model`` got most wrong."""
    from rich.table import Table

    factor, unit = _display(report)
    table = Table(title=f"{report.device}: worst of {model}", title_justify="left")
    for heading, justify in (("workload", "left"), ("line", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for heading in (f"measured {unit}", f"predicted {unit}", "error"):
        table.add_column(heading, justify="right")
    predicted = report.scores[model].predicted
    for row, error in report.worst(model, count):
        table.add_row(
            describe_row(report.table, row),
            str(report.table.lines[row]),
            f"{factor * report.table.target[row]:.1f}",
            f"{factor * predicted[row]:.1f}",
            f"{error:+.0%}",
        )
    return table


def as_json(report: DeviceReport) -> dict[str, Any]:
    """The whole report as plain data; fractions, not percentages."""
    return {
        "schema": SCHEMA,
        "device": report.device,
        "form": report.form,
        "source": Path(report.table.file).name,
        "rows": len(report.table),
        "split": report.split,
        "seed": report.seed,
        "folds": [
            {
                "rows": int((report.fold_of == fold).sum()),
                "families": sorted(set(report.table.families[report.fold_of == fold].tolist())),
            }
            for fold in range(int(report.fold_of.max()) + 1)
        ],
        "models": {
            name: {
                **score.overall.as_dict(),
                "fold_mape": [fold.mape for fold in score.folds],
                "fallback_rows": score.fallback,
                "top1_regret": score.regret,
                "worst": [
                    {
                        "workload": describe_row(report.table, row),
                        "line": int(report.table.lines[row]),
                        "error": error,
                    }
                    for row, error in report.worst(name)
                ],
            }
            for name, score in report.scores.items()
        },
        "notes": list(report.notes),
    }


def scatter_figure(report: DeviceReport) -> Figure:
    """Predicted against measured on the rows kept aside, one panel per model, log axes."""
    from matplotlib.figure import Figure

    factor, unit = _display(report)
    measured = factor * report.table.target
    models = list(report.scores.values())
    figure = Figure(figsize=(3.4 * len(models), 3.6), layout="constrained")
    panels = figure.subplots(1, len(models), squeeze=False, sharex=True, sharey=True)[0]
    ends = np.array([measured.min() / 1.5, measured.max() * 1.5])
    for panel, score in zip(panels, models, strict=True):
        panel.fill_between(ends, ends * 0.9, ends * 1.1, color="0.88", linewidth=0)
        panel.plot(ends, ends, color="0.4", linewidth=0.8)
        panel.scatter(measured, factor * score.predicted, s=9, alpha=0.7, linewidth=0)
        panel.set(xscale="log", yscale="log", xlim=ends, xlabel=f"measured, {unit}")
        panel.set_title(f"{score.model}: MAPE {score.overall.mape:.1%}", fontsize=9)
    panels[0].set_ylabel(f"predicted, {unit}")
    figure.suptitle(
        f"{report.device}, kept aside by {report.split} (band: within 10 %)", fontsize=10
    )
    return figure


def _display(report: DeviceReport) -> tuple[float, str]:
    return (1e6, "us") if report.unit == "seconds" else (1.0, "cycles")
