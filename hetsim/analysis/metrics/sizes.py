"""How large the plan is, and how much work its simulation was."""

from __future__ import annotations

from hetsim.analysis.metrics.base import Metric

PARTITIONS = Metric(
    "partitions", "partitions", "of the plan",
    of=lambda run: len(run.plan.partitions),
    unit="count", joint="sum", stands="sizes", audience="programs",
)  # fmt: skip

EVENTS = Metric(
    "events", "events", "of the simulation",
    of=lambda run: run.trace.events,
    unit="count", joint="sum", audience="record",
)  # fmt: skip

METRICS = (PARTITIONS, EVENTS)
