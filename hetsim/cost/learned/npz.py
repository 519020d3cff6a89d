"""hetsim's own learned models among the formats."""

from __future__ import annotations

from pathlib import Path

from hetsim.cost.chain import CostModel
from hetsim.cost.learned.format import LearnedFormat
from hetsim.errors import ConfigError, Location
from hetsim.soc.pu import PUSpec


class NpzFormat(LearnedFormat):
    """Files of ``hetsim calibrate --learned``; what is none of any format, its reader refuses."""

    def recognises(self, head: bytes) -> bool:
        return True

    def model(
        self, cluster: str, spec: PUSpec, path: Path, transfers: Path | None, analytical: CostModel
    ) -> CostModel:
        # What fits and predicts takes its time to import, and few SoCs name such a file.
        from hetsim.cost.learned.model import LearnedCostModel
        from hetsim.learn.store import load_model

        if transfers is not None:
            raise ConfigError(
                f"pus.{cluster}.dma.learned: has no effect beside {path.name}, which tells whole"
                " kernels",
                where=Location(str(transfers)),
                hint="leave it out, or name a .vpunn in 'learned'",
            )
        return LearnedCostModel({cluster: load_model(path)}, analytical)
