"""What changed from one result of streams to another: metrics by run and stream, the SoC.

Two figures that both have a confidence interval are told apart only where their intervals are: what
overlaps is *within noise*. That is careful, since runs of one seed see the same arrivals. Of
figures without intervals (a maximum, or a percentile of too few) nobody can say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hetsim.analysis.metrics.base import Metric, named
from hetsim.analysis.metrics.registry import metrics as every_metric
from hetsim.errors import ResultsError
from hetsim.records import read_record
from hetsim.report.diff import ABSENT, Number, flat, near, result_path
from hetsim.report.files.manifest import check_content
from hetsim.report.files.serving.archive import NAME as ARCHIVE
from hetsim.report.files.serving.archive import load_served
from hetsim.report.files.serving.jsonout import SCHEMA as FILE_SCHEMA
from hetsim.report.files.serving.resultfile import ServedRunEntry, ServingFile
from hetsim.report.files.serving.tables import ALL
from hetsim.soc.describe import describe_soc

SCHEMA = "hetsim.servingdiff/1"
Values = Mapping[str, Number]
Key = tuple[str, str]


@dataclass(frozen=True)
class ServedSide:
    """A result of streams to compare, and its SoC flat; ``notes`` say what could not be read."""

    name: str
    file: ServingFile
    soc: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> Mapping[Key, Values]:
        """The metrics of each stream of each run, and of all its streams, as files write them."""
        found: dict[Key, Values] = {}
        for run in self.file.runs:
            for stream in run.streams:
                found[run.label, stream.name] = stream.metrics
            found[run.label, ALL] = run.metrics
        return found

    @property
    def runs(self) -> Mapping[str, ServedRunEntry]:
        """By label."""
        return {run.label: run for run in self.file.runs}


@dataclass(frozen=True)
class MetricChange:
    """A metric that differs, as files write it.

    ``noise`` says whether the intervals of both overlap; ``None`` where one has none. ``better``
    says whether b is; ``None`` where neither way is, or nobody knows.
    """

    a: Number
    b: Number
    noise: bool | None
    better: bool | None


@dataclass(frozen=True)
class StreamChange:
    """A stream under one run, in both results or in one; ``metrics`` differ, by key."""

    run: str
    stream: str
    status: str
    metrics: Mapping[str, MetricChange] = field(default_factory=dict)


@dataclass(frozen=True)
class ServedDiff:
    """Everything that differs; ``settings``, ``soc`` and ``errors`` map names to (a, b)."""

    a: str
    b: str
    settings: Mapping[str, tuple[str, str]]
    soc: Mapping[str, tuple[str, str]]
    errors: Mapping[str, tuple[str, str]]
    rows: tuple[StreamChange, ...]
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing that was looked at differs; what is within noise differs, too."""
        rows = any(row.metrics or row.status != "both" for row in self.rows)
        return not (self.settings or self.soc or self.errors or rows)


def read_served_side(place: Path) -> ServedSide:
    """Reads a results directory of streams, or its ``result.json``.

    Raises:
        ResultsError: it is neither, is damaged, or of another version.
    """
    path = result_path(place)
    file = read_record(path, ServingFile, schema=FILE_SCHEMA)
    if not place.is_dir():
        return ServedSide(str(place), file)
    check_content(place, path.name)
    if not (place / ARCHIVE).is_file():
        return ServedSide(str(place), file)
    try:
        soc = dict(flat(describe_soc(load_served(place).soc)))
    except ResultsError as error:  # the figures can be compared all the same
        return ServedSide(str(place), file, {}, (f"SoCs are not compared: {error.message}",))
    return ServedSide(str(place), file, soc)


def diff_served(a: ServedSide, b: ServedSide, tolerance: float = 1e-6) -> ServedDiff:
    """Compares ``b`` with ``a``; figures within a share of ``tolerance`` are the same.

    Rows stand in the order of ``a``, those that only ``b`` has after them.
    """
    settings = {
        name: (str(getattr(a.file, name)), str(getattr(b.file, name)))
        for name in ("scenario", "soc", "seed", "duration_us", "warm_up")
    }
    for one in {s.name: s for s in (*a.file.streams, *b.file.streams)}:
        sides = [
            next((s.model_dump() for s in side.file.streams if s.name == one), {})
            for side in (a, b)
        ]
        for key in ("model", "arrivals", "priority", "deadline_us"):
            settings[f"{one}.{key}"] = tuple(str(s.get(key, ABSENT)) for s in sides)  # type: ignore[assignment]
    soc = {
        key: (a.soc.get(key, ABSENT), b.soc.get(key, ABSENT))
        for key in ({**a.soc, **b.soc} if a.soc and b.soc else {})
        if a.soc.get(key) != b.soc.get(key)
    }
    labels = dict.fromkeys([*a.runs, *b.runs])
    errors = {
        label: (_error(a, label), _error(b, label))
        for label in labels
        if _error(a, label) != _error(b, label)
    }
    left, right = a.rows, b.rows
    rows = tuple(_row(key, left.get(key), right.get(key), tolerance)
                 for key in dict.fromkeys([*left, *right]))  # fmt: skip
    return ServedDiff(
        a.name, b.name, {n: pair for n, pair in settings.items() if pair[0] != pair[1]}, soc,
        errors, rows, (*a.notes, *b.notes),
    )  # fmt: skip


def served_diff_to_dict(diff: ServedDiff) -> dict[str, object]:
    """``diff`` as plain JSON values."""
    return {"schema": SCHEMA, "same": diff.same, **asdict(diff)}


def _error(side: ServedSide, label: str) -> str:
    run = side.runs.get(label)
    return "" if run is None else (run.error or run.stopped)


def _row(key: Key, a: Values | None, b: Values | None, tolerance: float) -> StreamChange:
    if a is None or b is None:
        return StreamChange(*key, "only a" if b is None else "only b")
    known = {metric.key: metric for metric in every_metric()}
    changes = {}
    for name in a.keys() & b.keys():
        before, after = a[name], b[name]
        if before is None or after is None:
            if before is not after:
                changes[name] = MetricChange(before, after, None, None)
        elif not near(before, after, tolerance):
            metric = known.get(name)
            judged = metric is not None and metric.better is not None
            changes[name] = MetricChange(
                before, after, None if metric is None else _overlap(metric, a, b),
                metric.improves(after, before) if metric is not None and judged else None,
            )  # fmt: skip
    return StreamChange(*key, "both", {name: changes[name] for name in a if name in changes})


def _overlap(metric: Metric, a: Values, b: Values) -> bool | None:
    """Whether the intervals of both have a value in common; ``None`` where one has none."""
    unit = metric.key.removeprefix(metric.name).lstrip("_")
    ends = [
        (values.get(named(f"{metric.name}_low", unit)), values.get(named(f"{metric.name}_high",
         unit)))
        for values in (a, b)
    ]  # fmt: skip
    (low, high), (other_low, other_high) = ends
    if low is None or high is None or other_low is None or other_high is None:
        return None
    return low <= other_high and other_low <= high
