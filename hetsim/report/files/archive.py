"""``runs.json.gz``: a whole result on disk, from which every report can be made again.

What is stored is the :class:`~hetsim.analysis.result.Result` itself: the SoC as a description, the
networks, the plans, the metrics as they were read, and the traces as columns. Reading gives back an
equal result (networks forget which file they came from), so a report made from it is the same to
the byte. The file depends on the result alone; wall-clock times stand in ``manifest.json``.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from hetsim.analysis.result import LinkMetrics, OperatorRow, PUMetrics, Result, Run
from hetsim.bounds.bound import Bound
from hetsim.errors import HetsimError, ResultsError
from hetsim.plan.model import Partition, Plan, Proof
from hetsim.sim.trace import Activity, LinkUsage, RateSample, Span, TaskRow, Trace
from hetsim.soc.describe import describe_soc, soc_of
from hetsim.workload.graph import Graph, LoopNest, Operator, Tensor
from hetsim.workload.rewrite import Rewrite

SCHEMA = "hetsim.runs/2"
NAME = "runs.json.gz"

Row = TypeVar("Row")
Json = dict[str, Any]

_SCALARS = ("model", "scheduler", "metrics", "error")
"""Fields of a run that are stored as they are."""


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
    try:
        document = json.loads(gzip.decompress(path.read_bytes()))
    except FileNotFoundError:
        raise ResultsError(f"{path} is missing") from None
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ResultsError(f"{path} is damaged: {error}") from None
    found = document.get("schema") if isinstance(document, dict) else None
    if found != SCHEMA:
        raise ResultsError(
            f"{path} has format {found!r}; this hetsim reads {SCHEMA!r}",
            hint="make the results again with 'hetsim run', or use the hetsim that wrote them",
        )
    try:
        return _result(document, str(path))
    except HetsimError as error:
        raise ResultsError(f"{path} cannot be used: {error}") from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ResultsError(f"{path} is damaged: {type(error).__name__} {error}") from None


def _result(document: Json, path: str) -> Result:
    networks = [_read_graph(entry) for entry in document["networks"]]
    return Result(
        scenario=document["scenario"],
        soc=soc_of(document["soc"], path),
        seed=document["seed"],
        execution=document["execution"],
        runs=tuple(_read_run(entry, networks) for entry in document["runs"]),
        notes=tuple(document["notes"]),
        reference=document["reference"],
        inputs=document["inputs"],
    )


# -- networks


def _graph(graph: Graph) -> Json:
    return {
        "name": graph.name,
        "operators": _columns(Operator, graph.operators, nest=_nest),
        "tensors": _columns(Tensor, graph.tensors.values()),
        "inputs": graph.inputs,
        "outputs": graph.outputs,
        "parameters": graph.parameters,
        "notes": graph.notes,
    }


def _nest(nest: LoopNest | None) -> list[object] | None:
    return None if nest is None else [getattr(nest, field.name) for field in fields(LoopNest)]


def _read_graph(entry: Json) -> Graph:
    operators = _rows(
        Operator,
        entry["operators"],
        inputs=tuple,
        outputs=tuple,
        weights=lambda pairs: tuple((dtype, count) for dtype, count in pairs),
        nest=lambda values: None if values is None else LoopNest(*values),
    )
    return Graph.create(
        entry["name"],
        operators,
        _rows(Tensor, entry["tensors"], shape=tuple),
        entry["inputs"],
        entry["outputs"],
        parameters=entry["parameters"],
        notes=entry["notes"],
    )


# -- runs


def _run(run: Run, network: int) -> Json:
    entry: Json = {name: getattr(run, name) for name in _SCALARS}
    return entry | {
        "network": network,
        "plan": None if run.plan is None else _plan(run.plan),
        "trace": None if run.trace is None else _trace(run.trace),
        "bounds": [[bound.seconds, bound.argument] for bound in run.bounds],
        "pus": {name: [pu.busy_s, pu.utilization] for name, pu in run.pus.items()},
        "links": {
            name: [link.bytes, link.utilization, link.contention_s]
            for name, link in run.links.items()
        },
        "operators": _columns(OperatorRow, run.operators),
        "attribution": run.attribution,
        "pu_attribution": run.pu_attribution,
    }


def _read_run(entry: Json, networks: Sequence[Graph]) -> Run:
    return Run(
        graph=networks[entry["network"]],
        plan=None if entry["plan"] is None else _read_plan(entry["plan"]),
        trace=None if entry["trace"] is None else _read_trace(entry["trace"]),
        bounds=tuple(Bound(*bound) for bound in entry["bounds"]),
        pus={name: PUMetrics(*pu) for name, pu in entry["pus"].items()},
        links={name: LinkMetrics(*link) for name, link in entry["links"].items()},
        operators=tuple(_rows(OperatorRow, entry["operators"])),
        attribution=entry["attribution"],
        pu_attribution=entry["pu_attribution"],
        **{name: entry[name] for name in _SCALARS},
    )


def _plan(plan: Plan) -> Json:
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
    }


def _read_plan(entry: Json) -> Plan:
    return Plan(
        model=entry["model"],
        partitions=tuple(_rows(Partition, entry["partitions"], operators=tuple)),
        parallel_groups=tuple(tuple(group) for group in entry["parallel_groups"]),
        scheduler=entry["scheduler"],
        parameters=entry["parameters"],
        predicted_s=entry["predicted_s"],
        details=entry["details"],
        rewrites=tuple(
            _rows(
                Rewrite,
                entry["rewrites"],
                operators=tuple,
                tail=tuple,
                kernel=lambda size: None if size is None else tuple(size),
            )
        ),
        proof=entry["proof"] and Proof(*entry["proof"]),
    )


def _trace(trace: Trace) -> Json:
    return {
        "makespan_s": trace.makespan_s,
        "pu_busy_s": trace.pu_busy_s,
        "links": {n: [u.bytes, u.busy_s, u.contention_s] for n, u in trace.links.items()},
        "spans": _columns(Span, trace.spans),
        "rates": _columns(RateSample, trace.rates),
        "tasks": _columns(TaskRow, trace.tasks),
        "activities": _columns(Activity, trace.activities),
        "arrived": trace.arrived,
        "finished": trace.finished,
        "events": trace.events,
    }


def _read_trace(entry: Json) -> Trace:
    return Trace(
        makespan_s=entry["makespan_s"],
        pu_busy_s=entry["pu_busy_s"],
        links={name: LinkUsage(*usage) for name, usage in entry["links"].items()},
        spans=_rows(Span, entry["spans"], operators=tuple),
        rates=_rows(RateSample, entry["rates"]),
        tasks=_rows(TaskRow, entry["tasks"]),
        activities=_rows(Activity, entry["activities"]),
        arrived=entry["arrived"],
        finished=entry["finished"],
        events=entry["events"],
    )


# -- rows of dataclasses as columns


def _columns(
    kind: type[Row], rows: Iterable[Row], **encode: Callable[[Any], object]
) -> dict[str, list[object]]:
    """One list per field of ``kind``; ``encode`` makes JSON of the fields it names."""
    listed = list(rows)
    table: dict[str, list[object]] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        values = [getattr(row, field.name) for row in listed]
        convert = encode.get(field.name)
        table[field.name] = values if convert is None else [convert(value) for value in values]
    return table


def _rows(
    kind: type[Row], table: Mapping[str, list[Any]], **decode: Callable[[Any], object]
) -> list[Row]:
    """The rows of :func:`_columns`; all columns must be there and equally long."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    columns = [
        list(map(decode[name], table[name])) if name in decode else table[name] for name in names
    ]
    return [kind(*values) for values in zip(*columns, strict=True)]
