"""The cost model of a SoC: what was measured, else what was learned, else first principles."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.chain import CostChain, CostModel
from hetsim.cost.crossing import Crossings
from hetsim.cost.measured.files import read_profile
from hetsim.cost.measured.model import MeasuredModel
from hetsim.cost.measured.table import ProfileTable
from hetsim.cost.work import Kernel
from hetsim.errors import ConfigError, Location
from hetsim.soc.model import PU, SoC
from hetsim.workload.graph import Graph

if TYPE_CHECKING:
    from hetsim.learn.regressor import LearnedModel


def cost_model(soc: SoC) -> CostModel:
    """The chain measured → learned → analytical, as far as the SoC's units name files for it.

    Raises:
        ConfigError: a file that is named and cannot be read.
    """
    return cost_chain(soc, profiles(soc))


def cost_chain(soc: SoC, tables: dict[str, ProfileTable]) -> CostModel:
    """The chain with these profiles by cluster in front."""
    analytical = AnalyticalModel()
    behind: CostModel = analytical
    learned = _learned(soc)
    if learned:
        from hetsim.cost.learned.model import LearnedCostModel

        behind = CostChain([LearnedCostModel(learned, analytical), analytical])
    if not tables:
        return behind
    around = _Surroundings(soc)
    return CostChain([MeasuredModel(tables, analytical, around, behind), behind])


def profiles(soc: SoC) -> dict[str, ProfileTable]:
    """The profiles that the SoC's units name, by cluster."""
    found = {}
    for cluster, spec in soc.spec.pus.items():
        if spec.profile is not None:
            path = _beside(soc, cluster, "profile", spec.profile)
            state = path.stat()
            found[cluster] = _read(path, state.st_mtime_ns, state.st_size)
    return found


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int, _size: int) -> ProfileTable:
    """A profile, read once as long as its file stays as it is: studies ask thousands of times."""
    return read_profile(path)


def cost_files(soc: SoC) -> list[Path]:
    """The files that the SoC's units name for their costs."""
    return [
        _beside(soc, cluster, field, name)
        for cluster, spec in soc.spec.pus.items()
        for field, name in (("profile", spec.profile), ("learned", spec.learned))
        if name is not None
    ]


def profile_notes(tables: Iterable[ProfileTable]) -> list[str]:
    """What reading the profiles turned up, for the report."""
    return [f"profile {table.name}: {doubt}" for table in tables for doubt in table.doubts]


def _learned(soc: SoC) -> dict[str, LearnedModel]:
    named = {name: spec.learned for name, spec in soc.spec.pus.items() if spec.learned is not None}
    if not named:
        return {}
    from hetsim.learn.store import load_model

    return {name: load_model(_beside(soc, name, "learned", file)) for name, file in named.items()}


def _beside(soc: SoC, cluster: str, field: str, name: str) -> Path:
    """The file ``name``, relative to the SoC's file."""
    base = Path(soc.source).parent if soc.source else Path()
    path = base / Path(name).expanduser()
    if not path.is_file():
        raise ConfigError(
            f"pus.{cluster}.{field}: there is no file {str(path)!r}", where=Location(soc.source)
        )
    return path


class _Surroundings:
    """What a one-partition plan takes besides its kernel: call, crossings, completion."""

    def __init__(self, soc: SoC) -> None:
        self._soc = soc
        self._crossings: dict[int, tuple[Graph, Crossings]] = {}

    def __call__(self, graph: Graph, kernel: Kernel, pu: PU) -> float:
        known = self._crossings.get(id(graph))
        if known is None or known[0] is not graph:
            known = self._crossings[id(graph)] = (graph, Crossings(graph, self._soc))
        host = self._soc.host
        steps = [
            *(s for t in kernel.inputs for s in known[1].steps(t, None, pu.index)),
            *(s for t in kernel.outputs for s in known[1].steps(t, pu.index, None)),
        ]
        waits = sum(
            max(step.seconds, step.bytes / host.bandwidth) + (host.latency if step.bytes else 0.0)
            for step in steps
        )
        return waits + self._soc.runtime.partition_call + pu.spec.completion_latency
