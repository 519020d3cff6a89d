"""What a delegating runtime makes of a network once it is said which operators are delegated.

Source: LiteRT (TensorFlow Lite), ``PartitionGraphIntoIndependentNodeSubsets`` in
``tensorflow/lite/graph_info.cc``, greedily, as its interpreter calls it. Node subsets are run one
after the other: the first operator that is ready says where the subset runs, and it takes every
operator for that unit that is or becomes ready. So a subset may hold several branches, and an
operator that cannot be delegated ends it only for what waits for that operator. ONNX Runtime's
execution providers, NNAPI and Core ML divide a network alike.

Three things differ here. What some unit runs as one kernel stays together
(:mod:`hetsim.schedulers.units`). There may be several accelerators, a subset being for one of them.
And an operator that no CPU runs is delegated in any case, where the real runtime would fail.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from hetsim.errors import SchedulerError
from hetsim.names import suggest
from hetsim.plan.build import Block
from hetsim.schedulers.base import Problem
from hetsim.schedulers.simple.preference import CPU, NPU, most_capable_first, pus_of_role
from hetsim.schedulers.units import Units

Placement = tuple[int, ...]
"""The PU of each unit."""


class Delegating:
    """The units of a problem and where each may go.

    ``host[u]`` is the PU of unit ``u`` when nothing is delegated: the CPU unit that runs most
    operators, and is fastest on them, wherever it can. ``accelerators`` are the PUs that are no
    CPUs, NPUs first, without those just like an earlier one: one at a time, they would gain
    nothing. With ``only`` it is the one of that name.

    Raises:
        SchedulerError: on construction, when the SoC has no CPU or no such accelerator, or no PU
            can run some operator.
    """

    def __init__(self, problem: Problem, only: str | None = None) -> None:
        soc = problem.soc
        cpus = most_capable_first(problem, pus_of_role(problem, CPU))
        if not cpus:
            raise SchedulerError(f"SoC {soc.name!r} has no CPU")
        self.units = Units(problem)
        others = sorted(
            (pu for pu in soc.pus if pu.spec.role != CPU),
            key=lambda pu: (pu.spec.role != NPU, pu.index),
        )
        kept = [pu for i, pu in enumerate(others) if all(pu.spec != o.spec for o in others[:i])]
        self.accelerators = tuple(pu.index for pu in kept)
        if only is not None:
            names = [pu.name for pu in others]
            if only not in names:
                raise SchedulerError(
                    f"{soc.name!r} has no accelerator {only!r}",
                    hint=suggest(only, names, "its accelerators"),
                )
            self.accelerators = (soc.by_name[only].index,)
        preference = [*cpus, *self.accelerators, *self.units.pus]
        feasible = [set(self.units.feasible(u)) for u in range(len(self.units))]
        self.host: Placement = tuple(next(p for p in preference if p in can) for can in feasible)

    def takes(self, unit: int, pu: int) -> bool:
        """Whether ``pu`` can run ``unit``."""
        return pu in self.units.feasible(unit)

    def everything(self, pu: int) -> Placement:
        """All that ``pu`` takes is delegated to it."""
        return tuple(pu if self.takes(u, pu) else home for u, home in enumerate(self.host))

    def largest(self, pus: Sequence[int], partitions: int | None, min_nodes: int = 1) -> Placement:
        """The ``partitions`` largest subsets for each of ``pus``, with ``min_nodes`` or more.

        One after the other: each is offered what the ones before it left. Size is the number of
        operators; of equals the first counts as larger.
        """
        placed = list(self.host)
        for pu in pus:
            offered = [
                pu if now == home and self.takes(u, pu) else now
                for u, (now, home) in enumerate(zip(placed, self.host, strict=True))
            ]
            subsets = [block for block in self.blocks(offered) if block.pu == pu]
            subsets.sort(key=lambda block: -len(block.operators))
            for block in subsets[:partitions]:
                if len(block.operators) >= min_nodes:
                    for u in block.units:
                        placed[u] = pu
        return tuple(placed)

    def blocks(self, placement: Sequence[int]) -> list[Block]:
        """The node subsets in the order in which they run. O((V + E) log V)."""
        units = self.units
        waiting = [len(before) for before in units.preds]
        ready: dict[int, list[int]] = {}
        for u, count in enumerate(waiting):
            if not count:
                heapq.heappush(ready.setdefault(placement[u], []), u)
        blocks = []
        while any(ready.values()):
            pu = min((queue[0], pu) for pu, queue in ready.items() if queue)[1]
            members: list[int] = []
            queue = ready[pu]
            while queue:
                u = heapq.heappop(queue)
                members.append(u)
                for follower in units.succs[u]:
                    waiting[follower] -= 1
                    if not waiting[follower]:
                        heapq.heappush(ready.setdefault(placement[follower], []), follower)
            ops = tuple(op for u in members for op in units.ops[u])
            blocks.append(Block(ops, pu, tuple(members)))
        return blocks
