"""What exploration minimises and what designs must meet: ``latency_ms``, ``area <= 12``.

A name is that of a metric (:mod:`hetsim.analysis.metrics`) and a unit. A design is judged by its
networks together, each under the scheduler that is fastest on it: its latency is that of the
slowest network, its energy the sum of theirs; each metric says how. With streams it is judged by
all of them together, under the contender that misses the smallest share of deadlines and then has
the least 99th percentile, and ``camera.latency_p99_ms`` is about one of them. Area and cost are the
sums that the SoC file states (:mod:`hetsim.soc.price`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hetsim.analysis.metrics.base import Metric, named
from hetsim.analysis.metrics.registry import metrics, of_stream
from hetsim.errors import ConfigError, Location
from hetsim.names import nearest
from hetsim.report.summary import share_text
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point


@dataclass(frozen=True)
class Measure:
    """A metric of a design in some unit, as objectives and constraints name it: ``latency_ms``."""

    name: str
    metric: Metric
    word: str
    unit: str
    factor: float

    @property
    def label(self) -> str:
        """As an axis of a picture says it: ``latency (ms)``."""
        return f"{self.plain} ({self.unit})" if self.unit not in ("", "count") else self.plain

    @property
    def plain(self) -> str:
        """What it measures: ``latency``."""
        return self.word.replace("_", " ")

    def si(self, value: float) -> float:
        """A value as charts take it: in SI units, shares in percent."""
        return value * (100.0 if self.unit == "share" else self.factor)

    def amount(self, value: float) -> str:
        """A value as people write it: ``34.1 ms``."""
        if self.unit == "share":
            return share_text(value)
        number = f"{value:,.0f}" if self.unit == "count" else f"{value:.4g}"
        return number if self.unit in ("", "count") else f"{number} {self.unit}"

    def span(self, start: float, end: float) -> str:
        """Two values in the unit of both: ``49.9 → 31.6 ms``."""
        first, second = self.amount(start), self.amount(end)
        return f"{first.removesuffix(self.unit).rstrip()} → {second}"

    def text(self, value: float) -> str:
        """The value and what it is: ``latency 34.1 ms``."""
        return f"{self.plain} {self.amount(value)}"


def measures() -> dict[str, Measure]:
    """Every name that is understood: each metric by name and alias, in each unit it has."""
    found: dict[str, Measure] = {}
    for metric in metrics():
        for word in (*metric.aliases, metric.name):
            for ending, (unit, factor) in metric.units.items():
                name = named(word, ending)
                found[name] = Measure(name, metric, word, unit, factor)
    return found


def known_measure(name: str) -> Measure:
    """What a name means; ``STREAM.MEASURE`` is that of one stream.

    Raises:
        KeyError: nobody knows it.
    """
    known = measures()
    if name in known:
        return known[name]
    stream, _, own = name.rpartition(".")
    found = known[own]
    if not stream or found.metric.of_served is None:
        raise KeyError(name)
    return replace(
        found, name=name, metric=of_stream(found.metric, stream), word=f"{stream} {found.word}"
    )


def stream_of(name: str) -> str | None:
    """The stream that a measure is about; ``None`` of one of a whole design."""
    return None if name in measures() else name.rpartition(".")[0]


def label(name: str) -> str:
    """A measure as an axis of a picture says it."""
    return known_measure(name).label


def text(name: str, value: float) -> str:
    """A measure and its value: ``latency 34.1 ms``."""
    return known_measure(name).text(value)


_CONSTRAINT = re.compile(r"\s*(\S(?:.*?\S)??)\s*(<=|>=)\s*([-+]?[\d._]+(?:[eE][-+]?\d+)?)\s*")


@dataclass(frozen=True)
class Constraint:
    """``measure <= bound``, or ``>=``."""

    measure: str
    upper: bool
    bound: float

    def violation(self, measured: Mapping[str, float]) -> float:
        """The share of the bound by which a design misses it; zero or less when it meets it."""
        excess = measured[self.measure] - self.bound
        return (excess if self.upper else -excess) / (abs(self.bound) or 1.0)

    def __str__(self) -> str:
        return f"{self.measure} {'<=' if self.upper else '>='} {self.bound:g}"

    @property
    def words(self) -> str:
        """As people say it: ``latency ≤ 33 ms``."""
        measure = known_measure(self.measure)
        return f"{measure.plain} {'≤' if self.upper else '≥'} {measure.amount(self.bound)}"

    def distance(self, value: float) -> str:
        """How far a value is from the limit: ``3.3% above the limit``; nothing when it is at it."""
        away = (value - self.bound) / abs(self.bound) if self.bound else 0.0
        if away >= 1.0 and self.bound > 0.0:
            ratio = value / self.bound
            return (
                f"{ratio:,.0f} times the limit" if ratio >= 10 else f"{ratio:.1f} times the limit"
            )
        side = "above" if value > self.bound else "below"
        return f"{share_text(abs(away))} {side} the limit" if away else ""


def parse_objectives(names: Sequence[str]) -> tuple[str, ...]:
    """Checks names of objectives.

    Raises:
        ConfigError: an unknown one, one given twice (also in two units), or one of which more is
            better.
    """
    seen: list[Metric] = []
    for name in names:
        found = _known(name, "--minimise")
        if found.metric in seen:
            raise ConfigError(f"{found.word} is minimised twice", where=Location("--minimise"))
        if found.metric.better == "more":
            raise ConfigError(
                f"more {found.word} is better, so it is not minimised",
                where=Location("--minimise"),
                hint=f"demand some with --constraint '{name} >= NUMBER'",
            )
        seen.append(found.metric)
    return tuple(names)


def parse_constraint(text: str) -> Constraint:
    """Reads ``latency_ms <= 33``.

    Raises:
        ConfigError: it is not of that form, or of something unknown.
    """
    match = _CONSTRAINT.fullmatch(text)
    try:
        bound = float(match[3].replace("_", "")) if match else None
    except ValueError:
        bound = None
    if match is None or bound is None:
        raise ConfigError(
            f"{text!r} is not a constraint", where=Location("--constraint"),
            hint="write it like 'latency_ms <= 33'; the unit is part of the name",
        )  # fmt: skip
    _known(match[1], "--constraint")
    return Constraint(match[1], match[2] == "<=", bound)


def measure(
    rows: Iterable[tuple[Point, Outcome]], wanted: Iterable[str]
) -> tuple[dict[str, float], str | None]:
    """The measures of one design from all its runs; or why it has none.

    ``rows`` are its networks under the scenario's schedulers.
    """
    best: dict[str, Outcome | None] = {}
    errors: dict[str, str] = {}
    for point, outcome in rows:
        present = best.setdefault(point.model, None)
        if outcome.merit is None:
            errors.setdefault(point.model, outcome.error or "no result")
        elif present is None or present.merit is None or outcome.merit < present.merit:
            best[point.model] = outcome
    for model, found in best.items():
        if found is None:
            return {}, f"{model}: {errors[model]}"
    runs = [found for found in best.values() if found is not None]
    measured: dict[str, float] = {}
    for name in wanted:
        known = known_measure(name)
        metric = known.metric
        value = metric.together(run.metrics.get(metric.column) for run in runs)
        if value is None:
            return {}, metric.missing
        measured[name] = value / known.factor
    return measured, None


def _known(name: str, asked_by: str) -> Measure:
    try:
        return known_measure(name)
    except KeyError:
        stream, dot, own = name.rpartition(".")
        known = {n: m for n, m in measures().items() if not dot or m.metric.of_served is not None}
        guess = nearest(own, known)
        meant = f"did you mean {stream + dot + guess!r}? " if guess else ""
        listed = ", ".join(n for n, m in known.items() if m.factor == 1.0)
        raise ConfigError(
            f"there is no measure {name!r}", where=Location(asked_by),
            hint=f"{meant}known, in other units too: {listed}",
        ) from None  # fmt: skip
