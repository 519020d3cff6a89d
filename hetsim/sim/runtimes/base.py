"""The contract of a runtime."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from math import nextafter
from typing import ClassVar

from hetsim.errors import HetsimError, PlanError
from hetsim.sim.machine import Machine
from hetsim.sim.source import Completion, Inference, Sink, Source
from hetsim.sim.task import Task, tasks_of


class Runtime(ABC):
    """Carries out on ``machine`` what ``source`` asks for, and tells ``sink`` of what has ended.

    :meth:`start` is called once, before time begins. A runtime takes arrivals from the source one
    by one, calls :meth:`arrive` for each when its time has come, :meth:`tasks` when it may begin,
    and :meth:`end` when it has ended.
    Afterwards :attr:`open` must be zero: whatever is left waits for something that never comes.
    Only one that cut the simulation short may leave something, and says why in ``stopped``.

    ``forks`` tells what it makes of a plan: partitions start in list order and parallel groups are
    forked and joined, so that who waits does so at a barrier. Otherwise only the order on each PU
    and the data count, and groups mean nothing. ``separable`` says that what runs after a moment at
    which nothing was running takes as long as it would alone, so that a search may simulate such
    parts of a plan apart and remember them; a subclass of one that is may have to deny it.
    ``in_order`` promises that each PU takes an inference's partitions in plan order; a subclass may
    have to deny that, too.
    """

    forks: ClassVar[bool] = False
    in_order: ClassVar[bool] = False
    separable: ClassVar[bool] = False

    def __init__(self, machine: Machine, source: Source, sink: Sink) -> None:
        self.machine = machine
        self.source = source
        self._sink = sink
        self.stopped = ""
        self._arrived = 0
        self._ended = 0

    @property
    def open(self) -> int:
        """Inferences that have arrived and not ended."""
        return self._arrived - self._ended

    def stuck(self) -> HetsimError:
        """Why inferences are open although nothing will happen any more."""
        return PlanError("partitions wait for one another in a circle: the plan cannot finish")

    def blamed(self, error: Exception | SystemExit) -> BaseException:
        """``error``, which came out of the simulation, as that of whoever is to blame."""
        return error

    @abstractmethod
    def start(self) -> None:
        """Adds the first processes to the environment."""

    def arrive(self) -> int:
        """The number of an inference that arrives now."""
        number = self.source.number(self._arrived)
        self._arrived += 1
        return number

    def tasks(self, number: int, inference: Inference) -> list[Task]:
        """The tasks of an inference that has arrived, in plan order."""
        tasks = tasks_of(inference.program, number, inference.priority, inference.stream)
        if inference.program.states:
            self.machine.states.arrive(tasks, inference)
        return tasks

    def end(self, number: int, inference: Inference, start: float) -> Iterable[Inference]:
        """An inference that began at ``start`` has ended now; returns what follows from it."""
        self._ended += 1
        completion = Completion(number, inference, start, self.machine.env.now)
        self._sink(completion)
        return self.source.ended(completion)


def wait_for(now: float, then: float) -> float:
    """Seconds to wait at ``now`` without being past ``then``, rounding included.

    Who is still before it then waits once more. Else an inference could begin before it arrives, or
    wait where nothing is in its way.
    """
    left = then - now
    return left if now + left <= then else nextafter(left, 0.0)
