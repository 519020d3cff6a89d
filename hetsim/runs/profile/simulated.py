"""A profile made by simulating one-partition plans on an idle SoC.

PartitionTuner's first step (Yu et al., ETRI Journal 45(2), 2023): the time of each operator, of
each group of operators and of the transfer of each operator's input. Equal questions (same kinds,
shapes and attributes on equal PUs) are asked once.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Sequence

from hetsim.cost.fusion import is_fusable
from hetsim.cost.measured.keys import operator_key
from hetsim.cost.profile import INFEASIBLE, Profile
from hetsim.cost.work import Step
from hetsim.errors import InfeasibleError
from hetsim.lower.lowering import Lowering
from hetsim.lower.program import Job, Program
from hetsim.sim.simulate import execute
from hetsim.workload.graph import Operator


class SimulatedProfile(Profile):
    """Answers by simulation, lazily, and remembers. All times in seconds."""

    def __init__(self, lowering: Lowering) -> None:
        self._lowering = lowering
        self._graph = lowering.graph
        self._soc = lowering.soc
        self._signatures = [_signature(lowering, op) for op in self._graph.operators]
        self._known: dict[Hashable, float] = {}
        self._handed: dict[Hashable, tuple[float, float]] = {}
        self.simulations = 0

    def time(self, op: int, pu: int) -> float:
        return self._alone(("alone",), (op,), pu)

    def group_time(self, ops: Sequence[int], pu: int) -> float:
        if not is_fusable(self._graph, ops, self._soc.pus[pu].spec.fuse_patterns):
            return INFEASIBLE
        return self._alone(("alone",), tuple(ops), pu)

    def chain_time(self, ops: Sequence[int], pu: int) -> float:
        key = self._key("chain", ops, pu)
        found = self._known.get(key)
        if found is None:
            try:
                launches = self._lowering.launches(self._soc.pus[pu], ops)
                found = self._simulate(Job("chain", pu, (), (), launches))
            except InfeasibleError:
                found = INFEASIBLE
            self._known[key] = found
        return found

    def concurrent_time(self, parts: Sequence[tuple[int, Sequence[int]]]) -> float:
        key = ("concurrent", tuple((pu, tuple(ops)) for pu, ops in parts))
        found = self._known.get(key)
        if found is None:
            try:
                jobs = tuple(
                    Job(f"part{i}", pu, (), (), self._lowering.launches(self._soc.pus[pu], ops))
                    for i, (pu, ops) in enumerate(parts)
                )
                found = self._simulate(*jobs)
            except InfeasibleError:
                found = INFEASIBLE
            self._known[key] = found
        return found

    def copy(self, op: int) -> float:
        """As measured on the host, if it was; else at the runtime's rate.

        Where the runtime copies nothing, at the rate of the host's own way to memory, over which
        every byte passes twice.
        """
        key = ("copy", self._signatures[op])
        found = self._known.get(key)
        if found is None:
            soc, crossings = self._soc, self._lowering.crossings
            found = self._lowering.costs.transfer(self._graph, op, soc.host)
            if found is None:
                rate = soc.runtime.input_copy or soc.host.bandwidth / 2
                found = self._steps([crossings.copy(t, rate) for t in self._read(op)])
            self._known[key] = found
        return found

    def transfer(self, op: int, pu: int) -> float:
        host = self._soc.host.index
        key = ("transfer", self._signatures[op], self._ends(host, pu))
        found = self._known.get(key)
        if found is None:
            entering = self._lowering.crossings.entering
            steps = [step for t in self._read(op) for step in entering(t, None, pu)]
            found = self._known[key] = self._steps(steps)
        return found

    def crossing(self, tensor: str, source: int, target: int) -> float:
        return 0.0 if source == target else sum(self.handover(tensor, source, target))

    def handover(self, tensor: str, source: int, target: int) -> tuple[float, float]:
        shape = self._graph.tensors[tensor]
        key = (shape.shape, shape.dtype, self._ends(source, target))
        found = self._handed.get(key)
        if found is None:
            crossings = self._lowering.crossings
            entering = (*crossings.copying(tensor), *crossings.entering(tensor, source, target))
            found = self._handed[key] = (
                self._steps(crossings.leaving(tensor, source, output=False)),
                self._steps(entering),
            )
        return found

    def _read(self, op: int) -> Iterable[str]:
        return dict.fromkeys(self._graph.operators[op].inputs)

    def _ends(self, source: int, target: int) -> Hashable:
        """All of two units that decides what passing a tensor from one to the other takes."""
        host, pus = self._soc.runtime.host, self._soc.pus
        left, right = pus[source].cluster, pus[target].cluster
        kinds = self._kind(source), self._kind(target)
        return (*kinds, source == target, left == right, left == host, right == host)

    def call(self) -> float:
        key = ("call",)
        if key not in self._known:
            self._known[key] = self._steps(self._lowering.call_steps)
        return self._known[key]

    def _steps(self, steps: Sequence[Step]) -> float:
        if not steps:
            return 0.0
        return self._simulate(Job("steps", self._soc.host.index, (), tuple(steps), ()))

    def _alone(self, what: tuple[str, ...], ops: tuple[int, ...], pu: int) -> float:
        key = self._key(what[0], ops, pu)
        found = self._known.get(key)
        if found is None:
            try:
                found = self._simulate(self._one_partition(ops, pu))
            except InfeasibleError:
                found = INFEASIBLE
            self._known[key] = found
        return found

    def _one_partition(self, ops: tuple[int, ...], pu: int) -> Job:
        """Data from the application, results back to it, whatever the rest of the network needs."""
        lowering = self._lowering
        unit = self._soc.pus[pu]
        launches = lowering.launches(unit, ops)
        inputs, outputs = lowering.boundary(ops)
        wanted = lowering.given(ops) or outputs[-1:]
        crossings = lowering.crossings
        entry = [*lowering.call_steps]
        for tensor in inputs:
            entry += crossings.entering(tensor, None, pu)
        leave = [s for tensor in wanted for s in crossings.leaving(tensor, pu, output=True)]
        return Job("alone", pu, (), tuple(entry), launches, tuple(leave))

    def _read_outside(self, tensor: str, ops: Container[int]) -> bool:
        graph = self._graph
        return tensor in graph.output_set or any(i not in ops for i in graph.consumers[tensor])

    def _simulate(self, *jobs: Job) -> float:
        self.simulations += 1
        groups = tuple((i,) for i in range(len(jobs)))
        program = Program(self._graph.name, jobs, groups)
        return execute(self._soc, program, trace=False).makespan_s

    def _kind(self, pu: int) -> int:
        return self._lowering.pu_class[pu]

    def _key(self, what: str, ops: Sequence[int], pu: int) -> Hashable:
        # Units of one class cost the same, except that nothing is converted for the host's own.
        unit = self._kind(pu), self._soc.pus[pu].cluster == self._soc.runtime.host
        signatures = tuple(self._signatures[i] for i in ops)
        return (what, signatures, unit, self._wiring(ops))

    def _wiring(self, ops: Sequence[int]) -> tuple[object, ...]:
        """Which tensors of the operators are the same ones, and which are read outside."""
        number: dict[str, int] = {}
        wires = []
        for i in ops:
            op = self._graph.operators[i]
            wires += [number.setdefault(t, len(number)) for t in (*op.inputs, *op.outputs)]
        made = (t for i in ops for t in self._graph.operators[i].outputs)
        members = frozenset(ops)
        return (*wires, *(self._read_outside(t, members) for t in made))


def _signature(lowering: Lowering, op: Operator) -> Hashable:
    """Everything that can change the cost of an operator, without its name."""
    tensors = lowering.graph.tensors
    return (
        operator_key(lowering.graph, op), op.variant, op.macs, op.element_ops, op.nest,
        op.weights, op.sparsity,
        tuple((tensors[t].shape, tensors[t].dtype) for t in op.inputs),
        tuple((tensors[t].shape, tensors[t].dtype) for t in op.outputs),
    )  # fmt: skip
