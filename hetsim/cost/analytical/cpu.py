"""CPU clusters: a roofline whose peak grows with the cores of a worker."""

from __future__ import annotations

from hetsim.cost.analytical.roofline import RooflineModel
from hetsim.soc.cpu import CPUClusterSpec


class CPUModel(RooflineModel[CPUClusterSpec]):
    """A worker of a cluster; each further core adds ``parallel_efficiency``."""

    @property
    def cores(self) -> int:
        return self.pu.cores

    @property
    def cycles_per_s(self) -> float:
        """Of the first core, and what the others add."""
        return self.spec.point.clock * (1.0 + (self.pu.cores - 1) * self.spec.parallel_efficiency)
