"""Options that say what stands beside a report, and what they choose.

See :mod:`hetsim.report.files.extras`, which is not loaded to print a help text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import click

from hetsim.errors import ConfigError, Location

if TYPE_CHECKING:
    from hetsim.analysis.result import Result
    from hetsim.analysis.serving.result import ServedResult

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


_FIGURES = (
    "gantt", "comparison", "attribution", "gap", "distribution", "latency", "blocking",
)  # fmt: skip
"""Words of the kinds of results (:attr:`hetsim.report.files.kind.Kind.figures`)."""


def figures(default: str) -> Decorator:
    """``--figures``; without it the value is ``None``, and ``default`` is what the help says."""
    return click.option(
        "--figures",
        type=click.Choice(["none", "best", "all", *_FIGURES]),
        help="Pictures, SVG and PNG: of the best runs (best: the Gantt chart of each network's"
        " fastest, all there are of streams), one kind of all runs (gantt; of streams distribution,"
        " latency, blocking), a figure of the whole result (comparison, attribution,"
        f" gap), or all.  [default: {default}]",
    )


def traces(default: str) -> Decorator:
    """``--traces``, as :func:`figures`."""
    return click.option(
        "--traces",
        type=click.Choice(["none", "best", "all"]),
        help="Traces for Perfetto: of each network's fastest run (best), or of all."
        f"  [default: {default}]",
    )


def plans(default: str) -> Decorator:
    """``--plans``, as :func:`figures`."""
    return click.option(
        "--plans",
        type=click.Choice(["none", "best", "all"]),
        help="Plan files for 'hetsim run --plan': of each network's fastest run (best), or of all."
        f"  [default: {default}]",
    )


def positions_of(result: Result | ServedResult, asked: Sequence[str]) -> frozenset[int] | None:
    """The runs that ``--run NETWORK/SCHEDULER`` names, wildcards allowed; ``None`` without any.

    Raises:
        ConfigError: a name, or a pattern, of no run.
    """
    from hetsim.report.files.kinds import kind_of

    names = kind_of(result).names(result)
    found: set[int] = set()
    for text in asked:
        own = [i for i, name in enumerate(names) if name == text]
        own = own or [i for i, name in enumerate(names) if fnmatchcase(name, text)]
        if not own:
            from hetsim.names import suggest

            raise ConfigError(
                f"there is no run {text!r}",
                where=Location("--run"),
                hint=suggest(text, names, "the runs are"),
            )
        found.update(own)
    return frozenset(found) if asked else None
