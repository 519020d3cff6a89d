"""ONNX Runtime profiles: a JSON array of events, of which the kernels' are read.

Node names are the model's as long as no graph optimisation renamed or fused them; what does not
match is told. The first run of a session allocates memory and is left out when there are more.

The profiler writes down the shapes of a kernel's tensors before it stops the kernel's clock, which
takes as long as a small kernel. A node that only renames memory (Reshape, Flatten) does nothing
else in its time, so the quickest of them tells what every kernel bears; that is taken off all. A
file without such nodes leaves it open: it can be no more than its quickest kernel took.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.readers.base import Findings, Request, finish
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.errors import ConfigError, Location
from hetsim.infiles import read_text
from hetsim.records import parse_json
from hetsim.workload.graph import Graph

SUFFIX = "_kernel_time"
_VIEWS = frozenset({"Reshape", "Flatten", "Identity", "Dropout", "Squeeze", "Unsqueeze"})
Times = dict[str, list[float]]


def read(request: Request) -> list[ProfileTable]:
    """Reads profiles of ONNX Runtime: one table per execution provider.

    Raises:
        ConfigError: no network given, a unit given, not such a profile, nothing that can be used.
    """
    request.need_graphs("an ONNX Runtime profile")
    request.refuse_unit("an ONNX Runtime profile")
    entries: dict[str, list[Entry]] = {}
    findings = Findings()
    for path in request.files:
        where = Location(str(path))
        events = kernel_events(read_text(path), where)
        graph = _graph_of(events, request.graphs)
        _check_shapes(events, graph, findings, where)
        for provider in dict.fromkeys(_provider(event) for event in events):
            mine = [event for event in events if _provider(event) == provider]
            found = entries.setdefault(request.device or provider, [])
            times = _without_overhead(times_by_node(mine), mine, findings, where)
            found += node_entries(times, graph, findings, where)
    tables = []
    for device, found in entries.items():
        table = ProfileTable.of(
            found,
            name=device,
            device=device,
            source=f"ONNX Runtime profile {', '.join(path.name for path in request.files)}",
            scope="kernel",
            doubts=findings.doubts,
            remarks=("microseconds of kernels, without the overhead between and in them",),
        )
        tables.append(finish(table, request))
    return tables


def kernel_events(text: str, where: Location) -> list[Mapping[str, Any]]:
    """The kernels' events of a profile.

    Raises:
        ConfigError: it is not JSON, or holds no such event.
    """
    events = parse_json(text, where.file, error=ConfigError, ours=False)
    if isinstance(events, dict):
        events = events.get("traceEvents")
    if not isinstance(events, list):
        raise ConfigError("a profile of ONNX Runtime is a JSON array of events", where=where)
    kernels: list[Mapping[str, Any]] = [
        event
        for event in events
        if isinstance(event, dict)
        and event.get("cat") == "Node"
        and str(event.get("name", "")).endswith(SUFFIX)
        and _is_number(event.get("dur"))
        and _is_number(event.get("ts", 0.0))
    ]
    if not kernels:
        raise ConfigError(
            f"none of its {len(events)} events is a kernel (category Node, name ...{SUFFIX})",
            where=where,
            hint="switch profiling on with SessionOptions.enable_profiling and run the model",
        )
    return kernels


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and 0.0 <= value < 1e18


def times_by_node(events: Sequence[Mapping[str, Any]]) -> Times:
    """Durations in seconds by node name, in order of time; the first run is left out."""
    times: Times = {}
    for event in sorted(events, key=lambda e: float(e.get("ts", 0.0))):
        name = str(event["name"]).removesuffix(SUFFIX)
        times.setdefault(name, []).append(float(event["dur"]) * 1e-6)
    return {name: runs[1:] if len(runs) > 1 else runs for name, runs in times.items()}


def typical(runs: Sequence[float]) -> float:
    """The mean of the middle half: the clock counts whole microseconds, and others disturb."""
    quarter = len(runs) // 4
    return mean(sorted(runs)[quarter : len(runs) - quarter])


def profiler_overhead(
    times: Times, events: Sequence[Mapping[str, Any]]
) -> tuple[float | None, str]:
    """Seconds that the profiler itself spends in each kernel's time, and the node that tells.

    ``None`` when no node only renames memory; then the quickest node of all.
    """
    kinds = {
        str(event["name"]).removesuffix(SUFFIX): event.get("args", {}).get("op_name")
        for event in events
    }
    views = [name for name in times if kinds.get(name) in _VIEWS]
    quickest = min(views or times, key=lambda name: typical(times[name]))
    return (typical(times[quickest]) if views else None), quickest


def _without_overhead(
    times: Times, events: Sequence[Mapping[str, Any]], findings: Findings, where: Location
) -> Times:
    overhead, node = profiler_overhead(times, events)
    if overhead is None:
        findings.add(
            "profiler", "no node only renames memory, so what the profiler itself takes in each"
            f" kernel stays in; it is at most the {typical(times[node]) * 1e6:.1f} us of {node}",
            where,
        )  # fmt: skip
        return times
    findings.add(
        "profiler", f"{overhead * 1e6:.1f} us were taken off every kernel: {node} does nothing else"
        " in its time than be profiled", where,
    )  # fmt: skip
    return {name: [max(t - overhead, 0.0) for t in runs] for name, runs in times.items()}


def node_entries(times: Times, graph: Graph, findings: Findings, where: Location) -> list[Entry]:
    """An entry for every operator of ``graph`` that was timed."""
    entries, tiny = [], []
    for op in graph.operators:
        runs = times.get(op.name)
        if runs is None:
            continue
        seconds = typical(runs)
        if seconds == 0.0:
            tiny.append(op.name)
            seconds = 0.5e-6
        entries.append(
            Entry(
                operator_key(graph, op), seconds, half_quartiles(runs), len(runs),
                (f"{graph.name}:{op.name}",), where,
            )
        )  # fmt: skip
    findings.several(
        "below the clock", "operators took less than the clock's microsecond; 0.5 us is used",
        tiny, where,
    )  # fmt: skip
    return entries


def half_quartiles(times: Sequence[float]) -> float | None:
    """Half the distance between the quartiles; ``None`` for fewer than four times."""
    if len(times) < 4:
        return None
    ordered = sorted(times)
    quarter = len(ordered) // 4
    return (ordered[-1 - quarter] - ordered[quarter]) / 2


def _provider(event: Mapping[str, Any]) -> str:
    return str(event.get("args", {}).get("provider", "onnxruntime"))


def _graph_of(events: Sequence[Mapping[str, Any]], graphs: Sequence[Graph]) -> Graph:
    """The network that has most of the profile's nodes."""
    names = {str(event["name"]).removesuffix(SUFFIX) for event in events}
    return max(graphs, key=lambda graph: len(names & graph.index.keys()))


