"""What the verbs of ``hetsim plan`` share: what a plan is for, and where its text goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hetsim.cli.options import sized

if TYPE_CHECKING:
    from hetsim.soc.model import SoC
    from hetsim.workload.graph import Graph
    from hetsim.workload.sizes import Sizes

Function = TypeVar("Function", bound=Callable[..., Any])


def place_options(function: Function) -> Function:
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


backend_option = click.option(
    "--backend", "backends", metavar="NAME=PU", multiple=True,
    help="The PU of a NEST-C backend, like VTA-1=npu1; may be repeated.",
)  # fmt: skip


node_map_option = click.option(
    "--node-map", "node_map", metavar="FILE", type=click.Path(path_type=Path),
    help="Which node of a NEST-C plan is which operator, where names and order do not tell.",
)  # fmt: skip


def place(
    file: str,
    model: str | None,
    sizes: Sizes,
    soc: str,
    changes: Sequence[str],
) -> tuple[Graph, SoC]:
    """The network and the SoC that a plan is for."""
    from hetsim.errors import Location, PlanError, WorkloadError

    name = model_of(file, model)
    try:
        graph = planned_graph(name, sizes)
    except WorkloadError as error:
        if model is not None:
            raise
        raise PlanError(
            f"the plan is for network {name!r}: {error.message}",
            where=Location(file), hint=f"name the file of the network: --model {name}.onnx",
        ) from None  # fmt: skip
    return graph, planned_soc(soc, changes)


def model_of(file: str, model: str | None) -> str:
    """The network that a plan is for: the one named, or the one that its file names."""
    from hetsim.errors import Location, PlanError
    from hetsim.plan.anyfile import planned_model

    name = model or planned_model(file)
    if name is None:
        raise PlanError(
            "a NEST-C plan does not say which network it is for",
            where=Location(file), hint="name it: --model squeezenet",
        )  # fmt: skip
    return name


def planned_graph(model: str, sizes: Sizes) -> Graph:
    """The network that ``--model`` names."""
    from hetsim.workload.networks import load_network

    return load_network(model, **sizes.options())


def planned_soc(name: str, changes: Sequence[str]) -> SoC:
    """The SoC that ``--soc`` names, changed by ``--set``."""
    from hetsim.overrides import split_assignment
    from hetsim.soc.loader import load_soc

    return load_soc(name, dict(split_assignment(change) for change in changes))


def backend_pairs(texts: Iterable[str]) -> dict[str, str]:
    """What ``--backend`` says: PUs by the names of NEST-C's backends."""
    from hetsim.errors import ConfigError, Location

    pairs: dict[str, str] = {}
    for text in texts:
        name, equals, pu = text.partition("=")
        if not (name and equals and pu):
            where = Location("--backend")
            raise ConfigError(f"{text!r} is no pair", where=where, hint="write it like VTA-1=npu1")
        pairs[name] = pu
    return pairs


def deliver(text: str | bytes, output: Path | None, force: bool) -> None:
    """Writes a new file, or to standard output."""
    from hetsim.drafts import encoded, write_file
    from hetsim.errors import ResultsError

    if output is None:
        click.echo(encoded(text), nl=False)
        return
    try:
        write_file(output, text, replace=force)
    except FileExistsError:
        raise ResultsError(f"{output} exists", hint="replace it with --force") from None
