"""Learned models as a source of costs: the field ``learned`` of a unit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.chain import CostModel
from hetsim.cost.source import CostSource
from hetsim.soc.model import SoC
from hetsim.soc.pu import PUSpec


class LearnedSource(CostSource):
    """Files of ``hetsim calibrate --learned``."""

    order = 200
    field = "learned"

    def file_of(self, spec: PUSpec) -> str | None:
        return spec.learned

    def model(self, soc: SoC, files: Mapping[str, Path], behind: CostModel) -> CostModel:
        # What fits and predicts takes its time to import, and few SoCs name such a file.
        from hetsim.cost.learned.model import LearnedCostModel
        from hetsim.learn.store import load_model

        models = {cluster: load_model(path) for cluster, path in files.items()}
        return LearnedCostModel(models, AnalyticalModel())
