"""``hetsim explore``: the best designs under constraints."""

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
    from hetsim.study.explore.study import Exploration


@click.command()
@click.argument("scenario")
@click.option(
    "--vary", multiple=True, metavar="PATH=VALUES",
    help="What to vary: npu.sram=128KiB..4MiB:log2, bus.clock=40MHz..320MHz; may be repeated.",
)  # fmt: skip
@click.option(
    "--minimise", "--minimize", "minimise", multiple=True, metavar="MEASURE",
    help="latency_ms, energy_mj, area or cost; repeat for a Pareto front.  [default: latency_ms]",
)  # fmt: skip
@click.option(
    "--constraint", "constraints", multiple=True, metavar="'MEASURE <= NUMBER'",
    help="What designs must meet: 'latency_ms <= 33'; may be repeated.",
)  # fmt: skip
@click.option(
    "--trials", type=click.IntRange(min=1), metavar="N",
    help="Designs to know at the end, those of earlier runs included.  [default: 100]",
)  # fmt: skip
@click.option(
    "--sampler", type=click.Choice(["tpe", "nsga2", "random"]),
    help="How to search.  [default: tpe; nsga2 for several objectives]",
)  # fmt: skip
@click.option(
    "--storage", metavar="FILE|URL",
    help="Where Optuna keeps the study: .sqlite, .log (journal), or a database URL."
    "  [default: results/SCENARIO-explore.sqlite]",
)  # fmt: skip
@click.option(
    "--set", "changes", metavar="PATH=VALUE", multiple=True, help="Change what is not varied."
)
@scenario_options
@worker_options
@output_options
def command(
    scenario: str,
    vary: Sequence[str],
    minimise: Sequence[str],
    constraints: Sequence[str],
    trials: int | None,
    sampler: str | None,
    storage: str | None,
    changes: Sequence[str],
    models: Sequence[str],
    schedulers: Sequence[str],
    execution: str | None,
    fidelity: str | None,
    seed: int | None,
    workers: int | None,
    dask: str | None,
    output: Path | None,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Search the design space under constraints.

    Latency is that of the slowest network, energy the sum of all, each under its fastest
    scheduler; area and cost are the SoC file's own sums. The same command goes on where an
    earlier one ended, and several may share a storage. The best designs are written as SoC files.
    """
    if as_json and quiet:
        raise click.UsageError("--quiet and --json contradict each other")
    from hetsim.report.files.studydir import check_study_directory, write_study
    from hetsim.study.executors.choice import executor
    from hetsim.study.explore.objectives import parse_constraint
    from hetsim.study.explore.report import explore_files, explore_identity
    from hetsim.study.explore.study import TRIALS, explore
    from hetsim.study.explore.trials import require_optuna

    require_optuna()
    loaded = chosen_scenario(scenario, changes, models, schedulers, execution, fidelity, seed)
    axes = chosen_axes(loaded, vary, "explore")
    if not vary:
        section = loaded.document.get(("explore",))
        minimise = minimise or section.get("minimise", ())
        constraints = constraints or section.get("constraints", ())
        trials, sampler = trials or section.get("trials"), sampler or section.get("sampler")
    minimise = minimise or ("latency_ms",)
    directory = output or Path("results", f"{loaded.name}-explore")
    storage = storage or str(Path("results", f"{loaded.name}-explore.sqlite"))
    identity = explore_identity(loaded, axes, minimise, constraints)
    check_study_directory(directory, identity, force=force)
    with progress_bar(wanted=not quiet) as progress:
        study = explore(
            loaded,
            axes,
            minimise=minimise,
            constraints=[parse_constraint(text) for text in constraints],
            trials=trials or TRIALS,
            sampler=sampler,
            storage=storage,
            executor=executor(workers, dask),
            progress=progress,
        )
    page, files = explore_files(study)
    write_study(directory, identity, page, files, force=force, command=["hetsim", *sys.argv[1:]])
    if as_json:
        click.echo((directory / "explore.json").read_text(encoding="utf-8"), nl=False)
    elif not quiet:
        _print(study, storage, directory)
    if not study.feasible:
        from hetsim.study.explore.report import headline

        click.echo(f"error: {headline(study)}", err=True)
        return 2
    return 0


def _print(study: Exploration, storage: str, directory: Path) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from hetsim.study.explore.report import front_table, headline, obstacles

    console = Console()
    front = front_table(study)
    if front.rows:
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
        for name in front.columns:
            table.add_column(name, justify="right", overflow="fold")
        for row in front.rows[:20]:
            table.add_row(*map(Text, row))
        console.print(table)
        console.print()
    for name, shares in study.importance.items():
        listed = ", ".join(f"{path} {share:.0%}" for path, share in shares.items())
        console.print(Text(f"what decides {name}: {listed}", style="dim"))
    if study.constraints:
        console.print(Text(f"ruled out: {obstacles(study)}", style="dim"))
    if front.rows:
        console.print(Text(headline(study), style="bold"))
    known = len(study.designs) - study.fresh
    click.echo(
        f"\n{study.fresh} designs now in {study.wall_s:.1f} s, {max(0, known)} known: {storage}"
    )
    click.echo(f"results: {directory} (open {directory / 'report.html'})")
