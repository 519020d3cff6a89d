"""Accelerators: a roofline whose peak is that of the whole unit."""

from __future__ import annotations

from hetsim.cost.analytical.roofline import RooflineModel
from hetsim.soc.accelerator import AcceleratorSpec


class AcceleratorModel(RooflineModel[AcceleratorSpec]):
    """A GPU or DSP."""

    @property
    def cycles_per_s(self) -> float:
        """Its clock."""
        return self.spec.point.clock
