"""Every metric there is: the built-in families, then those of installed packages.

A metric of another package is a :class:`~hetsim.analysis.metrics.base.Metric` registered under the
entry-point group ``hetsim.metrics``; nothing else has to be touched for it to be told everywhere.
A built-in one is a line in the file of its family (or a file and a line here).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cache
from typing import Literal

from hetsim.analysis.metrics import energy, memory, price, serving, sizes, time, xrbench
from hetsim.analysis.metrics.base import LEADS, Evaluation, Metric, Metrics, ServedEvaluation
from hetsim.errors import ConfigError, HetsimError
from hetsim.plugins import installed, load
from hetsim.units import NAMED, endings

GROUP = "hetsim.metrics"
"""Entry-point group of further metrics."""

BUILT_IN = (
    *time.METRICS, *serving.METRICS, *energy.METRICS, *memory.METRICS, *price.METRICS,
    *sizes.METRICS, *xrbench.METRICS,
)  # fmt: skip
"""In the order in which they are read and told."""

_AUDIENCES = ("record", "programs", "people")


_TAKEN = frozenset(
    {"model", "scheduler", "error", "operators", "pus", "links", "bounds", "attribution_us",
     "files", "planning_s", "variant", "design", "feasible", "on_front"}
)  # fmt: skip
"""What else stands in a row of some table or file."""


@cache
def metrics() -> tuple[Metric, ...]:
    """All metrics: the built-in ones, then entry points in alphabetical order.

    Raises:
        ConfigError: an entry point fails to load, is no sound ``Metric``, or takes a name in use.
    """
    found = list(BUILT_IN)
    for point in installed(GROUP):
        source = f"metric {point.name!r} of {point.value!r}"
        metric = load(point, f"metric {point.name!r}")
        if not isinstance(metric, Metric):
            raise ConfigError(f"{source} is not a hetsim.analysis.metrics.base.Metric")
        fault = _fault(metric, found)
        if fault is not None:
            raise ConfigError(f"{source} {fault}")
        found.append(metric)
    return tuple(found)


def _fault(metric: Metric, others: Iterable[Metric]) -> str | None:
    """What is wrong with a metric of another package, in a clause."""
    if not metric.name.isidentifier():
        return f"is called {metric.name!r}, which is no identifier"
    if (metric.of is None and metric.of_served is None) == (metric.of_soc is None):
        return "must have 'of' or 'of_served' or both, or else 'of_soc'"
    if metric.dimension is not None and metric.dimension not in NAMED:
        return f"has dimension {metric.dimension!r}; there are {', '.join(NAMED)}"
    clash = metric.names & _TAKEN.union(*(other.names for other in others))
    return f"takes a name that is already in use: {min(clash)}" if clash else None


def told(
    audience: Literal["people", "programs", "record"] = "people",
    also: Collection[str] = (),
    *,
    served: bool = False,
) -> tuple[Metric, ...]:
    """The metrics that ``audience`` is told, in the order of a row: front, end, sizes.

    They are those of single inferences, or of streams that were ``served`` (as the columns of
    results say where there are any).

    ``also`` are columns found in results; those that no metric here is known by get a stand-in, so
    that what another installation has measured is shown all the same.
    """
    known = metrics()
    columns = {metric.column for metric in known}
    served = served or LEADS[1] in also
    strangers = [stranger(name) for name in dict.fromkeys(also) if name not in columns]
    least = _AUDIENCES.index(audience)
    chosen = [
        m for m in (*known, *strangers)
        if _AUDIENCES.index(m.audience) >= least and m.measures(served=served)
    ]  # fmt: skip
    return tuple(m for place in ("front", "end", "sizes") for m in chosen if m.stands == place)


def lead(measured: Iterable[Metrics]) -> Metric:
    """The time that runs with such metrics are judged by (:data:`LEADS`); the first of those."""
    found = {name for values in measured for name in values}
    known = {metric.column: metric for metric in metrics()}
    return known[next((name for name in LEADS if name in found), LEADS[0])]


def stranger(column: str) -> Metric:
    """The metric of a column that no metric has by itself.

    ``STREAM.COLUMN`` is one of a single stream. Others are not installed here, and get a stand-in:
    their unit is the column's ending.
    """
    stream, dot, own = column.rpartition(".")
    known = next((metric for metric in metrics() if dot and metric.column == own), None)
    if known is not None:
        return of_stream(known, stream)
    for dimension in NAMED:
        ending = next(iter(endings(dimension)))
        name = column.removesuffix(f"_{ending}")
        if name != column:
            return Metric(name, name.replace("_", " "), "of a metric not installed",
                          dimension=dimension)  # fmt: skip
    return Metric(column, column.replace("_", " "), "of a metric not installed")


def of_stream(metric: Metric, stream: str) -> Metric:
    """A metric of one stream beside those of all together, for programs."""
    return replace(
        metric, name=f"{stream}.{metric.name}", label=f"{metric.label} of {stream}",
        heading=f"{stream} {metric.title}", audience="programs", stands="end",
    )  # fmt: skip


def measured(evaluation: Evaluation | ServedEvaluation) -> Metrics:
    """Every metric of a run or of streams, by column.

    Raises:
        HetsimError: a metric raised.
    """
    values: dict[str, float | None] = {}
    growing = replace(evaluation, metrics=values)  # the same mapping: each sees those before it
    served = isinstance(evaluation, ServedEvaluation)
    for metric in metrics():
        if not metric.measures(served=served):
            continue
        try:
            values[metric.column] = metric.read(growing)
        except Exception as error:
            raise HetsimError(
                f"metric {metric.name!r} raised {type(error).__name__}: {error}"
            ) from error
    return values
