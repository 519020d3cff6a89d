"""What an inference draws from the battery."""

from __future__ import annotations

from hetsim.analysis.energy import energy
from hetsim.analysis.metrics.base import Metric

ENERGY = Metric(
    "energy", "energy per inference", "null when the SoC states no power",
    of=lambda run: energy(run.trace, run.soc),
    dimension="energy", better="less", joint="sum",
    state_it="state active_power, idle_power or energy_per_byte in the SoC file",
)  # fmt: skip

METRICS = (ENERGY,)
