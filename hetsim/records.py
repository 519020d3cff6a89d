"""Files that hetsim wrote itself, read back: with a size, a schema and a seal, all in one place.

Whatever is wrong with one (cut off, changed, made by something else, built to harm) is a
:class:`~hetsim.errors.ResultsError` that names the file. A *seal* is the SHA-256 of the rest: disks
and copies change single digits, which no schema can see.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from hetsim.errors import HetsimError, Location, ResultsError
from hetsim.infiles import MIB, read_bytes

RECORD_LIMIT = 64 * MIB
"""Largest file that is read. Bytes."""

ARCHIVE_LIMIT = 256 * MIB
"""Largest compressed file that is read. Bytes."""

UNPACKED_FREE, MOST_PACKED = 64 * MIB, 50
"""A compressed file may hold so many bytes, or so many times its size; ours pack eight to one."""

SEAL = "seal"

Kind = TypeVar("Kind")


class Record(BaseModel):
    """Base of the schemas of our own files: frozen, nothing unknown, no endless numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def read_record(
    path: Path,
    kind: type[Kind],
    *,
    schema: str | None = None,
    key: str = "schema",
    limit: int = RECORD_LIMIT,
    sealed: bool = False,
    hint: str | None = None,
) -> Kind:
    """The JSON file ``path`` as a ``kind``: a pydantic model, or any type that pydantic can check.

    ``schema`` is what must stand under ``key``, the file's format; ``hint`` what to do about a file
    that is missing or of another format.

    Raises:
        ResultsError: missing, too large, no JSON, another format, a broken seal, or not ``kind``.
    """
    text = read_bytes(path, limit=limit, error=ResultsError)
    data = parse_json(text, str(path))
    if schema is not None:
        check_format(data, schema, str(path), key=key, hint=hint)
    if sealed:
        data = unsealed(data, str(path))
    return checked(data, kind, str(path))


def parse_json(
    text: str | bytes,
    file: str,
    *,
    line: int = 1,
    error: type[HetsimError] = ResultsError,
    ours: bool = True,
) -> Any:
    """What JSON text means, which begins at ``line``; what is wrong with ``ours`` is damage.

    Raises:
        HetsimError: of the class ``error``: it is none, is nested too deeply, or holds a number
            without measure.
    """
    where = Location(file)
    try:
        return json.loads(text)
    except RecursionError:
        reason = "nested too deeply"
    except json.JSONDecodeError as problem:
        where = Location(file, line + problem.lineno - 1, problem.colno)
        reason = problem.msg
    except ValueError as problem:  # not UTF-8, or an integer of thousands of digits
        reason = str(problem).partition(":")[0]
    raise error(f"{'the file is damaged' if ours else 'not JSON'}: {reason}", where=where)


def check_format(
    data: Any, schema: str, file: str, *, key: str = "schema", hint: str | None = None
) -> None:
    """Raises :class:`ResultsError` unless ``data`` is a mapping with ``schema`` under ``key``."""
    found = data.get(key) if isinstance(data, dict) else None
    if found != schema:
        raise ResultsError(
            f"the file has format {found!r}; this hetsim reads {schema!r}",
            where=Location(file),
            hint=hint,
        )


def checked(data: Any, kind: type[Kind], file: str) -> Kind:
    """``data`` as a ``kind``.

    Raises:
        ResultsError: it is not; says where and how.
    """
    adapter = _adapter(cast(Any, kind))
    try:
        found: Kind = adapter.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise damaged(file, f"{where}: {first['msg']}" if where else first["msg"]) from None
    except RecursionError:
        raise damaged(file, "nested too deeply") from None
    return found


def seal(data: Mapping[str, object]) -> dict[str, object]:
    """``data`` (plain JSON values) with a seal."""
    return {**data, SEAL: _digest(data)}


def unsealed(data: Any, file: str) -> dict[str, Any]:
    """``data`` without its seal.

    Raises:
        ResultsError: it has none, or another content than when it was sealed.
    """
    content = dict(data) if isinstance(data, dict) else {}
    if content.pop(SEAL, None) != _digest(content):
        raise damaged(file, "its content is not what was written (the seal is broken)")
    return content


def unpack(raw: bytes, file: str) -> bytes:
    """The content of a gzip file.

    Raises:
        ResultsError: it is none, is cut off, or unpacks to more than any honest one.
    """
    limit = max(UNPACKED_FREE, MOST_PACKED * len(raw))
    stream = zlib.decompressobj(wbits=31)
    try:
        content = stream.decompress(raw, limit + 1)
    except zlib.error as error:
        raise damaged(file, str(error)) from None
    if len(content) > limit:
        raise damaged(file, f"it unpacks to more than {limit:,} bytes")
    if not stream.eof or stream.unused_data:
        raise damaged(file, "it is cut off, or goes on behind its end")
    return content


def damaged(file: str, reason: str) -> ResultsError:
    """The error of a file of ours that cannot be used as it is."""
    return ResultsError(f"the file is damaged: {reason}", where=Location(file))


def _digest(data: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()


@lru_cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
