"""Traces of streams for Perfetto: the sampled stretches, with a track for each stream.

The SoC is one process with the rows that every trace has (:mod:`hetsim.report.files.perfetto`), the
streams are another: each inference that has spans is there from its arrival to its end, first
waiting, then running, and an arrow leads from there to where it first runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hetsim.analysis.serving.result import ServedRun
from hetsim.report.files.perfetto import PID, Event, as_text, row_names, span_events
from hetsim.report.lanes import Row, nanoseconds, rows_of
from hetsim.sim.serving.served import DONE, Served
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC

_STREAMS = PID + 1


class Asked(NamedTuple):
    """An inference that has spans; moments in nanoseconds."""

    number: int
    arrival: int
    start: int
    finish: int
    done: bool


def served_trace(run: ServedRun, soc: SoC) -> dict[str, object]:
    """The sampled trace of a run as a JSON-ready mapping.

    Raises:
        ValueError: the run has no trace.
    """
    if run.served is None or not run.served.trace.spans:
        raise ValueError(f"{run.label} has no trace")
    served, trace = run.served, run.served.trace
    rows = rows_of(trace, soc)
    events: list[Event] = list(row_names(soc, rows))
    events += _named_spans(served, rows)
    events += _streams(served, rows)
    return {
        "displayTimeUnit": "ns",
        "otherData": {"run": run.label, "soc": soc.name, "windows": [
            {"stream": w.stream, "inference": w.number, "why": w.why,
             "start_us": nanoseconds(w.start_s) / 1000, "end_us": nanoseconds(w.end_s) / 1000}
            for w in served.windows
        ]},
        "traceEvents": events,
    }  # fmt: skip


def served_trace_json(run: ServedRun, soc: SoC) -> str:
    """The text of ``trace-RUN.json``."""
    return as_text(served_trace(run, soc))


def asked_of(served: Served) -> dict[str, list[Asked]]:
    """The inferences that have spans, by stream, in order of arrival."""
    seen = {span.inference for span in served.trace.spans}
    found: dict[str, list[Asked]] = {}
    for name, ledger in served.ledgers.items():
        columns = (ledger.number, ledger.arrival, ledger.start, ledger.finish, ledger.status)
        own = [
            Asked(number, nanoseconds(a), nanoseconds(s), nanoseconds(f), status == DONE)
            for number, a, s, f, status in zip(*(c.tolist() for c in columns), strict=True)
            if number in seen
        ]
        found[name] = sorted(own, key=lambda one: (one.arrival, one.number))
    return found


def _named_spans(served: Served, rows: Sequence[Row]) -> Iterator[Event]:
    """The spans, each of which says whose it is."""
    owner = {one.number: name for name, own in asked_of(served).items() for one in own}
    for event in span_events(served.trace, rows):
        args = event["args"]
        assert isinstance(args, dict)
        yield event | {"args": args | {"stream": owner.get(args["inference"], "")}}


def _streams(served: Served, rows: Sequence[Row]) -> Iterator[Event]:
    first = _first_spans(served.trace, rows)
    process = {"ph": "M", "pid": _STREAMS, "name": "process_name", "args": {"name": "streams"}}
    yield process
    tid = 0
    for name, asked in asked_of(served).items():
        for i, lane in enumerate(_packed(asked)):
            tid += 1
            label = name if i == 0 else f"{name} #{i + 1}"
            own: Event = {"ph": "M", "pid": _STREAMS, "tid": tid}
            yield own | {"name": "thread_name", "args": {"name": label}}
            yield own | {"name": "thread_sort_index", "args": {"sort_index": tid}}
            for one in lane:
                yield from _inference(name, one, tid)
                if one.number in first:
                    yield from _arrow(name, one, tid, *first[one.number])


def _inference(name: str, one: Asked, tid: int) -> Iterator[Event]:
    parts = (("waits", one.arrival, one.start), ("runs", one.start, one.finish))
    for what, begin, end in parts:
        if end > begin:
            yield {
                "ph": "X", "name": f"{name} {one.number} {what}", "cat": "inference",
                "pid": _STREAMS, "tid": tid, "ts": begin / 1000, "dur": (end - begin) / 1000,
                "args": {"stream": name, "inference": one.number, "ended": one.done,
                         "latency_us": (one.finish - one.arrival) / 1000},
            }  # fmt: skip


def _arrow(name: str, one: Asked, tid: int, to: int, at: int) -> Iterator[Event]:
    flow: Event = {"id": one.number, "cat": "inference", "name": f"{name} {one.number}"}
    begin = max(one.start, min(at, one.finish - 1))
    yield flow | {"ph": "s", "pid": _STREAMS, "tid": tid, "ts": begin / 1000}
    yield flow | {"ph": "f", "bp": "e", "pid": PID, "tid": to, "ts": max(at, begin) / 1000}


def _first_spans(trace: Trace, rows: Sequence[Row]) -> Mapping[int, tuple[int, int]]:
    """Where each inference first runs on a unit: the thread, and when it begins there."""
    found: dict[int, tuple[int, int]] = {}
    for tid, row in enumerate(rows, start=1):
        for position in row.spans if row.role == "pu" else ():
            span = trace.spans[position]
            at = nanoseconds(span.start)
            if span.inference not in found or at < found[span.inference][1]:
                found[span.inference] = tid, at
    return found


def _packed(asked: Sequence[Asked]) -> list[list[Asked]]:
    """In as few rows as it takes for none to overlap another."""
    lanes: list[list[Asked]] = []
    for one in asked:
        lane = next((own for own in lanes if own[-1].finish <= one.arrival), None)
        if lane is None:
            lanes.append(lane := [])
        lane.append(one)
    return lanes
