"""Results directories read back: the result in them, and their reports made anew from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hetsim.analysis.result import Result
from hetsim.errors import ResultsError
from hetsim.report.files.archive import NAME as ARCHIVE
from hetsim.report.files.archive import load_archive
from hetsim.report.files.directory import recover
from hetsim.report.files.extras import Extra, Wanted, chosen, extras_of
from hetsim.report.files.manifest import NAME as MANIFEST
from hetsim.report.files.manifest import Manifest, check_content, intact, manifest_in


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a results directory of ``hetsim run``.

    Raises:
        ResultsError: no such directory, or not one of ours, or one of a study.
    """
    recover(directory)
    if not directory.is_dir():
        what = "is a file" if directory.exists() else "does not exist"
        raise ResultsError(
            f"{directory} {what}", hint="name a directory that 'hetsim run' has written"
        )
    if not (directory / MANIFEST).exists():
        raise ResultsError(
            f"{directory} has no {MANIFEST}: hetsim did not write it, or not to the end",
            hint="name a directory that 'hetsim run' has written",
        )
    manifest = manifest_in(directory)
    if manifest.study is not None:
        kind = manifest.study.get("kind", "study")
        raise ResultsError(
            f"{directory} holds the study 'hetsim {kind}', not a run",
            hint=f"its report is made again by the command that made it: {manifest.command}",
        )
    return manifest


def load_result(directory: str | Path) -> Result:
    """The result in a directory that ``hetsim run`` has written; nothing is simulated.

    Raises:
        ResultsError: it is not such a directory, is damaged, or of another version.
    """
    place = Path(directory)
    manifest = read_manifest(place)
    if not (place / ARCHIVE).exists():
        listed = ARCHIVE in manifest.files
        reason = "it was removed" if listed else "another version of hetsim wrote the directory"
        raise ResultsError(
            f"{place} has no {ARCHIVE}: {reason}", hint="make the results again with 'hetsim run'"
        )
    check_content(place, ARCHIVE)
    result = load_archive(place / ARCHIVE)
    times = {(row.model, row.scheduler): row.ms / 1e3 for row in manifest.planning_ms}
    runs = tuple(
        replace(run, planning_s=times.get((run.model, run.scheduler), 0.0)) for run in result.runs
    )
    return replace(result, runs=runs)


def rebuilt(
    directory: Path, result: Result, wanted: Wanted
) -> tuple[list[Extra], dict[str, bytes]]:
    """The extras that ``directory`` is to have, and the contents of those that stay as they are.

    Those that the directory has, and those that are ``wanted``; ``"none"`` takes those of a kind
    away. Where nothing is said of any kind, all are made again.
    """
    listed = set(read_manifest(directory).files)
    asked = set(chosen(result, wanted))
    extras = [
        extra
        for extra in extras_of(result)
        if extra in asked or (wanted.word(extra) != "none" and listed.issuperset(extra.files))
    ]
    if not (wanted.figures or wanted.traces or wanted.plans):
        return extras, {}
    names = (name for extra in extras if extra not in asked for name in extra.files)
    return extras, intact(directory, names)
