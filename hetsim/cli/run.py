"""``hetsim run``: one scenario, from its file to the table and the results directory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hetsim.cli import extras
from hetsim.cli.options import SEED, sized
from hetsim.cli.progress import progress_bar
from hetsim.cli.ways import Way, way_of
from hetsim.cli.workers import team, workers_option
from hetsim.names import results_place
from hetsim.sim.runtimes.registry import runtime_names

if TYPE_CHECKING:
    from hetsim.scenario.loader import Scenario
    from hetsim.workload.sizes import Sizes


@click.command()
@click.argument("scenario")
@click.option(
    "--set",
    "changes",
    metavar="PATH=VALUE",
    multiple=True,
    help="Change the SoC or the scenario: bus.clock=0.5x, cpu.cores=4, soc=edge-mcu.",
)
@click.option(
    "--model",
    "models",
    metavar="NAME|FILE",
    multiple=True,
    help="Run this network instead of the scenario's; may be repeated.",
)
@sized
@click.option(
    "--scheduler",
    "schedulers",
    metavar="NAME|FILE.py:CLASS",
    multiple=True,
    help="Use this scheduler instead of the scenario's; may be repeated.",
)
@click.option(
    "--plan",
    "plans",
    metavar="FILE.yaml",
    multiple=True,
    help="Run this plan instead of the scenario's schedulers; may be repeated.",
)
@click.option("--execution", type=click.Choice(runtime_names()), help="The runtime model.")
@click.option("--fidelity", type=click.Choice(["fluid", "tile"]), help="Grain of the NPU model.")
@click.option("--seed", type=SEED, help="Feeds whatever is random.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the results go.  [default: results/SCENARIO]",
)
@click.option("--force", is_flag=True, help="Replace an existing results directory.")
@extras.figures(default="best")
@extras.traces(default="none")
@workers_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, nothing else.")
@click.option("--no-files", is_flag=True, help="Write no results directory.")
@click.option("--quiet", is_flag=True, help="No table and no progress bar.")
def command(
    scenario: str,
    changes: Sequence[str],
    models: Sequence[str],
    sizes: Sizes,
    schedulers: Sequence[str],
    plans: Sequence[str],
    execution: str | None,
    fidelity: str | None,
    seed: int | None,
    output: Path | None,
    force: bool,
    figures: str | None,
    traces: str | None,
    workers: int | None,
    as_json: bool,
    no_files: bool,
    quiet: bool,
) -> int:
    """Simulate a scenario and report every model under every scheduler.

    SCENARIO is a shipped name (see 'hetsim list scenarios') or a YAML file. Other models,
    schedulers and values may be tried without editing it.
    """
    if no_files and (output or force or figures or traces):
        raise click.UsageError("--no-files goes with no option about files")
    from hetsim.report.files.directory import check_directory
    from hetsim.scenario.choices import choose
    from hetsim.scenario.streams import plans_for_nothing

    loaded = _load(scenario, changes)
    asked = "--model"
    if plans and loaded.service is not None:
        raise plans_for_nothing("--plan")
    if plans:
        # A plan is run alone unless somebody asks for company.
        asked = asked if models else f"--plan {' '.join(plans)}"
        models = models or _planned_models(plans)
        schedulers = schedulers or ()
    loaded = choose(
        loaded,
        models=models,
        schedulers=schedulers if schedulers or plans else None,
        sizes=sizes,
        execution=execution,
        fidelity=fidelity,
        seed=seed,
        asked_by=(asked, "--scheduler"),
    )
    way = way_of(loaded)
    way.kind.check_figures(figures)
    directory = None if no_files else output or results_place(loaded.name)
    if directory is not None:
        check_directory(directory, force=force)
    with (
        progress_bar(wanted=not quiet) as progress,
        team(workers, way.worth(loaded)) as executor,
    ):
        result = way.run(loaded, [Path(plan) for plan in plans], progress, executor)
        if directory is not None:
            from hetsim.report.files.extras import Wanted
            from hetsim.report.files.writer import write_results

            wanted = Wanted(figures or "best", traces or "none")
            write_results(
                result, directory, extras=wanted, force=force, command=["hetsim", *sys.argv[1:]],
                progress=progress, executor=executor,
            )  # fmt: skip
    if as_json:
        _print_json(way, result, directory)
    elif not quiet:
        way.show(result)
        if directory is not None:
            click.echo(f"\nresults: {directory} (open {directory / 'report.html'})")
    return _tell_failures(way, result, shown=not (as_json or quiet))


def _load(scenario: str, changes: Sequence[str]) -> Scenario:
    from hetsim.overrides import split_assignment
    from hetsim.scenario.loader import load_scenario

    return load_scenario(scenario, dict(split_assignment(change) for change in changes))


def _planned_models(plans: Sequence[str]) -> list[str]:
    """The networks that the plan files name, without repeats; none if one file names none."""
    from hetsim.plan.anyfile import planned_model

    models = list(dict.fromkeys(planned_model(plan) for plan in plans))
    return [] if None in models else [model for model in models if model is not None]


def _print_json(way: Way, result: Any, directory: Path | None) -> None:
    """The very text of ``result.json`` where it was written, so that the two cannot differ."""
    from hetsim.report.files.jsonout import dumps

    if directory is not None:
        text = (directory / "result.json").read_text(encoding="utf-8")
    else:
        text = dumps(way.kind.document(result))
    # As bytes: JSON is UTF-8 whatever the terminal's encoding.
    click.echo(text.encode(errors="backslashreplace"), nl=False)


def _tell_failures(way: Way, result: Any, *, shown: bool) -> int:
    """The exit code; says how many rows failed, and why unless that is ``shown`` already."""
    if not result.failed:
        return 0
    summary = f"error: {len(result.failed)} of {len(result.runs)} rows failed"
    reasons = [f"  {way.name(run)}: {run.error}" for run in result.failed]
    click.echo(summary if shown else "\n".join([f"{summary}:", *reasons]), err=True)
    return 2
