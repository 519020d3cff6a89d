"""What lies in each memory, from when to when: weights, tensors, copies, tiles' buffers.

* The network's weights are there throughout: a model is loaded once and then runs, so no inference
  waits for it. They take what their unit stores them in; rows of tables that an inference does not
  read count as well, in float32.
* Its inputs and outputs are the application's buffers, in the host's format, throughout.
* An activation lives from the start of the kernel that makes it to the end of what reads it last,
  in the format of its maker. Nothing is computed in place. What stays on chip takes no memory.
* What the host converts or copies exists twice from the start of that step on, until the partition
  that wanted it has read it.
* On chip, in a unit's managed memory, are the tensors that stay between kernels and, while a kernel
  runs, the buffers of its tiles.

The same rules as :func:`hetsim.workload.footprint.live_bytes`, in simulated time and by memory.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hetsim.analysis.moments import JobMoments, LaunchMoments, StepMoment
from hetsim.analysis.ran import Ran
from hetsim.cost.analytical.traffic import tensor_bytes, weight_bytes
from hetsim.cost.work import Kernel
from hetsim.soc.model import PU
from hetsim.workload.graph import DTYPE_BYTES

KINDS = ("weights", "inputs", "outputs", "activations", "copies", "states", "buffers")
"""``copies`` are what the host converted or copied, ``states`` what outlives an inference."""

UNREAD = "weights that one inference does not read"


@dataclass(frozen=True, slots=True)
class Resident:
    """``bytes`` of ``memory`` that ``name`` takes from ``start_s`` to ``end_s``.

    ``memory`` is one of the SoC's, or a unit's own (:func:`on_chip`). ``kind`` is one of
    :data:`KINDS`. ``name`` is a tensor, or the kernel whose weights or buffers these are.
    """

    memory: str
    kind: str
    name: str
    bytes: int
    start_s: float
    end_s: float


def residents(ran: Ran) -> tuple[Resident, ...]:
    """Everything that lies in some memory during the first inference. Linear in its tensors."""
    return tuple(_Survey(ran).rows(ran.jobs))


@dataclass(slots=True)
class _Version:
    """A tensor in one format at one place, until its last reader so far has ended."""

    memory: str
    kind: str
    bytes: int
    start: float
    end: float


def on_chip(pu: PU) -> str:
    """What a unit's own memory is called here."""
    return f"{pu.name}.sram"


