"""``hetsim validate``: every check of fidelity there is, and whether one became worse."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hetsim.cli.progress import progress_bar

if TYPE_CHECKING:
    from hetsim.validate.outcome import Outcome


@click.command()
@click.argument("names", metavar="[CHECK]...", nargs=-1)
@click.option("--quick", is_flag=True, help="Leave out checks that take more than some seconds.")
@click.option("--list", "listed", is_flag=True, help="Show the checks and run none.")
@click.option(
    "--data", type=click.Path(path_type=Path), metavar="DIR",
    help="Tables of one's own, in place of those of the same name or beside them.",
)  # fmt: skip
@click.option("--host", is_flag=True, help="Also measure this machine.")
@click.option(
    "--live", is_flag=True,
    help="Ask the other simulators again, instead of their answers in tables.",
)  # fmt: skip
@click.option(
    "--thresholds", type=click.Path(path_type=Path), metavar="FILE.yaml",
    help="Which errors are allowed.  [default: what ships]",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N",
    help="Worker processes; the result is the same.  [default: one per processor]",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="OUT",
    help="Directory for the page, the rows as JSON, and pictures.",
)  # fmt: skip
@click.option("--figures", is_flag=True, help="With -o: scatter plots for papers, SVG and PNG.")
@click.option("--force", is_flag=True, help="Replace an existing OUT.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON, nothing else.")
def command(
    names: Sequence[str],
    quick: bool,
    listed: bool,
    data: Path | None,
    host: bool,
    live: bool,
    thresholds: Path | None,
    workers: int | None,
    output: Path | None,
    figures: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Compare hetsim with measurements and with other simulators.

    Runs every check there is, or the CHECKs named, and prints how wrong hetsim is in each, beside
    what is allowed. Needs no network. Ends with 3 when an error is larger than allowed, with 2
    when a check fails or one that was named cannot run.

    \b
    hetsim validate --list            what is compared with what
    hetsim validate simgrid -o OUT    one check, with a page
    """
    from hetsim.cli.shown import print_shown
    from hetsim.executors.base import Executor
    from hetsim.executors.registry import executor
    from hetsim.report.files.directory import check_directory
    from hetsim.report.files.jsonout import dumps
    from hetsim.validate import report
    from hetsim.validate.base import Setting
    from hetsim.validate.limits import read_limits
    from hetsim.validate.outcome import exit_code
    from hetsim.validate.registry import find_checks
    from hetsim.validate.run import run_checks
    from hetsim.validate.tables import Tables

    if names and quick:
        raise click.UsageError("--quick goes with no CHECK")
    if output is None and (figures or force):
        raise click.UsageError("--figures and --force go with -o")
    chosen = find_checks(names, host=host or listed, quick=quick)
    limits = read_limits(thresholds)
    if listed:
        print_shown(line for name, check in chosen.items() for line in report.about(name, check))
        return 0
    setting = Setting(Tables(data), live)
    if output is not None:
        check_directory(output, force=force)
    team: Executor[Any, Any] = executor(workers)
    with progress_bar(wanted=not as_json) as progress, team:
        outcomes = run_checks(chosen, setting, limits, team, progress)
    told = report.as_json(outcomes, setting.tables)
    if output is not None:
        _write(output, outcomes, told, figures=figures, force=force)
    if as_json:
        click.echo(dumps(told), nl=False)
    else:
        print_shown(report.shown(outcomes))
        click.echo(f"\n{sum(o.cpu_s for o in outcomes):.0f} s of processor time")
        if output is not None:
            click.echo(f"results: {output} (open {output / 'report.html'})")
    return exit_code(outcomes, names)


def _write(
    output: Path,
    outcomes: Sequence[Outcome],
    told: dict[str, Any],
    *,
    figures: bool,
    force: bool,
) -> None:
    from hetsim.report.files.directory import write_directory
    from hetsim.report.files.jsonout import dumps
    from hetsim.report.files.manifest import versions
    from hetsim.report.page.study import render_page
    from hetsim.validate.page import page, pictures

    files: dict[str, str | bytes] = {"validation.json": dumps(told)}
    files["report.html"] = render_page(page(outcomes), versions())
    if figures:
        from hetsim.report.figures.plotting import image_files

        files |= image_files(pictures(outcomes))
    write_directory(output, files, force=force, command=["hetsim", *sys.argv[1:]])
