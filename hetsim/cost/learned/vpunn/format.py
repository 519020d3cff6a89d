"""VPUNN files among the formats of learned models."""

from __future__ import annotations

from pathlib import Path

from hetsim.cost.chain import CostModel
from hetsim.cost.learned.format import LearnedFormat
from hetsim.errors import ConfigError, Location
from hetsim.learn.vpunn.file import is_vpunn
from hetsim.learn.vpunn.judge import Judge
from hetsim.learn.vpunn.student import is_student, load_student
from hetsim.soc.pu import PUSpec


class VPUNNFormat(LearnedFormat):
    """Intel's cost models of its NPUs' tiles."""

    def recognises(self, head: bytes) -> bool:
        return is_vpunn(head)

    def model(
        self, cluster: str, spec: PUSpec, path: Path, transfers: Path | None, analytical: CostModel
    ) -> CostModel:
        from hetsim.cost.learned.vpunn.model import VPUNNCostModel
        from hetsim.cost.learned.vpunn.transfers import transfer_curve

        if spec.matrix_array is None:
            raise ConfigError(
                f"pus.{cluster}.learned: this is a model of jobs of a matrix array, and the unit"
                " has none",
                where=Location(str(path)),
                hint="name it on a unit of kind npu",
            )
        curve = transfer_curve(transfers) if transfers else None
        return VPUNNCostModel(self.judge(path), curve, analytical)

    def judge(self, path: Path) -> Judge:
        """What tells the cycles of jobs.

        Raises:
            ConfigError: the file cannot be understood.
        """
        from hetsim.learn.vpunn.model import job_model

        return job_model(path)


class StudentFormat(VPUNNFormat):
    """Smaller models that learned from one of these."""

    def recognises(self, head: bytes) -> bool:
        return is_student(head)

    def judge(self, path: Path) -> Judge:
        return load_student(path)
