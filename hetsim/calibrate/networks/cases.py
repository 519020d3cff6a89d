"""A measured case: one latency of a whole network with its graph, and what is doubtful about it.

The rows of a table become cases, and what keeps a row from it is a doubt, never an end. A case
whose doubts say that it may not be what its graph is (:data:`EXCLUDING`) takes no part in a fit
nor in the report, unless the user asks for it. Such rules look at the table, the index and the
graph, never at how far a model is off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from hetsim.calibrate.networks import doubts as checks
from hetsim.calibrate.networks.graphs import FoundGraph, GraphLibrary
from hetsim.calibrate.networks.kinship import class_of, families
from hetsim.calibrate.networks.precision import Precision, precision_of
from hetsim.calibrate.networks.table import NetworkTime
from hetsim.cost.measured.table import Doubt
from hetsim.errors import ConfigError, Location
from hetsim.names import suggest
from hetsim.progress import Progress
from hetsim.workload.graph import Graph

EXCLUDING = frozenset(
    {checks.SHAPES, checks.PARAMETERS, checks.LAYERS, checks.UNITS, checks.PRECISION, checks.PHASE}
)
"""Kinds of doubts that say a row is not, or may not be, the graph on one unit in one precision."""

DISPUTING = frozenset({checks.REPEATED, checks.RUNTIMES, checks.ORDER, checks.OFF})
"""Kinds of doubts that other measurements raise: errors are told with and without these rows."""


@dataclass(frozen=True)
class MeasuredNetwork:
    """One measured latency and the graph that took it.

    ``family`` is what is kept aside together, ``kind`` the class of network
    (:func:`~hetsim.calibrate.networks.kinship.class_of`). ``doubts`` are those of this row and of
    its graph.
    """

    row: NetworkTime
    graph: Graph = field(repr=False)
    precision: Precision
    family: str
    kind: str
    doubts: tuple[Doubt, ...] = ()

    @property
    def seconds(self) -> float:
        """The measured latency."""
        return self.row.latency_s

    @property
    def device(self) -> str:
        """What was measured: the device, and the unit where that is no NPU.

        Each is fitted by itself: the CPU of a phone is another machine than its NPU.
        """
        named = self.row.unit not in ("", "npu")
        return f"{self.row.device} ({self.row.unit})" if named else self.row.device

    @property
    def name(self) -> str:
        """Network and, where the source tells it, component."""
        return self.row.network + (f"/{self.row.component}" if self.row.component else "")

    @property
    def job(self) -> tuple[str, str, str]:
        """What was asked of the device, whatever runtime did it: network, component, precision."""
        return self.row.network, self.row.component, self.row.precision

    @property
    def where(self) -> Location | None:
        """The row's place in the table."""
        return self.row.where

    @property
    def disputed(self) -> bool:
        """Whether another measurement says that it is far off; such rows count all the same."""
        return any(doubt.kind in DISPUTING for doubt in self.doubts)

    @property
    def excluded(self) -> bool:
        """Whether a doubt keeps it out of fits and reports."""
        return any(doubt.kind in EXCLUDING for doubt in self.doubts)


@dataclass(frozen=True)
class Cases:
    """What a table and a library of graphs give.

    ``cases`` in the table's order, doubtful ones among them. ``doubts`` are all there are, each
    once; ``without`` the rows that have no readable graph.
    """

    cases: tuple[MeasuredNetwork, ...]
    doubts: tuple[Doubt, ...]
    without: tuple[NetworkTime, ...]

    def usable(self, *, doubtful: bool = False) -> tuple[MeasuredNetwork, ...]:
        """Those that take part in fits and reports; ``doubtful`` ones too where wanted."""
        return tuple(case for case in self.cases if doubtful or not case.excluded)

    def of_runtimes(self, names: Sequence[str]) -> Cases:
        """Those that one of these runtimes ran: what a SoC file says of overheads is of one.

        Raises:
            ConfigError: none of them ran any.
        """
        known = sorted({case.row.runtime for case in self.cases})
        if not set(names) & set(known):
            raise ConfigError(
                f"nothing with a graph ran under {' or '.join(map(repr, names))}",
                where=Location("--runtime"), hint=suggest(names[0], known),
            )  # fmt: skip
        return replace(self, cases=tuple(c for c in self.cases if c.row.runtime in names))

    def by_network(self) -> Cases:
        """Each network a family of its own: a relative that is not kept aside may tell its time."""
        alone = (replace(case, family=case.row.network) for case in self.cases)
        return replace(self, cases=tuple(alone))


def make_cases(
    rows: Sequence[NetworkTime], library: GraphLibrary, progress: Progress | None = None
) -> Cases:
    """Cases of rows, with every doubt that needs no SoC.

    Raises:
        ConfigError: no row has a graph.
    """
    networks = list(dict.fromkeys((row.network, row.component) for row in rows))
    parts = {name: sum(n == name for n, _ in networks) for name, _ in networks}
    found: dict[tuple[str, str], FoundGraph] = {}
    doubts: list[Doubt] = []
    for done, (network, component) in enumerate(networks):
        if progress is not None:
            progress(network, done, len(networks))
        answer = library.find(network, component, only=parts[network] == 1)
        if isinstance(answer, Doubt):
            doubts.append(checks.without_graph(answer, network, component, rows))
        else:
            found[network, component] = answer
    if not found:
        raise ConfigError(
            f"none of the {len(networks)} measured networks has a graph",
            where=rows[0].where and Location(rows[0].where.file),
            hint=f"the first: {doubts[0].message}",
        )
    used = [row for row in rows if (row.network, row.component) in found]
    of_graph = {
        key: checks.of_graph(
            key[0], graph, [row for row in used if (row.network, row.component) == key],
            alone=parts[key[0]] == 1,
        )
        for key, graph in found.items()
    }  # fmt: skip
    of_row = checks.of_rows(used)
    family = _families(used, found)
    kinds = {key: class_of(answer.graph) for key, answer in found.items()}
    cases = []
    for row in used:
        key = row.network, row.component
        cases.append(
            MeasuredNetwork(
                row, found[key].graph, precision_of(row.precision, row.unit), family[row.network],
                kinds[key], (*of_graph[key], *of_row.get(id(row), ())),
            )
        )  # fmt: skip
    every = [*doubts, *(d for told in of_graph.values() for d in told)]
    every += [d for row in used for d in of_row.get(id(row), ())]
    without = tuple(row for row in rows if (row.network, row.component) not in found)
    return Cases(tuple(cases), tuple(dict.fromkeys(every)), without)


def _families(
    rows: Iterable[NetworkTime], found: dict[tuple[str, str], FoundGraph]
) -> dict[str, str]:
    """By rule, or where the table has a column for it, as that says."""
    graphs: dict[str, list[Graph]] = {}
    for (network, _), answer in found.items():
        graphs.setdefault(network, []).append(answer.graph)
    told = {row.network: row.family for row in rows if row.family}
    return families(graphs) | told
