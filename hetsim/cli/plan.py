"""``hetsim plan``: plan files checked, looked at, made and converted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hetsim.cli.options import SEED, sized
from hetsim.sim.runtimes.registry import DEFAULT, runtime_names

if TYPE_CHECKING:
    from hetsim.soc.model import SoC
    from hetsim.workload.graph import Graph
    from hetsim.workload.sizes import Sizes

Function = TypeVar("Function", bound=Callable[..., Any])


def _place_options(function: Function) -> Function:
    """``--model``, sizes, ``--soc``, ``--set``: what a plan is for."""
    options = [
        click.option(
            "--model", metavar="NAME|FILE",
            help="The network.  [default: the one the file names]",
        ),
        sized,
        click.option("--soc", required=True, metavar="NAME|FILE.yaml", help="The SoC."),
        click.option(
            "--set", "changes", metavar="PATH=VALUE", multiple=True, help="Change the SoC."
        ),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


_backends = click.option(
    "--backend", "backends", metavar="NAME=PU", multiple=True,
    help="The PU of a NEST-C backend, like VTA-1=npu1; may be repeated.",
)  # fmt: skip


_node_map = click.option(
    "--map", "node_map", metavar="FILE", type=click.Path(path_type=Path),
    help="Which node of a NEST-C plan is which operator, where names and order do not tell.",
)  # fmt: skip


@click.group()
def command() -> None:
    """Validate, show, make or convert plan files.

    Plans are hetsim's own (see 'hetsim schema plan') or NEST-C partition plans; which one a file
    is shows from what it holds. 'hetsim run SCENARIO --plan FILE' simulates either.
    """


@command.command()
@click.argument("files", nargs=-1, required=True)
@_place_options
@_backends
@_node_map
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
            graph, unit = _place(file, model, sizes, soc, changes)
            found = read_plan(file, [graph], unit, _pairs(backends), node_map)
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
@_place_options
@_backends
@_node_map
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

    graph, unit = _place(file, model, sizes, soc, changes)
    found = read_plan(file, [graph], unit, _pairs(backends), node_map)
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
@_place_options
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
    case = Case(_graph(model, sizes), _soc(soc, changes), execution=execution, seed=seed)
    case.check()
    _deliver(dump_plan(case.plan(create(scheduler))), output, force)
    return 0


@command.command()
@click.argument("file")
@_place_options
@_backends
@_node_map
@click.option(
    "--write-map", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write which node was taken for which operator and why, to correct and give to --map.",
)  # fmt: skip
@click.option("--to", "wanted", type=click.Choice(["hetsim", "nestc"]),
              help="The format to write.  [default: the other one]")  # fmt: skip
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
    wanted: str | None,
    output: Path | None,
    force: bool,
) -> int:
    """Turn a plan into a NEST-C partition plan, or a NEST-C plan into one of hetsim's."""
    from hetsim.errors import Location
    from hetsim.plan.anyfile import read_plan
    from hetsim.plan.files import dump_plan
    from hetsim.plan.nestc.writer import dump_nestc_plan
    from hetsim.plan.validate import validate_plan

    graph, unit = _place(file, model, sizes, soc, changes)
    if write_map is not None:
        _write_map(file, graph, node_map, write_map, force)
    found = read_plan(file, [graph], unit, _pairs(backends), node_map)
    validate_plan(found.plan, graph, unit, where=Location(file))
    if (wanted or ("hetsim" if found.format == "nestc" else "nestc")) == "hetsim":
        text = dump_plan(found.plan)
    else:
        names = {pu: backend for backend, pu in _pairs(backends).items()}
        text = dump_nestc_plan(found.plan, graph, unit, names)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    _deliver(text, output, force)
    return 0


def _place(
    file: str,
    model: str | None,
    sizes: Sizes,
    soc: str,
    changes: Sequence[str],
) -> tuple[Graph, SoC]:
    """The network and the SoC that a plan is for."""
    from hetsim.errors import Location, PlanError
    from hetsim.plan.anyfile import planned_model

    name = model or planned_model(file)
    if name is None:
        raise PlanError(
            "a NEST-C plan does not say which network it is for",
            where=Location(file), hint="name it: --model squeezenet",
        )  # fmt: skip
    return _graph(name, sizes), _soc(soc, changes)


def _write_map(file: str, graph: Graph, node_map: Path | None, output: Path, force: bool) -> None:
    """The proposal is written even where the plan is then refused: it is there to be corrected."""
    from hetsim.plan.anyfile import proposed_map
    from hetsim.plan.nestc.nodemap import dump_node_map

    _deliver(dump_node_map(proposed_map(file, graph, node_map)), output, force)


def _graph(model: str, sizes: Sizes) -> Graph:
    from hetsim.workload.networks import load_network

    return load_network(model, **sizes.options())


def _soc(name: str, changes: Sequence[str]) -> SoC:
    from hetsim.overrides import split_assignment
    from hetsim.soc.loader import load_soc

    return load_soc(name, dict(split_assignment(change) for change in changes))


def _pairs(texts: Iterable[str]) -> dict[str, str]:
    from hetsim.errors import ConfigError, Location

    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, pu = text.partition("=")
        if not (name and equals and pu):
            where = Location("--backend")
            raise ConfigError(f"{text!r} is no pair", where=where, hint="write it like VTA-1=npu1")
        pairs[name] = pu
    return pairs


def _deliver(text: str, output: Path | None, force: bool) -> None:
    """Writes a new file, or to standard output."""
    from hetsim.drafts import write_file
    from hetsim.errors import ResultsError

    if output is None:
        click.echo(text.encode(), nl=False)
        return
    try:
        write_file(output, text, replace=force)
    except FileExistsError:
        raise ResultsError(f"{output} exists", hint="replace it with --force") from None
