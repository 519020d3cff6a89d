"""What a scenario asks for by name: networks, schedulers, and who decides in a run.

Each knows the line that asked for it, so that whoever loads one that does not exist can point
there.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hetsim.catalogue import code_hash, file_hash
from hetsim.errors import HetsimError, Location
from hetsim.schedulers.base import Scheduler
from hetsim.schedulers.registry import construct, create
from hetsim.streams.service import DispatcherRef
from hetsim.workload.graph import Graph
from hetsim.workload.networks import Network
from hetsim.workload.sizes import Sizes

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True)
class ModelRef:
    """A network the scenario asks for: ``path`` of an ONNX file, or ``name`` in the zoo.

    ``sizes`` are those that its file leaves open. A network that was ``given`` as an object needs
    no finding.
    """

    name: str
    label: str
    path: Path | None
    sizes: Sizes
    where: Location
    given: Graph | ModelProto | None = None

    @property
    def network(self) -> Network:
        """What :func:`~hetsim.workload.networks.load_network` takes."""
        return self.path or self.name if self.given is None else self.given


@dataclass(frozen=True)
class SchedulerRef:
    """A scheduler the scenario asks for, by registered name or ``/ABSOLUTE/FILE.py:CLASS``.

    ``listed`` tells that the scenario names it; ``all`` names none. A class that was ``given``
    needs no finding, and an object is the one that plans (a copy of it, each time).
    """

    name: str
    label: str
    parameters: Mapping[str, Any]
    where: Location
    listed: bool = True
    given: type[Scheduler] | Scheduler | None = None

    def create(self) -> Scheduler:
        """A fresh one.

        Raises:
            SchedulerError: see :func:`hetsim.schedulers.registry.create`.
        """
        if self.given is None:
            return create(self.name, dict(self.parameters))
        if isinstance(self.given, Scheduler):
            return copy.deepcopy(self.given)
        return construct(self.given, self.label, self.parameters)

    def with_parameter(self, parameter: str, value: object) -> SchedulerRef:
        """The same with another value of one parameter; of an object, another one of its class."""
        given = type(self.given) if isinstance(self.given, Scheduler) else self.given
        return replace(self, parameters={**self.parameters, parameter: value}, given=given)

    @property
    def code(self) -> str | None:
        """SHA-256 of the user's own code that plans; ``None`` of a scheduler that is installed."""
        if self.given is not None:
            return code_hash(self.given)
        return file_hash(self.name)

    def check(self) -> None:
        """Constructs it once, so that a mistake shows before anything runs.

        Raises:
            SchedulerError: no such scheduler or parameter, at the place that asked for it.
        """
        try:
            self.create()
        except HetsimError as error:
            error.where = error.where or self.where
            raise


@dataclass(frozen=True)
class Contender:
    """Who decides in a run: a scheduler, and with streams a dispatcher as well.

    ``plans`` is the way in which the networks of streams are planned by that scheduler.
    """

    label: str
    scheduler: SchedulerRef
    dispatcher: DispatcherRef | None = None
    plans: str = "each"


ALL_STREAMS = "all streams"
"""What a run of streams is about, where one of single inferences names its network."""


AS_NAMED = "as named"
"""The label of who plans where every stream names its scheduler or its plan."""
