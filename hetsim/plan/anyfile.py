"""Plan files of either format: hetsim's own, or NEST-C's, told apart by what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hetsim.errors import Location, PlanError
from hetsim.plan.files import load_plan
from hetsim.plan.model import Plan
from hetsim.plan.nestc.lists import PlanLists, is_plan, read_document
from hetsim.plan.nestc.names import legal_name
from hetsim.plan.nestc.nodemap import NodeMap
from hetsim.plan.nestc.reader import propose_node_map, read_nestc_plan
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph


@dataclass(frozen=True)
class ReadPlan:
    """A plan from a file: its format (``hetsim`` or ``nestc``) and what the reader decided."""

    plan: Plan
    format: str
    notes: tuple[str, ...] = ()


def is_nestc(path: str | Path) -> bool:
    """Whether ``path`` holds a NEST-C plan. Raises :class:`PlanError` when it is not YAML."""
    return is_plan(read_document(path))


def planned_model(path: str | Path) -> str | None:
    """The network that a plan file names, ``None`` for NEST-C's, whose names are not ours.

    Raises:
        PlanError: see :func:`hetsim.plan.files.load_plan`.
    """
    return None if is_nestc(path) else load_plan(path).model


def read_plan(
    path: str | Path,
    graphs: Sequence[Graph],
    soc: SoC,
    backends: Mapping[str, str] | None = None,
    node_map: str | Path | None = None,
) -> ReadPlan:
    """Reads a plan for one of ``graphs`` on ``soc``; not yet validated.

    A NEST-C plan is for the network whose name is its ``funcName``, or for the only one there is.
    ``backends`` maps NEST-C's backend names to PUs, ``node_map`` is a file that settles its nodes
    (:func:`~hetsim.plan.nestc.reader.read_nestc_plan`).

    Raises:
        PlanError: an unreadable file, a NEST-C plan that could be for several networks, a map of
            nodes for a plan that has none.
    """
    document = read_document(path)
    if not is_plan(document):
        if node_map is not None:
            raise _nothing_to_map(path)
        return ReadPlan(load_plan(path), "hetsim")
    network = PlanLists(document).network
    named = Path(network).stem
    fitting = [graph for graph in graphs if legal_name(graph.name) == legal_name(named)]
    if len(fitting) != 1:
        fitting = list(graphs)
    if len(fitting) != 1:
        raise PlanError(
            f"it does not say for which network it is (funcName {network!r})",
            where=document.where(),
            hint="choose one with --model: " + ", ".join(graph.name for graph in graphs),
        )
    found = read_nestc_plan(path, fitting[0], soc, backends, node_map)
    return ReadPlan(found.plan, "nestc", found.notes)


def proposed_map(path: str | Path, graph: Graph, node_map: str | Path | None = None) -> NodeMap:
    """Which node of a foreign plan is which operator of ``graph``, as far as can be told.

    Raises:
        PlanError: an unreadable file, a plan of hetsim's own, a wrong map.
    """
    if not is_nestc(path):
        raise _nothing_to_map(path)
    return propose_node_map(path, graph, node_map)


def _nothing_to_map(path: str | Path) -> PlanError:
    where = Location(str(path))
    return PlanError("a plan of hetsim names operators: there is nothing to map", where=where)
