"""Which graph a measured network is: of a directory, by its index or its files' names, or the zoo.

A directory may hold an ``index.csv`` with the columns ``model`` (or ``network``), ``component``,
``file``, and what is known of what was measured: ``gelu_file`` (the same network with Gelu as one
operator, as runtimes run it; read rather than ``file``), ``input_shapes``
(``image=1x3x224x224;mask=1x384``), ``params_info_M`` (millions of parameters as published). Other
columns are remarks. A row of measurements that names no component is its network's only one.
Without an index, files are called ``network--component.onnx`` or, where one component of the
network was measured, ``network.onnx``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hetsim.cost.measured.table import Doubt
from hetsim.errors import ConfigError, HetsimError, Location
from hetsim.infiles import read_text, user_path
from hetsim.workload.graph import Graph
from hetsim.workload.networks import load_network
from hetsim.workload.zoo import MODELS, measured_as

INDEX = "index.csv"
SUFFIXES = (".onnx", ".tflite")
NO_GRAPH, UNREADABLE = "no graph", "graph unreadable"


@dataclass(frozen=True)
class FoundGraph:
    """A graph, the file it is from, and what the index says of the network that was measured."""

    graph: Graph
    source: str
    stated: Mapping[str, str] = field(default_factory=dict)
    where: Location | None = None


class GraphLibrary:
    """The graphs of a directory, then those of the zoo; each is read once."""

    def __init__(self, directory: str | Path | None = None) -> None:
        """Reads the index of ``directory``; without one, only the zoo is asked.

        Raises:
            ConfigError: no such directory, or an index that is none.
        """
        self.directory = None if directory is None else user_path(directory)
        self._index: dict[tuple[str, str], tuple[Mapping[str, str], Location]] = {}
        self._read: dict[tuple[str, str, bool], FoundGraph | Doubt] = {}
        if self.directory is None:
            return
        if not self.directory.is_dir():
            raise ConfigError(
                "there is no such directory",
                where=Location(str(self.directory)),
                hint=f"--graphs takes the directory of the networks' files and their {INDEX}",
            )
        if (self.directory / INDEX).is_file():
            self._index = _read_index(self.directory / INDEX)

    def find(self, network: str, component: str, *, only: bool = True) -> FoundGraph | Doubt:
        """The graph of a measured network, or why there is none.

        ``only``: no other component of this network was measured, so a file without a component
        in its name is this one.
        """
        key = network, component, only
        if key not in self._read:
            self._read[key] = self._find(network, component, only)
        return self._read[key]

    def _find(self, network: str, component: str, only: bool) -> FoundGraph | Doubt:
        stated, where = self._entry(network, component, only)
        model: Path | str | None = self._file(network, component, only, stated)
        if model is None:
            plain = network.lower().replace("-", "_")
            model = measured_as(plain, component)
            if model is None and plain in MODELS and (only or not component):
                model = plain
        if model is None:
            name = f"{network}--{component}" if component and not only else network
            seen = "the zoo" if self.directory is None else f"{self.directory} or the zoo"
            return Doubt(
                NO_GRAPH,
                f"{network}{f' ({component})' if component else ''}: no graph in {seen}; it would"
                f" be a row of {INDEX}, a file {name}.onnx, or a network of"
                " `hetsim list models`",
                where,
            )
        try:
            graph = load_network(model)
        except (HetsimError, OSError, RecursionError) as error:
            told = error.message if isinstance(error, HetsimError) else str(error)
            at = error.where if isinstance(error, HetsimError) else None
            return Doubt(UNREADABLE, f"{network}: {told}", at or Location(str(model)))
        return FoundGraph(graph, str(model), stated, where)

    def _entry(
        self, network: str, component: str, only: bool
    ) -> tuple[Mapping[str, str], Location | None]:
        names = [component, ""] if only else [component]
        for name in names:
            if (entry := self._index.get((network.lower(), name.lower()))) is not None:
                return entry
        parts = [key for key in self._index if key[0] == network.lower()]
        if not component and len(parts) == 1:
            return self._index[parts[0]]  # the table need not repeat the name of an only component
        return {}, None

    def _file(
        self, network: str, component: str, only: bool, stated: Mapping[str, str]
    ) -> Path | None:
        if self.directory is not None:
            names = [stated.get(column, "") for column in ("gelu_file", "file")]
            if not stated:
                stems = [f"{network}--{component}", network if only or not component else ""]
                names = [f"{stem}{end}" for stem in filter(None, stems) for end in SUFFIXES]
                have = {file.name.lower(): file.name for file in self.directory.iterdir()}
                names = [have[name.lower()] for name in names if name.lower() in have]
            if first := next(filter(None, names), None):
                return self.directory / first
        return None


def _read_index(path: Path) -> dict[tuple[str, str], tuple[Mapping[str, str], Location]]:
    reader = csv.reader(io.StringIO(read_text(path)), strict=True)
    found: dict[tuple[str, str], tuple[Mapping[str, str], Location]] = {}
    header: list[str] = []
    try:
        for cells in reader:
            where = Location(str(path), reader.line_num)
            if not header:
                header = ["model" if name == "network" else name.strip() for name in cells]
                if not {"model", "file"} <= set(header):
                    raise ConfigError(
                        f"columns are {', '.join(header)}",
                        where=where,
                        hint="model and file must be there: which network is in which file",
                    )
                continue
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise ConfigError(f"{len(cells)} cells under {len(header)} columns", where=where)
            row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
            key = row["model"].lower(), row.get("component", "").lower()
            if key in found:
                raise ConfigError(
                    f"{row['model']} stands here twice",
                    where=where,
                    hint=f"first at {found[key][1]}",
                )
            found[key] = row, where
    except csv.Error as error:
        raise ConfigError(str(error), where=Location(str(path), reader.line_num)) from None
    return found
