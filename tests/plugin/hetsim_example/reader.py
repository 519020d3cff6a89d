"""A reader: profiles of lines like ``conv1 = 12.5``, in milliseconds."""

from __future__ import annotations

from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.readers.base import Findings, Request, entry, finish
from hetsim.cost.measured.table import Entry, ProfileTable
from hetsim.errors import Location
from hetsim.yamlio import read_text


def read(request: Request) -> list[ProfileTable]:
    """One table of all files.

    Raises:
        ConfigError: a file that cannot be read, or none of whose lines can be used.
    """
    request.need_graphs("a list of milliseconds")
    entries: list[Entry] = []
    findings = Findings()
    for path in request.files:
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            where = Location(str(path), number)
            if not line.strip():
                continue
            try:
                entries += _entries(request, line, where)
            except ValueError as error:
                findings.add("broken lines", f"{error}; the line is left out", where)
    table = ProfileTable.of(
        entries,
        name="milliseconds",
        device=request.device or "unknown",
        source=", ".join(map(str, request.files)),
        scope="kernel",
        doubts=findings.doubts,
    )
    return [finish(table, request)]


def _entries(request: Request, line: str, where: Location) -> list[Entry]:
    name, equals, time = line.partition("=")
    if not equals:
        raise ValueError(f"{line.strip()[:40]!r} is not like 'conv1 = 12.5'")
    seconds = float(time) * 1e-3
    if not 0.0 < seconds < float("inf"):
        raise ValueError(f"{time.strip()!r} is no time")
    found = [
        entry(operator_key(graph, op), seconds, where, [op.name])
        for graph in request.graphs
        for op in graph.operators
        if op.name == name.strip()
    ]
    if not found:
        raise ValueError(f"no network given has an operator {name.strip()!r}")
    return found
