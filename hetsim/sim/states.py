"""State that outlives an inference: who waits for whom, what it moves, the room it takes.

Within a stream the reader of a state waits for the one that wrote it in the inference before, and
a writer for everyone who accessed it there. Streams do not see each other's state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hetsim.cost.work import Traffic, with_traffic
from hetsim.errors import InfeasibleError
from hetsim.lower.program import Access, Launch, State
from hetsim.sim.source import Inference
from hetsim.sim.task import Task
from hetsim.soc.model import SoC

_Key = tuple[int, str]


@dataclass(slots=True)
class _Kept:
    """One stream's state: how many inferences write it, who wrote last and who read since."""

    writes: int = 0
    writers: list[Task] = field(default_factory=list)
    readers: list[Task] = field(default_factory=list)


class States:
    """The state of all streams during a simulation.

    ``peak_bytes`` is, by memory, what all states together take: they never shrink.
    """

    def __init__(self, soc: SoC) -> None:
        self._soc = soc
        self._kept: dict[_Key, _Kept] = {}
        self.peak_bytes: dict[str, int] = {}

    def arrive(self, tasks: Sequence[Task], inference: Inference) -> None:
        """Orders a new inference's tasks behind those before that leave it their state.

        Raises:
            PlanError: a unit cannot reach the memory in which a state lies.
            InfeasibleError: the state is larger than its memory.
        """
        for state in inference.program.states:
            key = inference.stream, state.name
            if key not in self._kept:
                self._kept[key] = _Kept()
                self._occupy(state.memory, state.size_bytes)
            self._pass_on(self._kept[key], state, tasks)

    def _pass_on(self, kept: _Kept, state: State, tasks: Sequence[Task]) -> None:
        uses = [(t, a) for t in tasks for a in t.job.states if a.state == state.name]
        for task, access in uses:
            task.states = (*task.states, state)
            task.launches = self._moving(task, access, state, kept.writes)
            for earlier in (*kept.writers, *kept.readers) if access.writes else kept.writers:
                if not earlier.done:
                    earlier.readers.append(task)
                    task.blockers += 1
        readers = [task for task, access in uses if not access.writes]
        writers = [task for task, access in uses if access.writes]
        if writers:
            kept.writers, kept.readers = writers, readers
            kept.writes += 1
        else:
            kept.readers = [*(task for task in kept.readers if not task.done), *readers]

    def _moving(self, task: Task, access: Access, state: State, written: int) -> tuple[Launch, ...]:
        """The task's launches, with what ``access`` moves."""
        pu = self._soc.pus[task.job.pu]
        memory = self._soc.route(pu, state.memory).memory
        traffic = Traffic(
            "" if memory == pu.memory else memory,
            state.size(written) if access.reads else 0,
            (state.grow_bytes or state.size_bytes) if access.writes else 0,
        )
        launches = list(task.launches)
        launch = launches[access.launch]
        touched = launch.touched
        if touched is not None and not traffic.memory:
            touched = replace(touched, other=touched.other + traffic.load_bytes)
        work = with_traffic(launch.work, traffic)
        launches[access.launch] = replace(launch, work=work, touched=touched)
        return tuple(launches)

    def finish(self, task: Task) -> None:
        """A task has ended: what it wrote has grown.

        Raises:
            InfeasibleError: the memory is too small for it now.
        """
        written = {access.state for access in task.job.states if access.writes}
        for state in task.states:
            if state.name in written:
                self._occupy(state.memory, state.grow_bytes)

    def _occupy(self, memory: str, amount: int) -> None:
        total = self.peak_bytes[memory] = self.peak_bytes.get(memory, 0) + amount
        room = self._soc.spec.memory[memory].capacity
        if total > room:
            raise InfeasibleError(
                f"state in memory {memory!r} has grown to {total} B, and it has {room:.0f} B"
            )
