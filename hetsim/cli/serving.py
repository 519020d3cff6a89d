"""``hetsim run`` of a scenario with streams."""

from __future__ import annotations

import click

from hetsim.cli.progress import progress_bar
from hetsim.scenario.loader import Scenario


def run_streams(scenario: Scenario, *, quiet: bool) -> int:
    """Simulates the streams and shows what came out; the exit code."""
    from rich.console import Console

    from hetsim.report.text.served import print_served
    from hetsim.runs.serving import run_service

    with progress_bar(wanted=not quiet) as progress:
        result = run_service(scenario, progress)
    if not quiet:
        print_served(result, Console())
    for run in result.failed:
        click.echo(f"error: {run.label}: {run.error}", err=True)
    return 2 if result.failed else 0
