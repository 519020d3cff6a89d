"""What a network asks of a phone's NPU, as sums that a fit can evaluate many times.

Lowering decides once which operators make a kernel and which tensors stay on chip; neither depends
on rates. What is left is, for each kernel, the longer of arithmetic and bytes, and a constant. The
sum is the time that the simulator finds for the whole network on the unit alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hetsim.cost.analytical import AnalyticalModel
from hetsim.cost.analytical.mobile_npu import Asked, MobileNPUModel
from hetsim.cost.work import Kernel, Step
from hetsim.lower.lowering import Lowering
from hetsim.numeric import Floats, Ints
from hetsim.soc.mobile_npu import ATTENTION, VOLUME, ReachedSpec
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph

DEFAULT = "default"


@dataclass(frozen=True)
class Columns:
    """What the columns of demands mean: names of shares, and of passes; then tails and bytes."""

    shares: tuple[str, ...]
    passes: tuple[str, ...]

    @classmethod
    def of(cls, reached: ReachedSpec) -> Columns:
        """Those that a description tells apart."""
        return cls((*sorted(reached.efficiency), ATTENTION, VOLUME), tuple(sorted(reached.passes)))


@dataclass(frozen=True)
class Demands:
    """Kernels of one network, equal ones once.

    ``products`` and ``elements`` have a row per kernel and the columns of :class:`Columns`;
    ``tails`` are elements, ``bytes`` cross the path, ``count`` says how many such kernels there
    are. ``constant`` are seconds that no rate changes: the host's steps, dispatch, latency.
    """

    products: Floats
    elements: Floats
    tails: Floats
    bytes: Floats
    count: Ints
    constant: float


def demands_of(graph: Graph, soc: SoC, unit: str, columns: Columns) -> Demands:
    """Those of ``graph`` wholly on ``unit`` of ``soc``, whose precision says the data type.

    Raises:
        InfeasibleError: an operator that the unit cannot run.
    """
    pu = soc.by_name[unit]
    model = MobileNPUModel(pu)
    lowering = Lowering(graph, soc, AnalyticalModel())
    job = lowering.job("all", pu, tuple(range(len(graph))), {})
    rows, latency = [], 0.0
    for launch in job.launches:
        kernel = Kernel.of(graph, tuple(graph.operator(name) for name in launch.operators))
        asked = model.asked(graph, kernel)
        rows.append([*_columns(asked, columns), asked.tail, float(launch.work.bytes)])
        latency += soc.by_name[unit].home.latency if launch.work.bytes else 0.0
    table, count = np.unique(np.array(rows), axis=0, return_counts=True)
    first, second = len(columns.shares), len(columns.shares) + len(columns.passes)
    host = sum(_seconds(soc, step) for step in (*job.entry, *job.exit))
    constant = host + latency + len(job.launches) * pu.spec.dispatch
    return Demands(
        table[:, :first], table[:, first:second], table[:, -2], table[:, -1],
        count.astype(np.int64), constant,
    )  # fmt: skip


def _columns(asked: Asked, columns: Columns) -> list[float]:
    shares = dict.fromkeys(columns.shares, 0.0)
    passes = dict.fromkeys(columns.passes, 0.0)
    for products, names in asked.products:
        shares[_found(names, columns.shares)] += products
    if asked.elements:
        passes[_found(asked.passes, columns.passes)] += asked.elements
    return [*shares.values(), *passes.values()]


def _found(names: tuple[str, ...], table: tuple[str, ...]) -> str:
    return next((name for name in names if name in table), DEFAULT)


def _seconds(soc: SoC, step: Step) -> float:
    """A host thread's step alone."""
    way = soc.host.home
    return max(step.seconds, step.bytes / way.bandwidth) + way.latency * bool(step.bytes)
