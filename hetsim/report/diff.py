"""What changed from one result to another: makespans and other metrics, plans, the SoC.

Works on what a results directory holds: ``result.json`` is enough for the times, ``runs.json.gz``
tells which operators moved and what of the SoC was changed. A lone
``result.json`` (or the output of ``hetsim run --json``) can be compared as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hetsim.analysis.metrics.time import MAKESPAN
from hetsim.analysis.ranges.range import UNKNOWN, Range, faster
from hetsim.errors import ResultsError
from hetsim.infiles import read_bytes
from hetsim.plan.model import Plan
from hetsim.records import RECORD_LIMIT, parse_json, read_record
from hetsim.report.files.archive import NAME as ARCHIVE
from hetsim.report.files.archive import load_archive
from hetsim.report.files.directory import recover
from hetsim.report.files.manifest import check_content
from hetsim.report.files.resultfile import ResultFile, RunEntry
from hetsim.soc.describe import describe_soc

SCHEMA = "hetsim.diff/1"
ABSENT = "–"
Number = int | float | None
Key = tuple[str, str]


@dataclass(frozen=True)
class Side:
    """A result to compare: its file, its plans and ranges by (model, scheduler), its SoC flat.

    ``notes`` say what could not be read and is therefore not compared.
    """

    name: str
    file: ResultFile
    plans: Mapping[Key, Plan] = field(default_factory=dict)
    ranges: Mapping[Key, Range] = field(default_factory=dict)
    soc: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def runs(self) -> Mapping[Key, RunEntry]:
        """The rows by (model, scheduler)."""
        return {(run.model, run.scheduler): run for run in self.file.runs}


@dataclass(frozen=True)
class PlanChange:
    """Between two plans: partitions before and after, and operators that moved, by (from, to)."""

    partitions: tuple[int, int]
    moved: Mapping[str, int]

    @property
    def text(self) -> str:
        """In a few words."""
        count = sum(self.moved.values())
        ways = ", ".join(f"{n} {way}" for way, n in self.moved.items())
        words = f"{count} moved ({ways})" if count else "cut otherwise"
        before, after = self.partitions
        return words if before == after else f"{words}; {before} → {after} partitions"


@dataclass(frozen=True)
class RowChange:
    """One network under one scheduler, in both results or in one. Times in µs.

    ``status`` is ``both``, ``only a`` or ``only b``; ``error`` holds what failed where;
    ``attribution_us`` is b less a for the parts that changed; ``metrics`` are all others than the
    makespan that differ, as files write them (a, b) by key; ``plan`` is ``None`` when the plans are
    the same or not known. ``b_faster`` is the probability that b really is the faster one; errors
    that both share cancel; ``None`` where one has no range.
    """

    model: str
    scheduler: str
    status: str
    a_us: float | None
    b_us: float | None
    changed: bool
    attribution_us: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, tuple[Number, Number]] = field(default_factory=dict)
    plan: PlanChange | None = None
    plans_known: bool = False
    b_faster: float | None = None
    error: Mapping[str, str] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times the speed of a b is."""
        return self.a_us / self.b_us if self.a_us and self.b_us else None


