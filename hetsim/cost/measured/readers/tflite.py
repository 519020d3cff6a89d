"""Operator times of TFLite's ``benchmark_model`` (``--enable_op_profiling``), as CSV or as printed.

The report has a block for the initialisation and one for the runs; each lists nodes in run order,
again by time, and sums by kind. Read is the run order of the runs; where only the sums were kept,
those of kinds that the network has once. A node is found by its kind and its position
(``[tensor]:7``), which is how a network read from a TFLite file calls its operators, and its tensor
must be the same. A time covers the activation function inside a node, so it stands for both.

A delegate (XNNPACK, NNAPI, GPU) runs many operators as one node, whose time cannot be divided.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hetsim.cost.measured.keys import group_key
from hetsim.cost.measured.readers.base import Findings, Request, listed, one_device
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.errors import ConfigError, Location, shortened
from hetsim.infiles import read_text
from hetsim.workload.graph import Graph, Operator

RUN_ORDER, BY_KIND = "run order", "summary by node type"
_SECTIONS = (RUN_ORDER, BY_KIND)
_TITLE = re.compile(r"=+ (.+?) =+")
_NAME = re.compile(r"\[(.*)\]:(\d+)")
_COUNT = re.compile(r"Timings \(microseconds\): count=(\d+)")
_HALF_STEP_S = 0.5e-6
"""Half of the last digit that is printed."""
_MOST_NAME = 60


@dataclass(frozen=True)
class _Row:
    """A node or, in the sums, a kind: how often in a run, and seconds in a run."""

    kind: str
    name: str
    seconds: float
    nodes: int
    line: int


@dataclass
class _Report:
    """The block of the runs."""

    rows: dict[str, list[_Row]] = field(default_factory=dict)
    runs: int = 1
    broken: list[str] = field(default_factory=list)


def read(request: Request) -> list[ProfileTable]:
    """Reads reports of ``benchmark_model``: one table, of the unit that the user names.

    Raises:
        ConfigError: no network given, a unit given, not such a report, another network's.
    """
    request.need_graphs("a report of benchmark_model")
    request.refuse_unit("a report of benchmark_model")
    findings = Findings()
    entries: list[Entry] = []
    for path in request.files:
        where = Location(str(path))
        report = _parse(read_text(path), where)
        findings.several("broken rows", "rows cannot be used", report.broken, where)
        if report.rows.get(RUN_ORDER):
            entries += _by_node(report, request.graphs, findings, where)
        else:
            entries += _by_kind(report, request.graphs, findings, where)
    return one_device(
        entries, request, findings, tool="tflite", what="benchmark_model report",
        left="mean of the runs; the first run's times and the memory are not used",
    )  # fmt: skip


def _parse(text: str, where: Location) -> _Report:
    report, section, starting = _Report(), "", False
    header: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if "Profiling Info for" in line:
            starting = "Initialization" in line
        elif starting:
            continue
        elif title := _TITLE.search(line):
            section, header = title[1].lower(), []
            report.rows.setdefault(section, [])
        elif count := _COUNT.search(line):
            report.runs, section = max(int(count[1]), 1), ""
        elif section in _SECTIONS and line.strip():
            place = Location(where.file, number)
            if not header:
                header = _header(line, place)
            else:
                _add(report, section, header, line, number)
        elif not line.strip():
            section = ""
    if not any(report.rows.get(section) for section in _SECTIONS):
        told = f" ({listed(report.broken)})" if report.broken else ""
        raise ConfigError(
            f"no operator was timed in it{told}",
            where=where,
            hint="run benchmark_model with --enable_op_profiling=true, and"
            " --profiling_output_csv_file=FILE",
        )
    return report


def _cells(line: str) -> list[str]:
    """The cells of a row; in the printed form columns are padded, and names have single blanks."""
    if "\t" in line.strip() and ", " not in line.split("[")[0]:
        return [cell.strip() for cell in line.strip().split("\t")]
    parts = line.split(", ") if ", " in line.split("[")[0] else re.split(r"\s{2,}", line.strip())
    return [part.strip() for part in parts]


def _header(line: str, place: Location) -> list[str]:
    header = [cell.strip("[]").replace("_", " ").lower() for cell in _cells(line)]
    if "node type" not in header or "avg ms" not in header or "times called" not in header:
        raise ConfigError(
            f"columns are {', '.join(header)}",
            where=place,
            hint="expected are: node type, first, avg_ms, %, cdf%, mem KB, times called, name",
        )
    return header


def _add(report: _Report, section: str, header: list[str], line: str, number: int) -> None:
    cells = _cells(line)
    row = dict(zip(header, cells, strict=False))
    try:
        average, called = float(row["avg ms"]), float(row["times called"])
        nodes = int(row.get("count", 1))
    except (KeyError, ValueError):
        report.broken.append(f"line {number}: {' '.join(cells)[:60]!r} lacks columns or numbers")
        return
    # In the sums an average is of all nodes of the kind; of a node it is of one call.
    seconds = average * 1e-3 * (called if section == RUN_ORDER else 1.0)
    if not (math.isfinite(seconds) and seconds >= 0):
        report.broken.append(f"line {number}: {average} ms is no time")
        return
    report.rows[section].append(_Row(row["node type"], row.get("name", ""), seconds, nodes, number))


def _parts(graph: Graph) -> dict[str, list[Operator]]:
    """The operators that each node of the file became, by the node's name."""
    found: dict[str, list[Operator]] = {}
    for op in graph.operators:
        found.setdefault(op.name.split("/")[0], []).append(op)
    return found


