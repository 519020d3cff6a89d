"""``hetsim diff``: what changed from one result to another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from hetsim.errors import ConfigError, Location, ResultsError

EXIT_DIFFERENT = 3


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option(
    "--tolerance",
    default="0.0001%",
    show_default=True,
    metavar="PERCENT",
    help="Makespans, and figures of streams, closer than this are the same.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 3 when the results differ.")
@click.option("--json", "as_json", is_flag=True, help="Print the difference as JSON only.")
@click.option("--quiet", is_flag=True, help="Print nothing; useful with --exit-code.")
def command(a: Path, b: Path, tolerance: str, exit_code: bool, as_json: bool, quiet: bool) -> int:
    """Compare two results.

    A and B are directories that 'hetsim run' has written, or result.json files. For every network
    and scheduler: the makespans, which parts of the time came or went, how the plan changed; of
    streams: which figures changed, and which of these changes are within noise; and what differs in
    the SoC and the settings. Nothing is simulated.

    Exit code 0 says that they could be compared, 2 that they could not. With --exit-code, 3 says
    that they differ.
    """
    share = _share(tolerance)
    way = _way(a, b)
    diff = way.compare(a, b, share)
    if as_json:
        from hetsim.report.files.jsonout import dumps

        click.echo(dumps(way.as_dict(diff)).encode(errors="backslashreplace"), nl=False)
    elif not quiet:
        from rich.console import Console

        way.show(diff, Console())
    return EXIT_DIFFERENT if exit_code and not diff.same else 0


def _share(text: str) -> float:
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not 0.0 <= share < 1.0:
        raise ConfigError(
            f"{text!r} is not a tolerance",
            where=Location("--tolerance"),
            hint="write a percentage of at least 0 and below 100, like 0.5%",
        )
    return share


@dataclass(frozen=True)
class _Way:
    """How two results of one format are compared and shown."""

    compare: Callable[[Path, Path, float], Any]
    as_dict: Callable[[Any], dict[str, object]]
    show: Callable[[Any, Any], None]


def _single() -> _Way:
    from hetsim.report.diff import diff_results, diff_to_dict, read_side
    from hetsim.report.text.diff import print_diff

    return _Way(
        lambda a, b, share: diff_results(read_side(a), read_side(b), share),
        diff_to_dict, print_diff,
    )  # fmt: skip


def _streams() -> _Way:
    from hetsim.report.serveddiff import diff_served, read_served_side, served_diff_to_dict
    from hetsim.report.text.serveddiff import print_served_diff

    return _Way(
        lambda a, b, share: diff_served(read_served_side(a), read_served_side(b), share),
        served_diff_to_dict, print_served_diff,
    )  # fmt: skip


_WAYS = {"hetsim.result/1": _single, "hetsim.serving/1": _streams}
"""By the format of ``result.json``."""


def _way(a: Path, b: Path) -> _Way:
    """How to compare them; of an unknown format the reader says what is wrong."""
    from hetsim.report.diff import result_format

    formats = result_format(a), result_format(b)
    if formats[0] != formats[1] and set(formats) <= _WAYS.keys():
        raise ResultsError(
            f"{a} has format {formats[0]!r} and {b} {formats[1]!r}: one is of single inferences,"
            " the other of streams",
            hint="compare results of one kind",
        )
    return _WAYS.get(formats[0], _single)()
