"""Measured profiles as a source of costs: the field ``profile`` of a unit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.chain import CostModel
from hetsim.cost.crossing import Crossings
from hetsim.cost.measured.files import read_profile
from hetsim.cost.measured.model import MeasuredModel
from hetsim.cost.measured.peak import refuse_impossible
from hetsim.cost.measured.table import ProfileTable
from hetsim.cost.source import CostSource
from hetsim.cost.work import Kernel
from hetsim.soc.model import PU, SoC
from hetsim.soc.pu import PUSpec
from hetsim.workload.graph import Graph


class MeasuredSource(CostSource):
    """Files of hetsim profile/1."""

    order = 100
    field = "profile"

    def file_of(self, spec: PUSpec) -> str | None:
        return spec.profile

    def model(self, soc: SoC, files: Mapping[str, Path], behind: CostModel) -> CostModel:
        """Also refuses times that are beyond the unit's peak."""
        found = tables(files)
        for cluster, table in found.items():
            refuse_impossible(table, cluster, soc)
        return measured_model(soc, found, behind)

    def doubts(self, files: Mapping[str, Path]) -> list[str]:
        found = tables(files).values()
        return [f"profile {table.name}: {doubt}" for table in found for doubt in table.doubts]


def tables(files: Mapping[str, Path]) -> dict[str, ProfileTable]:
    """The profiles in ``files``, each read once as long as it stays as it is."""
    return {
        cluster: _read(path, path.stat().st_mtime_ns, path.stat().st_size)
        for cluster, path in files.items()
    }


def measured_model(
    soc: SoC, profiles: Mapping[str, ProfileTable], behind: CostModel
) -> MeasuredModel:
    """The model with these profiles by cluster; partitions were measured as ``soc`` runs them."""
    return MeasuredModel(profiles, AnalyticalModel(), _Surroundings(soc), behind)


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int, _size: int) -> ProfileTable:
    return read_profile(path)


class _Surroundings:
    """What a one-partition plan takes besides its kernel: call, crossings, completion.

    The runtime's copy of its inputs was timed apart.
    """

    def __init__(self, soc: SoC) -> None:
        self._soc = soc
        self._crossings: dict[int, tuple[Graph, Crossings]] = {}

    def __call__(self, graph: Graph, kernel: Kernel, pu: PU) -> float:
        known = self._crossings.get(id(graph))
        if known is None or known[0] is not graph:
            known = self._crossings[id(graph)] = (graph, Crossings(graph, self._soc))
        host = self._soc.host
        crossings = known[1]
        before, after = crossings.around(kernel.inputs, kernel.outputs, pu)
        steps = [
            *(s for t in kernel.inputs for s in crossings.entering(t, None, pu.index)),
            *before,
            *after,
            *(s for t in kernel.outputs for s in crossings.leaving(t, pu.index, output=True)),
        ]
        waits = sum(
            max(step.seconds, host.home.seconds(step.read, step.written))
            + (host.latency if step.bytes else 0.0)
            for step in steps
        )
        return waits + self._soc.runtime.partition_call + pu.spec.completion_latency
