"""Files that a user names: only files are opened, up to a size, and what is wrong is one message.

A device or a pipe is refused before anything is read from it, because it may have no end or never
begin; so is a file larger than any honest one of its kind.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from hetsim.errors import ConfigError, HetsimError, Location, shortened

MIB = 2**20
MOST_NAME = 255
"""Bytes of a file's name that file systems take."""

TEXT_LIMIT = 64 * MIB
"""Largest text that is read: measurements, profiler traces. Bytes."""


def user_path(text: str | Path, where: Location | None = None) -> Path:
    """The path somebody wrote, ``~`` and ``~name`` replaced by the directories they stand for.

    Raises:
        ConfigError: nobody of that name, or no name of a file; told at ``where``.
    """
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        first = Path(text).parts[0]
        raise ConfigError(
            f"{str(text)!r}: {first!r} has no home directory here",
            where=where,
            hint="write the path from / or relative to the file that names it",
        ) from None
    try:
        longest = max((len(os.fsencode(part)) for part in path.parts), default=0)
    except UnicodeEncodeError:
        longest = MOST_NAME + 1
    if longest > MOST_NAME or "\0" in str(path):
        raise ConfigError(f"{shortened(str(text), 60)!r} is not the name of a file", where=where)
    return path


def read_bytes(path: str | Path, *, limit: int, error: type[HetsimError] = ConfigError) -> bytes:
    """The content of a file of at most ``limit`` bytes.

    Raises:
        HetsimError: of the class ``error``: missing, a directory, device or pipe, too large, not
            readable.
    """
    where = Location(str(path))
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        # Opening a pipe would wait for a writer, and opening some devices does things.
        handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    except FileNotFoundError:
        raise error("there is no such file", where=where) from None
    except OSError as problem:
        raise error(f"cannot be read: {problem.strerror}", where=where) from None
    except ValueError as problem:  # a NUL byte in the name
        raise error(f"not a file name: {problem}", where=where) from None
    found = os.fstat(handle)
    content = None
    try:
        if stat.S_ISDIR(found.st_mode):
            raise error("this is a directory, a file was expected", where=where)
        if not stat.S_ISREG(found.st_mode):
            raise error("this is a device or a pipe, a file was expected", where=where)
        if found.st_size <= limit:
            with os.fdopen(handle, "rb", closefd=False) as stream:
                content = stream.read(limit + 1)
    except OSError as problem:
        raise error(f"cannot be read: {problem.strerror}", where=where) from None
    finally:
        os.close(handle)
    if content is None or len(content) > limit:  # a file of /proc says that it is empty
        raise error(
            f"the file has {max(found.st_size, limit + 1):,} bytes, and at most {limit:,} are read",
            where=where,
        )
    return content


def read_text(
    path: str | Path, *, limit: int = TEXT_LIMIT, error: type[HetsimError] = ConfigError
) -> str:
    """The UTF-8 text of a file.

    Raises:
        HetsimError: of the class ``error``: see :func:`read_bytes`, or not UTF-8.
    """
    raw = read_bytes(path, limit=limit, error=error)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        column = problem.start - raw.rfind(b"\n", 0, problem.start)
        raise error(
            f"byte 0x{raw[problem.start]:02x} is not UTF-8 text",
            where=Location(str(path), line, column),
            hint="save the file as UTF-8",
        ) from None
