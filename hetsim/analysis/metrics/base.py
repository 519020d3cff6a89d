"""What a metric is, and what it is read from.

A metric is registered once (:mod:`hetsim.analysis.metrics.registry`). Tables, JSON, CSV, pages,
pictures, objectives, constraints and diffs read the registry; none of them knows a metric by name
unless it is about that one thing (a sweep sorts by the makespan).

A run is measured once, when it ends: each metric's ``of`` is called with the
:class:`Evaluation`, in the order of the registry, so that a metric may read those before it. The
numbers travel from there as a mapping from :attr:`Metric.column` to SI values. They survive in
archives and stores without the metric that made them: the column says the unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from hetsim.analysis.ranges.range import UNKNOWN, Range
from hetsim.analysis.residents import Resident
from hetsim.analysis.serving.confidence import Sample
from hetsim.analysis.serving.view import StreamView
from hetsim.bounds.bound import Bound
from hetsim.bounds.response.streams import UNPROVEN, Worst
from hetsim.bounds.throughput import Limit
from hetsim.lower.program import Program
from hetsim.numeric import Floats
from hetsim.plan.model import Plan
from hetsim.sim.serving.served import Served
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC
from hetsim.units import endings
from hetsim.workload.graph import Graph

Metrics = Mapping[str, float | None]
"""Values in SI units by :attr:`Metric.column`; ``None`` where there is nothing to say."""

_FILES = ("time", "energy", "power")
"""What files write in millionths (µs, µJ, µW), to six digits; other dimensions are in SI units."""

_PICTURES = {
    "time": "ms", "energy": "mj", "power": "mw", "size": "mib", "bandwidth": "gb_per_s",
    "frequency": "mhz",
}  # fmt: skip
"""The unit of each dimension along the axis of a picture, as names end with it."""


@dataclass(frozen=True)
class Evaluation:
    """A plan that ran, and everything a metric may read.

    ``undisturbed`` is the trace of the same plan when no transfer disturbs another (totals only);
    ``residents`` is what lies in memory over time (:mod:`hetsim.analysis.residents`), ``range``
    what the makespan may really be; ``metrics`` holds the metrics before this one in the registry.
    """

    graph: Graph
    soc: SoC
    plan: Plan
    program: Program
    trace: Trace
    undisturbed: Trace
    bounds: tuple[Bound, ...] = ()
    residents: tuple[Resident, ...] = ()
    range: Range = UNKNOWN
    metrics: Metrics = field(default_factory=dict)


@dataclass(frozen=True)
class ServedEvaluation:
    """Streams of inferences that were simulated: one of them, or all together.

    ``views`` are the streams it is about (:class:`hetsim.analysis.serving.view.StreamView`),
    ``served`` has the totals of the whole SoC, and ``whole`` tells that it is about all streams.
    ``worst`` is what no response of a single stream exceeds, as far as that is proven, and
    ``limit`` how many inferences get through at most in the long run.
    """

    soc: SoC
    views: tuple[StreamView, ...]
    served: Served
    whole: bool
    worst: Worst = UNPROVEN
    limit: Limit | None = None
    metrics: Metrics = field(default_factory=dict)

    @cached_property
    def latencies(self) -> Sample:
        """Seconds from arrival to end of what is done, in order of arrival."""
        values = np.concatenate([view.latencies for view in self.views])
        arrival = np.concatenate([view.ledger.arrival[view.done] for view in self.views])
        return Sample(values[np.argsort(arrival, kind="stable")])

    @property
    def window(self) -> tuple[float, float]:
        """From when until when is counted, seconds."""
        return min(v.warm_up_s for v in self.views), max(v.end_s for v in self.views)

    def waits(self) -> tuple[Floats, Floats]:
        """When each inference, counted or not, arrived and when it began or was given up."""
        ledgers = [view.ledger for view in self.views]
        return (
            np.concatenate([ledger.arrival for ledger in ledgers]),
            np.concatenate([ledger.start for ledger in ledgers]),
        )


@dataclass(frozen=True)
class Metric:
    """One number about a run.

    Args:
        name: an identifier without a unit, ``energy``.
        label: for people, and along axes: ``energy per inference``.
        about: a line for the JSON Schema of results.
        of: reads it from a run, in SI units; ``None`` when there is nothing to say. It may read
            the metrics before it: ``lambda run: run.metrics["energy_j"]``.
        of_soc: reads it from the SoC, for what is the same for all its runs (an area); then neither
            ``of`` nor ``of_served`` is given.
        of_served: reads it from streams of inferences: one stream's, or all together.
        dimension: of :data:`hetsim.units.NAMED`; ``None`` for a plain number.
        unit: of a plain number: ``share`` (of one, shown as percent), ``count`` (whole numbers),
            or what people write behind it, ``mm²``.
        better: which way is an improvement; ``None`` when neither is.
        joint: how the values of several networks make that of a design.
        state_it: what to do when a SoC has none: "state active_power in the SoC file".
        aliases: other names that objectives and constraints know it by.
        heading: of a column, where ``label`` is too long; the name with blanks by default.
        stands: in a row: ``front``, with the times; ``sizes``, with the number of partitions;
            ``end``, behind these. Those in front are columns of every table of runs.
        audience: who is told: ``people`` (tables, pages and pictures, and all that follow),
            ``programs`` (data frames, CSV and JSON of studies), ``record`` (``result.json``).
    """

    name: str
    label: str
    about: str
    of: Callable[[Evaluation], float | None] | None = None
    of_soc: Callable[[SoC], float | None] | None = None
    of_served: Callable[[ServedEvaluation], float | None] | None = None
    dimension: str | None = None
    unit: str = ""
    better: Literal["less", "more"] | None = None
    joint: Literal["max", "sum", "first"] = "max"
    state_it: str = ""
    aliases: tuple[str, ...] = ()
    heading: str = ""
    stands: Literal["front", "sizes", "end"] = "end"
    audience: Literal["people", "programs", "record"] = "people"

    @property
    def units(self) -> Mapping[str, tuple[str, float]]:
        """Endings of its names, the SI unit first: :func:`hetsim.units.endings`."""
        return {"": (self.unit, 1.0)} if self.dimension is None else endings(self.dimension)

    @property
    def names(self) -> frozenset[str]:
        """Every name it goes by: each word, alone and with each of its units."""
        words = (self.name, *self.aliases)
        return frozenset({*words, *(named(w, ending) for w in words for ending in self.units)})

    @property
    def column(self) -> str:
        """Its name in tables and mappings of SI values: ``energy_j``."""
        return named(self.name, next(iter(self.units)))

    @property
    def key(self) -> str:
        """Its name in JSON and CSV files of runs: ``energy_uj``."""
        si = next(iter(self.units))
        return named(self.name, f"u{si}" if self.dimension in _FILES else si)

    @property
    def title(self) -> str:
        """The heading of a column."""
        return self.heading or self.name.replace("_", " ")

    @property
    def missing(self) -> str:
        """Why a design has no value."""
        if not self.state_it:
            return f"there is no {self.label} of every network"
        return f"the SoC states no {self.name}: {self.state_it}"

    @property
    def of_the_soc(self) -> bool:
        """Whether it is the same for all runs on a SoC."""
        return self.of_soc is not None

    def measures(self, *, served: bool) -> bool:
        """Whether it is about streams that were ``served``, or else about single inferences."""
        if self.of is None and self.of_served is None:
            return True  # of the SoC, or a stand-in
        return (self.of_served if served else self.of) is not None

    @property
    def measured_of(self) -> str:
        """What it is about, in words."""
        if self.of_the_soc:
            return "the SoC"
        about = {"single inferences": self.of, "streams": self.of_served}
        return " and ".join(what for what, of in about.items() if of is not None)

    @property
    def axis_unit(self) -> tuple[str, float]:
        """The unit along an axis, and that unit in SI: ``("mJ", 1e-3)``; a number's is 1."""
        if self.dimension is None:
            return self.unit, 1.0
        return self.units[_PICTURES[self.dimension]]

    @property
    def axis(self) -> str:
        """The label along an axis: ``energy per inference (mJ)``."""
        unit, _ = self.axis_unit
        return f"{self.label} ({unit})" if unit not in ("", "count") else self.label

    def read(self, evaluation: Evaluation | ServedEvaluation) -> float | None:
        """Its value of a run in SI units; ``None`` also for what is not finite."""
        value: float | None = None
        if self.of_soc is not None:
            value = self.of_soc(evaluation.soc)
        elif isinstance(evaluation, ServedEvaluation):
            value = self.of_served(evaluation) if self.of_served is not None else None
        elif self.of is not None:
            value = self.of(evaluation)
        return value if value is not None and math.isfinite(value) else None

    def written(self, value: float | None) -> float | None:
        """``value`` as files write it, under :attr:`key`: µs to a picosecond, shares to 9 digits.

        ``None`` for what is unknown or not finite.
        """
        if value is None or not math.isfinite(value):
            return None
        return round(value * 1e6, 6) if self.dimension in _FILES else round(value, 9)

    def from_file(self, value: float | None) -> float | None:
        """The inverse of :meth:`written`, but for the rounding."""
        return value if value is None or self.dimension not in _FILES else value / 1e6

    def improves(self, value: float, other: float) -> bool:
        """Whether ``value`` is better than ``other``; less is, unless more is said to be."""
        return value > other if self.better == "more" else value < other

    def together(self, values: Iterable[float | None]) -> float | None:
        """Of a design, from its networks' values; ``None`` when one is unknown."""
        listed = list(values)
        known = [value for value in listed if value is not None]
        if len(known) < len(listed) or not known:
            return None
        if self.joint == "sum":
            return sum(known)
        return max(known) if self.joint == "max" else known[0]


