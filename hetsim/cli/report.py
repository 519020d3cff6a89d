"""``hetsim report``: the report of a results directory made anew, without simulating."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from hetsim.cli.progress import progress_bar


@click.command()
@click.argument("results", type=click.Path(path_type=Path), metavar="RESULTS_DIR")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write a new directory instead of replacing the old one's reports.",
)
@click.option("--force", is_flag=True, help="With --output: replace an existing directory.")
@click.option(
    "--whatif",
    "study",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Show this study of 'hetsim whatif' about the same scenario in the report.",
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def command(
    results: Path, output: Path | None, force: bool, study: Path | None, quiet: bool
) -> None:
    """Rebuild the report of a results directory.

    Everything that 'hetsim run' wrote into RESULTS_DIR is made again from the traces stored in
    it: report.html, figures, tables, Perfetto traces. Nothing is simulated, files that are not
    hetsim's stay, and when something fails nothing has changed.
    """
    if force and output is None:
        raise click.UsageError("--force goes with --output; a directory is rebuilt in place anyway")
    from hetsim.report.files.directory import check_directory
    from hetsim.report.files.rebuild import load_result, read_manifest
    from hetsim.report.files.writer import write_results
    from hetsim.report.page.whatif import whatif_sections

    manifest = read_manifest(results)
    target = output or results
    check_directory(target, force=force or output is None)
    result = load_result(results)
    sections = whatif_sections(study, result) if study is not None else ()
    with progress_bar(wanted=not quiet) as progress:

        def drawing(what: str, done: int, total: int) -> None:
            if progress is not None:
                progress(f"drawing {what}", done, total)

        write_results(
            result, target, force=force or output is None, command=["hetsim", *sys.argv[1:]],
            progress=drawing, origin=manifest, sections=sections,
        )  # fmt: skip
    if not quiet:
        click.echo(f"results: {target} (open {target / 'report.html'})")
