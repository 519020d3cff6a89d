"""Results directories read back: the result in them, and their reports made anew from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hetsim.errors import ResultsError
from hetsim.report.files.archive import NAME as ARCHIVE
from hetsim.report.files.directory import recover
from hetsim.report.files.extras import Extra, Wanted
from hetsim.report.files.kinds import KINDS, kind_in, kind_of
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


def load_result(directory: str | Path) -> Any:
    """The result in a directory that ``hetsim run`` has written; nothing is simulated.

    It is a :class:`~hetsim.analysis.result.Result`, or of a scenario with streams a
    :class:`~hetsim.analysis.serving.result.ServedResult`.

    Raises:
        ResultsError: it is not such a directory, is damaged, or of another version.
    """
    place = Path(directory)
    manifest = read_manifest(place)
    kind = kind_in(place)
    if kind is None:
        known = sorted(set(manifest.files) & {kind.archive for kind in KINDS.values()})
        name = known[0] if known else ARCHIVE
        reason = "it was removed" if known else "another version of hetsim wrote the directory"
        raise ResultsError(
            f"{place} has no {name}: {reason}", hint="make the results again with 'hetsim run'"
        )
    check_content(place, kind.archive)
    times = {(row.model, row.scheduler): row.ms / 1e3 for row in manifest.planning_ms}
    return kind.load(place, times)


def rebuilt(directory: Path, result: Any, wanted: Wanted) -> tuple[list[Extra], dict[str, bytes]]:
    """The extras that ``directory`` is to have, and the contents of those that stay as they are.

    Those that the directory has, and those that are ``wanted``; ``"none"`` takes those of a kind
    away. Where nothing is said of any kind, all are made again.
    """
    listed = set(read_manifest(directory).files)
    kind = kind_of(result)
    asked = set(kind.chosen(result, wanted))
    extras = [
        extra
        for extra in kind.extras(result)
        if extra in asked or (wanted.word(extra) != "none" and listed.issuperset(extra.files))
    ]
    if not (wanted.figures or wanted.traces or wanted.plans):
        return extras, {}
    names = (name for extra in extras if extra not in asked for name in extra.files)
    return extras, intact(directory, names)
