"""Files appear whole or not at all, even when whoever writes them is killed.

What is being written is a *draft*: a hidden sibling ``.NAME.WORD-PID-HEX`` of its place, locked by
its writer. The system gives a lock up however a process ends, so a draft whose lock can be had
belongs to nobody. Drafts are made, published and cleared away in turn (:func:`turn`), one process
at a time in each directory. Where there are no such locks (not POSIX, some network file systems)
nothing is cleared away, and publishing still never replaces what it should not.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

try:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
except ImportError:  # not POSIX
    LOCKS = False
else:
    LOCKS = True

_TAIL = re.compile(r"(?P<word>[a-z]+)-(?P<tail>\d+-[0-9a-f]{8})")
_SAFE = 0
for _flag in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # each where there is one
    _SAFE |= getattr(os, _flag, 0)


def sibling(place: Path, word: str, tail: str | None = None) -> Path:
    """``.NAME.WORD-TAIL`` beside ``place``; a new tail unless one is given."""
    tail = tail or f"{os.getpid()}-{secrets.token_hex(4)}"
    return place.parent / f".{place.name}.{word}-{tail}"


def siblings(place: Path) -> list[tuple[str, str, Path]]:
    """What :func:`sibling` named beside ``place``: word, tail and path, in order."""
    start = f".{place.name}."
    found = []
    with contextlib.suppress(OSError):
        for name in os.listdir(place.parent):
            match = _TAIL.fullmatch(name[len(start) :]) if name.startswith(start) else None
            if match is not None:
                found.append((match["word"], match["tail"], place.parent / name))
    return sorted(found)


@contextlib.contextmanager
def turn(directory: Path) -> Iterator[bool]:
    """Waits until no other process holds ``directory``; yields whether that can be relied on."""
    handle = None
    if LOCKS:
        with contextlib.suppress(PermissionError):  # one may write to what one may not list
            handle = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield handle is not None and _lock(handle, wait=True)
    finally:
        if handle is not None:
            os.close(handle)


def hold(path: Path) -> int | None:
    """A lock on the file ``path``, made if it is not there; ``None`` when another process has it.

    The number is a file descriptor, to be given to :func:`leave`. Nothing is ever written to the
    file, and a link is not followed.

    Raises:
        OSError: it cannot be opened, or is a link or anything else than a file.
    """
    while True:
        handle = _open_lock(path)
        if not _lock(handle, or_none=True):
            os.close(handle)
            return None
        if _still(path, handle):
            return handle
        os.close(handle)


def share(path: Path) -> tuple[int, bool]:
    """As :func:`hold`, for several processes at once; also whether no other has it just now.

    Raises:
        OSError: see :func:`hold`.
    """
    while True:
        handle = _open_lock(path)
        alone = _lock(handle)
        if LOCKS:
            with contextlib.suppress(OSError):
                flock(handle, LOCK_SH)
        if _still(path, handle):
            return handle, alone
        os.close(handle)


def leave(path: Path, handle: int) -> None:
    """Gives up what :func:`hold` or :func:`share` gave; the last one removes the file."""
    with contextlib.suppress(OSError):
        if _lock(handle, or_none=True) and _still(path, handle):
            os.unlink(path)
    os.close(handle)


def _open_lock(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | _SAFE, 0o666)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "is not a regular file", str(path))
    return handle


def _still(path: Path, handle: int) -> bool:
    """Whether ``path`` is the open file: whoever had the lock may have taken the file away."""
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(path))
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def draft_directory(place: Path) -> Iterator[Path]:
    """Yields a new directory beside ``place``; what is left of it at the end is removed."""
    handle = None
    with turn(place.parent):
        draft = sibling(place, "partial")
        draft.mkdir()
        if LOCKS:
            handle = os.open(draft, os.O_RDONLY | os.O_CLOEXEC)
            _lock(handle)
    try:
        yield draft
    finally:
        if draft.is_dir():
            discard(place, draft)
        if handle is not None:
            os.close(handle)


def discard(place: Path, path: Path) -> None:
    """Removes a directory beside ``place``; killed midway, it is cleared away another time."""
    rubbish = sibling(place, "trash")
    path.rename(rubbish)
    shutil.rmtree(rubbish, ignore_errors=True)


def clear_abandoned(place: Path) -> None:
    """Removes drafts and rubbish beside ``place`` that no process works on. Call it in turn."""
    for word, _, path in siblings(place):
        if word in ("partial", "new", "trash") and _abandoned(path):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def write_file(path: Path, content: str | bytes, *, replace: bool = True) -> None:
    """Writes ``path`` in one step: at any moment it is as it was, or complete and on disk.

    A link is followed to its file; a device or pipe is simply written to.

    Raises:
        FileExistsError: something is there, and it is not to be replaced.
        OSError: it cannot be written; what was there is untouched.
    """
    place = path.resolve()
    if replace and place.exists() and not place.is_file():
        with path.open("wb") as stream:
            stream.write(encoded(content))
        return
    if not place.parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "there is no such directory", str(path.parent))
    with turn(place.parent) as alone:
        if alone:
            clear_abandoned(place)
        if place.exists() and not replace:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        draft = sibling(place, "new")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE, 0o666)
        _lock(handle)
    try:
        with os.fdopen(handle, "wb", closefd=not LOCKS) as stream:
            stream.write(encoded(content))
            stream.flush()
            os.fsync(handle)
        if replace:
            draft.replace(place)
        else:
            _link(draft, place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    finally:
        if LOCKS:  # held to the end, so that nobody clears the draft away
            os.close(handle)


def encoded(content: str | bytes) -> bytes:
    """UTF-8; halves of characters, as in names that are no text, are escaped as JSON does."""
    return content.encode(errors="backslashreplace") if isinstance(content, str) else content


def _link(draft: Path, place: Path) -> None:
    """Gives a draft its name unless something has it; not every file system has links."""
    try:
        os.link(draft, place)
    except FileExistsError:
        raise
    except OSError:
        if place.exists():
            raise
        draft.rename(place)
    draft.unlink(missing_ok=True)


def _lock(handle: int, *, wait: bool = False, or_none: bool = False) -> bool:
    """Whether the lock on an open file or directory could be had.

    ``or_none``: yes also where the file system has no locks.
    """
    if not LOCKS:
        return or_none
    try:
        flock(handle, LOCK_EX | (0 if wait else LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return or_none
    return True


def _abandoned(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | _SAFE)
    except OSError:
        return False
    try:
        return _lock(handle)
    finally:
        os.close(handle)
