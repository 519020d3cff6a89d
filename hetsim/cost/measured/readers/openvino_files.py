"""The three forms in which OpenVINO writes the times of layers, as plain layers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from hetsim.errors import ConfigError, Location, shortened
from hetsim.records import parse_json

COLUMNS = ("layerName", "execStatus", "layerType", "realTime (ms)")
"""Columns that a table of counters must have."""


@dataclass
class Layer:
    """A layer: what it is called, what it stands for, how long it took.

    ``seconds`` has one time a request, none if it did not run. ``shape`` is that of its output and
    ``precision`` the type it computed in; both are known of execution graphs only.
    """

    name: str
    kind: str
    line: int | None = None
    originals: tuple[str, ...] = ()
    seconds: list[float] = field(default_factory=list)
    shape: tuple[int, ...] | None = None
    precision: str = ""


def layers_of(text: str, where: Location) -> list[Layer]:
    """The layers of a file, in order of execution.

    Raises:
        ConfigError: it is none of the three forms, or damaged.
    """
    start = text.lstrip()[:1]
    if start == "<":
        found = _from_graph(text, where)
    elif start == "{":
        found = _from_json(text, where)
    else:
        found = _from_table(text, where)
    if not any(layer.seconds for layer in found):
        raise ConfigError(
            f"none of its {len(found)} layers has a time",
            where=where,
            hint="run benchmark_app with -pc -exec_graph_path FILE.xml, or with -report_type"
            " average_counters",
        )
    return found


def _time(text: Any, unit: float, place: Location, name: str) -> float:
    try:
        seconds = float(text) * unit
    except (ArithmeticError, TypeError, ValueError):
        seconds = math.nan
    if not 0 <= seconds < 1e6:
        told = shortened(name, 80), shortened(str(text), 80)
        raise ConfigError(f"layer {told[0]!r} took {told[1]!r}, which is no time", where=place)
    return seconds


# -- execution graphs -----------------------------------------------------------------------------


class _GraphReader:
    """Collects layers from the events of an XML parser."""

    def __init__(self, where: Location) -> None:
        self.layers: list[tuple[int, Layer]] = []
        self.root = ""
        self._where = where
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._inside: list[str] = []
        self._dims: list[str] = []

    def read(self, text: str) -> None:
        try:
            self._parser.Parse(text, True)
        except expat.ExpatError as error:
            raise ConfigError(
                f"not well-formed XML: {expat.errors.messages[error.code]}",
                where=Location(self._where.file, error.lineno, error.offset + 1),
            ) from None

    def _doctype(self, *_: object) -> None:
        raise ConfigError("an execution graph declares no document type", where=self._place())

    def _place(self) -> Location:
        return Location(self._where.file, self._parser.CurrentLineNumber)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.root = self.root or tag
        self._inside.append(tag)
        if tag == "layer":
            name, kind = attributes.get("name", ""), attributes.get("type", "")
            self.layers.append((0, Layer(name, kind, self._parser.CurrentLineNumber)))
        elif tag == "data" and self._inside[-2:-1] == ["layer"]:
            self._data(attributes)
        elif tag == "dim":
            self._dims.append("")

    def _data(self, attributes: dict[str, str]) -> None:
        _, layer = self.layers[-1]
        time = attributes.get("execTimeMcs", "not_executed")
        if time != "not_executed":
            layer.seconds.append(_time(time, 1e-6, self._place(), layer.name))
        layer.originals = tuple(
            n for n in attributes.get("originalLayersNames", "").split(",") if n
        )
        layer.precision = attributes.get("runtimePrecision", "")
        order = attributes.get("execOrder", "0")
        if not order.isdecimal():
            raise ConfigError(f"execOrder is {order!r}, not a number", where=self._place())
        self.layers[-1] = int(order), layer

    def _text(self, text: str) -> None:
        if self._inside[-1:] == ["dim"]:
            self._dims[-1] += text

    def _end(self, tag: str) -> None:
        self._inside.pop()
        if tag != "port":
            return
        dims, self._dims = self._dims, []
        if self._inside[-1:] == ["output"] and self.layers and self.layers[-1][1].shape is None:
            if not all(dim.strip().isdecimal() for dim in dims):
                raise ConfigError(f"dimensions {dims} are not numbers", where=self._place())
            self.layers[-1][1].shape = tuple(int(dim) for dim in dims)


def _from_graph(text: str, where: Location) -> list[Layer]:
    reader = _GraphReader(where)
    reader.read(text)
    if reader.root != "net" or not reader.layers:
        raise ConfigError(
            f"an execution graph is a <net> with layers, this is <{reader.root}>", where=where
        )
    return [layer for _, layer in sorted(reader.layers, key=lambda pair: pair[0])]


# -- counters -------------------------------------------------------------------------------------


def _executed(status: str) -> bool:
    return status.rpartition(".")[2] == "EXECUTED"


def _from_table(text: str, where: Location) -> list[Layer]:
    header: list[str] = []
    layers: dict[str, Layer] = {}
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.split(";")]
        place = Location(where.file, number)
        if cells[0] == COLUMNS[0]:
            header = [cell for cell in cells if cell]
            if not set(COLUMNS) <= set(header):
                raise ConfigError(
                    f"columns are {', '.join(header)}",
                    where=place,
                    hint=f"expected are {', '.join(COLUMNS)}",
                )
        elif not line.strip() or cells[0] == "Total":
            continue
        elif not header or len(cells) < len(header):
            raise ConfigError(
                f"{line[:60]!r} is no row of counters",
                where=place,
                hint="a report of benchmark_app begins with layerName;execStatus;layerType;...",
            )
        else:
            row = dict(zip(header, cells, strict=False))
            name = row["layerName"]
            layer = layers.setdefault(name, Layer(name, row["layerType"], number))
            if _executed(row["execStatus"]):
                layer.seconds.append(_time(row["realTime (ms)"], 1e-3, place, name))
    return list(layers.values())


def _from_json(text: str, where: Location) -> list[Layer]:
    """Counters as JSON: ``avg_performance``, or a list of requests in ``detailed_performance``."""
    report = parse_json(text, where.file, error=ConfigError, ours=False)
    blocks = report.get("detailed_performance", [report.get("avg_performance")])
    layers: dict[str, Layer] = {}
    for block in blocks if isinstance(blocks, list) else [None]:
        nodes = block.get("nodes") if isinstance(block, dict) else None
        if not isinstance(nodes, list):
            raise ConfigError(
                "it has no counters (avg_performance or detailed_performance with nodes)",
                where=where,
            )
        for node in nodes:
            if not isinstance(node, dict) or not isinstance(node.get("name"), str):
                raise ConfigError(f"a node without a name: {str(node)[:60]}", where=where)
            kind = str(node.get("node_type", ""))
            layer = layers.setdefault(node["name"], Layer(node["name"], kind))
            if _executed(str(node.get("status", ""))):
                layer.seconds.append(_time(node.get("real_time"), 1e-3, where, layer.name))
    return list(layers.values())
