"""What a run did to each PU and link, and its kernel launches, from its trace and program."""

from __future__ import annotations

from collections import defaultdict

from hetsim.analysis.result import LinkMetrics, OperatorRow, PUMetrics
from hetsim.lower.program import Program
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph


def pu_metrics(trace: Trace) -> dict[str, PUMetrics]:
    """Busy time and utilisation of every PU."""
    span = trace.makespan_s or 1.0
    return {name: PUMetrics(busy, busy / span) for name, busy in trace.pu_busy_s.items()}


def link_metrics(trace: Trace, soc: SoC) -> dict[str, LinkMetrics]:
    """Bytes, utilisation (of the largest capacity the link has) and contention of every link."""
    span = trace.makespan_s or 1.0
    return {
        name: LinkMetrics(
            round(usage.bytes),
            usage.bytes / (max(soc.links[name].bandwidth) * span),
            usage.contention_s,
        )
        for name, usage in trace.links.items()
    }


def operator_rows(
    model: str, scheduler: str, graph: Graph, program: Program, trace: Trace, soc: SoC
) -> tuple[OperatorRow, ...]:
    """One row per kernel launch of the first inference, in order of start."""
    times: dict[tuple[str, str], tuple[float, float]] = {}
    alone: defaultdict[tuple[str, str], float] = defaultdict(float)
    for span in trace.spans:
        if span.inference or not span.operators:
            continue
        key = (span.partition, span.name)
        start, end = times.get(key, (span.start, span.end))
        times[key] = (min(start, span.start), max(end, span.end))
        if span.kind != "stream":  # its compute twin counts
            alone[key] += span.alone_s
    rows = []
    for job in program.jobs:
        for launch in job.launches:
            key = (job.name, launch.name)
            start, end = times.get(key, (0.0, 0.0))
            operators = [graph.operator(name) for name in launch.operators]
            rows.append(
                OperatorRow(
                    model=model,
                    scheduler=scheduler,
                    partition=job.name,
                    pu=soc.pus[job.pu].name,
                    operators=launch.name,
                    kinds="+".join(op.kind for op in operators),
                    macs=sum(op.macs for op in operators),
                    load_bytes=launch.work.load_bytes,
                    store_bytes=launch.work.store_bytes,
                    start_s=start,
                    end_s=end,
                    alone_s=alone[key],
                    cost_source=launch.work.source,
                )
            )
    return tuple(sorted(rows, key=lambda row: (row.start_s, row.end_s)))
