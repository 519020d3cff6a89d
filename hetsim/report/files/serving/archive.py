"""``served.json.gz`` and ``inferences.npz``: streams on disk, from which reports are made again.

The first holds the SoC, the streams, the plans, the metrics as they were read, and whatever was
traced; the second the moments of every inference as columns. Reading gives back an equal result,
but that arrivals are only remembered (:mod:`hetsim.streams.arrivals.recorded`).

Columns are called ``RUN.STREAM.arrival``, ``.start``, ``.finish``, ``.deadline`` (seconds),
``.number`` and ``.status``, by position in the result:
``numpy.load("inferences.npz")["0.1.finish"]``. A moment that never comes is -1.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from hetsim.analysis.serving.result import ServedResult, ServedRun, StreamRun
from hetsim.bounds.response.streams import Worst
from hetsim.errors import HetsimError, ResultsError
from hetsim.infiles import read_bytes
from hetsim.learn.archive import DAMAGES, unpacked
from hetsim.plan.model import Plan
from hetsim.records import (
    ARCHIVE_LIMIT,
    MOST_PACKED,
    UNPACKED_FREE,
    Record,
    check_format,
    checked,
    damaged,
    parse_json,
    unpack,
)
from hetsim.report.files.archive import plan_columns, trace_columns
from hetsim.report.files.archiveschema import Count, Number, PlanEntry, Seconds, TraceEntry
from hetsim.sim.serving.accounts import ByStream
from hetsim.sim.serving.served import Ledger, Served
from hetsim.sim.trace import Trace
from hetsim.soc.describe import describe_soc, soc_of
from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.arrivals.recorded import Recorded
from hetsim.streams.service import Service

SCHEMA = "hetsim.served/1"
NAME = "served.json.gz"
INFERENCES = "inferences.npz"

_MOMENTS = ("arrival", "start", "finish", "deadline")

Json = dict[str, Any]


class StreamEntry(Record):
    """A stream of a run; ``plan`` is the position of its plan."""

    scheduler: str
    plan: Count
    metrics: dict[str, Number | None]
    worst: dict[str, Any]


Matrix = list[list[Seconds]]


class ByStreamEntry(Record):
    """The fields of a :class:`~hetsim.sim.serving.accounts.ByStream`."""

    streams: tuple[str, ...]
    units: tuple[str, ...]
    links: tuple[str, ...]
    busy_s: Matrix
    bytes: Matrix
    blocked_s: Matrix
    ready_s: list[Seconds]

    def restored(self) -> ByStream:
        """As it was; ``ValueError`` when its arrays are of other shapes than its names say."""
        count = len(self.streams)
        names = {"busy_s": self.units, "bytes": self.links, "blocked_s": self.streams}
        arrays = {
            name: np.array(getattr(self, name), dtype=float).reshape(len(rows), count)
            for name, rows in names.items()
        }
        return ByStream(
            self.streams, self.units, self.links, **arrays, ready_s=np.array(self.ready_s)
        )


class RunEntry(Record):
    """Streams under a scheduler and a dispatcher; ``served`` are fields of what was simulated."""

    scheduler: str
    dispatcher: str
    label: str
    streams: list[StreamEntry]
    metrics: dict[str, Number | None]
    warm_up_s: Seconds
    settled: bool
    error: str | None
    served: dict[str, Any] | None


class ResultEntry(Record):
    """The whole file."""

    schema_: str
    scenario: str
    soc: dict[str, Any]
    seed: int
    service: dict[str, Any]
    plans: list[PlanEntry]
    runs: list[RunEntry]
    notes: tuple[str, ...]
    inputs: dict[str, str]


def dump_served(result: ServedResult) -> bytes:
    """``result`` as the contents of :data:`NAME`; the same bytes for the same result."""
    positions: dict[int, int] = {}
    plans: list[Json] = []

    def position(plan: Plan) -> int:
        if id(plan) not in positions:
            positions[id(plan)] = len(plans)
            plans.append(plan_columns(plan))
        return positions[id(plan)]

    runs = [_run(run, position) for run in result.runs]
    document = {
        "schema": SCHEMA,
        "scenario": result.scenario,
        "soc": describe_soc(result.soc),
        "seed": result.seed,
        "service": _plain(result.service),
        "plans": plans,
        "runs": runs,
        "notes": result.notes,
        "inputs": result.inputs,
    }
    text = json.dumps(document, separators=(",", ":"), default=str)
    return gzip.compress(text.encode("ascii"), compresslevel=5, mtime=0)


def dump_inferences(result: ServedResult) -> bytes:
    """The contents of :data:`INFERENCES`."""
    columns: dict[str, Any] = {}
    for i, run in enumerate(result.runs):
        if run.served is None:
            continue
        for j, found in enumerate(run.streams):
            ledger = run.served.ledgers[found.stream.name]
            for name in _MOMENTS:
                moments = getattr(ledger, name)
                columns[f"{i}.{j}.{name}"] = np.where(np.isfinite(moments), moments, -1.0)
            columns[f"{i}.{j}.number"] = ledger.number
            columns[f"{i}.{j}.status"] = ledger.status
    file = io.BytesIO()
    np.savez_compressed(file, **columns)
    return file.getvalue()


def load_served(directory: Path) -> ServedResult:
    """Reads what :func:`dump_served` and :func:`dump_inferences` wrote into ``directory``.

    Raises:
        ResultsError: a file is missing, damaged, or of another version of the format.
    """
    path = directory / NAME
    raw = read_bytes(path, limit=ARCHIVE_LIMIT, error=ResultsError)
    data = parse_json(unpack(raw, str(path)), str(path))
    check_format(
        data, SCHEMA, str(path),
        hint="make the results again with 'hetsim run', or use the hetsim that wrote them",
    )  # fmt: skip
    data["schema_"] = data.pop("schema")
    entry = checked(data, ResultEntry, str(path))
    columns = _columns(directory / INFERENCES)
    try:
        return _result(entry, columns, str(path))
    except ResultsError:
        raise
    except HetsimError as error:
        raise ResultsError(f"{path} cannot be used: {error}") from None
    except (LookupError, TypeError, ValueError) as error:
        raise damaged(str(path), str(error)) from None


def _columns(path: Path) -> Mapping[str, Any]:
    if not path.exists():
        raise ResultsError(f"{path} is missing", hint="make the results again with 'hetsim run'")
    raw = read_bytes(path, limit=ARCHIVE_LIMIT, error=ResultsError)
    try:
        return unpacked(raw, texts=(), limit=max(UNPACKED_FREE, MOST_PACKED * len(raw)))
    except DAMAGES as error:
        raise damaged(str(path), str(error)) from None


def _result(entry: ResultEntry, columns: Mapping[str, Any], path: str) -> ServedResult:
    soc = soc_of(entry.soc, path)
    service = _service(entry.service, path)
    plans = [Plan(**dict(plan)) for plan in entry.plans]
    units = {pu.name for pu in soc.pus}
    runs = []
    for i, run in enumerate(entry.runs):
        if run.error is None and len(run.streams) != len(service.streams):
            raise ValueError(f"run {i} has not as many streams as the scenario")
        served = None
        if run.served is not None:
            ledgers = {
                stream.name: _ledger(columns, f"{i}.{j}")
                for j, stream in enumerate(service.streams)
            }
            served = _served(run.served, ledgers, path)
            if unknown := served.trace.pu_busy_s.keys() - units:
                raise ValueError(f"{min(unknown)!r} is not on its SoC")
        streams = tuple(
            StreamRun(
                stream, own.scheduler, plans[own.plan], own.metrics, checked(own.worst, Worst, path)
            )
            for stream, own in zip(service.streams, run.streams, strict=False)
        )
        runs.append(
            ServedRun(
                run.scheduler, run.dispatcher, run.label, streams, run.metrics, served,
                run.warm_up_s, run.settled, error=run.error,
            )
        )  # fmt: skip
    return ServedResult(
        entry.scenario, soc, entry.seed, service, tuple(runs), entry.notes, entry.inputs
    )


def _served(entry: Json, ledgers: Mapping[str, Ledger], path: str) -> Served:
    """What was simulated, from its fields but for the ledgers."""
    hints: Json = get_type_hints(Served) | {"trace": TraceEntry, "by_stream": ByStreamEntry}
    found = {name: checked(value, hints[name], path) for name, value in entry.items()}
    found["trace"] = Trace(**dict(found["trace"]))
    found["by_stream"] = found["by_stream"].restored()
    return Served(ledgers=ledgers, **found)


def _run(run: ServedRun, position: Callable[[Plan], int]) -> Json:
    served = run.served
    return {
        "scheduler": run.scheduler,
        "dispatcher": run.dispatcher,
        "label": run.label,
        "streams": [
            {"scheduler": s.scheduler, "plan": position(s.plan), "metrics": s.metrics,
             "worst": _plain(s.worst)}
            for s in run.streams
        ],
        "metrics": run.metrics,
        "warm_up_s": run.warm_up_s,
        "settled": run.settled,
        "error": run.error,
        "served": None if served is None else {
            name: trace_columns(value) if isinstance(value, Trace) else _plain(value)
            for name, value in _values(served).items() if name != "ledgers"
        },
    }  # fmt: skip


def _values(value: Any) -> Json:
    return {field.name: getattr(value, field.name) for field in fields(value) if field.init}


def _plain(value: object) -> Any:
    """Dataclasses as mappings of their fields, without places in files; arrivals as remembered."""
    if isinstance(value, Arrivals):
        rate = value.rate
        known = None if rate is None or not isfinite(rate) else rate
        return {"kind": value.kind, "text": value.told, "per_second": known}
    if is_dataclass(value):
        return {n: _plain(v) for n, v in _values(value).items() if n != "where"}
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def _service(entry: Json, path: str) -> Service:
    streams = [
        {**stream, "arrivals": checked(stream.get("arrivals"), Recorded, path)}
        for stream in checked(entry.get("streams"), list[dict[str, Any]], path)
    ]
    return checked({**entry, "streams": streams}, Service, path)


def _ledger(columns: Mapping[str, Any], stem: str) -> Ledger:
    named = {name: columns[f"{stem}.{name}"] for name in ("number", *_MOMENTS, "status")}
    named["deadline"] = np.where(named["deadline"] < 0.0, inf, named["deadline"])
    ledger = Ledger()
    order = ("number", "arrival", "start", "finish", "status", "deadline")
    for row in zip(*(named[name].tolist() for name in order), strict=True):
        ledger.add(*row)
    return ledger
