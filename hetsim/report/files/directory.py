"""Results directories: all files appear at once, or none does.

Files are written to a hidden sibling directory first (:mod:`hetsim.drafts`) and take their place by
renaming. An existing directory is replaced only on demand and only if its manifest says that hetsim
wrote it; files in it that the manifest does not list are somebody's own and are carried over.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hetsim.drafts import (
    clear_abandoned,
    discard,
    draft_directory,
    encoded,
    sibling,
    siblings,
    turn,
    write_file,
)
from hetsim.errors import ResultsError
from hetsim.report.files.jsonout import dumps
from hetsim.report.files.manifest import NAME as MANIFEST
from hetsim.report.files.manifest import SCHEMA, manifest_in, provenance


def check_directory(directory: Path, *, force: bool = False) -> None:
    """Refuses a place where results cannot go, before any work is done.

    Raises:
        ResultsError: a file of that name exists; the directory is not empty and ``force`` is off,
            or is on but hetsim did not write it, or somebody stands in it.
    """
    recover(directory)
    _check(directory, force=force)


def _check(directory: Path, *, force: bool) -> None:
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
    When the process is killed, the next one that uses ``directory`` ends what it began.

    Raises:
        ResultsError: as :func:`check_directory`, also for what came into being meanwhile; and when
            the disk is full or not writable.
    """
    check_directory(directory, force=force)
    place = directory.resolve()
    made: list[Path] = []
    try:
        made = _make_parents(place.parent)
        with draft_directory(place) as draft:
            yield draft
            with turn(place.parent):
                _check(directory, force=force)
                _publish(draft, place, directory)
    except BaseException as error:
        for parent in reversed(made):
            with contextlib.suppress(OSError):
                parent.rmdir()
        if isinstance(error, OSError):
            raise _explained(error, directory) from error
        raise


def write_directory(
    directory: Path,
    files: Mapping[str, str | bytes],
    told: Mapping[str, object] | None = None,
    *,
    force: bool = False,
    command: Sequence[str] = (),
) -> dict[str, Path]:
    """Writes ``files`` and a manifest of them into a fresh directory; returns paths by file name.

    ``told`` is what the manifest says beside who wrote the directory.

    Raises:
        ResultsError: see :func:`fresh_directory`.
    """
    manifest = {"schema": SCHEMA, **(told or {}), **provenance(command), "files": sorted(files)}
    with fresh_directory(directory, force=force) as draft:
        for name, content in {**files, MANIFEST: dumps(manifest)}.items():
            (draft / name).write_bytes(encoded(content))
    return {name: directory / name for name in sorted([*files, MANIFEST])}


def recover(directory: Path) -> None:
    """Ends what a process that was killed had begun to do with ``directory``.

    Results that were moved out of the way come back, or go when their successor is there; a
    directory that was being filled is filled; drafts are removed. Nothing happens where every
    process is alive, or was never here.
    """
    place = directory.resolve()
    if not siblings(place):
        return
    with contextlib.suppress(OSError), turn(place.parent) as alone:
        if alone:
            found = siblings(place)
            unmoved = {tail for word, tail, _ in found if word == "partial"}
            for word, tail, path in found:
                if word == "fill":
                    _fill(path, place, [])
                elif word == "old":
                    _settle(path, place, moved=tail not in unmoved)
            clear_abandoned(place)


def _publish(draft: Path, place: Path, shown: Path) -> None:
    """Gives a draft its name. What is done by then is enough for :func:`recover` at any moment."""
    if not place.exists():
        draft.rename(place)
    elif _is_empty(place):
        filling = sibling(place, "fill")
        draft.rename(filling)
        written: list[Path] = []
        try:
            _fill(filling, place, written)
        except BaseException:
            for path in written:
                path.unlink(missing_ok=True)
            discard(place, filling)
            raise
    else:
        _replace(draft, place, shown)


def _fill(draft: Path, place: Path, written: list[Path]) -> None:
    """Copies the files into an existing empty directory (a mount, or where somebody stands)."""
    # The manifest comes last: a directory that has one is complete.
    names = sorted((entry.name for entry in draft.iterdir()), key=lambda name: name == MANIFEST)
    for name in names:
        content = (draft / name).read_bytes()
        with contextlib.suppress(FileExistsError):
            write_file(place / name, content, replace=False)
            written.append(place / name)
        if (place / name).read_bytes() != content:
            raise FileExistsError(errno.EEXIST, f"{name} came into being meanwhile")
    discard(place, draft)


def _replace(draft: Path, place: Path, shown: Path) -> None:
    ours = _files_listed(place)
    assert ours is not None, "checked just before"
    clash = sorted(
        entry.name
        for entry in place.iterdir()
        if entry.name not in ours and (draft / entry.name).exists()
    )
    if clash:
        raise ResultsError(
            f"{shown} holds {clash[0]!r}, which hetsim did not write and would overwrite",
            hint="move that file away, or choose another directory with --output",
        )
    # Both names have the same tail: a draft that is still there was not moved.
    tail = draft.name.rpartition(".partial-")[2]
    old = sibling(place, "old", tail)
    try:
        place.rename(old)
        draft.rename(place)
    finally:
        if old.exists():
            _settle(old, place, moved=not draft.exists())


def _settle(old: Path, place: Path, *, moved: bool) -> None:
    """Ends a replacement: ``old`` goes if its successor was ``moved`` in, else it comes back."""
    ours = _files_listed(old)
    if not moved or ours is None:
        old.rename(_free(place))
        return
    for entry in sorted(old.iterdir()):
        if entry.name not in ours:
            entry.rename(_free(place / entry.name))
    discard(place, old)


def _free(place: Path) -> Path:
    """``place``, or another name like it where somebody took that one."""
    while os.path.lexists(place):
        place = place.with_name(f"{place.name}.old-{secrets.token_hex(4)}")
    return place


def _files_listed(place: Path) -> frozenset[str] | None:
    """Names that the directory's manifest claims, itself included; ``None`` if it is not ours."""
    try:
        return frozenset([MANIFEST, *manifest_in(place).files])
    except ResultsError:
        return None


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
