"""What an inference draws from the battery."""

from __future__ import annotations

from hetsim.analysis.metrics.base import Metric
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC


def energy(trace: Trace, soc: SoC) -> float | None:
    """Joules of one run, or ``None`` when the SoC states no power and no energy.

    A PU draws its active power while it runs kernels and its idle power otherwise, a worker of a
    cluster its share of the cluster's by cores; each byte a memory moves costs its energy.
    """
    total, stated = 0.0, False
    for pu in soc.pus:
        point = pu.spec.point
        stated = stated or bool(point.active_power or point.idle_power)
        busy = trace.pu_busy_s[pu.name]
        idle = trace.makespan_s - busy
        total += pu.share * (busy * point.active_power + idle * point.idle_power)
    for name, usage in trace.links.items():
        stated = stated or bool(soc.links[name].energy_per_byte)
        total += usage.bytes * soc.links[name].energy_per_byte
    return total if stated else None


ENERGY = Metric(
    "energy", "energy per inference", "null when the SoC states no power",
    of=lambda run: energy(run.trace, run.soc),
    dimension="energy", better="less", joint="sum",
    state_it="state active_power, idle_power or energy_per_byte in the SoC file",
)  # fmt: skip

METRICS = (ENERGY,)
