"""The files of an assessment: report, residuals, scatter plots."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hetsim.calibrate.networks.assess import Assessment
from hetsim.calibrate.networks.judge import Judged, score
from hetsim.calibrate.networks.report import as_json
from hetsim.drafts import write_file
from hetsim.names import stems

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT, KNOWN, NEW = "report.json", "residuals.csv", "residuals-new-device.csv"

RESIDUALS = (
    "network", "component", "precision", "device", "runtime", "family", "class", "line", "disputed",
    "fold", "measured_ms",
)  # fmt: skip
"""Columns of residuals, before one for each model."""

_MARKS = {"float": "o", "w8a8": "s", "w8a16": "^"}


def planned_files(root: Path, devices: list[str]) -> list[Path]:
    """What :func:`save` writes for these devices."""
    pictures = [f"{name}.png" for name in stems("scatter", devices).values()]
    return [root / name for name in (REPORT, KNOWN, NEW, *pictures)]


def save(found: Assessment, root: Path) -> list[Path]:
    """Writes all of them; returns which."""
    devices = sorted({case.device for case in found.known.cases})
    files = planned_files(root, devices)
    write_file(files[0], json.dumps(as_json(found), indent=1) + "\n")
    write_file(files[1], residuals(found.known))
    write_file(files[2], residuals(found.new))
    of_device = found.known.groups(lambda case: case.device)
    for device, file in zip(devices, files[3:], strict=True):
        picture = io.BytesIO()
        scatter_figure(of_device[device], device).savefig(picture, format="png", dpi=150)
        write_file(file, picture.getvalue())
    return files


def residuals(judged: Judged) -> str:
    """CSV, one row for each measurement kept aside: what was measured, what each model says."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*RESIDUALS, *(f"{model}_ms" for model in judged.predicted)])
    for i, case in enumerate(judged.cases):
        row = case.row
        writer.writerow(
            [
                row.network, row.component, case.precision.group, case.device, row.runtime,
                case.family, case.kind, row.where.line if row.where else "", int(case.disputed),
                int(judged.fold[i]), f"{1e3 * row.latency_s:.9g}",
                *(
                    f"{1e3 * values[i]:.9g}" if np.isfinite(values[i]) else ""
                    for values in judged.predicted.values()
                ),
            ]
        )  # fmt: skip
    return out.getvalue()


def scatter_figure(judged: Judged, title: str) -> Figure:
    """Predicted against measured on rows kept aside, a panel per model, log axes, within 20 %."""
    from matplotlib.figure import Figure

    models = list(judged.predicted)
    figure = Figure(figsize=(3.6 * len(models), 3.8), layout="constrained")
    panels = figure.subplots(1, len(models), squeeze=False, sharex=True, sharey=True)[0]
    measured = np.array([1e3 * case.seconds for case in judged.cases])
    ends = np.array([measured.min() / 1.5, measured.max() * 1.5])
    groups = np.array([case.precision.group for case in judged.cases])
    for panel, model in zip(panels, models, strict=True):
        panel.fill_between(ends, ends / 1.2, ends * 1.2, color="0.88", linewidth=0)
        panel.plot(ends, ends, color="0.4", linewidth=0.8)
        for group in sorted(set(groups)):
            of = groups == group
            mark = _MARKS.get(group, "x")
            simulated = 1e3 * judged.predicted[model][of]
            panel.scatter(
                measured[of], simulated, s=11, marker=mark, alpha=0.7, linewidth=0.5, label=group
            )
        panel.set(xscale="log", yscale="log", xlim=ends, xlabel="measured, ms")
        overall = score(judged, model)
        told = f", median {overall.median:.0%}, p90 {overall.p90:.0%}" if overall.rows else ""
        panel.set_title(f"{model}{told}", fontsize=9)
    panels[0].set_ylabel("simulated, ms")
    panels[0].legend(fontsize=8, frameon=False)
    figure.suptitle(f"{title}\nfamilies kept aside; band: within 20 %", fontsize=10)
    return figure
