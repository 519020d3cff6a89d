"""The data inside ``report.html``: every run's rows in few bytes.

Texts stand once in a table and are referred to by position; spans are columns of integers
(nanoseconds; starts as differences from the previous span of the row), which the page expands for
the run it shows. Seven networks under eight schedulers take a few megabytes this way.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hetsim.analysis.result import Run
from hetsim.plan.model import Plan
from hetsim.report.counters import counters
from hetsim.report.files.perfetto import partition_dependencies
from hetsim.report.lanes import explain, nanoseconds, rows_of
from hetsim.report.limits import limit_texts
from hetsim.report.palette import PARTS, STYLES, style_of
from hetsim.report.summary import LEVEL_TEXT, facts_of, metric_text, range_text, time_unit
from hetsim.report.why import critical_steps, wait_texts
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph, Operator

Json = dict[str, object]


class _Texts:
    """A table of texts: each stands once, in order of first use."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.index.setdefault(text, len(self.index))


@dataclass(frozen=True, slots=True)
class Told:
    """A run that the page may show: what it ran on, and its ``label`` beside others of its network.

    ``files`` are those beside the page, by kind; ``None`` where there never are any.
    """

    run: Run
    soc: SoC
    label: str = ""
    files: Mapping[str, str] | None = None


def timelines(told: Sequence[Told]) -> Json:
    """Everything the page's scripts read, as plain JSON values."""
    texts = _Texts()
    kinds = list(STYLES)
    graphs: dict[int, int] = {}
    models: list[Json] = []
    runs: list[Json] = []
    for one in told:
        run = one.run
        if id(run.graph) not in graphs:
            graphs[id(run.graph)] = len(models)
            models.append(_model(run.graph, texts))
        row = _summary(run, one.soc, graphs[id(run.graph)])
        row["scheduler"] = one.label or run.scheduler
        row["files"] = None if one.files is None else dict(one.files)
        if run.trace is not None:
            row |= _timeline(run, run.trace, one.soc, texts, kinds)
        if run.plan is not None and run.trace is not None:
            row |= _plan(run.graph, run.plan, texts)
            row |= _story(run, run.plan, texts)
        runs.append(row)
    styles = [[kind, style_of(kind).label, style_of(kind).colour, _tile(kind)] for kind in kinds]
    parts = [[style.label, style.colour, style.hatch[:1]] for style in PARTS.values()]
    return {
        "texts": list(texts.index), "kinds": styles, "parts": parts, "models": models, "runs": runs,
    }  # fmt: skip


def _tile(kind: str) -> str:
    """The first letter of a hatch: which lines the page draws."""
    return style_of(kind).hatch[:1]


def _model(graph: Graph, texts: _Texts) -> Json:
    return {
        "name": graph.name,
        "operators": [
            [texts(op.name), texts(op.kind), texts(_shapes(graph, op)), op.macs, op.element_ops,
             op.weight_elements]
            for op in graph.operators
        ],
    }  # fmt: skip


def _shapes(graph: Graph, op: Operator) -> str:
    def text(names: Iterable[str]) -> str:
        return ", ".join(
            "×".join(map(str, graph.tensors[name].shape)) or "scalar" for name in names
        )

    return f"{text(op.inputs)} → {text(op.outputs)}"


def _summary(run: Run, soc: SoC, model: int) -> Json:
    return {
        "model": model,
        "network": run.model,
        "scheduler": run.scheduler,
        "error": run.error,
        "makespan": _finite(run.makespan_s),
        "range": _range(run),
        "predicted": _finite(run.predicted_s),
        "bound": _finite(run.lower_bound_s),
        "gap": _finite(run.gap),
        "facts": [[m.title, metric_text(m, value, scaled=True)] for m, value in facts_of(run)],
        "contention_cost": _finite(run.contention_cost_s),
        "path": _split(run.attribution),
        "pu_paths": [[name, _split(parts)] for name, parts in run.pu_attribution.items()],
        "limits": limit_texts(run),
        "bounds": [[_finite(b.seconds), b.argument] for b in run.bounds],
        "pus": [[name, pu.busy_s, _finite(pu.utilization)] for name, pu in run.pus.items()],
        "links": [
            [name, link.bytes, _finite(link.utilization), link.contention_s]
            for name, link in run.links.items()
        ],
    }


def _range(run: Run) -> str:
    """The range of the makespan for people; nothing where there is none."""
    if run.makespan_s is None or run.makespan_range_s is None:
        return ""
    unit, factor = time_unit(run.makespan_s)
    return f"{range_text(*run.makespan_range_s, factor)} {unit}, {LEVEL_TEXT}"


def _split(parts: Mapping[str, float]) -> list[list[int]]:
    """Parts of a makespan that are not nothing, as (number of the part, nanoseconds)."""
    known = list(PARTS)
    return [
        [known.index(part), nanoseconds(parts[part])] for part in known if parts.get(part, 0.0) > 0
    ]


