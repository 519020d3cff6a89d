"""The contract of a format of learned models, and which formats there are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from hetsim.cost.chain import CostModel
from hetsim.plugins import load_class
from hetsim.soc.pu import PUSpec

BUILT_IN = (
    "hetsim.cost.learned.vpunn.format:VPUNNFormat",
    "hetsim.cost.learned.vpunn.format:StudentFormat",
    "hetsim.cost.learned.npz:NpzFormat",
)
"""In the order in which they are asked; the last one recognises anything."""

HEAD = 64
"""Bytes at the beginning of a file that tell its format."""


class LearnedFormat(ABC):
    """Files of one sort that a unit's ``learned`` may name."""

    @abstractmethod
    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins with ``head`` is one."""

    @abstractmethod
    def model(
        self, cluster: str, spec: PUSpec, path: Path, transfers: Path | None, analytical: CostModel
    ) -> CostModel:
        """The model of the units of ``cluster``, with that of their DMA engines, if they name one.

        Raises:
            ConfigError: the file cannot be understood, or is not for such a unit.
        """


def format_of(path: Path) -> LearnedFormat:
    """That of the file at ``path``; what is wrong with it, the format says."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    formats: Iterator[LearnedFormat] = (
        load_class(name, LearnedFormat, "a format of learned models")()  # type: ignore[type-abstract]
        for name in BUILT_IN
    )
    return next(known for known in formats if known.recognises(head))
