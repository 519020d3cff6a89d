"""``hetsim calibrate``: fits cost models to measurements and says how wrong they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from hetsim.cli.options import SEED, sized
from hetsim.cli.progress import progress_bar
from hetsim.errors import ConfigError, Location
from hetsim.names import plain_name, stems

if TYPE_CHECKING:
    from hetsim.calibrate.evaluate import DeviceReport
    from hetsim.calibrate.folds import Split
    from hetsim.calibrate.target import Target
    from hetsim.learn.tables.table import Measurements
    from hetsim.workload.sizes import Sizes

PROBLEMS_SHOWN = 10


@click.command()
@click.argument("soc", required=False)
@click.option("--pu", metavar="NAME", help="The processing unit of SOC that was measured.")
@click.option("--measurements", "file", metavar="FILE.csv", help="What was measured.")
@click.option(
    "--simulate",
    type=click.Choice(["tile"]),
    help="Learn from hetsim's own simulation at this fidelity instead: a fast stand-in for it.",
)
@click.option(
    "--models",
    metavar="NAME,FILE,...",
    help="With --simulate: the networks whose operators are simulated.  [default: all built in]",
)
@sized
@click.option(
    "--base",
    type=click.Choice(["array", "roofline", "fluid"]),
    default="array",
    show_default=True,
    help="With --simulate --learned: the physical model that is corrected.",
)
@click.option("--device", metavar="NAME", help="Use only this device of the file.")
@click.option("--learned", is_flag=True, help="Also train the learned model.")
@click.option(
    "--split",
    type=click.Choice(["family", "shape", "row"]),
    default="family",
    show_default=True,
    help="What is kept aside together: families of the file, equal input size and kernel, or rows.",
)
@click.option("--folds", type=click.IntRange(min=2), default=5, show_default=True)
@click.option("--seed", type=SEED, default=0, show_default=True)
@click.option(
    "--max-dropped",
    type=click.FloatRange(0, 1),
    default=0.2,
    show_default=True,
    help="Share of unusable rows above which the file is refused.",
)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="Directory for report.json, scatter plots, the calibrated SoC and the learned model.",
)
@click.option("--force", is_flag=True, help="Overwrite files in OUT.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON and nothing else.")
def command(
    soc: str | None,
    pu: str | None,
    file: str | None,
    simulate: str | None,
    models: str | None,
    sizes: Sizes,
    base: str,
    device: str | None,
    learned: bool,
    split: str,
    folds: int,
    seed: int,
    max_dropped: float,
    output: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Fit the cost models of a SoC to measurements.

    Errors are those of rows kept aside, beside the uncalibrated model (when SOC is given) and
    a plain roofline fit. Without SOC it reports errors only: of every device in the file.

    \b
    hetsim calibrate --measurements M.csv --learned                    errors only
    hetsim calibrate SOC --pu cpu --measurements M.csv --learned -o D  SoC and learned model
    hetsim calibrate SOC --pu npu --simulate tile --learned -o D       stand-in for fidelity: tile
    """
    from hetsim.calibrate.evaluate import evaluate
    from hetsim.calibrate.outputs import refuse_existing
    from hetsim.learn.tables import read_measurements

    _check_use(file, simulate)
    if (soc is None) != (pu is None):
        raise click.UsageError("SOC and --pu go together: which unit of which SoC was measured?")
    if simulate is not None:
        from hetsim.cli.standin import stand_in

        if soc is None or pu is None:
            raise click.UsageError("--simulate needs a SOC and its unit: SOC --pu NAME")
        stand_in(
            soc,
            pu,
            models,
            sizes,
            base=base,
            learned=learned,
            folds=folds,
            seed=seed,
            output=output,
            force=force,
            as_json=as_json,
        )
        return
    assert file is not None
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
                    split=cast("Split", split),
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
                reports.append(report)
    if not reports:
        raise skipped[0]
    for reason in skipped:
        click.echo(f"skipped {reason.message}", err=True)
    _show(reports, table, as_json=as_json)
    if output is not None:
        _write(reports, Path(output), target, learned=learned, force=force, quiet=as_json)


def _check_use(file: str | None, simulate: str | None) -> None:
    """Refuses options that would do nothing."""
    if (file is None) == (simulate is None):
        raise click.UsageError("one of --measurements and --simulate says what to learn from")
    context = click.get_current_context()
    unused: dict[str, str] = {"device": "--device", "split": "--split",
                              "max_dropped": "--max-dropped"}  # fmt: skip
    if simulate is None:
        unused = {"models": "--models", "base": "--base", "dims": "--dim",
                  "input_shapes": "--input-shape", "max_outputs": "--max-output"}  # fmt: skip
    for name, option in unused.items():
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            other = "--simulate" if simulate is None else "--measurements"
            raise click.UsageError(f"{option} goes with {other}")


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