def _timeline(run: Run, trace: Trace, soc: SoC, texts: _Texts, kinds: list[str]) -> Json:
    rows = rows_of(trace, soc)
    index = run.graph.index
    launches: dict[tuple[str, ...], int] = {(): 0}
    rank = {kind: i for i, kind in enumerate(kinds)}
    columns: dict[str, list[int]] = {
        key: []
        for key in ("kind", "start", "time", "lost", "part", "ops", "name", "bytes", "note", "run")
    }
    for row in rows:
        before = 0
        for position in row.spans:
            span = trace.spans[position]
            if span.kind not in rank:
                rank[span.kind] = len(kinds)
                kinds.append(span.kind)
            start, end = nanoseconds(span.start), nanoseconds(span.end)
            joined = "+".join(span.operators)
            columns["kind"].append(rank[span.kind])
            columns["start"].append(start - before)
            columns["time"].append(end - start)
            columns["lost"].append(nanoseconds(span.end - span.start - span.alone_s))
            columns["part"].append(texts(span.partition))
            columns["ops"].append(launches.setdefault(span.operators, len(launches)))
            columns["name"].append(-1 if span.name == joined else texts(span.name))
            columns["bytes"].append(round(span.bytes))
            columns["note"].append(texts(span.note))
            columns["run"].append(span.inference)
            before = start
    for key in ("lost", "run", "name"):  # most traces need only one value here
        if len(set(columns[key])) == 1:
            columns[key] = columns[key][:1]
    return {
        "span_ns": nanoseconds(trace.makespan_s),
        "rows": [[row.label, row.role, len(row.spans), explain(row, soc)] for row in rows],
        "spans": columns,
        "launches": [[index[op] for op in launch if op in index] for launch in launches],
        "counters": _counters(trace, soc),
        "table": _table(run, texts),
    }


_GRID = {"rate": 1e3, "memory": 1.0, "power": 1e-6}
"""What counts of a counter are multiples of: kB/s, bytes, µW."""


def _counters(trace: Trace, soc: SoC) -> list[Json]:
    found: list[Json] = []
    for counter in counters(trace, soc):
        times = [nanoseconds(t) for t in counter.times]
        grid = _GRID[counter.kind]
        found.append(
            {
                "name": counter.name,
                "kind": counter.kind,
                "capacity": counter.capacity,
                "grid": grid,
                "step": [b - a for a, b in zip([0, *times], times, strict=False)],
                "count": [round(value / grid) for value in counter.values],
            }
        )
    return found


def _story(run: Run, plan: Plan, texts: _Texts) -> Json:
    """The critical path, and what each partition waited for."""
    names = [texts(part.name) for part in plan.partitions]
    path = [
        [step.kind, step.inference, names[step.position] if step.kind == "task" else -1,
         nanoseconds(step.start), nanoseconds(step.end)]
        for step in critical_steps(run)
    ]  # fmt: skip
    return {
        "critical": path,
        "waits": [
            [inference, names[position], texts(text)]
            for (inference, position), text in wait_texts(run).items()
        ],
    }


def _table(run: Run, texts: _Texts) -> list[list[int]]:
    """The rows of ``operators.csv`` of this run; shares of roofs in millionths, energy in nJ."""
    return [
        [texts(r.partition), texts(r.pu), texts(r.operators), texts(r.kinds), r.macs, r.load_bytes,
         r.store_bytes, nanoseconds(r.start_s), nanoseconds(r.end_s), nanoseconds(r.alone_s),
         texts(r.cost_source), texts(r.bound),
         round(1e6 * r.rate / r.ceiling) if r.ceiling else -1, round(r.energy_j * 1e9)]
        for r in run.operators
    ]  # fmt: skip


def _plan(graph: Graph, plan: Plan, texts: _Texts) -> Json:
    group_of = {name: i + 1 for i, group in enumerate(plan.parallel_groups) for name in group}
    needs: dict[str, list[int]] = {part.name: [] for part in plan.partitions}
    for source, target in partition_dependencies(graph, plan):
        needs[target].append(texts(source))
    return {
        "parts": [
            [texts(part.name), texts(part.pu), [graph.index[op] for op in part.operators],
             int(part.fuse), group_of.get(part.name, 0), needs[part.name]]
            for part in plan.partitions
        ],
        "parameters": _readable(plan.parameters),
        "details": _readable(plan.details),
    }  # fmt: skip


def _readable(values: Mapping[str, object]) -> list[list[str]]:
    """Whatever a scheduler noted, as texts that fit a report."""
    return [[str(key), text if len(text := str(_plain(value))) <= 400 else text[:399] + "…"]
            for key, value in values.items()]  # fmt: skip


def _plain(value: object) -> object:
    """As JSON would keep it, so that a result read back shows the same."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
