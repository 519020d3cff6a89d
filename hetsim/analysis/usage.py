"""What a run did to each PU and link."""

from __future__ import annotations

from collections.abc import Mapping

from hetsim.analysis.result import LinkMetrics, PUMetrics
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC


def pu_metrics(trace: Trace) -> dict[str, PUMetrics]:
    """Busy time and utilisation of every PU."""
    span = trace.makespan_s or 1.0
    return {name: PUMetrics(busy, busy / span) for name, busy in trace.pu_busy_s.items()}


def link_metrics(
    trace: Trace, soc: SoC, classes: Mapping[str, Mapping[str, int]]
) -> dict[str, LinkMetrics]:
    """Bytes, utilisation (of the largest capacity the link has) and contention of every link.

    ``classes`` are the bytes of each by class (:func:`hetsim.analysis.traffic.link_classes`).
    """
    span = trace.makespan_s or 1.0
    return {
        name: LinkMetrics(
            round(usage.bytes),
            usage.bytes / (max(soc.links[name].bandwidth) * span),
            usage.contention_s,
            classes[name],
        )
        for name, usage in trace.links.items()
    }
