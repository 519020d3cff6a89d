"""``hetsim whatif``: what limits a network, and what each hardware change would gain."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hetsim.cli.options import chosen_scenario, output_options, scenario_options, worker_options
from hetsim.cli.progress import progress_bar

if TYPE_CHECKING:
    from hetsim.report.files.studydir import StudyIdentity
    from hetsim.report.page.study import Page, Table
    from hetsim.scenario.loader import Scenario


@click.command()
@click.argument("scenario")
@click.option(
    "--set", "changes", metavar="PATH=VALUE", multiple=True,
    help="Compare the scenario with this change; several make one variant: bus.clock=2x.",
)  # fmt: skip
@click.option(
    "--variant", "variants", metavar="'NAME: PATH=VALUE, ...'", multiple=True,
    help="Compare the scenario with this named variant; may be repeated.",
)  # fmt: skip
@click.option(
    "--only", metavar="PART", multiple=True,
    help="Vary only this part of the SoC or these parameters: npu, npu.dma, bus.clock.",
)  # fmt: skip
@scenario_options
@worker_options
@output_options
def command(
    scenario: str,
    changes: Sequence[str],
    variants: Sequence[str],
    only: Sequence[str],
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
    """Find the bottleneck and what each hardware change would gain.

    Without --set and --variant, every parameter of the SoC that can change a time is lowered and
    raised, alone, with the schedule planned anew and with the plan kept. With them, the scenario
    as it is and its variants are compared side by side.
    """
    if as_json and quiet:
        raise click.UsageError("--quiet and --json contradict each other")
    if (changes or variants) and (only or dask or workers):
        raise click.UsageError(
            "--only, --workers and --dask belong to varying everything; --set and --variant compare"
        )
    loaded = chosen_scenario(scenario, (), models, schedulers, execution, fidelity, seed)
    directory = output or Path("results", f"{loaded.name}-whatif")
    if changes or variants:
        return _compare(loaded, changes, variants, directory, force, as_json, quiet)
    from hetsim.report.files.studydir import check_study_directory
    from hetsim.study.executors.choice import executor
    from hetsim.study.whatif.report import (
        critical_path,
        ranking,
        unchanged,
        whatif_files,
        whatif_identity,
    )
    from hetsim.study.whatif.study import sentence, whatif

    identity = whatif_identity(loaded, tuple(only))
    check_study_directory(directory, identity, force=force)
    with progress_bar(wanted=not quiet) as progress:
        study = whatif(loaded, only=only, executor=executor(workers, dask), progress=progress)
    _write(directory, identity, *whatif_files(study), force)
    if as_json:
        click.echo((directory / "whatif.json").read_text(encoding="utf-8"), nl=False)
    elif not quiet:
        for network in study.networks:
            title = f"{network.model} · {network.scheduler} on {study.soc}"
            lines = [critical_path(network), unchanged(network)]
            _show(ranking(network), title, lines, sentence(network, study.soc))
        click.echo(f"\nresults: {directory} (open {directory / 'report.html'})")
    return 0


def _compare(
    scenario: Scenario,
    changes: Sequence[str],
    variants: Sequence[str],
    directory: Path,
    force: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    from hetsim.errors import ConfigError, Location
    from hetsim.overrides import split_assignment
    from hetsim.report.files.studydir import check_study_directory
    from hetsim.study.compare.report import compare_files, compare_identity, headline, table
    from hetsim.study.compare.study import compare, parse_variant

    asked: dict[str, dict[str, object]] = {}
    if changes:
        asked["changed"] = dict(split_assignment(change) for change in changes)
    for text in variants:
        name, values = parse_variant(text)
        if name in asked:
            raise ConfigError(f"two variants are called {name!r}", where=Location("--variant"))
        asked[name] = values
    identity = compare_identity(scenario, asked)
    check_study_directory(directory, identity, force=force)
    with progress_bar(wanted=not quiet) as progress:
        comparison = compare(scenario, asked, progress=progress)
    _write(directory, identity, *compare_files(comparison), force)
    if as_json:
        click.echo((directory / "compare.json").read_text(encoding="utf-8"), nl=False)
    elif not quiet:
        for model in comparison.models:
            _show(table(comparison, model), comparison.scenario, [], "")
        click.echo(headline(comparison))
        click.echo(f"\nresults: {directory} (open {directory / 'report.html'})")
    for variant, run in comparison.failed:
        click.echo(f"error: {variant.name}: {run.model} / {run.scheduler}: {run.error}", err=True)
    return 2 if comparison.failed else 0


def _write(
    directory: Path,
    identity: StudyIdentity,
    page: Page,
    files: dict[str, str | bytes],
    force: bool,
) -> None:
    from hetsim.report.files.studydir import write_study

    write_study(directory, identity, page, files, force=force, command=["hetsim", *sys.argv[1:]])


def _show(shown: Table, title: str, lines: Sequence[str], conclusion: str) -> None:
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console()
    table = RichTable(
        title=Text(title, style="bold"), title_justify="left", box=None, pad_edge=False,
        header_style="dim", padding=(0, 2, 0, 0),
    )  # fmt: skip
    for position, name in enumerate(shown.columns):
        table.add_column(
            name, justify="right" if position else "left", overflow="fold", no_wrap=not position
        )
    for row in shown.rows:
        table.add_row(*map(Text, row))
    console.print(table)
    console.print()
    for line in lines:
        if line:
            console.print(Text(line, style="dim"))
    if conclusion:
        console.print(Text(conclusion, style="bold"))
