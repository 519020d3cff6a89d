"""What an inference takes in memory."""

from __future__ import annotations

from hetsim.analysis.metrics.base import Evaluation, Metric
from hetsim.analysis.residents import peak_bytes


def _peak(run: Evaluation) -> float | None:
    return float(peak_bytes(run.residents, run.soc.spec.memory)) if run.residents else None


PEAK_MEMORY = Metric(
    "peak_memory", "peak memory",
    "the most that all memories of the SoC hold together at once; on-chip memory of units apart",
    of=_peak,
    dimension="size", better="less", joint="max",
)  # fmt: skip

METRICS = (PEAK_MEMORY,)
