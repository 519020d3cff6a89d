"""Programs: plans with every cost filled in, ready for the simulator.

The simulator reads this and the SoC's links, and knows neither operators' meaning nor schedulers.
Made by :mod:`hetsim.lower.lowering`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

from hetsim.cost.work import NOWHERE, Residency, Step, Work
from hetsim.errors import PlanError


@dataclass(frozen=True, slots=True)
class Touched:
    """What a kernel of ``network`` reads and writes at the end of its unit's path: bytes by tensor.

    ``weights`` has those of all its operators by one name; inferences share them. ``other`` bytes
    that it reads are never in a cache.
    """

    network: str
    reads: tuple[tuple[str, int], ...]
    weights: tuple[tuple[str, int], ...]
    writes: tuple[tuple[str, int], ...]
    other: int = 0

    @property
    def read_bytes(self) -> int:
        """All that it reads, once."""
        return sum(size for _, size in (*self.reads, *self.weights)) + self.other


@dataclass(frozen=True, slots=True)
class Launch:
    """One kernel of a partition: display name, the operators in it, and its work.

    A host thread takes the steps ``before`` and ``after`` while the unit is not running. ``kept``
    are the tensors that stay on chip around it; its work has no bytes of them. ``touched`` is known
    where a system cache, or a memory
    for weights, may have some of what it reads.
    """

    name: str
    operators: tuple[str, ...]
    work: Work
    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    kept: Residency = NOWHERE
    touched: Touched | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What one inference leaves to the next of its stream: a KV cache, a recurrent state.

    It lies in ``memory`` and takes ``size_bytes`` before the first inference; with each one it
    grows by ``grow_bytes``. A state that grows is read whole and appended to; one that does not is
    written whole.
    """

    name: str
    memory: str
    size_bytes: int
    grow_bytes: int = 0

    def size(self, written: int) -> int:
        """Bytes after ``written`` inferences have written it."""
        return self.size_bytes + written * self.grow_bytes


@dataclass(frozen=True, slots=True)
class Access:
    """A state that a job's kernel, by its position in the job, reads or writes or both."""

    state: str
    launch: int = 0
    reads: bool = False
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A lowered partition.

    ``pu`` is a PU index; ``needs`` are positions (in the program) of the partitions whose results
    it reads. ``entry`` runs before the launches, ``exit`` after them. ``states`` are what its
    launches read from the inference before and leave to the next.
    """

    name: str
    pu: int
    needs: tuple[int, ...]
    entry: tuple[Step, ...]
    launches: tuple[Launch, ...]
    exit: tuple[Step, ...] = ()
    states: tuple[Access, ...] = ()


class Choices(ABC):
    """How a program's partitions would run on other units than those of its plan.

    What a partition has to do depends on its unit and on where its inputs lie.
    """

    @abstractmethod
    def units(self, position: int) -> tuple[int, ...]:
        """The units that can run a partition, ascending; never none."""

    @abstractmethod
    def job(self, position: int, unit: int, homes: Sequence[int]) -> Job:
        """The partition on ``unit``; ``homes`` are the units that ran those it ``needs``.

        The same question has the same answer, to the object.
        """


@dataclass(frozen=True, slots=True)
class Program:
    """All lowered partitions of one plan, in plan order; ``groups`` hold positions.

    ``groups`` cover every position exactly once and in order: a group of one runs alone, a larger
    one is forked and joined by the barrier runtime. ``states`` outlive an inference. ``choices``
    are known where somebody may take a partition elsewhere than the plan says.

    Raises:
        PlanError: a job accesses a state that is not declared, or in a launch it does not have; or
            several jobs write the same state.
    """

    model: str
    jobs: tuple[Job, ...]
    groups: tuple[tuple[int, ...], ...]
    states: tuple[State, ...] = ()
    choices: Choices | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        declared = {state.name for state in self.states}
        writers: set[str] = set()
        for job in self.jobs:
            for access in job.states:
                if access.state not in declared:
                    raise PlanError(f"{job.name!r} accesses undeclared state {access.state!r}")
                if not 0 <= access.launch < len(job.launches):
                    raise PlanError(
                        f"{job.name!r} accesses state {access.state!r} in launch {access.launch},"
                        f" and has {len(job.launches)}"
                    )
                if access.writes and access.state in writers:
                    raise PlanError(f"state {access.state!r} is written more than once")
                if access.writes:
                    writers.add(access.state)
