"""Results directories: all files appear at once, or none does.

Files are written to a hidden sibling directory first and take their place by renaming. An existing
directory is replaced only on demand and only if its manifest says that hetsim wrote it; files in
it that the manifest does not list are somebody's own and are carried over.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from hetsim.errors import ResultsError
from hetsim.report.files.manifest import NAME as MANIFEST
from hetsim.report.files.manifest import SCHEMA


def check_directory(directory: Path, *, force: bool = False) -> None:
    """Refuses a place where results cannot go, before any work is done.

    Raises:
        ResultsError: a file of that name exists; the directory is not empty and ``force`` is off,
            or is on but hetsim did not write it, or somebody stands in it.
    """
    place = directory.resolve()
    for above in (place, *place.parents):
        if above.exists():
            if not above.is_dir():
                raise ResultsError(
                    f"results cannot go to {directory}: {above} is a file",
                    hint="choose another directory with --output",
                )
            break
    if not place.exists() or _is_empty(place):
        return
    if not force:
        raise ResultsError(
            f"{directory} exists and is not empty",
            hint="choose another directory with --output, or replace it with --force",
        )
    if _files_listed(place) is None:
        raise ResultsError(
            f"{directory} was not written by hetsim (it has no {MANIFEST} of ours), so --force"
            " does not replace it",
            hint="choose another directory with --output, or remove it yourself",
        )
    if Path.cwd().resolve().is_relative_to(place):
        raise ResultsError(
            f"{directory} is the current directory, which cannot be replaced",
            hint="run the command from elsewhere",
        )


@contextlib.contextmanager
def fresh_directory(directory: Path, *, force: bool = False) -> Iterator[Path]:
    """Yields a directory to write in, which becomes ``directory`` when the block ends well.

    When the block fails, or is interrupted, nothing remains of it and ``directory`` is untouched.

    Raises:
        ResultsError: as :func:`check_directory`; and when the disk is full or not writable.
    """
    check_directory(directory, force=force)
    place = directory.resolve()
    draft = _beside(place, "partial")
    made: list[Path] = []
    try:
        made = _make_parents(place.parent)
        draft.mkdir()
        yield draft
        _publish(draft, place, directory)
    except BaseException as error:
        shutil.rmtree(draft, ignore_errors=True)
        for parent in reversed(made):
            with contextlib.suppress(OSError):
                parent.rmdir()
        if isinstance(error, OSError):
            raise _explained(error, directory) from error
        raise


def _publish(draft: Path, place: Path, shown: Path) -> None:
    if not place.exists():
        draft.rename(place)
    elif _is_empty(place):
        _fill(draft, place)
    else:
        _replace(draft, place, shown)


def _fill(draft: Path, place: Path) -> None:
    """Moves the files into an existing empty directory (which may be a mount or where we stand)."""
    moved: list[Path] = []
    # The manifest comes last: a directory that has one is complete.
    names = sorted((entry.name for entry in draft.iterdir()), key=lambda name: name == MANIFEST)
    try:
        for name in names:
            moved.append(place / name)
            shutil.move(draft / name, place / name)
    except BaseException:
        for path in moved:
            path.unlink(missing_ok=True)
        raise
    draft.rmdir()


def _replace(draft: Path, place: Path, shown: Path) -> None:
    ours = _files_listed(place)
    if ours is None:  # it changed while we worked
        raise ResultsError(f"{shown} was changed by somebody else meanwhile; nothing was replaced")
    kept = sorted(entry.name for entry in place.iterdir() if entry.name not in ours)
    clash = [name for name in kept if (draft / name).exists()]
    if clash:
        raise ResultsError(
            f"{shown} holds {clash[0]!r}, which hetsim did not write and would overwrite",
            hint="move that file away, or choose another directory with --output",
        )
    old = _beside(place, "old")
    place.rename(old)
    try:
        draft.rename(place)
    except BaseException:
        old.rename(place)
        raise
    for name in kept:
        (old / name).rename(place / name)
    shutil.rmtree(old)


def _files_listed(place: Path) -> frozenset[str] | None:
    """Names that the directory's manifest claims, itself included; ``None`` if it is not ours."""
    try:
        manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        return None
    files = manifest.get("files")
    if not isinstance(files, list):
        return None
    return frozenset([MANIFEST, *(name for name in files if isinstance(name, str))])


def _beside(place: Path, word: str) -> Path:
    return place.parent / f".{place.name}.{word}-{os.getpid()}-{secrets.token_hex(4)}"


def _is_empty(place: Path) -> bool:
    return next(place.iterdir(), None) is None


def _make_parents(parent: Path) -> list[Path]:
    missing = []
    while not parent.exists():
        missing.append(parent)
        parent = parent.parent
    missing.reverse()
    for path in missing:
        path.mkdir(exist_ok=True)
    return missing


def _explained(error: OSError, directory: Path) -> ResultsError:
    hint = "choose another directory with --output"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        hint = "free some space, or choose a directory on another disk with --output"
    reason = error.strerror or str(error)
    return ResultsError(f"cannot write results to {directory}: {reason}", hint=hint)
