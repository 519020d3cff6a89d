"""Results directories read back: the result in them, and their reports made anew from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hetsim.analysis.result import Result
from hetsim.errors import ResultsError
from hetsim.report.files.archive import NAME as ARCHIVE
from hetsim.report.files.archive import load_archive
from hetsim.report.files.directory import recover
from hetsim.report.files.manifest import NAME as MANIFEST
from hetsim.report.files.manifest import SCHEMA


def read_manifest(directory: Path) -> dict[str, Any]:
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
    path = directory / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultsError(
            f"{directory} has no {MANIFEST}: hetsim did not write it, or not to the end",
            hint="name a directory that 'hetsim run' has written",
        ) from None
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path} is damaged: {error}") from None
    found = manifest.get("schema") if isinstance(manifest, dict) else None
    if found != SCHEMA:
        raise ResultsError(f"{path} has format {found!r}; this hetsim reads {SCHEMA!r}")
    study = manifest.get("study")
    if isinstance(study, dict):
        kind = study.get("kind", "study")
        raise ResultsError(
            f"{directory} holds the study 'hetsim {kind}', not a run",
            hint=f"its report is made again by the command that made it: {manifest.get('command')}",
        )
    return dict(manifest)


def load_result(directory: str | Path) -> Result:
    """The result in a directory that ``hetsim run`` has written; nothing is simulated.

    Raises:
        ResultsError: it is not such a directory, is damaged, or of another version.
    """
    place = Path(directory)
    manifest = read_manifest(place)
    if not (place / ARCHIVE).exists():
        listed = ARCHIVE in manifest.get("files", ())
        reason = "it was removed" if listed else "another version of hetsim wrote the directory"
        raise ResultsError(
            f"{place} has no {ARCHIVE}: {reason}", hint="make the results again with 'hetsim run'"
        )
    result = load_archive(place / ARCHIVE)
    times = _planning(manifest)
    runs = tuple(
        replace(run, planning_s=times.get((run.model, run.scheduler), 0.0)) for run in result.runs
    )
    return replace(result, runs=runs)


def _planning(manifest: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """Wall-clock planning times, which are no part of the result, from the manifest."""
    try:
        return {
            (row["model"], row["scheduler"]): float(row["ms"]) / 1e3
            for row in manifest["planning_ms"]
        }
    except (KeyError, TypeError, ValueError):
        raise ResultsError(f"{MANIFEST} is damaged: its planning times cannot be read") from None
