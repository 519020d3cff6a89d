"""``hetsim plan``: plan files checked, looked at, made, converted and handed over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hetsim.cli.options import SEED
from hetsim.cli.planfiles import (
    backend_option,
    backend_pairs,
    deliver,
    node_map_option,
    place,
    place_options,
    planned_graph,
    planned_soc,
)
from hetsim.cli.planout import export, read_back, run
from hetsim.sim.runtimes.registry import DEFAULT, runtime_names

if TYPE_CHECKING:
    from hetsim.workload.graph import Graph
    from hetsim.workload.sizes import Sizes


@click.group()
def command() -> None:
    """Validate, show, make or convert plan files, and carry them out for real.

    Plans are hetsim's own (see 'hetsim schema plan') or NEST-C partition plans; which one a file
    is shows from what it holds. 'hetsim run SCENARIO --plan FILE' simulates either.
    """


@command.command()
@click.argument("files", nargs=-1, required=True)
@place_options
@backend_option
@node_map_option
def validate(
    files: Sequence[str],
    model: str | None,
    sizes: Sizes,
    soc: str,
    changes: Sequence[str],
    backends: Sequence[str],
    node_map: Path | None,
) -> int:
    """Check whether plans fit their network and a SoC, and list everything that does not."""
    from hetsim.errors import HetsimError, Location
    from hetsim.plan.anyfile import read_plan
    from hetsim.plan.validate import validate_plan

    bad = 0
    for file in files:
        try:
            graph, unit = place(file, model, sizes, soc, changes)
            found = read_plan(file, [graph], unit, backend_pairs(backends), node_map)
            validate_plan(found.plan, graph, unit, where=Location(file))
        except HetsimError as error:
            bad += 1
            click.echo(f"error: {error}", err=True)
            continue
        partitions = len(found.plan.partitions)
        click.echo(f"{file}: fits {graph.name} on {unit.name}, {partitions} partitions")
        for note in found.notes:
            click.echo(f"  {note}")
    return 2 if bad else 0


@command.command()
@click.argument("file")
@place_options
@backend_option
@node_map_option
def show(
    file: str,
    model: str | None,
    sizes: Sizes,
    soc: str,
    changes: Sequence[str],
    backends: Sequence[str],
    node_map: Path | None,
) -> int:
    """Show a plan as a table of partitions and a tree of what waits for what."""
    from rich.console import Console

    from hetsim.cli.planview import plan_table, plan_tree
    from hetsim.errors import Location
    from hetsim.plan.anyfile import read_plan
    from hetsim.plan.validate import validate_plan
    from hetsim.workload.rewrite import apply_rewrites

    graph, unit = place(file, model, sizes, soc, changes)
    found = read_plan(file, [graph], unit, backend_pairs(backends), node_map)
    plan = found.plan
    validate_plan(plan, graph, unit, where=Location(file))
    graph = apply_rewrites(graph, plan.rewrites)
    console = Console()
    console.print(f"plan for [b]{plan.model}[/b] by {plan.scheduler}", highlight=False)
    for rewrite in plan.rewrites:
        tail = f" with {'-'.join(rewrite.tail)}" if rewrite.tail else ""
        console.print(f"  {rewrite.kind} {', '.join(rewrite.operators)}{tail}", highlight=False)
    for note in found.notes:
        console.print(f"  {note}", highlight=False, markup=False)
    console.print(plan_table(plan, graph))
    console.print(plan_tree(plan, graph))
    return 0


@command.command()
@place_options
@click.option("--scheduler", required=True, metavar="NAME|FILE.py:CLASS", help="Who decides.")
@click.option(
    "--execution", type=click.Choice(runtime_names()), default=DEFAULT,
    show_default=True, help="The runtime that the plan will meet.",
)  # fmt: skip
@click.option("--seed", type=SEED, default=0, help="Feeds whatever is random.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def make(
    model: str | None,
    sizes: Sizes,
    soc: str,
    changes: Sequence[str],
    scheduler: str,
    execution: str,
    seed: int,
    output: Path | None,
    force: bool,
) -> int:
    """Let a scheduler make a plan, without simulating it."""
    from hetsim.plan.files import dump_plan
    from hetsim.runs.case import Case
    from hetsim.schedulers.registry import create

    if model is None:
        raise click.UsageError("--model is missing: say which network the plan is for")
    case = Case(
        planned_graph(model, sizes),
        planned_soc(soc, changes),
        execution=execution,
        seed=seed,
    )
    case.check()
    deliver(dump_plan(case.plan(create(scheduler))), output, force)
    return 0


@command.command()
@click.argument("file")
@place_options
@backend_option
@node_map_option
@click.option(
    "--write-map", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write which node was taken for which operator and why, to correct for --node-map.",
)  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def convert(
    file: str,
    model: str | None,
    sizes: Sizes,
    soc: str,
    changes: Sequence[str],
    backends: Sequence[str],
    node_map: Path | None,
    write_map: Path | None,
    output: Path | None,
    force: bool,
) -> int:
    """Turn a NEST-C partition plan into one of hetsim's; 'export' is the way back."""
    from hetsim.errors import Location, PlanError
    from hetsim.plan.anyfile import is_nestc, read_plan
    from hetsim.plan.files import dump_plan
    from hetsim.plan.validate import validate_plan

    if not is_nestc(file):
        raise PlanError(
            "it is a plan of hetsim's already",
            where=Location(file), hint="write it for somebody else with: hetsim plan export",
        )  # fmt: skip
    graph, unit = place(file, model, sizes, soc, changes)
    if write_map is not None:
        _write_map(file, graph, node_map, write_map, force)
    found = read_plan(file, [graph], unit, backend_pairs(backends), node_map)
    validate_plan(found.plan, graph, unit, where=Location(file))
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    deliver(dump_plan(found.plan), output, force)
    return 0


def _write_map(file: str, graph: Graph, node_map: Path | None, output: Path, force: bool) -> None:
    """The proposal is written even where the plan is then refused: it is there to be corrected."""
    from hetsim.plan.anyfile import proposed_map
    from hetsim.plan.nestc.nodemap import dump_node_map

    deliver(dump_node_map(proposed_map(file, graph, node_map)), output, force)


for verb in (export, run, read_back):
    command.add_command(verb)
