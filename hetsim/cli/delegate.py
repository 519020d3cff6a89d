"""``hetsim delegate``: what a delegating runtime should offload of a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hetsim.cli.options import sized
from hetsim.cli.progress import progress_bar
from hetsim.sim.runtimes.registry import runtime_names

if TYPE_CHECKING:
    from hetsim.workload.sizes import Sizes

ONE_AT_A_TIME = "barrier"
"""A delegating runtime has one thread that calls one thing after the other."""


@click.command()
@click.argument("model", metavar="NAME|FILE")
@click.option("--soc", required=True, metavar="NAME|FILE.yaml", help="The SoC.")
@click.option("--set", "changes", metavar="PATH=VALUE", multiple=True, help="Change the SoC.")
@sized
@click.option(
    "--execution",
    type=click.Choice(runtime_names()),
    default=ONE_AT_A_TIME,
    show_default=True,
    help="The runtime of all plans; 'barrier' does one thing at a time.",
)
@click.option(
    "--evaluations",
    type=click.IntRange(min=1),
    default=4000,
    show_default=True,
    help="Choices of what to delegate that may be simulated.",
)
@click.option(
    "--tuning",
    type=click.IntRange(min=0),
    default=2000,
    show_default=True,
    help="Plans that may be simulated to find the best one to compare with; 0 looks for none.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write delegate.json and every plan, as 'hetsim run --plan' takes them.",
)
@click.option("--force", is_flag=True, help="Replace an existing directory.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, nothing else.")
def command(
    model: str,
    soc: str,
    changes: Sequence[str],
    sizes: Sizes,
    execution: str,
    evaluations: int,
    tuning: int,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Say which parts of a network to delegate to accelerators, and why.

    A delegating runtime (LiteRT, ONNX Runtime, NNAPI, Core ML) keeps one order on the CPU and hands
    the parts that an accelerator supports to it. Each such part is judged; the choice found is
    compared with the default rules, with everything, nothing, the best plan of any kind, and the
    bound.
    """  # fmt: skip
    from hetsim.cli.delegateview import delegation_dict, delegation_shown, plan_files
    from hetsim.cli.shown import print_shown
    from hetsim.cli.written import write_files
    from hetsim.overrides import split_assignment
    from hetsim.report.files.directory import check_directory
    from hetsim.report.files.jsonout import dumps
    from hetsim.runs.case import Case
    from hetsim.runs.delegation.work import delegation
    from hetsim.soc.loader import load_soc
    from hetsim.workload.networks import load_network

    if force and output is None:
        raise click.UsageError("--force goes with --output")
    unit = load_soc(soc, dict(split_assignment(change) for change in changes))
    graph = load_network(model, **sizes.options())
    if output is not None:
        check_directory(output, force=force)
    case = Case(graph, unit, execution=execution)
    with progress_bar(wanted=not as_json) as progress:
        found = delegation(case, evaluations=evaluations, tuning=tuning, progress=progress)
    text = dumps(delegation_dict(found))
    if output is not None:
        write_files(output, {"delegate.json": text, **plan_files(found)}, force)
    if as_json:
        click.echo(text.encode(errors="backslashreplace"), nl=False)
        return
    print_shown(delegation_shown(found))
    if output is not None:
        click.echo(f"plans: {output}")
