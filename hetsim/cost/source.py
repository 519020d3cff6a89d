"""The contract of a cost source: what knows better than first principles, from a user's file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from hetsim.cost.chain import CostModel
from hetsim.errors import ConfigError, Location
from hetsim.infiles import user_path
from hetsim.soc.model import SoC
from hetsim.soc.pu import PUSpec


class CostSource(ABC):
    """Answers for the units that name a file for it: measurements, a trained model, a table.

    In a SoC file that is ``costs: {NAME: FILE}`` of a unit. A SoC where no unit does is none of its
    business: :meth:`model` is only called with files, so that what a run depends on is in the SoC
    and the files, which studies compare. Made once in a process, under the ``name`` it is
    registered by; keeps nothing between calls.
    """

    order: ClassVar[int] = 0
    """Smaller is asked earlier: ``measured`` has 100, ``learned`` 200, first principles none."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def field(self) -> str:
        """Where a unit names its file, for messages."""
        return f"costs.{self.name}"

    def file_of(self, spec: PUSpec) -> str | None:
        """The file that a unit names, relative to the SoC's, if it does."""
        return spec.costs.get(self.name)

    def files(self, soc: SoC) -> dict[str, Path]:
        """The files that units name, by cluster.

        Raises:
            ConfigError: one is not there.
        """
        named = {cluster: self.file_of(spec) for cluster, spec in soc.spec.pus.items()}
        return {
            cluster: self.path_of(soc, f"{cluster}.{self.field}", name)
            for cluster, name in named.items()
            if name is not None
        }

    def path_of(self, soc: SoC, field: str, name: str) -> Path:
        """The file that ``name`` stands for in the SoC's file, under ``pus`` as ``field``.

        Raises:
            ConfigError: it is not there.
        """
        base = Path(soc.source).parent if soc.source else Path()
        path = base / user_path(name, Location(soc.source))
        if not path.is_file():
            raise ConfigError(
                f"pus.{field}: there is no file {str(path)!r}", where=Location(soc.source)
            )
        return path

    def reads(self, files: Mapping[str, Path]) -> list[Path]:
        """All files that costs depend on; more than ``files`` when these refer to others."""
        return list(files.values())

    @abstractmethod
    def model(self, soc: SoC, files: Mapping[str, Path], behind: CostModel) -> CostModel:
        """The model for ``soc``; what it does not know is asked of ``behind``, by the chain.

        Called for every network of every point of a study: what is slow to read is worth keeping
        as long as the file does not change.

        Raises:
            ConfigError: a file that cannot be understood.
        """

    def doubts(self, files: Mapping[str, Path]) -> list[str]:
        """What reading the files turned up, for the report."""
        return []
