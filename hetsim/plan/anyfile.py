"""Plan files of either format: hetsim's own, or NEST-C's, told apart by what they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hetsim.errors import ConfigError, PlanError
from hetsim.plan.files import load_plan
from hetsim.plan.model import Plan
from hetsim.plan.nestc import legal_name, read_nestc_plan
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from hetsim.yamlio import Document, read_yaml

NESTC_KEYS = frozenset({"partitionNames", "nodeToPartition", "backendNames"})
"""One of these at the top level makes a file a NEST-C plan."""


@dataclass(frozen=True)
class ReadPlan:
    """A plan from a file: its format (``hetsim`` or ``nestc``) and what the reader decided."""

    plan: Plan
    format: str
    notes: tuple[str, ...] = ()


def is_nestc(path: str | Path) -> bool:
    """Whether ``path`` holds a NEST-C plan. Raises :class:`PlanError` when it is not YAML."""
    data = _document(path).data
    return isinstance(data, dict) and not NESTC_KEYS.isdisjoint(data)


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
) -> ReadPlan:
    """Reads a plan for one of ``graphs`` on ``soc``; not yet validated.

    A NEST-C plan is for the network whose name is its ``funcName``, or for the only one there is.
    ``backends`` maps NEST-C's backend names to PUs (:func:`~hetsim.plan.nestc.read_nestc_plan`).

    Raises:
        PlanError: an unreadable file, a NEST-C plan that could be for several networks.
    """
    document = _document(path)
    data = document.data
    if not isinstance(data, dict) or NESTC_KEYS.isdisjoint(data):
        return ReadPlan(load_plan(path), "hetsim")
    named = Path(str(data.get("funcName", ""))).stem
    fitting = [graph for graph in graphs if legal_name(graph.name) == legal_name(named)]
    if len(fitting) != 1:
        fitting = list(graphs)
    if len(fitting) != 1:
        raise PlanError(
            f"it does not say for which network it is (funcName {data.get('funcName')!r})",
            where=document.where(),
            hint="choose one with --model: " + ", ".join(graph.name for graph in graphs),
        )
    found = read_nestc_plan(path, fitting[0], soc, backends)
    return ReadPlan(found.plan, "nestc", found.notes)


def _document(path: str | Path) -> Document:
    try:
        return read_yaml(path)
    except ConfigError as error:
        raise PlanError(error.message, where=error.where, hint=error.hint) from None
