"""From plans to programs: fusing, placing tensors, asking the cost model, adding crossings.

What is decided here: which operators of a partition become one kernel (:mod:`hetsim.cost.fusion`),
which tensors stay on chip between kernels (:mod:`hetsim.lower.residency`), and what the host must
do at partition boundaries (:mod:`hetsim.cost.crossing`). Lowering is cached per partition, so a
search that changes one partition pays for that one.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from hetsim.cost.chain import CostModel
from hetsim.cost.crossing import Crossings
from hetsim.cost.fusion import fuse
from hetsim.cost.work import NOWHERE, Kernel, Residency, Step, Work
from hetsim.errors import InfeasibleError, PlanError
from hetsim.lower.placement import Memories, check_room, placed, touched
from hetsim.lower.prefetch import prefetched
from hetsim.lower.program import Job, Launch, Program
from hetsim.lower.residency import residencies
from hetsim.plan.model import Partition, Plan
from hetsim.soc.model import PU, SoC
from hetsim.workload.graph import Graph

NOWHERE_ELSE: Memories = {}
"""Every tensor lies where the paths of those who touch it end."""


class Lowering:
    """Lowers plans of one network for one SoC."""

    def __init__(self, graph: Graph, soc: SoC, costs: CostModel) -> None:
        self.graph = graph
        self.soc = soc
        self.costs = costs
        self.crossings = Crossings(graph, soc)
        self._launches: dict[Hashable, tuple[Launch, ...]] = {}
        self._boundaries: dict[tuple[int, ...], tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self._given: dict[tuple[int, ...], tuple[str, ...]] = {}
        self._members: dict[tuple[str, ...], tuple[int, ...]] = {}
        self.pu_class = _classes(soc)
        self.call_steps: tuple[Step, ...] = (
            (Step("call", "call", soc.runtime.partition_call),)
            if soc.runtime.partition_call
            else ()
        )

    def launches(
        self, pu: PU, ops: Sequence[int], *, fused: bool = True, memories: Memories = NOWHERE_ELSE
    ) -> tuple[Launch, ...]:
        """The kernels of operators ``ops`` (positions, in order) as one partition on ``pu``.

        ``memories`` are those of tensors that the plan has put somewhere.

        Raises:
            InfeasibleError: an operator that ``pu`` cannot run.
            PlanError: a memory that ``pu`` cannot reach.
        """
        key = (self.pu_class[pu.index], tuple(ops), fused, *sorted(memories.items()))
        found = self._launches.get(key)
        if found is None:
            found = self._launches[key] = self._lower(pu, tuple(ops), fused, memories)
        return found

    def _lower(
        self, pu: PU, ops: tuple[int, ...], fused: bool, memories: Memories
    ) -> tuple[Launch, ...]:
        graph = self.graph
        chains = fuse(graph, ops, pu.spec.fuse_patterns) if fused else [(op,) for op in ops]
        kernels = [Kernel.of(graph, tuple(graph.operators[i] for i in chain)) for chain in chains]
        kept = residencies(graph, kernels, pu)
        try:
            works = self._works(kernels, kept, pu)
        except InfeasibleError:
            if all(residency == NOWHERE for residency in kept):
                raise
            # What stays on chip may leave too little room for a tile: then nothing stays.
            kept = [NOWHERE] * len(kernels)
            works = self._works(kernels, kept, pu)
        if pu.spec.prefetches:
            works = prefetched(works, pu)
        if memories:
            works = [
                placed(graph, kernel, work, residency, pu, memories)
                for kernel, work, residency in zip(kernels, works, kept, strict=True)
            ]
        return tuple(
            Launch(
                kernel.name,
                tuple(op.name for op in kernel.operators),
                work,
                *self._around(kernel, pu, memories),
                residency,
                touched(graph, kernel, residency, pu, memories)
                if pu.cached or pu.spec.weight_memory
                else None,
            )
            for kernel, work, residency in zip(kernels, works, kept, strict=True)
        )

    def _around(
        self, kernel: Kernel, pu: PU, memories: Memories
    ) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """The host's steps before and after ``kernel``, to where its tensors lie."""
        before, after = self.crossings.around(kernel.inputs, kernel.outputs, pu)
        if memories:
            before, after = (
                tuple(s for step in steps for s in self._reaching((step,), step.name, memories))
                for steps in (before, after)
            )
        return before, after

    def _works(self, kernels: Sequence[Kernel], kept: Sequence[Residency], pu: PU) -> list[Work]:
        works = []
        for kernel, residency in zip(kernels, kept, strict=True):
            work = self.costs.work(self.graph, kernel, pu, residency)
            if work is None:
                raise InfeasibleError(f"no cost is known for {kernel.name} on {pu.name}")
            works.append(work)
        return works

    def job(
        self,
        name: str,
        pu: PU,
        ops: Sequence[int],
        home: dict[str, int],
        needs: tuple[int, ...] = (),
        *,
        fused: bool = True,
        memories: Memories = NOWHERE_ELSE,
    ) -> Job:
        """One partition. ``home`` maps tensors made elsewhere on the SoC to the PU that made them.

        Tensors that are not in ``home`` come from the application, in host format. ``memories``
        says where tensors lie that the plan has put somewhere.
        """
        inputs = self.boundary(ops)[0]
        entry: list[Step] = []
        for tensor in inputs:
            entry += self._reaching(self.crossings.copying(tensor), tensor, memories)
        entry += self.call_steps
        for tensor in inputs:
            steps = self.crossings.entering(tensor, home.get(tensor), pu.index)
            entry += self._reaching(steps, tensor, memories)
        leave: list[Step] = []
        for tensor in self.given(ops):
            output = tensor in self.graph.output_set
            steps = self.crossings.leaving(tensor, pu.index, output=output)
            leave += self._reaching(steps, tensor, memories)
        near = self._near(ops, pu, memories) if memories else memories
        launches = self.launches(pu, ops, fused=fused, memories=near)
        return Job(name, pu.index, needs, tuple(entry), launches, tuple(leave))

    def _reaching(
        self, steps: tuple[Step, ...], tensor: str, memories: Memories
    ) -> tuple[Step, ...]:
        """The host's steps, to where ``tensor`` lies."""
        host = self.soc.host
        memory = memories.get(tensor, host.memory)
        if memory == host.memory or not any(step.bytes for step in steps):
            return steps
        way = self.soc.route(host, memory)
        return tuple(replace(s, memory=way.memory) if s.bytes else s for s in steps)

    def _near(self, ops: Sequence[int], pu: PU, memories: Memories) -> Memories:
        """Of ``memories`` those of tensors that ``ops`` touch off the path of ``pu``.

        Where the host touches them between kernels, too: all of them.
        """
        operators = [self.graph.operators[i] for i in ops]
        touched = dict.fromkeys(t for op in operators for t in (*op.inputs, *op.outputs))
        return {
            tensor: self.soc.route(pu, memories[tensor]).memory
            for tensor in touched
            if memories.get(tensor, pu.memory) != pu.memory
            or (tensor in memories and pu.spec.relayouts_kernels)
        }

    def boundary(self, ops: Sequence[int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Tensors the operators read from outside, and tensors they make, in order."""
        key = tuple(ops)
        found = self._boundaries.get(key)
        if found is None:
            operators = [self.graph.operators[i] for i in key]
            made = dict.fromkeys(t for op in operators for t in op.outputs)
            read = dict.fromkeys(t for op in operators for t in op.inputs if t not in made)
            found = self._boundaries[key] = (tuple(read), tuple(made))
        return found

    def given(self, ops: Sequence[int]) -> tuple[str, ...]:
        """Tensors that the operators make and the application or other operators read, in order."""
        key = tuple(ops)
        found = self._given.get(key)
        if found is None:
            graph, members = self.graph, set(key)
            found = self._given[key] = tuple(
                t
                for t in self.boundary(key)[1]
                if t in graph.output_set or not members.issuperset(graph.consumers[t])
            )
        return found

    def _positions(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Operators by position."""
        found = self._members.get(names)
        if found is None:
            index = self.graph.index
            found = self._members[names] = tuple(index[name] for name in names)
        return found

    def program(self, plan: Plan) -> Program:
        """The program of a valid plan.

        Raises:
            PlanError: an operator that its PU cannot run (with the reason), an unknown name, a
                memory that a PU cannot reach.
            InfeasibleError: tensors that do not fit the memory they are put into.
        """
        by_name = self.soc.by_name
        made_by: dict[str, int] = {}
        home: dict[str, int] = {}
        members = [self._positions(partition.operators) for partition in plan.partitions]
        for position, partition in enumerate(plan.partitions):
            pu = by_name[partition.pu].index
            for tensor in self.boundary(members[position])[1]:
                made_by[tensor] = position
                home[tensor] = pu
        if plan.memories:
            check_room(self.graph, self.soc, plan.memories, home)
        jobs = tuple(
            self._job_of(partition, members[position], made_by, home, plan.memories)
            for position, partition in enumerate(plan.partitions)
        )
        return Program(plan.model, jobs, groups_of(plan))

    def _job_of(
        self,
        partition: Partition,
        ops: tuple[int, ...],
        made_by: dict[str, int],
        home: dict[str, int],
        memories: Memories,
    ) -> Job:
        needs = {made_by[t] for t in self.boundary(ops)[0] if t in made_by}
        pu = self.soc.by_name[partition.pu]
        try:
            return self.job(
                partition.name, pu, ops, home, tuple(sorted(needs)), fused=partition.fuse,
                memories=memories,
            )  # fmt: skip
        except InfeasibleError as error:
            raise PlanError(
                f"partition {partition.name!r} cannot run on {pu.name}: {error.message}"
            ) from None


def groups_of(plan: Plan) -> tuple[tuple[int, ...], ...]:
    """The plan's partitions by position, parallel groups together, all others alone."""
    position = {partition.name: i for i, partition in enumerate(plan.partitions)}
    grouped = {
        min(position[name] for name in group): tuple(sorted(position[name] for name in group))
        for group in plan.parallel_groups
    }
    inside = {i for group in grouped.values() for i in group}
    groups = []
    for i in range(len(plan.partitions)):
        if i in grouped:
            groups.append(grouped[i])
        elif i not in inside:
            groups.append((i,))
    return tuple(groups)


def _classes(soc: SoC) -> list[int]:
    """For each PU, the first PU that is just like it (same description, same cores)."""
    first: list[int] = []
    for pu in soc.pus:
        alike = (
            other.index
            for other in soc.pus[: pu.index]
            if other.cores == pu.cores and (other.cluster == pu.cluster or other.spec == pu.spec)
        )
        first.append(next(alike, pu.index))
    return first
