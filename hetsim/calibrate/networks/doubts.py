"""What may be wrong with a row or its graph: where it stands, and what would have to be true.

None of these looks at a model. Those of latencies compare measurements with each other and only
warn; a wrong unit of a whole column is seen against arithmetic that no device reaches.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from hetsim.calibrate.networks.graphs import FoundGraph
from hetsim.calibrate.networks.precision import MIXED, UNKNOWN, precision_of
from hetsim.calibrate.networks.table import NetworkTime
from hetsim.cost.measured.table import Doubt

SHAPES, PARAMETERS, LAYERS = "input shapes", "parameters", "layers"
UNITS, PRECISION, PHASE = "several units", "precision", "phase"
REPEATED, RUNTIMES, ORDER, COPIES = (
    "repeated row",
    "runtimes",
    "order of magnitude",
    "copied device",
)
SLOWER, OFF = "quantised slower", "off the table"

FACTOR = 2.0
"""Two measurements of one thing that are further apart than this are told."""

PARAMETERS_APART = 0.1

LAYERS_APART = 1.6
"""Times as many layers as operators. Runtimes count views (reshapes and the like) that a graph here
does not have; in transformers that match in structure, they are up to a third of the layers."""


def _times(value: float) -> str:
    return f"{value:.0f}x" if value >= 10 else f"{value:.1f}x"


def line_of(row: NetworkTime) -> str:
    """Where another row stands, in a message that already names the file."""
    return f"line {row.where.line}" if row.where else "another row"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.4g} ms"


def without_graph(doubt: Doubt, network: str, component: str, rows: Sequence[NetworkTime]) -> Doubt:
    """A missing or unreadable graph, with the rows it costs."""
    lost = [row for row in rows if (row.network, row.component) == (network, component)]
    where = doubt.where or lost[0].where
    return replace(doubt, message=f"{doubt.message}; {len(lost)} rows without it", where=where)


def of_graph(
    network: str, found: FoundGraph, rows: Sequence[NetworkTime], *, alone: bool
) -> tuple[Doubt, ...]:
    """Where a graph is not what was measured: shapes, parameters, number of layers.

    ``alone``: the network was measured as one component, so published parameters are of this one.
    """
    told = [
        _shapes(network, found),
        _parameters(network, found, alone),
        _layers(network, found, rows),
    ]
    return tuple(doubt for doubt in told if doubt is not None)


def _shapes(network: str, found: FoundGraph) -> Doubt | None:
    text = found.stated.get("input_shapes", "")
    wrong = []
    for part in filter(None, text.split(";")):
        name, _, sizes = part.partition("=")
        tensor = found.graph.tensors.get(name.strip())
        if tensor is None or not sizes:
            continue  # an input nothing reads, or "and 23 more"
        graph = "x".join(map(str, tensor.shape))
        if graph != sizes.strip():
            wrong.append(f"{name} is {sizes} where measured and {graph} in {found.source}")
    if not wrong:
        return None
    return Doubt(SHAPES, f"{network}: {'; '.join(wrong)}; they would have to be equal", found.where)


def _parameters(network: str, found: FoundGraph, alone: bool) -> Doubt | None:
    text = found.stated.get("params_info_M", "")
    try:
        published = float(text) * 1e6
    except ValueError:
        return None
    if not (published > 0 and math.isfinite(published)):
        return None
    graph = found.graph
    # A tied table of embeddings is stored once and may stand in the file twice.
    counts = (graph.parameters, graph.parameters - graph.unread)
    if any(abs(count / published - 1) <= PARAMETERS_APART for count in counts):
        return None
    if not alone and min(counts) < published:
        return None  # published of all components together
    return Doubt(
        PARAMETERS,
        f"{network}: {found.source} has {graph.parameters / 1e6:.3g} M parameters, published are"
        f" {published / 1e6:.3g} M; within {PARAMETERS_APART:.0%} it would be the same network",
        found.where,
    )


def _layers(network: str, found: FoundGraph, rows: Sequence[NetworkTime]) -> Doubt | None:
    """The nearest count of any runtime decides: runtimes fuse and split as they please."""
    operators = len(found.graph.operators)
    counted = [(sum(row.layers.values()), row) for row in rows if sum(row.layers.values())]
    if not counted:
        return None

    def apart(count: int) -> float:
        return max(operators / count, count / operators)

    count, row = min(counted, key=lambda pair: apart(pair[0]))
    if apart(count) <= LAYERS_APART:
        return None
    return Doubt(
        LAYERS,
        f"{network}: {row.runtime or 'the runtime'} ran {count} layers, and {found.source} has"
        f" {operators} operators; between {operators / LAYERS_APART:.0f} and"
        f" {operators * LAYERS_APART:.0f} it would be the same network",
        row.where,
    )


def of_rows(rows: Sequence[NetworkTime]) -> dict[int, list[Doubt]]:
    """Doubts of single rows by their ``id``, in the order they are told."""
    told: dict[int, list[Doubt]] = defaultdict(list)
    for row in rows:
        told[id(row)] += _of_row(row)
    groups: dict[tuple[object, ...], list[NetworkTime]] = defaultdict(list)
    for row in rows:
        groups[_job(row), row.device].append(row)
    for same in groups.values():
        for doubt, row in _disagreements(same):
            told[id(row)].append(doubt)
    return told


def _job(row: NetworkTime) -> tuple[object, ...]:
    return (row.network, row.component, row.precision.lower(), row.phase, row.batch, row.tokens,
            row.context)  # fmt: skip


def _of_row(row: NetworkTime) -> list[Doubt]:
    told = []
    ran = {unit: count for unit, count in row.layers.items() if count}
    if len(ran) > 1:
        parts = ", ".join(f"{count} on the {unit}" for unit, count in ran.items())
        told.append(
            Doubt(
                UNITS, f"{row.network}: {parts}; a unit is fitted to what it ran alone", row.where
            )
        )
    if (group := precision_of(row.precision, row.unit).group) in (MIXED, UNKNOWN):
        why = "which operators are in which is not told" if group == MIXED else "it is not known"
        name = row.precision or "none"
        told.append(
            Doubt(
                PRECISION,
                f"{row.network}: precision {name!r}: {why}; it would have to be float,"
                " w8a8 or w8a16",
                row.where,
            )
        )  # fmt: skip
    if row.phase != "inference" or row.batch != 1:
        told.append(
            Doubt(
                PHASE,
                f"{row.network}: phase {row.phase}, batch {row.batch}; a graph stands for one"
                " inference of batch 1",
                row.where,
            )
        )
    return told


def _disagreements(same: Sequence[NetworkTime]) -> list[tuple[Doubt, NetworkTime]]:
    """Rows of one network and precision on one device that are far apart."""
    told = []
    by_unit: dict[tuple[str, str], NetworkTime] = {}
    for row in same:
        first = by_unit.setdefault((row.runtime, row.unit), row)
        ratio = max(row.latency_s / first.latency_s, first.latency_s / row.latency_s)
        if ratio > FACTOR:
            doubt = Doubt(
                REPEATED,
                f"{row.network}: {_ms(row.latency_s)}, and {_ms(first.latency_s)} in"
                f" {line_of(first)}, of the same thing ({_times(ratio)}); both are kept",
                row.where,
            )
            told.append((doubt, row))
    units: dict[str, list[NetworkTime]] = defaultdict(list)
    for row in by_unit.values():
        units[row.unit].append(row)
    for rows in units.values():
        usual = min(row.latency_s for row in rows)
        for row in rows:
            if row.latency_s > FACTOR * usual:
                best = min(rows, key=lambda r: r.latency_s)
                doubt = Doubt(
                    RUNTIMES,
                    f"{row.network}: {_ms(row.latency_s)} under {row.runtime},"
                    f" {_ms(best.latency_s)} under {best.runtime} in {line_of(best)}"
                    f" ({_times(row.latency_s / usual)}); both are kept",
                    row.where,
                )
                told.append((doubt, row))
    return told
