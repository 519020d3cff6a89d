"""``hetsim report``: the report of a results directory made anew, without simulating."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from hetsim.cli import extras
from hetsim.cli.progress import progress_bar
from hetsim.cli.workers import team, workers_option


@click.command()
@click.argument("results", type=click.Path(path_type=Path), metavar="RESULTS_DIR")
@extras.figures(default="those that are there")
@extras.traces(default="those that are there")
@extras.plans(default="those that are there")
@click.option(
    "--run",
    "runs",
    metavar="NETWORK/SCHEDULER",
    multiple=True,
    help="Pictures, traces or plans of this run only, as squeezenet/heft or 'squeezenet/*'; may be"
    " repeated.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a new directory instead of changing the old one.",
)
@click.option("--force", is_flag=True, help="With --output: replace an existing directory.")
@click.option(
    "--whatif",
    "study",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Show this study of 'hetsim whatif' about the same scenario in the report.",
)
@workers_option
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(
    results: Path,
    figures: str | None,
    traces: str | None,
    plans: str | None,
    runs: Sequence[str],
    output: Path | None,
    force: bool,
    study: Path | None,
    workers: int | None,
    quiet: bool,
) -> None:
    """Rebuild the report of a results directory.

    Everything that 'hetsim run' wrote into RESULTS_DIR is made again from the runs stored in it.
    With --figures, --traces or --plans what is there stays as it is, and what they say is added to
    it (or, with none, taken away). Nothing is simulated, files that are not hetsim's stay, and
    when something fails nothing has changed.
    """
    asked = {"figures": figures, "traces": traces, "plans": plans}
    if force and output is None:
        raise click.UsageError("--force goes with --output; a directory is rebuilt in place anyway")
    of_no_run = (None, "none", "comparison", "attribution", "gap")
    if runs and all(word in of_no_run for word in asked.values()):
        raise click.UsageError("--run needs --figures gantt, --traces all or --plans all")
    from hetsim.report.files.directory import check_directory
    from hetsim.report.files.extras import Wanted
    from hetsim.report.files.kinds import kind_of
    from hetsim.report.files.rebuild import load_result, read_manifest, rebuilt
    from hetsim.report.files.writer import write_results
    from hetsim.report.page.whatif import whatif_sections

    manifest = read_manifest(results)
    target = output or results
    check_directory(target, force=force or output is None)
    result = load_result(results)
    kind_of(result).check_figures(figures)
    wanted = Wanted(**asked, runs=extras.positions_of(result, runs))
    chosen, kept = rebuilt(results, result, wanted)
    sections = whatif_sections(study, result) if study is not None else ()
    worth = max(1, (len(chosen) - len(kept)) // 6)  # to start one takes as long as a few pictures
    with progress_bar(wanted=not quiet) as progress, team(workers, worth) as executor:
        write_results(
            result, target, extras=chosen, kept=kept, force=force or output is None,
            command=["hetsim", *sys.argv[1:]], progress=progress, origin=manifest,
            sections=sections, executor=executor,
        )  # fmt: skip
    if not quiet:
        click.echo(f"results: {target} (open {target / 'report.html'})")
