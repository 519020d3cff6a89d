"""``hetsim tune``: better plans, and better parameters, by trying them in simulation."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hetsim.cli.options import chosen_scenario, output_options, scenario_options
from hetsim.cli.progress import progress_bar

if TYPE_CHECKING:
    from hetsim.study.tune.study import Tuning

_INTERRUPTED = 130


@click.command()
@click.argument("scenario")
@click.option(
    "--evaluations", type=click.IntRange(min=1), metavar="N",
    help="Plans to try for each network.  [default: 20000, or as many as --seconds allow]",
)  # fmt: skip
@click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True), metavar="S",
    help="Time for each network. The result then depends on the machine.",
)  # fmt: skip
@click.option(
    "--prove", "prove_s", type=click.FloatRange(min=0, min_open=True), metavar="S",
    help="Then let 'exact' prove for so long how good each plan can be (needs hetsim[exact]).",
)  # fmt: skip
@click.option(
    "--holdout", type=click.IntRange(min=1), metavar="K",
    help="Tune parameters also without K of the networks in turn, and report those.",
)  # fmt: skip
@click.option(
    "--only", type=click.Choice(["plans", "parameters"]),
    help="Tune the networks' plans only, or PartitionTuner's parameters only.",
)  # fmt: skip
@click.option(
    "--set", "changes", metavar="PATH=VALUE", multiple=True,
    help="Change the SoC or the scenario.",
)  # fmt: skip
@scenario_options
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N",
    help="Worker processes; the result is the same.  [default: one per processor]",
)  # fmt: skip
@click.option(
    "--state", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Where the search keeps how far it is.  [default: results/SCENARIO-tune.state.json]",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on from the state file.")
@output_options
def command(
    scenario: str,
    evaluations: int | None,
    seconds: float | None,
    prove_s: float | None,
    holdout: int | None,
    only: str | None,
    changes: Sequence[str],
    models: Sequence[str],
    schedulers: Sequence[str],
    execution: str | None,
    fidelity: str | None,
    seed: int | None,
    workers: int | None,
    state: Path | None,
    resume: bool,
    output: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Search for better plans with the simulator in the loop.

    Starts from the plans of all built-in schedulers, and of others that the scenario or
    --scheduler name, and never ends with a worse one. The same seed and number of evaluations give
    the same result whatever the number of workers. Ctrl-C writes what has been found so far and
    ends with exit code 130; --resume goes on from there, also after the process was killed.
    """
    if as_json and quiet:
        raise click.UsageError("--quiet and --json contradict each other")
    if holdout and only == "plans":
        raise click.UsageError("--holdout is about parameters, and --only plans leaves them out")
    from hetsim.report.files.studydir import check_study_directory, write_study
    from hetsim.study.tune.report import tune_files, tune_identity
    from hetsim.study.tune.study import UNLIMITED, Effort, tune

    loaded = chosen_scenario(scenario, changes, models, schedulers, execution, fidelity, seed)
    directory = output or Path("results", f"{loaded.name}-tune")
    identity = tune_identity(loaded)
    check_study_directory(directory, identity, force=force)
    limit = evaluations or (Effort().evaluations if seconds is None else UNLIMITED)
    with progress_bar(wanted=not quiet) as progress:
        done = tune(
            loaded,
            Effort(limit, seconds),
            parameters=only != "plans",
            plans=only != "parameters",
            holdout=holdout or 0,
            workers=workers,
            state=state or Path("results", f"{loaded.name}-tune.state.json"),
            resume=resume,
            prove_s=prove_s,
            progress=progress,
        )
        page, files = tune_files(done)
    write_study(directory, identity, page, files, force=force, command=["hetsim", *sys.argv[1:]])
    if as_json:
        click.echo((directory / "tune.json").read_text(encoding="utf-8"), nl=False)
    elif not quiet:
        _print(done, directory)
    if done.interrupted:
        click.echo("interrupted; go on with --resume", err=True)
        return _INTERRUPTED
    return 0


def _print(done: Tuning, directory: Path) -> None:
    from rich.console import Console
    from rich.text import Text

    from hetsim.study.tune.report import PLAN_COLUMNS, headline, parameter_rows, plan_rows

    console = Console()
    if done.models:
        _table(console, PLAN_COLUMNS, plan_rows(done), left=2)
        rate = f", {done.fresh / done.wall_s:,.0f} plans a second" if done.wall_s else ""
        console.print(Text(f"\n{done.fresh:,} plans judged in {done.wall_s:.1f} s{rate}\n"))
    if done.parameters is not None:
        columns = ("network", "published", "tuned", "change", "")
        for fold in (*done.parameters.folds, done.parameters.everything):
            held = sum(gain.held_out for gain in fold.gains)
            which = f"without {held} of the networks" if held else "on all networks"
            console.print(Text(f"partition_tuner's parameters tuned {which}", style="bold"))
            _table(console, columns, parameter_rows(fold), left=1)
            values = ", ".join(f"{name}: {value}" for name, value in fold.parameters.items())
            console.print(Text(values, style="dim"), "")
    console.print(Text(headline(done), style="bold"))
    click.echo(f"\nresults: {directory} (open {directory / 'report.html'})")


def _table(
    console: object, columns: Sequence[str], rows: Sequence[Sequence[str]], left: int
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    assert isinstance(console, Console)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for i, name in enumerate(columns):
        table.add_column(name, justify="left" if i < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)