def _by_node(
    report: _Report, graphs: Sequence[Graph], findings: Findings, where: Location
) -> list[Entry]:
    rows: dict[str, _Row] = {}
    left: list[_Row] = []
    for row in report.rows[RUN_ORDER]:
        match = _NAME.fullmatch(row.name)
        if match is None:
            left.append(row)
        else:
            rows[f"{row.kind}_{match[2]}"] = row
    graph = max(graphs, key=lambda g: len(rows.keys() & _parts(g).keys()))
    parts = _parts(graph)
    entries: list[Entry] = []
    other: list[str] = []
    tiny: list[str] = []
    views: list[_Row] = []
    for node, row in rows.items():
        if node not in parts:
            (views if node in graph.absorbed else left).append(row)
            continue
        made = _tensors(row.name)
        wanted = [t for t in parts[node][-1].outputs if "#" not in t]
        if wanted and set(made).isdisjoint(flat for t in wanted for flat in _tensors(f"[{t}]:")):
            told = shortened(made[0], _MOST_NAME), shortened(wanted[0], _MOST_NAME)
            other.append(f"{node} made {told[0]!r}, the network says {told[1]!r}")
            continue
        entries.append(_entry(graph, node, parts[node], row, report.runs, where, tiny))
    if other:
        raise ConfigError(
            f"{len(other)} operators make other tensors than in {graph.name}:"
            f" {'; '.join(other[:3])}",
            where=where,
            hint="give the TFLite file that was measured with --model",
        )
    if not entries:
        raise ConfigError(
            f"none of its {len(report.rows[RUN_ORDER])} nodes is an operator of {graph.name}:"
            f" {listed([_told(row) for row in report.rows[RUN_ORDER]])}",
            where=where,
            hint="give the TFLite file that was measured with --model; measure without a delegate"
            " (--use_xnnpack=false)",
        )
    _tell(findings, graph, parts, left, views, tiny, where)
    _check_sums(report, findings, where)
    return entries


def _tensors(name: str) -> list[str]:
    """The tensors of a node's name; its commas are tabs in a CSV, and separate tensors as well."""
    return [part.strip() for part in re.split(r"[,\t]", name[1 : name.rindex("]")])]


def _entry(
    graph: Graph, node: str, ops: Sequence[Operator], row: _Row, runs: int, where: Location,
    tiny: list[str],
) -> Entry:  # fmt: skip
    seconds = row.seconds
    if seconds == 0.0:
        tiny.append(node)
        seconds = _HALF_STEP_S
    seen = tuple(f"{graph.name}:{op.name}" for op in ops)
    place = Location(where.file, row.line)
    return Entry(group_key(graph, ops), seconds, None, runs, seen, place)


def _told(row: _Row) -> str:
    return f"{row.kind} {row.seconds * 1e3:.3f} ms"


def _tell(
    findings: Findings, graph: Graph, parts: Mapping[str, list[Operator]], left: list[_Row],
    views: list[_Row], tiny: list[str], where: Location,
) -> None:  # fmt: skip
    findings.several(
        "unknown nodes", f"nodes are no operators of {graph.name} (a delegate runs several as"
        " one)", [_told(row) for row in left], where,
    )  # fmt: skip
    if views:
        findings.add(
            "views", f"{len(views)} nodes are views or make constants, which cost nothing here;"
            f" they took {sum(row.seconds for row in views) * 1e3:.3f} ms", where,
        )  # fmt: skip
    fused = [node for node, ops in parts.items() if len(ops) > 1]
    findings.several(
        "groups", "times cover an operator with its activation function: they count where the unit"
        " fuses the two", fused, where,
    )  # fmt: skip
    findings.several("below the clock", "nodes took less than the last digit printed; 0.5 us is"
                     " used", tiny, where)  # fmt: skip


def _check_sums(report: _Report, findings: Findings, where: Location) -> None:
    """The sums by kind are the same figures once more."""
    nodes: defaultdict[str, float] = defaultdict(float)
    for row in report.rows[RUN_ORDER]:
        nodes[row.kind] += row.seconds
    off = [
        f"{row.kind} {nodes[row.kind] * 1e3:.3f} against {row.seconds * 1e3:.3f} ms"
        for row in report.rows.get(BY_KIND, ())
        if abs(nodes[row.kind] - row.seconds) > 0.02 * row.seconds + 1e-6 * row.nodes
    ]
    findings.several("sums", "kinds whose nodes do not add up to the report's own sum", off, where)


def _by_kind(
    report: _Report, graphs: Sequence[Graph], findings: Findings, where: Location
) -> list[Entry]:
    """Kinds of which the network has one node; a sum over several says nothing of each."""
    rows = report.rows[BY_KIND]
    kinds = {row.kind for row in rows}
    graph = max(graphs, key=lambda g: len(kinds & {n.rpartition("_")[0] for n in _parts(g)}))
    parts = _parts(graph)
    entries, left, tiny = [], [], list[str]()
    for row in rows:
        nodes = [node for node in parts if node.rpartition("_")[0] == row.kind]
        if len(nodes) == row.nodes == 1:
            entries.append(_entry(graph, nodes[0], parts[nodes[0]], row, report.runs, where, tiny))
        else:
            left.append(f"{row.kind} ({row.nodes} nodes, {row.seconds * 1e3:.3f} ms)")
    findings.several("only sums", "kinds are summed over their nodes, which leaves each one open",
                     left, where)  # fmt: skip
    if not entries:
        raise ConfigError(
            f"it has only sums by kind, and no kind with a single node: {listed(left)}",
            where=where,
            hint="keep the section 'Run Order' of the report",
        )
    return entries
