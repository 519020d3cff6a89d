"""The contract of a dispatcher: who decides what a free unit runs next.

To add one, write one file with a subclass of :class:`Dispatcher` and register it under the
entry-point group ``hetsim.dispatchers``, or name it by path: ``./mine.py:Mine``. It is constructed
with its parameters as keywords; each simulation makes a fresh one. Given the same calls it must
answer the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Literal

from hetsim.lower.program import Program
from hetsim.sim.source import Inference
from hetsim.sim.task import Task
from hetsim.sim.view import View

Planner = Callable[[Sequence[int], str], tuple[Mapping[int, Program], float]]
"""Plans the networks of streams, by position, in a way that has a name: the program of each, and
the seconds that planning has taken on this machine."""


class Dispatcher(ABC):
    """Decides what a free PU does next, and whether a busy one is to do something else first.

    The engine calls :meth:`begin` once, :meth:`add` when an inference may begin, :meth:`next` when
    a PU is free, and :meth:`finished` when a task has ended; :meth:`add` and :meth:`finished`
    return the units for which there may now be something to do. If it ``preempts``, the engine
    calls :meth:`urgent` before each launch of a task, the only moments at which a unit can be given
    up.

    A task may be handed out once, when it has no ``blockers`` left; :meth:`finished` takes one from
    each of its ``readers``, as :func:`unblocked` does. It runs on the unit ``task.job.pu``. Where
    the class says that it ``places`` tasks, the programs it gets have choices, and it may put a
    task elsewhere before it hands it out: :meth:`~hetsim.sim.task.Task.place`. Otherwise the plan
    has said the unit. With ``grain`` = ``fused`` partitions are operators, or chains that some unit
    fuses, whatever schedulers say.

    ``overhead_s`` seconds of a thread on the host's cores pass before each task that it hands out
    is begun; decisions queue for that thread. A ``planner`` is there where networks can be planned
    anew; who asks it ``replans``, and what runs is then not what was planned before.

    Class attributes fill a row of ``hetsim list dispatchers``. ``fixed`` says by what alone it
    ranks what is ready, if that never changes: the priority, then the arrival, or the arrival
    alone; each unit then runs what ranks first, in plan order within an inference, and worst cases
    can be proven (:mod:`hetsim.bounds.response`). A subclass does not inherit that, nor the name:
    it has to say so itself.
    """

    name: ClassVar[str]
    optimises: ClassVar[str] = "not stated"
    ignores: ClassVar[str] = "not stated"
    source: ClassVar[str] = "not stated"
    places: ClassVar[bool] = False
    replans: ClassVar[bool] = False
    fixed: ClassVar[Literal["priority", "arrival"] | None] = None

    grain: Literal["plan", "fused"] = "plan"
    preempts = False
    overhead_s = 0.0
    planner: Planner | None = None
    view: View

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        if "name" not in vars(cls):
            cls.name = cls.__name__
        if "fixed" not in vars(cls):
            cls.fixed = None

    def begin(self, view: View) -> None:
        """Before time begins; ``view`` is what it may see of the SoC."""
        self.view = view

    def program(self, inference: Inference) -> Program:
        """What an inference that may begin now shall run."""
        return inference.program

    @abstractmethod
    def add(self, tasks: Sequence[Task], inference: Inference) -> Iterable[int]:
        """A new inference's tasks, in plan order."""

    @abstractmethod
    def next(self, unit: int) -> Task | None:
        """The task ``unit`` shall run now, or ``None`` to wait."""

    @abstractmethod
    def finished(self, task: Task) -> Iterable[int]:
        """``task`` has ended."""

    def urgent(self, task: Task) -> Task | None:
        """A task that its unit shall run from start to end before it goes on with ``task``."""
        return None

    def withdraw(self, tasks: Sequence[Task]) -> Iterable[int]:
        """An inference, added and not begun, was given up: forget its tasks.

        Who does not may hand them out later, and the engine passes over them.
        """
        return ()


def unblocked(task: Task) -> list[Task]:
    """What waits for nothing any more now that ``task`` has ended, in plan order."""
    found = []
    for reader in task.readers:
        reader.blockers -= 1
        if not reader.blockers:
            found.append(reader)
    return found
