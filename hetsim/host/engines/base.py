"""What a runtime has to do here: run a model, run a piece on given buffers, time its kernels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from hetsim.host.network import Feeds, Network
from hetsim.host.ran import Match

if TYPE_CHECKING:
    from onnx import ModelProto

Runner = Callable[[Feeds], Mapping[str, Any]]
"""Runs a model: arrays by input, arrays by output."""


@dataclass(frozen=True)
class How:
    """How a model is run: its name in messages, threads, and whether it is quantised."""

    name: str
    threads: int = 1
    quantised: bool = False


class Probe(ABC):
    """One network opened twice: as it is deployed, and watched kernel by kernel.

    ``matches`` are the operators that each group of nodes stands for, ``level`` says how the
    network was optimised.
    """

    matches: Sequence[Match]
    level: str

    @abstractmethod
    def plain(self) -> None:
        """Runs once, unwatched."""

    @abstractmethod
    def watched(self) -> None:
        """Runs once, watched."""

    @abstractmethod
    def finish(self) -> Mapping[str, Sequence[float]]:
        """Seconds of each node in every watched run but the first."""


class Engine(ABC):
    """A runtime.

    Every method raises ``MissingExtraError`` where it is not installed, and ``WorkloadError``,
    which names the operator where that is told, for what it cannot run.
    """

    name: ClassVar[str]
    own_threads: ClassVar[bool] = False
    """Whether it computes on other threads than the one that calls it."""

    @property
    @abstractmethod
    def label(self) -> str:
        """Name and version, for files."""

    def check(self) -> None:
        """Raises ``MissingExtraError`` where it is not installed."""
        assert self.label

    @abstractmethod
    def runner(self, model: ModelProto, how: How) -> Runner:
        """Opens ``model``."""

    @abstractmethod
    def piece(
        self,
        model: ModelProto,
        how: How,
        inputs: Sequence[str],
        outputs: Sequence[str],
        values: Mapping[str, Any],
    ) -> Callable[[], object]:
        """Opens a part of a network that reads and writes the arrays ``values``, in place."""

    @abstractmethod
    def probe(self, network: Network, how: How, folder: Path) -> Probe:
        """Opens ``network`` for measuring; files go to ``folder``."""


def is_quantised(network: Network) -> bool:
    """Whether its products compute in integers."""
    return any(op.macs and op.dtype in ("int8", "int16") for op in network.graph.operators)
