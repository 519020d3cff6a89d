"""Options that the verbs of studies share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from hetsim.scenario.loader import Scenario
    from hetsim.study.axes import Axis

Function = TypeVar("Function", bound=Callable[..., Any])


def scenario_options(function: Function) -> Function:
    """``--set``, ``--model``, ``--scheduler``, ``--execution``, ``--fidelity``, ``--seed``."""
    options = [
        click.option(
            "--model", "models", metavar="NAME|FILE.onnx", multiple=True,
            help="Use this network instead of the scenario's; may be repeated.",
        ),
        click.option(
            "--scheduler", "schedulers", metavar="NAME|FILE.py:CLASS", multiple=True,
            help="Use this scheduler instead of the scenario's; may be repeated.",
        ),
        click.option(
            "--execution", type=click.Choice(["dataflow", "barrier"]), help="The runtime model."
        ),
        click.option(
            "--fidelity", type=click.Choice(["fluid", "tile"]), help="Grain of the NPU model."
        ),
        click.option("--seed", type=click.IntRange(min=0), help="Feeds whatever is random."),
    ]  # fmt: skip
    return _apply(function, options)


def worker_options(function: Function) -> Function:
    """``--workers`` and ``--dask``."""
    options = [
        click.option(
            "--workers", type=click.IntRange(min=1), metavar="N",
            help="Worker processes.  [default: one per processor]",
        ),
        click.option(
            "--dask", metavar="tcp://HOST:PORT", help="Run on the Dask cluster of this scheduler."
        ),
    ]  # fmt: skip
    return _apply(function, options)


def output_options(function: Function) -> Function:
    """``--output``, ``--force``, ``--json``, ``--quiet``."""
    options = [
        click.option(
            "-o", "--output", type=click.Path(path_type=Path), metavar="DIR",
            help="Where the report goes.  [default: results/SCENARIO-VERB]",
        ),
        click.option("--force", is_flag=True, help="Replace an existing results directory."),
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON only."),
        click.option("--quiet", is_flag=True, help="Print nothing but errors."),
    ]  # fmt: skip
    return _apply(function, options)


def _apply(function: Function, options: Iterable[Callable[[Function], Function]]) -> Function:
    for option in reversed(list(options)):
        function = option(function)
    return function


def chosen_scenario(
    name: str,
    changes: Sequence[str],
    models: Sequence[str],
    schedulers: Sequence[str],
    execution: str | None,
    fidelity: str | None,
    seed: int | None,
) -> Scenario:
    """The scenario with what the command line says instead.

    Raises:
        ConfigError: see :func:`hetsim.scenario.loader.load_scenario` and
            :func:`hetsim.scenario.choices.choose`.
    """
    from hetsim.overrides import split_assignment
    from hetsim.scenario.choices import choose
    from hetsim.scenario.loader import load_scenario

    return choose(
        load_scenario(name, dict(split_assignment(change) for change in changes)),
        models=models,
        schedulers=schedulers or None,
        execution=execution,
        fidelity=fidelity,
        seed=seed,
        asked_by=("--model", "--scheduler"),
    )


def chosen_axes(scenario: Scenario, vary: Sequence[str], section: str) -> tuple[Axis, ...]:
    """The axes of ``--vary``, or those of the scenario's ``section`` when there are none.

    Raises:
        ConfigError: neither says what to vary, or says it wrongly.
    """
    from hetsim.errors import ConfigError, Location
    from hetsim.study.axes import axes_of, distinct, parse_axis

    if vary:
        return distinct(parse_axis(text) for text in vary)
    table: Mapping[str, object] | None = scenario.document.get((section, "vary"))
    if not table:
        raise ConfigError(
            f"nothing to vary: {scenario.name} has no {section!r} section",
            where=Location("--vary"),
            hint="say what to vary: --vary npu.sram=128KiB..4MiB:log2",
        )
    where = {path: scenario.where((section, "vary", path)) for path in table}
    return axes_of(table, where)