class _Survey:
    """Walks through the partitions as they ran, makers before their readers."""

    def __init__(self, ran: Ran) -> None:
        self._graph, self._soc, self._trace = ran.graph, ran.soc, ran.trace
        self._places = ran.plan.memories
        self._versions: defaultdict[str, list[_Version]] = defaultdict(list)
        self._current: dict[str, _Version] = {}
        self._on_chip: list[Resident] = []
        self._inputs = frozenset(ran.graph.inputs)

    def rows(self, jobs: Sequence[JobMoments]) -> Iterable[Resident]:
        graph, end = self._graph, self._trace.makespan_s
        for tensor in graph.inputs:
            self._keep(tensor, self._at(tensor, self._soc.host, "inputs", 0.0), current=True)
        for job in sorted(jobs, key=lambda job: job.at):
            self._job(job)
        yield from self._weights(jobs)
        for memory, amount in self._trace.state_peak_bytes.items():
            yield Resident(memory, "states", "states", amount, 0.0, end)
        for tensor, versions in self._versions.items():
            if tensor in graph.output_set and tensor not in self._inputs:
                self._current[tensor].kind = "outputs"
            for row in versions:
                lasts = row.kind in ("inputs", "outputs")
                span = (0.0, end) if lasts else (row.start, row.end)
                if row.bytes and span[1] > span[0]:
                    yield Resident(row.memory, row.kind, tensor, row.bytes, *span)
        yield from self._on_chip

    def _weights(self, jobs: Sequence[JobMoments]) -> Iterable[Resident]:
        graph, end = self._graph, self._trace.makespan_s
        for job in jobs:
            pu = self._soc.pus[job.job.pu]
            for part in job.launches:
                amount = weight_bytes(self._kernel(part), pu)
                if amount:
                    yield Resident(pu.memory, "weights", part.launch.name, amount, 0.0, end)
        if graph.unread:
            amount = math.ceil(graph.unread * DTYPE_BYTES["float32"])
            yield Resident(self._soc.host.memory, "weights", UNREAD, amount, 0.0, end)

    def _kernel(self, part: LaunchMoments) -> Kernel:
        operators = part.launch.operators
        return Kernel.of(self._graph, tuple(self._graph.operator(name) for name in operators))

    def _at(self, tensor: str, pu: PU, kind: str, start: float) -> _Version:
        """``tensor`` as ``pu`` stores it, made at ``start``."""
        memory = self._places.get(tensor, pu.memory)
        return _Version(memory, kind, tensor_bytes(self._graph, tensor, pu), start, start)

    def _keep(self, tensor: str, version: _Version, *, current: bool) -> None:
        self._versions[tensor].append(version)
        if current:
            self._current[tensor] = version

    def _job(self, part: JobMoments) -> None:
        pu = self._soc.pus[part.job.pu]
        entered: dict[str, _Version] = {}
        for step, at in part.entry:
            if step.bytes and step.name in self._current:
                before = entered.get(step.name, self._current[step.name])
                entered[step.name] = self._copied(step.name, before, (step, at))
        for launch in part.launches:
            self._launch(launch, pu, entered)
        self._chip(part, pu)
        for step, at in part.exit:
            if step.bytes and step.name in self._current:
                copy = self._copied(step.name, self._current[step.name], (step, at))
                self._current[step.name] = copy

    def _copied(self, tensor: str, before: _Version, done: StepMoment) -> _Version:
        """What a host step makes of a version, which it reads to its end."""
        step, (start, end) = done
        before.end = max(before.end, end)
        memory = step.memory or self._soc.host.memory
        copy = _Version(memory, "copies", step.written, start, end)
        self._keep(tensor, copy, current=False)
        return copy

    def _launch(self, part: LaunchMoments, pu: PU, entered: Mapping[str, _Version]) -> None:
        kernel, kept = self._kernel(part), part.launch.kept
        start = min([part.at[0], *(at[0] for _, at in part.before)])
        end = max([part.at[1], *(at[1] for _, at in part.after)])
        # A cache that serves a tensor does not take its place; memory of the unit's own does.
        stays = kept.inputs if pu.spec.managed_memory else frozenset()
        for tensor in kernel.inputs:
            if tensor not in stays:
                self._read(tensor, entered.get(tensor), pu, end)
        for tensor in kernel.outputs:
            if tensor not in kept.outputs:
                made = self._at(tensor, pu, "activations", part.at[0])
                made.end = end
                self._keep(tensor, made, current=True)
        for steps in (part.before, part.after):  # in another layout, beside the original
            for step, _ in steps:
                if step.bytes:
                    memory = step.memory or self._soc.host.memory
                    copy = _Version(memory, "copies", step.written, start, end)
                    self._keep(step.name, copy, current=False)

    def _read(self, tensor: str, entered: _Version | None, pu: PU, end: float) -> None:
        version = entered or self._current.get(tensor)
        if version is None:  # made and kept on chip
            return
        version.end = max(version.end, end)
        if entered is None and tensor not in self._places and version.memory != pu.memory:
            # Units whose paths end elsewhere touch it there, and nobody moves it: it is at both.
            there = next((v for v in self._versions[tensor] if v.memory == pu.memory), None)
            if there is None:
                there = self._at(tensor, pu, "copies", version.start)
                self._keep(tensor, there, current=False)
            there.end = max(there.end, end)

    def _chip(self, part: JobMoments, pu: PU) -> None:
        """What the unit's own memory holds while the partition runs."""
        if not pu.spec.on_chip_memory:
            return
        made: dict[str, float] = {}
        stays: dict[str, float] = {}
        for launch in part.launches:
            held = launch.launch.work.on_chip_bytes - launch.launch.kept.reserved_bytes
            if held > 0 and launch.at[1] > launch.at[0]:
                row = Resident(on_chip(pu), "buffers", launch.launch.name, held, *launch.at)
                self._on_chip.append(row)
            for tensor in launch.launch.kept.inputs:
                stays[tensor] = launch.at[1]
            for name in launch.launch.operators:
                made.update(dict.fromkeys(self._graph.operator(name).outputs, launch.at[0]))
        for tensor, start in made.items():  # in the order they are made: stays comes from sets
            size, end = tensor_bytes(self._graph, tensor, pu), stays.get(tensor, start)
            if size and end > start:
                row = Resident(on_chip(pu), "activations", tensor, size, start, end)
                self._on_chip.append(row)


@dataclass(frozen=True, slots=True)
class Peak:
    """The most that a memory holds at once: ``bytes``, reached first at ``at_s``.

    ``kinds`` are its bytes by kind, ``largest`` what takes most of it, first the largest.
    """

    memory: str
    bytes: int
    at_s: float
    kinds: Mapping[str, int]
    largest: tuple[Resident, ...]


def peaks(rows: Iterable[Resident], largest: int = 5) -> dict[str, Peak]:
    """The peak of every memory that holds anything, in order of first use."""
    return {memory: _peak(memory, own, largest) for memory, own in _by_memory(rows).items()}


def occupancy(rows: Iterable[Resident]) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Times (s) and the bytes that ``rows``, of one or several memories, take from each on.

    What ends at a moment makes room for what begins there.
    """
    changes: defaultdict[float, int] = defaultdict(int)
    for row in rows:
        changes[row.start_s] += row.bytes
        changes[row.end_s] -= row.bytes
    times, values, now = [], [], 0
    for time in sorted(changes):
        now += changes[time]
        times.append(time)
        values.append(now)
    return tuple(times), tuple(values)


def peak_bytes(rows: Iterable[Resident], memories: Iterable[str]) -> int:
    """The most that ``memories`` hold together at once."""
    among = frozenset(memories)
    return max(occupancy(row for row in rows if row.memory in among)[1], default=0)


def _by_memory(rows: Iterable[Resident]) -> dict[str, list[Resident]]:
    found: dict[str, list[Resident]] = {}
    for row in rows:
        found.setdefault(row.memory, []).append(row)
    return found


def _peak(memory: str, rows: Sequence[Resident], largest: int) -> Peak:
    times, values = occupancy(rows)
    most = max(values)
    at = times[values.index(most)]
    there = [row for row in rows if row.start_s <= at < row.end_s]
    kinds = {kind: sum(r.bytes for r in there if r.kind == kind) for kind in KINDS}
    order = sorted(there, key=lambda row: (-row.bytes, row.kind, row.name))
    present = {kind: amount for kind, amount in kinds.items() if amount}
    return Peak(memory, most, at, present, tuple(order[:largest]))
