"""What it costs to cut a network into partitions, measured on chains of convolutions.

Three things: the call of a partition, the tensors that it takes in from memory because caches have
lost them, and waking the worker that takes over. Chains of different tensor sizes run whole, cut
behind every convolution on one worker, and with the workers changing, in turns so that drift meets
all alike. A line through the costs of a cut over the bytes that cross gives the first two; the
third is what changing workers adds. No network that users measure or verify is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from hetsim.host.clock import Sample, undisturbed
from hetsim.host.cut import Cutter
from hetsim.host.engines.base import Engine
from hetsim.host.execute import BoundPlan
from hetsim.host.machine import Machine
from hetsim.host.network import Network, make_network
from hetsim.plan.model import Partition, Plan

if TYPE_CHECKING:
    from onnx import ModelProto

LENGTH = 12
"""Convolutions in a chain."""

SHAPES = ((32, 8), (16, 28), (8, 56), (16, 56), (8, 112))
"""Channels, and height and width, of the chains' tensors: 8 to 400 KiB."""

WORKERS = ("a", "b")


@dataclass(frozen=True)
class CutCosts:
    """Seconds of a call, bytes per second at which a partition takes in what it reads (``None``:
    as fast as could be told), seconds until another worker takes over."""

    call_s: float
    refetch: float | None = None
    handover_s: float = 0.0

    def around(self, read_bytes: int) -> float:
        """Seconds before the kernels of a partition that reads so much from its own worker."""
        return self.call_s + (read_bytes / self.refetch if self.refetch else 0.0)


def measure_cuts(
    machine: Machine, threads: int, engine: Engine, repeats: int = 25, warmup: int = 3
) -> CutCosts:
    """Measures on workers of ``threads`` threads; the third cost only where there are two.

    Raises:
        MissingExtraError: the engine is not installed.
    """
    cores = {
        worker: machine.cpus[i * threads : (i + 1) * threads]
        for i, worker in enumerate(WORKERS)
        if (i + 1) * threads <= len(machine.cpus)
    }
    sizes, here, over = [], [], []
    for channels, side in SHAPES:
        network = make_network(_chain(channels, side), "chain")
        whole, cut, turns = _costs(network, cores, engine, repeats, warmup)
        sizes.append(4 * channels * side * side)
        here.append((cut - whole) / (LENGTH - 1))
        if turns is not None:
            over.append((turns - cut) / (LENGTH - 1))
    return fitted(sizes, here, over)


def fitted(sizes: Sequence[int], here: Sequence[float], over: Sequence[float]) -> CutCosts:
    """The line through the costs ``here`` of one more cut over ``sizes``; none is negative.

    Theil and Sen's line, the median of the slopes between all pairs, which single disturbed chains
    do not turn. ``over``: what changing the worker adds, of which the median is taken.
    """
    pairs = [(i, j) for i in range(len(sizes)) for j in range(i) if sizes[i] != sizes[j]]
    slope = median((here[i] - here[j]) / (sizes[i] - sizes[j]) for i, j in pairs)
    slope = max(0.0, slope)
    call = max(0.0, median(y - slope * x for x, y in zip(sizes, here, strict=True)))
    return CutCosts(call, 1.0 / slope if slope else None, max(0.0, median(over)) if over else 0.0)


def _costs(
    network: Network,
    cores: dict[str, tuple[int, ...]],
    engine: Engine,
    repeats: int,
    warmup: int,
) -> tuple[float, float, float | None]:
    """Median seconds of the chain whole, cut on one worker, and with workers taking turns."""
    names = [op.name for op in network.graph.operators]
    pairs = [tuple(names[i : i + 2]) for i in range(0, len(names), 2)]
    plans = [
        [Partition("all", "a", tuple(names))],
        [Partition(f"p{i}", "a", pair) for i, pair in enumerate(pairs)],
    ]
    if len(cores) > 1:
        plans.append([Partition(f"p{i}", WORKERS[i % 2], pair) for i, pair in enumerate(pairs)])
    cutter = Cutter(network)
    samples: list[list[Sample]] = [[] for _ in plans]
    with ExitStack() as stack:
        teams = [
            stack.enter_context(
                BoundPlan(Plan("chain", tuple(parts)), cutter, cores, network.feeds, engine).team()
            )
            for parts in plans
        ]
        for turn in range(warmup + repeats):
            for i, team in enumerate(teams):
                sample = team.run().sample
                if turn >= warmup:
                    samples[i].append(sample)
    whole, cut, *turns = (median(s.wall_s for s in undisturbed(each)) for each in samples)
    return whole, cut, turns[0] if turns else None


def _chain(channels: int, side: int) -> ModelProto:
    from onnx import TensorProto, helper

    shape = [1, channels, side, side]
    kernel = [channels, channels, 3, 3]
    count = channels * channels * 9
    weights = [
        helper.make_tensor(f"w{i}", TensorProto.FLOAT, kernel, [(-1.0) ** j / count
                                                                for j in range(count)])
        for i in range(LENGTH)
    ]  # fmt: skip
    nodes = []
    for i in range(LENGTH):
        source = f"r{i - 1}" if i else "x"
        nodes.append(
            helper.make_node("Conv", [source, f"w{i}"], [f"c{i}"], name=f"c{i}", pads=[1] * 4)
        )
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"r{i}"], name=f"r{i}"))
    given, made = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        for name in ("x", f"r{LENGTH - 1}")
    )
    graph = helper.make_graph(nodes, "chain", given, made, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
