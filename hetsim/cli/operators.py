"""``hetsim calibrate --measurements``: cost models of a unit, fitted to measured operators."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hetsim.cli.progress import progress_bar
from hetsim.errors import ConfigError, Location
from hetsim.names import plain_name, stems

if TYPE_CHECKING:
    from hetsim.calibrate.evaluate import DeviceReport
    from hetsim.calibrate.folds import Split
    from hetsim.calibrate.target import Target
    from hetsim.learn.tables.table import Measurements

PROBLEMS_SHOWN = 10


def operators(
    file: str,
    soc: str | None,
    pu: str | None,
    *,
    device: str | None,
    learned: bool,
    split: Split,
    folds: int,
    seed: int,
    max_dropped: float,
    output: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Reads, judges, shows and writes, as the command line says.

    Raises:
        ConfigError: a table that cannot be read, or a SoC and a unit that it is not of.
        ResultsError: files are in the way.
    """
    from hetsim.calibrate.evaluate import evaluate
    from hetsim.calibrate.outputs import refuse_existing
    from hetsim.learn.tables import read_measurements
    from hetsim.validate.tables import named

    file = str(named(file))
    table = read_measurements(file, max_dropped=max_dropped)
    devices = _devices(table, device, file, one=soc is not None)
    target = _target(soc, pu, table.of_device(devices[0])) if soc is not None and pu else None
    if learned and target is not None and not target.correctable:
        raise ConfigError(
            f"no learned model can be kept with the fit of {pu}, a {target.pu.kind}",
            hint="leave out --learned, or leave out SOC for errors only",
        )
    planned = _planned_files(output, devices, target, learned)
    if not force:
        refuse_existing(planned)
    reports: list[DeviceReport] = []
    skipped: list[ConfigError] = []
    with progress_bar(wanted=not as_json) as progress:
        for name in devices:
            rows = table.of_device(name)
            try:
                report = evaluate(
                    rows,
                    split=split,
                    folds=folds,
                    seed=seed,
                    learned=learned,
                    baseline=target.baseline(rows) if target else None,
                    uncalibrated=target.stated() if target else None,
                    progress=progress,
                )
            except ConfigError as error:
                # One device too small to be split must not hide the others.
                skipped.append(ConfigError(f"{name}: {error.message}", hint=error.hint))
            else:
                doubts = target.doubts(rows) if target else []
                reports.append(replace(report, notes=(*report.notes, *doubts)))
    if not reports:
        raise skipped[0]
    for reason in skipped:
        click.echo(f"skipped {reason.message}", err=True)
    _show(reports, table, as_json=as_json)
    if output is not None:
        _write(reports, Path(output), target, learned=learned, force=force, quiet=as_json)


def _devices(table: Measurements, device: str | None, file: str, *, one: bool) -> tuple[str, ...]:
    """The devices to report on.

    A device's first part stands for all that begin so: ``rk3399`` for ``rk3399/gpu/float32``.
    """
    from hetsim.names import suggest

    if device is not None:
        begins = [name for name in table.devices if name.startswith(f"{device}/")]
        fitting = [device] if device in table.devices else begins
        if not fitting:
            raise ConfigError(
                f"no device is called {device!r}; {suggest(device, table.devices)}",
                where=Location(file),
            )
    else:
        fitting = list(table.devices)
    if one and len(fitting) > 1:
        raise ConfigError(
            f"{len(fitting)} devices fit; a SoC's unit is one of them",
            where=Location(file),
            hint=f"give one with --device: {', '.join(fitting)}",
        )
    return tuple(fitting)


def _target(soc: str, pu: str, table: Measurements) -> Target:
    from hetsim.calibrate.target import find_target
    from hetsim.soc.loader import load_soc

    return find_target(load_soc(soc), pu, table)


def _planned_files(
    output: str | None, devices: tuple[str, ...], target: Target | None, learned: bool
) -> list[Path]:
    if output is None:
        return []
    root = Path(output)
    files = [root / "report.json"]
    files += [root / f"{name}.png" for name in stems("scatter", devices).values()]
    if learned:
        files += [root / f"{name}.npz" for name in stems("learned", devices).values()]
    if target is not None:
        files.append(root / f"{plain_name(target.soc.name, 'soc')}.yaml")
    return files


def _show(reports: list[DeviceReport], table: Measurements, *, as_json: bool) -> None:
    from rich.console import Console

    from hetsim.calibrate.report import as_json as plain
    from hetsim.calibrate.report import metrics_table, worst_table

    if as_json:
        found = {
            "summary": table.summary,
            "problems": [str(problem) for problem in table.problems],
            "reports": [plain(report) for report in reports],
        }
        click.echo(json.dumps(found, indent=1))
        return
    console = Console()
    console.print(f"{table.form}: {table.summary}", highlight=False)
    for problem in table.problems[:PROBLEMS_SHOWN]:
        console.print(f"  {table.file}: {problem}", highlight=False, markup=False)
    if len(table.problems) > PROBLEMS_SHOWN:
        console.print(f"  and {len(table.problems) - PROBLEMS_SHOWN} more")
    for report in reports:
        console.print(metrics_table(report))
        console.print(worst_table(report, list(report.scores)[-1], 5))
        for note in report.notes:
            console.print(f"  {note}", highlight=False)


def _write(
    reports: list[DeviceReport],
    root: Path,
    target: Target | None,
    *,
    learned: bool,
    force: bool,
    quiet: bool,
) -> None:
    from hetsim.calibrate.outputs import (
        save_calibrated_soc,
        save_learned,
        save_report,
        save_scatter,
    )

    root.mkdir(parents=True, exist_ok=True)
    written = [save_report(reports, root / "report.json")]
    devices = [report.device for report in reports]
    pictures, models = stems("scatter", devices), stems("learned", devices)
    for report in reports:
        written.append(save_scatter(report, root / f"{pictures[report.device]}.png"))
        baseline = target.baseline(report.table) if target else None
        if learned:
            file = root / f"{models[report.device]}.npz"
            written.append(save_learned(report, file, baseline))
        if target is not None:
            file = root / f"{plain_name(target.soc.name, 'soc')}.yaml"
            notes = save_calibrated_soc(report, target, file, force=force)
            written.append(file)
            if not quiet:
                for note in notes:
                    click.echo(f"note: {note}")
    if not quiet:
        click.echo(f"written to {root}: {', '.join(file.name for file in written)}")
