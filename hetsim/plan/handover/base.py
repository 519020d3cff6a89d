"""What an exporter is: a plan and all that belongs to it in, the content of files out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

from hetsim.errors import Location, WorkloadError
from hetsim.plan.handover.assignment import Assignment, assign
from hetsim.plan.handover.targets import Target, settle_targets
from hetsim.plan.model import Plan
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from hetsim.workload.onnx.runnable import Runnable


@dataclass(frozen=True)
class Order:
    """A plan that is valid for ``graph`` on ``soc``, and what its units are called elsewhere.

    ``given`` are targets by PU that somebody has named; ``load`` loads the model that ``graph``
    was read from, with its weights.
    """

    plan: Plan
    graph: Graph
    soc: SoC
    given: Mapping[str, Target]
    load: Callable[[], Runnable]

    @cached_property
    def ready(self) -> Runnable:
        """The model, loaded once.

        Raises:
            WorkloadError: see :func:`~hetsim.workload.onnx.runnable.load_runnable`; or weights of
                a file are not beside it.
        """
        made = self.load()
        if made.invented and not made.graph.source.startswith("zoo:"):
            raise WorkloadError(
                f"the weights of {len(made.invented)} tensors are not beside it:"
                f" {', '.join(made.invented[:5])}",
                where=Location(made.graph.source),
                hint="an exported model has to compute what the file computes",
            )
        return made

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever runs the export should know of the model."""
        if not self.ready.invented:
            return ()
        return (f"weights are random: {self.plan.model} comes without them",)


@dataclass(frozen=True)
class Export:
    """Content of files by name, and remarks."""

    files: Mapping[str, str | bytes]
    notes: tuple[str, ...] = field(default=())


class Exporter(ABC):
    """Writes plans for one runtime.

    ``roles`` names the target of units by what they are (``cpu``, ``gpu``, ``npu``), where that
    leaves no choice; ``choices`` are names that messages show. ``summary`` is one line for lists.
    ``directory``: what it writes is several files.
    """

    summary: ClassVar[str]
    roles: ClassVar[Mapping[str, str]] = {}
    choices: ClassVar[tuple[str, ...]] = ()
    directory: ClassVar[bool] = True

    @abstractmethod
    def export(self, order: Order) -> Export:
        """The files of ``order``.

        Raises:
            PlanError: the runtime cannot be told this plan, or nothing says what it calls a unit.
            WorkloadError: the model cannot be loaded.
        """


def assignment_of(order: Order, exporter: Exporter, runtime: str) -> Assignment:
    """The assignment that an exporter of models begins with.

    Raises:
        PlanError: see :func:`~hetsim.plan.handover.targets.settle_targets` and
            :func:`~hetsim.plan.handover.assignment.assign`.
    """
    targets = settle_targets(order.plan, order.soc, order.given, exporter.roles, exporter.choices)
    made = assign(order.plan, order.graph, order.ready.model, targets, runtime)
    return replace(made, notes=order.notes)
