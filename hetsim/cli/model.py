"""``hetsim model``: what a network is made of, and which units take what of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hetsim.cli.options import sized

if TYPE_CHECKING:
    from hetsim.workload.graph import Graph
    from hetsim.workload.sizes import Sizes


@click.command()
@click.argument("model", metavar="NAME|FILE")
@click.option("--soc", metavar="NAME|FILE.yaml", help="Say what the units of this SoC take of it.")
@click.option("--set", "changes", metavar="PATH=VALUE", multiple=True, help="Change the SoC.")
@sized
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, nothing else.")
def command(
    model: str,
    soc: str | None,
    changes: Sequence[str],
    sizes: Sizes,
    as_json: bool,
) -> None:
    """Summarise a network: its operators, arithmetic and memory, and who can run what.

    Everything that keeps a file from being loaded, and does not depend on shapes, is listed at
    once.
    """
    from hetsim.cli.modelview import summary_dict, summary_shown
    from hetsim.cli.shown import print_shown
    from hetsim.overrides import split_assignment
    from hetsim.report.files.jsonout import dumps
    from hetsim.runs.case import Case
    from hetsim.soc.loader import load_soc
    from hetsim.workload.summary import summarise

    if changes and soc is None:
        raise click.UsageError("--set goes with --soc")
    unit = None
    if soc is not None:
        unit = load_soc(soc, dict(split_assignment(change) for change in changes))
    graph = _load(model, sizes)
    case = None if unit is None else Case(graph, unit)
    summary = summarise(graph)
    if as_json:
        text = dumps(summary_dict(summary, case))
        click.echo(text.encode(errors="backslashreplace"), nl=False)
    else:
        print_shown(summary_shown(summary, case))


def _load(model: str, sizes: Sizes) -> Graph:
    """The network, or all that is wrong with its file."""
    from hetsim.errors import WorkloadError
    from hetsim.workload.formats import format_of, names_file
    from hetsim.workload.networks import load_network

    try:
        return load_network(model, **sizes.options())
    except WorkloadError:
        if not names_file(model):
            raise
        problems = format_of(Path(model)).problems(Path(model), sizes)
        if len(problems) < 2:
            raise
        lines = [f"{p.message}" + (f"\n      {p.hint}" if p.hint else "") for p in problems]
        listed = "".join(f"\n  - {line}" for line in lines)
        where = problems[0].where
        raise WorkloadError(f"{len(problems)} problems:{listed}", where=where) from None
