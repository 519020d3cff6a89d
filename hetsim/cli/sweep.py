"""``hetsim sweep``: a grid of variants, resumable, on as many workers as there are."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hetsim.cli.options import (
    chosen_axes,
    chosen_scenario,
    output_options,
    scenario_options,
    worker_options,
)
from hetsim.cli.progress import progress_bar

if TYPE_CHECKING:
    from hetsim.study.sweep.study import Sweep


@click.command()
@click.argument("scenario")
@click.option(
    "--vary", multiple=True, metavar="PATH=VALUES",
    help="What to vary: npu.sram=128KiB..4MiB:log2, bus.bandwidth=3.2,6.4GB/s; may be repeated.",
)  # fmt: skip
@click.option(
    "--mode", type=click.Choice(["cartesian", "zip", "lhs"]),
    help="How the axes make a grid: all combinations, in step, or a Latin hypercube sample.",
)  # fmt: skip
@click.option("--points", type=click.IntRange(min=1), metavar="N", help="Sample size; lhs only.")
@click.option(
    "--set", "changes", metavar="PATH=VALUE", multiple=True, help="Change what is not varied."
)
@scenario_options
@worker_options
@click.option(
    "--store", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Where outcomes are kept.  [default: results/SCENARIO-sweep.sqlite]",
)  # fmt: skip
@click.option("--retry-failed", is_flag=True, help="Run points again that failed before.")
@click.option("--parquet", is_flag=True, help="Write sweep.parquet, too (extra hetsim[data]).")
@output_options
def command(
    scenario: str,
    vary: Sequence[str],
    mode: str | None,
    points: int | None,
    changes: Sequence[str],
    models: Sequence[str],
    schedulers: Sequence[str],
    execution: str | None,
    fidelity: str | None,
    seed: int | None,
    workers: int | None,
    dask: str | None,
    store: Path | None,
    retry_failed: bool,
    parquet: bool,
    output: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Simulate a grid of variants; resumable.

    Every outcome goes to the store as it arrives. However the study ends, the same command goes
    on where it was, and nothing runs twice. A list's last unit holds for all of it; a range is
    LOW..HIGH with an optional scale (log2, log10, linear) and number of values: 1us..1ms:log10:7.
    """
    if as_json and quiet:
        raise click.UsageError("--quiet and --json contradict each other")
    from hetsim.report.files.studydir import check_study_directory, write_study
    from hetsim.study.executors.choice import executor
    from hetsim.study.sweep.report import sweep_files, sweep_identity
    from hetsim.study.sweep.study import sweep
    from hetsim.study.table import check_parquet

    loaded = chosen_scenario(scenario, changes, models, schedulers, execution, fidelity, seed)
    axes = chosen_axes(loaded, vary, "sweep")
    _check_set(changes, [axis.path for axis in axes])
    if not vary:
        mode = mode or loaded.document.get(("sweep", "mode"))
        points = points or loaded.document.get(("sweep", "points"))
    mode = mode or ("lhs" if points else "cartesian")
    directory = output or Path("results", f"{loaded.name}-sweep")
    store = store or Path("results", f"{loaded.name}-sweep.sqlite")
    if parquet:
        check_parquet()
    identity = sweep_identity(loaded, axes, mode, points)
    check_study_directory(directory, identity, force=force)
    with progress_bar(wanted=not quiet) as progress:
        done = sweep(
            loaded, axes, mode=mode, points=points, store=store, executor=executor(workers, dask),
            retry_failed=retry_failed, progress=progress,
        )  # fmt: skip
    page, files = sweep_files(done, parquet=parquet)
    write_study(directory, identity, page, files, force=force, command=["hetsim", *sys.argv[1:]])
    if as_json:
        click.echo((directory / "sweep.json").read_text(encoding="utf-8"), nl=False)
    elif not quiet:
        _print(done, store, directory)
    if done.failed and not as_json:
        _tell_failures(done)
    return 2 if done.failed else 0


def _check_set(changes: Sequence[str], paths: Sequence[str]) -> None:
    from hetsim.errors import ConfigError, Location

    if "soc" in paths and changes:
        raise ConfigError(
            "--set changes the scenario's SoC, and --vary soc replaces it",
            where=Location("--set"),
            hint="write the change as an axis of one value: --vary npu.sram=1MiB",
        )


def _print(done: Sweep, store: Path, directory: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from hetsim.report.summary import tidy_time
    from hetsim.study.sweep.report import headline

    paths = [axis.path for axis in done.axes]
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("network", "scheduler", *paths):
        table.add_column(name, overflow="fold")
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("gap", justify="right", no_wrap=True)
    good = sorted(
        (row for row in done.rows if row[1].makespan_s is not None),
        key=lambda row: row[1].makespan_s or 0.0,
    )
    for point, outcome in good[:15]:
        cells = [
            point.model,
            point.scheduler,
            *(str(point.design[path]) for path in paths),
            tidy_time(outcome.makespan_s or 0.0),
            "–" if outcome.gap is None else f"{outcome.gap:.0%}",
        ]
        table.add_row(*map(Text, cells))
    console = Console()
    console.print(table)
    if len(good) > 15:
        console.print(Text(f"the 15 fastest of {len(good)}", style="dim"))
    console.print()
    console.print(Text(headline(done), style="bold"))
    fresh = len(done.rows) - done.reused
    click.echo(f"\n{fresh} run now in {done.wall_s:.1f} s, {done.reused} known already: {store}")
    click.echo(f"results: {directory} (open {directory / 'report.html'})")


def _tell_failures(done: Sweep) -> None:
    from hetsim.study.sweep.report import failure_lines

    lines = [f"error: {len(done.failed)} of {len(done.rows)} runs failed:"]
    click.echo("\n".join([*lines, *(f"  {line}" for line in failure_lines(done))]), err=True)
