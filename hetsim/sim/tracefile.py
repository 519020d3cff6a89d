"""Traces on disk: for runs whose rows would not fit memory.

One JSON array a line: the name of a row class of :mod:`hetsim.sim.trace`, then its fields in
order. Rows stand in the order in which things ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TextIO, TypeVar

from hetsim.errors import ResultsError
from hetsim.records import checked, parse_json
from hetsim.sim.trace import Activity, Hit, Span, TaskRow

Row = TypeVar("Row", Span, TaskRow, Activity, Hit)
_CLASSES: dict[str, type[Any]] = {c.__name__: c for c in (Span, TaskRow, Activity, Hit)}


_ENCODE = json.JSONEncoder(separators=(",", ":")).encode


class _Writer(Generic[Row]):
    """Stands where a list of rows would; appending writes a line."""

    def __init__(self, stream: TextIO, kind: type[Row]) -> None:
        self._write = stream.write
        self._name = kind.__name__

    def append(self, row: Row) -> None:
        self._write(_ENCODE((self._name, *row)) + "\n")


class TraceFile:
    """A trace that is written to ``path`` as it comes; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        try:
            self._stream = path.open("w", encoding="utf-8")
        except OSError as error:
            raise ResultsError(f"cannot write the trace {path}: {error.strerror}") from None
        self.spans: _Writer[Span] = _Writer(self._stream, Span)
        self.tasks: _Writer[TaskRow] = _Writer(self._stream, TaskRow)
        self.activities: _Writer[Activity] = _Writer(self._stream, Activity)
        self.hits: _Writer[Hit] = _Writer(self._stream, Hit)

    def __enter__(self) -> TraceFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.close()


def read_trace_file(path: Path) -> Iterator[Span | TaskRow | Activity | Hit]:
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


def _row(line: str, path: Path, number: int) -> Span | TaskRow | Activity | Hit:
    place = f"{path}:{number}"
    found = parse_json(line, place)
    kind = _CLASSES.get(found[0]) if isinstance(found, list) and found else None
    if kind is None or len(found) != 1 + len(kind._fields):
        raise ResultsError(f"{place}: not a row of a hetsim trace")
    row: Span | TaskRow | Activity | Hit = checked(found[1:], kind, place)
    return row
