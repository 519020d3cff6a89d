"""A metric: how often the network changes the processing unit."""

from __future__ import annotations

from itertools import pairwise

from hetsim.analysis.metrics.base import Evaluation, Metric


def switches(run: Evaluation) -> float:
    """Partitions of the plan's list that run elsewhere than the one before."""
    return sum(a.pu != b.pu for a, b in pairwise(run.plan.partitions))


SWITCHES = Metric(
    "switches",
    "changes of the processing unit",
    "from partition to partition, in the order of the plan",
    of=switches,
    unit="count",
    better="less",
    joint="sum",
)
