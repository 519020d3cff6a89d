"""Traces that open in Perfetto (ui.perfetto.dev) or chrome://tracing.

The format is Chrome's JSON "Trace Event Format": complete events (``X``) for spans, metadata
(``M``) to name and order the rows, counters (``C``) for link bandwidth, on-chip memory and (where
the SoC states it) power, and flow arrows
(``s``/``f``) from a partition to each partition that reads its results. Times are µs on a whole
nanosecond grid, so that events of one row touch but never overlap.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from hetsim.analysis.result import Run
from hetsim.plan.model import Plan
from hetsim.report.counters import Counter, link_counters, memory_counters, power_counters
from hetsim.report.lanes import Row, nanoseconds, rows_of
from hetsim.sim.trace import Span, Trace
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph

Event = dict[str, object]

PID = 1
"""The process that stands for the SoC."""


def perfetto_trace(run: Run, soc: SoC) -> dict[str, object]:
    """The trace of a run that succeeded, as a JSON-ready mapping.

    Raises:
        ValueError: the run has no trace.
    """
    if run.trace is None:
        raise ValueError(f"{run.model} / {run.scheduler} has no trace")
    trace = run.trace
    rows = rows_of(trace, soc)
    events: list[Event] = list(row_names(soc, rows))
    events += span_events(trace, rows)
    if run.plan is not None:
        events += _arrows(trace, rows, partition_dependencies(run.graph, run.plan))
    events += _counters(trace, soc)
    return {
        "displayTimeUnit": "ns",
        "otherData": {"model": run.model, "scheduler": run.scheduler, "soc": soc.name},
        "traceEvents": events,
    }


def perfetto_json(run: Run, soc: SoC) -> str:
    """The text of ``trace-MODEL-SCHEDULER.json``: one event per line."""
    return as_text(perfetto_trace(run, soc))


def as_text(trace: dict[str, object]) -> str:
    """A trace as JSON text, one event per line; it is taken apart on the way."""
    events = trace.pop("traceEvents")
    assert isinstance(events, list)
    head = json.dumps(trace, allow_nan=False)
    lines = ",\n".join(json.dumps(event, allow_nan=False) for event in events)
    return f'{head[:-1]}, "traceEvents": [\n{lines}\n]}}\n'


def partition_dependencies(graph: Graph, plan: Plan) -> list[tuple[str, str]]:
    """Pairs (producer, consumer) of partitions, without repeats, in plan order of the consumer."""
    owner = {op: part.name for part in plan.partitions for op in part.operators}
    pairs: dict[tuple[str, str], None] = {}
    for part in plan.partitions:
        for name in part.operators:
            for producer in graph.predecessors[graph.index[name]]:
                source = owner.get(graph.operators[producer].name)
                if source is not None and source != part.name:
                    pairs[source, part.name] = None
    return list(pairs)


def row_names(soc: SoC, rows: Iterable[Row]) -> Iterable[Event]:
    """What the rows of a SoC are called, in their order; the first row is thread 1."""
    yield {"ph": "M", "name": "process_name", "pid": PID, "args": {"name": soc.name}}
    for tid, row in enumerate(rows, start=1):
        lane: Event = {"ph": "M", "pid": PID, "tid": tid}
        yield lane | {"name": "thread_name", "args": {"name": row.label}}
        yield lane | {"name": "thread_sort_index", "args": {"sort_index": tid}}


def span_events(trace: Trace, rows: Iterable[Row]) -> Iterable[Event]:
    """The spans of a trace on their rows."""
    for tid, row in enumerate(rows, start=1):
        for position in row.spans:
            span = trace.spans[position]
            start, end = nanoseconds(span.start), nanoseconds(span.end)
            yield {
                "ph": "X", "name": span.name or span.kind, "cat": span.kind, "pid": PID,
                "tid": tid, "ts": start / 1000, "dur": (end - start) / 1000, "args": _args(span),
            }  # fmt: skip


def _args(span: Span) -> dict[str, object]:
    args: dict[str, object] = {"kind": span.kind, "partition": span.partition}
    if span.operators:
        args["operators"] = ", ".join(span.operators)
    if span.bytes:
        args["bytes"] = span.bytes
    args["inference"] = span.inference
    args["alone_us"] = nanoseconds(span.alone_s) / 1000
    if span.note:
        args["note"] = span.note
    return args


def _arrows(
    trace: Trace, rows: Iterable[Row], dependencies: Iterable[tuple[str, str]]
) -> Iterable[Event]:
    """An arrow from the last span of the producer on its PU to the first of the consumer."""
    first: dict[tuple[int, str], tuple[int, Span]] = {}
    last: dict[tuple[int, str], tuple[int, Span]] = {}
    for tid, row in enumerate(rows, start=1):
        if row.role != "pu":
            continue
        for position in row.spans:
            span = trace.spans[position]
            key = (span.inference, span.partition)
            if key not in first or span.start < first[key][1].start:
                first[key] = tid, span
            if key not in last or span.end >= last[key][1].end:
                last[key] = tid, span
    inferences = sorted({inference for inference, _ in first})
    number = 0
    for source, target in dependencies:
        for inference in inferences:
            begin, finish = last.get((inference, source)), first.get((inference, target))
            if begin is None or finish is None:
                continue
            number += 1
            yield _arrow("s", number, begin[0], _inside_end(begin[1]), source, target)
            at = nanoseconds(finish[1].start)
            yield _arrow("f", number, finish[0], at, source, target) | {"bp": "e"}


def _inside_end(span: Span) -> int:
    """The last nanosecond inside the span: viewers tie an arrow to the slice around its time."""
    return max(nanoseconds(span.start), nanoseconds(span.end) - 1)


def _arrow(ph: str, number: int, tid: int, at_ns: int, source: str, target: str) -> Event:
    return {
        "ph": ph, "id": number, "cat": "dependency", "name": f"{source} -> {target}",
        "pid": PID, "tid": tid, "ts": at_ns / 1000,
    }  # fmt: skip


def _counters(trace: Trace, soc: SoC) -> Iterable[Event]:
    for counter in link_counters(trace, soc):
        yield from _track(counter, f"link {counter.name}", "MB/s", 1e-6)
    for counter in memory_counters(trace, soc):
        yield from _track(counter, f"on-chip memory {counter.name}", "KiB", 1 / 1024)
    for counter in power_counters(trace, soc):
        yield from _track(counter, f"power {counter.name}", "mW", 1e3)


def _track(counter: Counter, name: str, unit: str, scale: float) -> Iterable[Event]:
    for time, value in zip(counter.times, counter.values, strict=True):
        yield {
            "ph": "C", "name": name, "pid": PID, "ts": nanoseconds(time) / 1000,
            "args": {unit: round(value * scale, 6)},
        }  # fmt: skip
