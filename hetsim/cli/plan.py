"""``hetsim plan``: plan files checked, looked at, made and converted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hetsim.cli.options import SEED
from hetsim.cli.run import _shapes as parse_shapes
from hetsim.sim.runtimes.registry import DEFAULT, runtime_names

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hetsim.plan.anyfile import ReadPlan
    from hetsim.plan.model import Plan
    from hetsim.soc.model import SoC
    from hetsim.workload.graph import Graph

Function = TypeVar("Function", bound=Callable[..., Any])


def _place_options(function: Function) -> Function:
    """``--model``, ``--input-shape``, ``--soc``, ``--set``: what a plan is for."""
    options = [
        click.option(
            "--model", metavar="NAME|FILE.onnx",
            help="The network.  [default: the one the file names]",
        ),
        click.option(
            "--input-shape", "input_shapes", metavar="TENSOR=1x3x224x224", multiple=True,
            help="Whole shape of an input that has symbolic dimensions; may be repeated.",
        ),
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
def validate(
    files: Sequence[str],
    model: str | None,
    input_shapes: Sequence[str],
    soc: str,
    changes: Sequence[str],
    backends: Sequence[str],
) -> int:
    """Check whether plans fit their network and a SoC, and list everything that does not."""
    from hetsim.errors import HetsimError, Location
    from hetsim.plan.validate import validate_plan

    bad = 0
    for file in files:
        try:
            graph, unit, found = _read(file, model, input_shapes, soc, changes, backends)
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
def show(
    file: str,
    model: str | None,
    input_shapes: Sequence[str],
    soc: str,
    changes: Sequence[str],
    backends: Sequence[str],
) -> int:
    """Show a plan as a table of partitions and a tree of what waits for what."""
    from rich.console import Console

    from hetsim.errors import Location
    from hetsim.plan.validate import validate_plan
    from hetsim.workload.rewrite import apply_rewrites

    graph, unit, found = _read(file, model, input_shapes, soc, changes, backends)
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
    console.print(_table(plan, graph))
    console.print(_tree(plan, graph))
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
    input_shapes: Sequence[str],
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
    case = Case(_graph(model, input_shapes), _soc(soc, changes), execution=execution, seed=seed)
    case.check()
    _deliver(dump_plan(case.plan(create(scheduler))), output, force)
    return 0


@command.command()
@click.argument("file")
@_place_options
@_backends
@click.option("--to", "wanted", type=click.Choice(["hetsim", "nestc"]),
              help="The format to write.  [default: the other one]")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def convert(
    file: str,
    model: str | None,
    input_shapes: Sequence[str],
    soc: str,
    changes: Sequence[str],
    backends: Sequence[str],
    wanted: str | None,
    output: Path | None,
    force: bool,
) -> int:
    """Turn a plan into a NEST-C partition plan, or a NEST-C plan into one of hetsim's."""
    from hetsim.errors import Location
    from hetsim.plan.files import dump_plan
    from hetsim.plan.nestc import dump_nestc_plan
    from hetsim.plan.validate import validate_plan

    graph, unit, found = _read(file, model, input_shapes, soc, changes, backends)
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


def _read(
    file: str,
    model: str | None,
    input_shapes: Sequence[str],
    soc: str,
    changes: Sequence[str],
    backends: Sequence[str],
) -> tuple[Graph, SoC, ReadPlan]:
    from hetsim.errors import Location, PlanError
    from hetsim.plan.anyfile import planned_model, read_plan

    name = model or planned_model(file)
    if name is None:
        raise PlanError(
            "a NEST-C plan does not say which network it is for",
            where=Location(file), hint="name it: --model squeezenet",
        )  # fmt: skip
    graph, unit = _graph(name, input_shapes), _soc(soc, changes)
    return graph, unit, read_plan(file, [graph], unit, _pairs(backends))


def _graph(model: str, input_shapes: Sequence[str]) -> Graph:
    from hetsim.workload.networks import load_network

    return load_network(model, input_shapes=parse_shapes(input_shapes) or None)


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


def _table(plan: Plan, graph: Graph) -> RenderableType:
    """One row a partition."""
    from collections import Counter

    from rich.table import Table

    group_of = {name: str(n) for n, group in enumerate(plan.parallel_groups) for name in group}
    table = Table(box=None, header_style="bold")
    for title in ("partition", "PU", "parallel"):
        table.add_column(title, no_wrap=True)
    table.add_column("operators", justify="right")
    table.add_column("MMACs", justify="right")
    table.add_column("kinds")
    for part in plan.partitions:
        operators = [graph.operator(name) for name in part.operators]
        kinds = Counter(op.kind for op in operators)
        words = [kind if n == 1 else f"{n} {kind}" for kind, n in kinds.items()]
        macs = sum(op.macs for op in operators) / 1e6
        table.add_row(
            part.name, part.pu, group_of.get(part.name, ""), str(len(operators)), f"{macs:.1f}",
            ", ".join(words) + ("" if part.fuse else "  (not fused)"),
        )  # fmt: skip
    return table


def _tree(plan: Plan, graph: Graph) -> RenderableType:
    """Each partition below the last of those whose results it waits for."""
    from rich.tree import Tree

    home = {name: i for i, part in enumerate(plan.partitions) for name in part.operators}
    operators = graph.operators
    root = Tree("waits for")
    nodes: list[Tree] = []
    for i, part in enumerate(plan.partitions):
        before = {
            home[operators[p].name]
            for name in part.operators
            for p in graph.predecessors[graph.index[name]]
        } - {i}
        last = max(before, default=None)
        others = ", ".join(plan.partitions[p].name for p in sorted(before - {last}))
        label = f"{part.name} on {part.pu}" + (f", also for {others}" if others else "")
        nodes.append((root if last is None else nodes[last]).add(label))
    return root
