"""``runs.json.gz``: a whole result on disk, from which every report can be made again.

What is stored is the :class:`~hetsim.analysis.result.Result` itself: the SoC as a description, the
networks, the plans, the metrics as they were read, and the traces as columns. Reading gives back an
equal result (networks forget which file they came from), so a report made from it is the same to
the byte. The file depends on the result alone; wall-clock times stand in ``manifest.json``.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from hetsim.analysis.launches import OperatorRow
from hetsim.analysis.limits import Limit
from hetsim.analysis.ranges.draws import SAMPLES
from hetsim.analysis.residents import Resident, on_chip
from hetsim.analysis.result import Result, Run
from hetsim.errors import HetsimError, ResultsError
from hetsim.infiles import read_bytes
from hetsim.plan.model import Partition, Plan
from hetsim.plan.validate import validate_plan
from hetsim.records import ARCHIVE_LIMIT, check_format, checked, damaged, parse_json, unpack
from hetsim.report.files.archiveschema import ReferenceEntry, ResultEntry, RunEntry, names_of
from hetsim.sim.trace import Activity, Hit, RateSample, Span, TaskRow, Trace
from hetsim.soc.describe import describe_soc, soc_of
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from hetsim.workload.rewrite import Rewrite

SCHEMA = "hetsim.runs/5"
NAME = "runs.json.gz"

Row = TypeVar("Row")
Json = dict[str, Any]


def dump_archive(result: Result) -> bytes:
    """``result`` as the contents of :data:`NAME`; the same bytes for the same result."""
    graphs: dict[int, int] = {}
    networks: list[Json] = []
    runs = []
    for run in result.runs:
        if id(run.graph) not in graphs:
            graphs[id(run.graph)] = len(networks)
            networks.append(_graph(run.graph))
        runs.append(_run(run, graphs[id(run.graph)]))
    document = {
        "schema": SCHEMA,
        "scenario": result.scenario,
        "soc": describe_soc(result.soc),
        "seed": result.seed,
        "execution": result.execution,
        "notes": result.notes,
        "reference": result.reference,
        "inputs": result.inputs,
        "networks": networks,
        "runs": runs,
    }
    text = json.dumps(document, separators=(",", ":"), default=str)
    return gzip.compress(text.encode("ascii"), compresslevel=5, mtime=0)


def load_archive(path: Path) -> Result:
    """Reads what :func:`dump_archive` wrote.

    Raises:
        ResultsError: the file is missing, damaged, or of another version of the format.
    """
    if not path.exists():
        raise ResultsError(f"{path} is missing")
    raw = read_bytes(path, limit=ARCHIVE_LIMIT, error=ResultsError)
    data = parse_json(unpack(raw, str(path)), str(path))
    check_format(
        data, SCHEMA, str(path),
        hint="make the results again with 'hetsim run', or use the hetsim that wrote them",
    )  # fmt: skip
    try:
        return _result(checked(data, ResultEntry, str(path)), str(path))
    except ResultsError:
        raise
    except HetsimError as error:
        raise ResultsError(f"{path} cannot be used: {error}") from None
    except (TypeError, ValueError) as error:
        raise damaged(str(path), str(error)) from None


def _result(document: ResultEntry, path: str) -> Result:
    networks = [Graph.create(**dict(entry)) for entry in document.networks]
    soc = soc_of(document.soc, path)
    return Result(
        scenario=document.scenario,
        soc=soc,
        seed=document.seed,
        execution=document.execution,
        runs=tuple(_read_run(entry, networks, soc) for entry in document.runs),
        notes=document.notes,
        reference=_plain(document.reference),
        inputs=document.inputs,
    )


def _plain(reference: ReferenceEntry | dict[str, None]) -> dict[str, Any]:
    return reference.model_dump(exclude_unset=True) if isinstance(reference, ReferenceEntry) else {}


# -- networks


def _graph(graph: Graph) -> Json:
    return {
        "name": graph.name,
        "operators": _columns(Operator, graph.operators, nest=_nest),
        "tensors": _columns(Tensor, graph.tensors.values()),
        "inputs": graph.inputs,
        "outputs": graph.outputs,
        "parameters": graph.parameters,
        "unread": graph.unread,
        "notes": graph.notes,
    }


def _nest(nest: LoopNest | None) -> list[object] | None:
    return None if nest is None else [getattr(nest, field.name) for field in fields(LoopNest)]


# -- runs


def _run(run: Run, network: int) -> Json:
    return {
        "model": run.model,
        "scheduler": run.scheduler,
        "metrics": run.metrics,
        "error": run.error,
        "network": network,
        "plan": None if run.plan is None else plan_columns(run.plan),
        "trace": None if run.trace is None else trace_columns(run.trace),
        "bounds": [[bound.seconds, bound.argument] for bound in run.bounds],
        "pus": {name: [pu.busy_s, pu.utilization] for name, pu in run.pus.items()},
        "links": {
            name: [link.bytes, link.utilization, link.contention_s, link.classes]
            for name, link in run.links.items()
        },
        "operators": _columns(OperatorRow, run.operators),
        "attribution": run.attribution,
        "pu_attribution": run.pu_attribution,
        "residents": _columns(Resident, run.residents),
        "energy_apart": run.energy_apart,
        "limits": _columns(Limit, run.limits),
        "range": [run.range.ratios, run.range.uncalibrated],
    }


def _read_run(entry: RunEntry, networks: Sequence[Graph], soc: SoC) -> Run:
    if entry.network >= len(networks):
        raise ValueError(f"there is no network {entry.network}")
    given: Json = dict(entry)
    given["graph"] = networks[given.pop("network")]
    for name, kind in (("plan", Plan), ("trace", Trace)):
        if given[name] is not None:
            given[name] = kind(**dict(given[name]))
    run = Run(**given)
    _check_run(run, soc)
    return run


def _check_run(run: Run, soc: SoC) -> None:
    """Names and numbers of a run must be of its network and its SoC, or no report can be drawn."""
    units = {pu.name for pu in soc.pus}
    unknown = {*run.pus, *run.pu_attribution, *(row.pu for row in run.operators)} - units
    unknown |= ({limit.pu for limit in run.limits} | run.range.uncalibrated.keys()) - units
    memories = {*soc.spec.memory, *map(on_chip, soc.pus)}
    unknown |= {row.memory for row in run.residents} - memories
    unknown |= run.links.keys() - soc.links.keys()
    parts: list[Partition] = []
    if run.plan is not None:
        # Its network is the one after any rewrites.
        validate_plan(replace(run.plan, rewrites=()), run.graph, soc)
        parts = list(run.plan.partitions)
    if run.trace is not None:
        trace = run.trace
        unknown |= trace.pu_busy_s.keys() - units
        if any(row.position >= len(parts) or row.pu >= len(units) for row in trace.tasks):
            raise ValueError("a task of its trace is none of its plan")
        if any(row.position >= len(parts) for row in trace.activities):
            raise ValueError("an activity of its trace is none of its plan")
    if len(run.range.ratios) not in (0, SAMPLES):
        raise ValueError(f"its range is of {len(run.range.ratios)} samples, and not {SAMPLES}")
    if unknown:
        raise ValueError(f"{min(unknown)!r} is not on its SoC")


def plan_columns(plan: Plan) -> Json:
    """A plan as JSON values; :class:`~hetsim.report.files.archiveschema.PlanEntry` reads it."""
    return {
        "model": plan.model,
        "partitions": _columns(Partition, plan.partitions),
        "parallel_groups": plan.parallel_groups,
        "scheduler": plan.scheduler,
        "parameters": plan.parameters,
        "predicted_s": plan.predicted_s,
        "details": plan.details,
        "rewrites": _columns(Rewrite, plan.rewrites),
        "proof": plan.proof and [plan.proof.seconds, plan.proof.by],
        "memories": plan.memories,
    }


def trace_columns(trace: Trace) -> Json:
    """A trace as JSON values; :class:`~hetsim.report.files.archiveschema.TraceEntry` reads it."""
    return {
        "makespan_s": trace.makespan_s,
        "pu_busy_s": trace.pu_busy_s,
        "links": {n: [u.bytes, u.busy_s, u.contention_s] for n, u in trace.links.items()},
        "spans": _columns(Span, trace.spans),
        "rates": _columns(RateSample, trace.rates),
        "tasks": _columns(TaskRow, trace.tasks),
        "activities": _columns(Activity, trace.activities),
        "hits": _columns(Hit, trace.hits),
        "arrived": trace.arrived,
        "finished": trace.finished,
        "events": trace.events,
        "state_peak_bytes": trace.state_peak_bytes,
    }


# -- rows as columns


def _columns(
    kind: type[Row], rows: Iterable[Row], **encode: Callable[[Any], object]
) -> dict[str, list[object]]:
    """One list per field of ``kind``; ``encode`` makes JSON of the fields it names."""
    listed = list(rows)
    table: dict[str, list[object]] = {}
    for name in names_of(kind):
        values = [getattr(row, name) for row in listed]
        convert = encode.get(name)
        table[name] = values if convert is None else [convert(value) for value in values]
    return table
