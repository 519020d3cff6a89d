"""Traces on disk: for runs whose rows would not fit memory.

One JSON object a line: ``{"row": "Span", ...}`` with the fields of the row classes of
:mod:`hetsim.sim.trace`, in the order things ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TextIO, TypeVar

from hetsim.errors import ResultsError
from hetsim.sim.trace import Activity, Span, TaskRow

Row = TypeVar("Row", Span, TaskRow, Activity)
_CLASSES: dict[str, type[Any]] = {c.__name__: c for c in (Span, TaskRow, Activity)}


class _Writer(Generic[Row]):
    """Stands where a list of rows would; appending writes a line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def append(self, row: Row) -> None:
        values = {"row": type(row).__name__, **asdict(row)}
        self._stream.write(json.dumps(values, separators=(",", ":")) + "\n")


class TraceFile:
    """A trace that is written to ``path`` as it comes; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        try:
            self._stream = path.open("w", encoding="utf-8")
        except OSError as error:
            raise ResultsError(f"cannot write the trace {path}: {error.strerror}") from None
        self.spans: _Writer[Span] = _Writer(self._stream)
        self.tasks: _Writer[TaskRow] = _Writer(self._stream)
        self.activities: _Writer[Activity] = _Writer(self._stream)

    def __enter__(self) -> TraceFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.close()


def read_trace_file(path: Path) -> Iterator[Span | TaskRow | Activity]:
    """The rows of a trace file, one at a time.

    Raises:
        ResultsError: the file cannot be read, or a line is no row.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                yield _row(line, path, number)
    except OSError as error:
        raise ResultsError(f"cannot read the trace {path}: {error.strerror}") from None


def _row(line: str, path: Path, number: int) -> Span | TaskRow | Activity:
    try:
        values = json.loads(line)
        kind = _CLASSES[values.pop("row")]
        names = {field.name for field in fields(kind)}
        if "operators" in names:
            values["operators"] = tuple(values["operators"])
        row: Span | TaskRow | Activity = kind(**values)
    except (ValueError, KeyError, TypeError):
        raise ResultsError(f"{path}:{number}: not a row of a hetsim trace") from None
    return row