@dataclass(frozen=True)
class ResultDiff:
    """Everything that differs; ``settings`` and ``soc`` map names to (a, b)."""

    a: str
    b: str
    settings: Mapping[str, tuple[str, str]]
    soc: Mapping[str, tuple[str, str]]
    rows: tuple[RowChange, ...]
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing that was looked at differs; names of files do not count."""
        rows = any(row.changed or row.plan or row.metrics for row in self.rows)
        return not (self.settings or self.soc or rows)


def result_path(place: Path) -> Path:
    """The ``result.json`` that ``place`` is or holds.

    Raises:
        ResultsError: there is none.
    """
    recover(place)
    path = place / "result.json" if place.is_dir() else place
    if not path.exists():
        raise ResultsError(
            f"{path} is missing", hint="name a directory of 'hetsim run', or a result.json"
        )
    return path


def result_format(place: Path) -> str:
    """What the ``result.json`` that ``place`` is or holds says of its format.

    Raises:
        ResultsError: there is none, or it is no JSON.
    """
    path = result_path(place)
    raw = read_bytes(path, limit=RECORD_LIMIT, error=ResultsError)
    data = parse_json(raw, str(path))
    return str(data.get("schema")) if isinstance(data, dict) else ""


def read_side(place: Path) -> Side:
    """Reads a results directory or a ``result.json``.

    Raises:
        ResultsError: it is neither, is damaged, or of another version.
    """
    path = result_path(place)
    file = read_record(path, ResultFile, schema="hetsim.result/1")
    if not place.is_dir():
        return Side(str(place), file)
    check_content(place, path.name)
    plans: dict[Key, Plan] = {}
    ranges: dict[Key, Range] = {}
    soc: dict[str, str] = {}
    notes: list[str] = []
    if (place / ARCHIVE).is_file():
        try:
            stored = load_archive(place / ARCHIVE)
        except ResultsError as error:  # the times can be compared all the same
            notes.append(f"SoCs and plans are not compared: {error.message}")
        else:
            soc = dict(flat(describe_soc(stored.soc)))
            plans = {(run.model, run.scheduler): run.plan for run in stored.runs if run.plan}
            ranges = {(run.model, run.scheduler): run.range for run in stored.runs}
    return Side(str(place), file, plans, ranges, soc, tuple(notes))


def diff_results(a: Side, b: Side, tolerance: float = 1e-6) -> ResultDiff:
    """Compares ``b`` with ``a``; times within a share of ``tolerance`` are the same.

    Rows stand in the order of ``a``, those that only ``b`` has after them.
    """
    names = ("scenario", "soc", "execution", "seed")
    pairs = {name: (str(getattr(a.file, name)), str(getattr(b.file, name))) for name in names}
    soc = {
        key: (a.soc.get(key, ABSENT), b.soc.get(key, ABSENT))
        for key in ({**a.soc, **b.soc} if a.soc and b.soc else {})
        if a.soc.get(key) != b.soc.get(key)
    }
    keys = list(dict.fromkeys([*a.runs, *b.runs]))
    rows = tuple(_row(key, a, b, tolerance) for key in keys)
    settings = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return ResultDiff(a.name, b.name, settings, soc, rows, (*a.notes, *b.notes))


def diff_to_dict(diff: ResultDiff) -> dict[str, object]:
    """``diff`` as plain JSON values."""
    return {
        "schema": SCHEMA,
        "a": diff.a,
        "b": diff.b,
        "same": diff.same,
        "settings": {name: list(pair) for name, pair in diff.settings.items()},
        "soc": {name: list(pair) for name, pair in diff.soc.items()},
        "notes": list(diff.notes),
        "rows": [asdict(row) | {"ratio": row.ratio} for row in diff.rows],
    }


def _row(key: Key, a: Side, b: Side, tolerance: float) -> RowChange:
    left, right = a.runs.get(key), b.runs.get(key)
    status = "both" if left and right else "only a" if left else "only b"
    errors = {side: run.error for side, run in (("a", left), ("b", right)) if run and run.error}
    before = left.metrics.get(MAKESPAN.key) if left else None
    after = right.metrics.get(MAKESPAN.key) if right else None
    changed = (
        status != "both"
        or (before is None) != (after is None)
        or (before is not None and after is not None and not near(before, after, tolerance))
    )
    parts: dict[str, float] = {}
    if left and right and before and after:
        for part in {**left.attribution_us, **right.attribution_us}:
            change = right.attribution_us.get(part, 0.0) - left.attribution_us.get(part, 0.0)
            if abs(change) > tolerance * max(before, after):
                parts[part] = change
    metrics: dict[str, tuple[Number, Number]] = {}
    if left and right:
        metrics = _metric_changes(left.metrics, right.metrics, tolerance)
    plans = a.plans.get(key), b.plans.get(key)
    plan = _plan_change(plans[0], plans[1]) if plans[0] and plans[1] else None
    ranges = a.ranges.get(key, UNKNOWN), b.ranges.get(key, UNKNOWN)
    sure = None
    if before and after:
        one_soc = a.file.soc == b.file.soc
        sure = faster(ranges[1], after, ranges[0], before, shared=one_soc)
    return RowChange(
        *key, status, before, after, changed, parts, metrics, plan, None not in plans, sure, errors
    )


def _metric_changes(
    a: Mapping[str, Number], b: Mapping[str, Number], tolerance: float
) -> dict[str, tuple[Number, Number]]:
    """What both state and differs; the makespan has its own columns.

    A gap of 0.001 % may double and be the same by all means, so shares are compared with one.
    """
    found: dict[str, tuple[Number, Number]] = {}
    for key in a.keys() & b.keys() - {MAKESPAN.key}:
        before, after = a[key], b[key]
        if before is None or after is None:
            same = before is after
        else:
            same = abs(before - after) <= tolerance * max(abs(before), abs(after), 1.0)
        if not same:
            found[key] = (before, after)
    return {key: found[key] for key in a if key in found}


def near(a: float, b: float, tolerance: float) -> bool:
    """Whether ``b`` is ``a``, but for a share of ``tolerance`` of the larger."""
    return abs(a - b) <= tolerance * max(abs(a), abs(b))


def _plan_change(a: Plan, b: Plan) -> PlanChange | None:
    """``None`` when both do the same; names of partitions do not count."""
    if _shape(a) == _shape(b):
        return None
    where = [{op: p.pu for p in plan.partitions for op in p.operators} for plan in (a, b)]
    moved = Counter(
        f"{pu} → {where[1][op]}"
        for op, pu in where[0].items()
        if op in where[1] and where[1][op] != pu
    )
    order = dict(sorted(moved.items(), key=lambda item: (-item[1], item[0])))
    counts = (len(a.partitions), len(b.partitions))
    return PlanChange(counts, order)


def _shape(plan: Plan) -> object:
    """What a plan decides, names left out."""
    position = {part.name: i for i, part in enumerate(plan.partitions)}
    groups = sorted(sorted(position[name] for name in group) for group in plan.parallel_groups)
    return [(p.pu, p.operators, p.fuse) for p in plan.partitions], groups, plan.rewrites


def flat(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of nested mappings, as texts, by their paths."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from flat(part, f"{path}.{key}" if path else str(key))
    else:
        yield path, str(value)
