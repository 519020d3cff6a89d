"""``hetsim diff``: what changed from one result to another."""

from __future__ import annotations

from pathlib import Path

import click

from hetsim.errors import ConfigError, Location

EXIT_DIFFERENT = 3


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option(
    "--tolerance",
    default="0.0001%",
    show_default=True,
    metavar="PERCENT",
    help="Makespans closer than this are the same.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 3 when the results differ.")
@click.option("--json", "as_json", is_flag=True, help="Print the difference as JSON only.")
@click.option("--quiet", is_flag=True, help="Print nothing; useful with --exit-code.")
def command(a: Path, b: Path, tolerance: str, exit_code: bool, as_json: bool, quiet: bool) -> int:
    """Compare two results.

    A and B are directories that 'hetsim run' has written, or result.json files. For every network
    and scheduler: the makespans, which parts of the time came or went, how the plan changed; and
    what differs in the SoC and the settings. Nothing is simulated.

    Exit code 0 says that they could be compared, 2 that they could not. With --exit-code, 3 says
    that they differ.
    """
    share = _share(tolerance)
    from hetsim.report.diff import diff_results, diff_to_dict, read_side
    from hetsim.report.files.jsonout import dumps

    diff = diff_results(read_side(a), read_side(b), share)
    if as_json:
        click.echo(dumps(diff_to_dict(diff)).encode(errors="backslashreplace"), nl=False)
    elif not quiet:
        from rich.console import Console

        from hetsim.report.text.diff import print_diff

        print_diff(diff, Console())
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
