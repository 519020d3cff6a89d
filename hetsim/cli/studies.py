"""The verbs of studies: one command builder for all of them.

A verb has the options that its class declares, and those that all studies share; what it does is
the life cycle that :class:`hetsim.study.base.Study` tells.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from hetsim.cli.options import SEED, parse_sizes, size_options
from hetsim.cli.progress import progress_bar
from hetsim.cli.shown import print_shown
from hetsim.executors.base import Executor
from hetsim.executors.registry import executor, places
from hetsim.names import results_place
from hetsim.overrides import split_assignment
from hetsim.report.files.studydir import check_study_directory, write_study
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import Scenario, load_scenario
from hetsim.sim.runtimes.registry import runtime_names
from hetsim.study.base import Study


def study_command(verb: str, study: type[Study[Any]]) -> click.Command:
    """The command ``hetsim VERB`` of a kind of study; it returns the exit code."""

    def run(**options: Any) -> int:
        return _run(verb, study, options)

    return click.Command(
        verb,
        callback=run,
        params=[click.Argument(["scenario"]), *_options(study)],
        help=inspect.getdoc(study),
    )


def _options(study: type[Study[Any]]) -> Iterator[click.Parameter]:
    yield from study.options
    if study.set_help is not None:
        yield click.Option(
            ["--set", "changes"], metavar="PATH=VALUE", multiple=True, help=study.set_help
        )
    yield from (
        click.Option(
            ["--model", "models"], metavar="NAME|FILE", multiple=True,
            help="Use this network instead of the scenario's; may be repeated.",
        ),
        *size_options(),
        click.Option(
            ["--scheduler", "schedulers"], metavar="NAME|FILE.py:CLASS", multiple=True,
            help="Use this scheduler instead of the scenario's; may be repeated.",
        ),
        click.Option(
            ["--execution"], type=click.Choice(runtime_names()), help="The runtime model."
        ),
        click.Option(
            ["--fidelity"], type=click.Choice(["fluid", "tile"]), help="Grain of the NPU model."
        ),
        click.Option(["--seed"], type=SEED, help="Feeds whatever is random."),
        click.Option(
            ["--workers"], type=click.IntRange(min=1), metavar="N", help=study.workers_help
        ),
    )  # fmt: skip
    for name, place in (places() if study.runs_elsewhere else {}).items():
        option = f"--{name.replace('_', '-')}"
        yield click.Option([option], metavar=place.metavar, help=place.help)
    yield from study.keeping
    yield from (
        click.Option(
            ["-o", "--output"], type=click.Path(path_type=Path), metavar="DIR",
            help="Where the report goes.  [default: results/SCENARIO-VERB]",
        ),
        click.Option(["--force"], is_flag=True, help="Replace an existing results directory."),
        click.Option(["--json", "as_json"], is_flag=True, help="Print the result as JSON only."),
        click.Option(["--quiet"], is_flag=True, help="Print nothing but errors."),
    )  # fmt: skip


def _run(verb: str, kind: type[Study[Any]], options: Mapping[str, Any]) -> int:
    as_json, quiet, force = options["as_json"], options["quiet"], options["force"]
    if as_json and quiet:
        raise click.UsageError("--quiet and --json contradict each other")
    kind.check(options)
    scenario = _scenario(options, options["changes"] if kind.set_help is not None else ())
    study = kind.asked(scenario, options)
    directory = options["output"] or results_place(scenario.name, f"-{verb}")
    check_study_directory(directory, study.identity, force=force)
    elsewhere = {name: options[name] for name in places() if kind.runs_elsewhere}
    team: Executor[Any, Any] = executor(options["workers"], **elsewhere)
    with progress_bar(wanted=not quiet) as progress, team:
        result = study.run(team, progress)
    page, files = study.report(result)
    command = ["hetsim", *sys.argv[1:]]
    write_study(directory, study.identity, page, files, force=force, command=command)
    if as_json:
        click.echo((directory / f"{study.kind}.json").read_text(encoding="utf-8"), nl=False)
    elif not quiet:
        print_shown(study.shown(result))
        lines = [study.effort(result), f"results: {directory} (open {directory / 'report.html'})"]
        click.echo("\n" + "\n".join(line for line in lines if line))
    if study.failures_with_json or not as_json:
        for line in study.failures(result):
            click.echo(line, err=True)
    return study.exit_code(result)


def _scenario(options: Mapping[str, Any], changes: Iterable[str]) -> Scenario:
    """The scenario with what the command line says instead."""
    return choose(
        load_scenario(options["scenario"], dict(split_assignment(change) for change in changes)),
        models=options["models"],
        schedulers=options["schedulers"] or None,
        sizes=parse_sizes(options["dims"], options["input_shapes"], options["max_outputs"]),
        execution=options["execution"],
        fidelity=options["fidelity"],
        seed=options["seed"],
        asked_by=("--model", "--scheduler"),
    )
