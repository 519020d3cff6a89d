"""What a plan takes according to the profile alone, without simulating it.

Used by schedulers that have no makespan of their own to predict. Bus contention is ignored here
by design: it is what the report's *predicted* beside *simulated* columns make visible.
"""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.plan.build import Block, block_needs
from hetsim.schedulers.base import Problem


def block_times(problem: Problem, blocks: Sequence[Block]) -> list[float]:
    """Seconds each block takes as one partition: call, inputs brought in, its operators, outputs.

    A tensor is brought in once for each block that reads it, and left once by the block that makes
    it; network inputs come from the host and network outputs return to it.
    """
    graph, profile = problem.graph, problem.profile
    host, call = problem.soc.host.index, profile.call()
    home = [0] * len(graph)
    for i, block in enumerate(blocks):
        for op in block.operators:
            home[op] = i
    outputs = set(graph.outputs)
    times = []
    left: dict[str, tuple[int, float]] = {}
    for block in blocks:
        operators = [graph.operators[op] for op in block.operators]
        written = {t for o in operators for t in o.outputs}
        seconds = call + profile.chain_time(block.operators, block.pu)
        for tensor in dict.fromkeys(t for o in operators for t in o.inputs):
            if tensor in written:
                continue
            maker = home[graph.producer[tensor]] if tensor in graph.producer else None
            source = host if maker is None else blocks[maker].pu
            leaving, entering = profile.handover(tensor, source, block.pu)
            seconds += entering
            if maker is not None and tensor not in outputs:
                left[tensor] = maker, leaving
        if block.pu != host:
            for tensor in (t for o in operators for t in o.outputs if t in outputs):
                seconds += profile.crossing(tensor, block.pu, host)
        times.append(seconds)
    for maker, leaving in left.values():
        times[maker] += leaving
    return times


def sequential_time(problem: Problem, blocks: Sequence[Block]) -> float:
    """Seconds when one thread works through the list of blocks."""
    return sum(block_times(problem, blocks))


def barrier_time(
    problem: Problem, blocks: Sequence[Block], groups: Sequence[Sequence[int]]
) -> float:
    """Seconds under the barrier runtime: blocks one by one, groups forked and joined."""
    times = block_times(problem, blocks)
    runtime = problem.soc.runtime
    total = sum(times)
    for group in groups:
        members = [times[i] for i in group]
        threads = len(group) * (runtime.thread_create + runtime.thread_join)
        total += max(members) - sum(members) + threads
    return total


def dataflow_spans(problem: Problem, blocks: Sequence[Block]) -> list[tuple[float, float]]:
    """Start and end of each block (seconds) when it waits for its inputs and its PU only.

    Blocks of one PU keep their order.
    """
    times, needs = block_times(problem, blocks), block_needs(problem.graph, blocks)
    free: dict[int, float] = {}
    spans: list[tuple[float, float]] = []
    for block, seconds, waits in zip(blocks, times, needs, strict=True):
        start = max([free.get(block.pu, 0.0), *(spans[i][1] for i in waits)])
        spans.append((start, start + seconds))
        free[block.pu] = start + seconds
    return spans


def dataflow_time(problem: Problem, blocks: Sequence[Block]) -> float:
    """Seconds until the last of :func:`dataflow_spans` ends."""
    return max((end for _, end in dataflow_spans(problem, blocks)), default=0.0)


def predict(
    problem: Problem, blocks: Sequence[Block], groups: Sequence[Sequence[int]] = ()
) -> float:
    """The time under the runtime that the problem names."""
    if problem.forks:
        return barrier_time(problem, blocks, groups)
    return dataflow_time(problem, blocks)
