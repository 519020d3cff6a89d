"""Learned models as a source of costs: the field ``learned`` of a unit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.chain import CostModel
from hetsim.cost.learned.format import format_of
from hetsim.cost.reach import Reach
from hetsim.cost.source import CostSource
from hetsim.cost.work import NOWHERE, Kernel, Residency, Work
from hetsim.soc.model import PU, SoC
from hetsim.soc.pu import PUSpec
from hetsim.workload.graph import Graph

_TRANSFERS = ".dma"
"""Behind a cluster's name: the file of its DMA engines."""


class LearnedSource(CostSource):
    """Files of ``hetsim calibrate --learned``, and those of :mod:`hetsim.cost.learned.format`."""

    order = 200
    field = "learned"

    def file_of(self, spec: PUSpec) -> str | None:
        return spec.learned

    def files(self, soc: SoC) -> dict[str, Path]:
        found = super().files(soc)
        for cluster in tuple(found):
            if (name := soc.spec.pus[cluster].learned_transfers) is not None:
                found[cluster + _TRANSFERS] = self.path_of(soc, f"{cluster}.dma.learned", name)
        return found

    def model(self, soc: SoC, files: Mapping[str, Path], behind: CostModel) -> CostModel:
        analytical = AnalyticalModel()
        return ByCluster({
            cluster: format_of(path).model(
                cluster, soc.spec.pus[cluster], path, files.get(cluster + _TRANSFERS), analytical
            )
            for cluster, path in files.items()
            if not cluster.endswith(_TRANSFERS)
        })  # fmt: skip


class ByCluster(CostModel):
    """Asks the model of the unit's cluster, if it has one."""

    def __init__(self, models: Mapping[str, CostModel]) -> None:
        self.models = dict(models)
        self.caches = any(model.caches for model in self.models.values())

    def work(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency = NOWHERE
    ) -> Work | None:
        model = self.models.get(pu.cluster)
        return model.work(graph, kernel, pu, residency) if model else None

    def floor(self, graph: Graph, op: int, pu: PU) -> float | None:
        model = self.models.get(pu.cluster)
        return model.floor(graph, op, pu) if model else None

    def quickest(
        self, graph: Graph, kernel: Kernel, pu: PU, residency: Residency, reach: Reach
    ) -> float | None:
        model = self.models.get(pu.cluster)
        return model.quickest(graph, kernel, pu, residency, reach) if model else None

    def notes(self) -> list[str]:
        return [note for model in self.models.values() for note in model.notes()]