def named(name: str, ending: str) -> str:
    """A name with its unit."""
    return f"{name}_{ending}" if ending else name


LEADS = ("makespan_s", "latency_p99_s")
"""The columns of the time that a run is judged by: of single inferences, of streams."""


class Measured:
    """Short ways to the commonest entries of ``metrics``, for whoever holds such a mapping."""

    metrics: Metrics

    @property
    def makespan_s(self) -> float | None:
        """Simulated time of one inference, seconds; ``None`` when it failed."""
        return self.metrics.get("makespan_s")

    @property
    def lead_s(self) -> float | None:
        """The time that it is judged by, seconds: of one inference its makespan, of streams the
        99th percentile of all latencies; ``None`` when it failed."""
        return next((s for name in LEADS if (s := self.metrics.get(name)) is not None), None)

    @property
    def merit(self) -> tuple[float, float] | None:
        """What runs are compared by, less is better: the share of missed deadlines, which single
        inferences have none of, then :attr:`lead_s`; ``None`` when it failed."""
        lead = self.lead_s
        return None if lead is None else (self.metrics.get("miss_rate") or 0.0, lead)

    @property
    def makespan_low_s(self) -> float | None:
        """The low end of its range; ``None`` where nothing was calibrated."""
        return self.metrics.get("makespan_low_s")

    @property
    def makespan_high_s(self) -> float | None:
        """The high end of its range, likewise."""
        return self.metrics.get("makespan_high_s")

    @property
    def makespan_range_s(self) -> tuple[float, float] | None:
        """Both ends, at :data:`~hetsim.soc.uncertainty.LEVEL`."""
        low, high = self.makespan_low_s, self.makespan_high_s
        return None if low is None or high is None else (low, high)

    @property
    def predicted_s(self) -> float | None:
        """What the scheduler expected, seconds."""
        return self.metrics.get("predicted_s")

    @property
    def lower_bound_s(self) -> float | None:
        """The best of the proven bounds, seconds."""
        return self.metrics.get("lower_bound_s")

    @property
    def gap(self) -> float | None:
        """How far above the bound the makespan is, as a share of the bound."""
        return self.metrics.get("gap")

    @property
    def energy_j(self) -> float | None:
        """Joules of one inference; ``None`` when the SoC states no power."""
        return self.metrics.get("energy_j")