def _check_shapes(
    events: Sequence[Mapping[str, Any]], graph: Graph, findings: Findings, where: Location
) -> None:
    """Tells nodes that are not operators of the network, or have other shapes there."""
    foreign: dict[str, str] = {}
    inside: dict[str, str] = {}
    other: dict[str, str] = {}
    for event in events:
        name = str(event["name"]).removesuffix(SUFFIX)
        arguments = event.get("args", {})
        if name not in graph.index:
            if arguments.get("op_name") not in _VIEWS:
                told = inside if name in graph.absorbed else foreign
                told[name] = f"{name} ({arguments.get('op_name', '?')})"
            continue
        made = arguments.get("output_type_shape")
        op = graph.operators[graph.index[name]]
        if isinstance(made, list) and made and isinstance(made[0], dict):
            shape = tuple(next(iter(made[0].values()), ()))
            if op.outputs and shape != graph.tensors[op.outputs[0]].shape:
                wanted = graph.tensors[op.outputs[0]].shape
                other[name] = f"{name} made {list(shape)}, the network says {list(wanted)}"
    findings.several(
        "unknown nodes", f"nodes are no operators of {graph.name} (fused, renamed, or of another"
        " optimisation level)", list(foreign.values()), where,
    )  # fmt: skip
    findings.several(
        "absorbed nodes", f"nodes are part of other operators in {graph.name} (folded, or making"
        " constants); their times are left out", list(inside.values()), where,
    )  # fmt: skip
    if other:
        shown = "; ".join(list(other.values())[:3])
        raise ConfigError(
            f"{len(other)} operators have other shapes than in {graph.name}: {shown}",
            where=where,
            hint="give the network the input shapes that were profiled",
        )
