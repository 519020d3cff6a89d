"""``result.json`` of streams, schema ``hetsim.serving/1``.

Times are microseconds, sizes bytes, shares fractions of one; metrics are written as they say
(:meth:`hetsim.analysis.metrics.base.Metric.written`). The bytes depend on the result alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hetsim.analysis.metrics.base import Metrics
from hetsim.analysis.metrics.registry import told
from hetsim.analysis.serving.result import ServedResult, ServedRun
from hetsim.numeric import Floats
from hetsim.report.files.jsonout import FileNames, microseconds
from hetsim.report.serving import busy_shares
from hetsim.streams.service import Stream

SCHEMA = "hetsim.serving/1"


def served_to_dict(result: ServedResult, files: FileNames | None = None) -> dict[str, object]:
    """``result`` as plain JSON values; ``files`` names the files written beside it."""
    service, files = result.service, files or {}
    warm_up = service.warm_up
    return {
        "schema": SCHEMA,
        "scenario": result.scenario,
        "soc": result.soc.name,
        "seed": result.seed,
        "duration_us": microseconds(service.duration_s),
        "warm_up": warm_up if isinstance(warm_up, str) else "fixed",
        "streams": [_stream(stream) for stream in service.streams],
        "runs": [_run(run, files.get(i, {})) for i, run in enumerate(result.runs)],
        "notes": list(result.notes),
    }


def written(metrics: Metrics) -> dict[str, float | None]:
    """Metrics of streams by key, as files write them."""
    return {
        metric.key: metric.written(metrics.get(metric.column))
        for metric in told("record", metrics, served=True)
        if not metric.of_the_soc
    }


def _stream(stream: Stream) -> dict[str, Any]:
    return {
        "name": stream.name,
        "model": stream.model,
        "arrivals": stream.arrivals.told,
        "priority": stream.priority,
        "deadline_us": microseconds(stream.deadline_s),
    }


def _run(run: ServedRun, files: Mapping[str, str]) -> dict[str, object]:
    row: dict[str, object] = {
        "label": run.label, "scheduler": run.scheduler, "dispatcher": run.dispatcher,
    }  # fmt: skip
    if run.error is not None:
        row["error"] = run.error
    served = run.served
    shares = busy_shares(run)
    return row | written(run.metrics) | {
        "warm_up_us": microseconds(run.warm_up_s),
        "end_us": None if served is None else microseconds(served.end_s),
        "stopped": "" if served is None else served.stopped,
        "streams": [
            {"name": found.stream.name, "scheduler": found.scheduler, **written(found.metrics),
             "unproven": found.worst.why}
            for found in run.streams
        ],
        "pus": {} if served is None else {
            name: {
                "busy_us": microseconds(busy), "utilization": round(shares.get(name, 0.0), 9),
                "busy_us_by_stream": _row(served.by_stream.units, served.by_stream.busy_s, name,
                                          served.by_stream.streams, 1e6),
            }
            for name, busy in served.unit_busy_s.items()
        },
        "links": {} if served is None else {
            name: {
                "bytes": round(link.bytes), "busy_us": microseconds(link.busy_s),
                "contention_us": microseconds(link.contention_s),
                "bytes_by_stream": _row(served.by_stream.links, served.by_stream.bytes, name,
                                        served.by_stream.streams, 1.0),
            }
            for name, link in served.links.items()
        },
        "blocked_us": {} if served is None else {
            name: _row(served.by_stream.streams, served.by_stream.blocked_s, name,
                       served.by_stream.streams, 1e6)
            for name in served.by_stream.streams
        },
        "files": dict(files),
    }  # fmt: skip


def _row(
    names: Sequence[str], table: Floats, name: str, streams: Sequence[str], factor: float
) -> dict[str, float]:
    """The row of ``table`` that belongs to ``name``, by stream; nothing where it has none."""
    if name not in names:
        return {}
    row = table[names.index(name)] * factor
    return {stream: round(float(value), 6) for stream, value in zip(streams, row, strict=True)}
