"""The rows of a study as a table: CSV, JSON, Parquet, data frame, HTML."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hetsim.analysis.metrics.base import LEADS
from hetsim.analysis.metrics.registry import lead, told
from hetsim.errors import MissingExtraError, ResultsError
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point

if TYPE_CHECKING:
    import pandas

Row = Mapping[str, Any]


@dataclass(frozen=True)
class StudyTable:
    """Plain rows: what was varied (``axes``), what came out; SI units; ``None`` where unknown.

    Metrics are by column (:mod:`hetsim.analysis.metrics`), those that programs are told.
    ``utilization.NAME`` and ``contention_s.NAME`` are there for every PU and link that any row has,
    ``attribution_s.PART`` for every part of the critical path. ``lead`` is the column of the time
    that runs are judged by.
    """

    axes: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    lead: str = LEADS[0]

    @classmethod
    def of(cls, axes: Sequence[str], rows: Iterable[tuple[Point, Outcome]]) -> StudyTable:
        """Builds the table; varied values that look like text stay text."""
        rows = list(rows)
        found = dict.fromkeys(name for _, outcome in rows for name in outcome.metrics)
        measured = [metric.column for metric in told("programs", found)]
        flat = [_flat(axes, point, outcome, measured) for point, outcome in rows]
        extra = dict.fromkeys(name for row in flat for name in row)
        front = ["model", "scheduler", *axes, *measured]
        shown = [name for name in extra if name not in (*front, "error")]
        time = lead(outcome.metrics for _, outcome in rows).column
        columns = [
            name
            for name in [*front, *shown]
            if name in ("model", "scheduler", time, *axes)
            or any(row.get(name) is not None for row in flat)
        ]
        return cls(tuple(axes), (*columns, "error"), tuple(flat), time)

    def to_csv(self) -> str:
        """CSV text (RFC 4180 quoting, bare newlines)."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        for row in self.rows:
            writer.writerow(["" if (v := row.get(c)) is None else v for c in self.columns])
        return text.getvalue()

    def to_records(self) -> list[dict[str, Any]]:
        """One dictionary per row, with every column."""
        return [{name: row.get(name) for name in self.columns} for row in self.rows]

    def to_dataframe(self) -> pandas.DataFrame:
        """The table as a data frame.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError:
            raise MissingExtraError.for_extra("pandas", "data", "a data frame") from None
        return pandas.DataFrame(self.to_records(), columns=list(self.columns))

    def to_parquet(self, path: Path) -> None:
        """Writes a Parquet file.

        Raises:
            MissingExtraError: pandas or pyarrow is not installed.
            ResultsError: the file cannot be written.
        """
        check_parquet()
        frame = self.to_dataframe()
        for name in self.axes:  # a column of mixed values has no type in Parquet
            kinds = {type(value) for value in frame[name]}
            if len(kinds) > 1 or not kinds <= {str, int, float, bool}:
                frame[name] = frame[name].map(str)
        try:
            frame.to_parquet(path, index=False)
        except OSError as error:
            raise ResultsError(f"cannot write {path}: {error.strerror or error}") from error

    def _repr_html_(self) -> str:
        shown = [c for c in self.columns if "." not in c or c in self.axes]
        head = "".join(f"<th>{html.escape(name)}</th>" for name in shown)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_text(row.get(c)))}</td>" for c in shown) + "</tr>"
            for row in self.rows[:200]
        )
        rest = len(self.rows) - 200
        more = f"<p>… and {rest} more rows</p>" if rest > 0 else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def check_parquet() -> None:
    """Finds out before a long study whether its table can be written as Parquet.

    Raises:
        MissingExtraError: pandas or pyarrow is not installed.
    """
    from importlib.util import find_spec

    for library in ("pandas", "pyarrow"):
        if find_spec(library) is None:
            raise MissingExtraError.for_extra(library, "data", "Parquet")


def _flat(
    axes: Sequence[str], point: Point, outcome: Outcome, measured: Sequence[str]
) -> dict[str, Any]:
    return {
        "model": point.model,
        "scheduler": point.scheduler,
        **{path: point.design.get(path) for path in axes},
        **{name: outcome.metrics.get(name) for name in measured},
        **{f"utilization.{name}": value for name, value in outcome.utilization.items()},
        **{f"contention_s.{name}": value for name, value in outcome.contention_s.items()},
        **{f"attribution_s.{name}": value for name, value in outcome.attribution_s.items()},
        "error": outcome.error,
    }


def _text(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
