"""The contract of a scheduler.

A scheduler is a class with a ``name`` and one method, :meth:`Scheduler.plan`. It is constructed
with its parameters as keywords (each scenario row makes a fresh one), then ``plan`` is called once
per network and SoC. It sees the :class:`Problem` and nothing else: the network's structure, the
SoC's description and a :class:`~hetsim.cost.profile.Profile` of times on an idle SoC. It returns
a :class:`~hetsim.plan.model.Plan`, best built with :mod:`hetsim.plan.build`. Given the same problem
and parameters it must return the same plan.

To add one, write one file and register its class under the entry-point group
``hetsim.schedulers``, or name it by path: ``--scheduler ./mine.py:MyScheduler``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from hetsim.bounds.floors import Floors
from hetsim.cost.profile import Profile
from hetsim.plan.model import Plan
from hetsim.sim.runtimes.registry import DEFAULT, find_runtime
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from hetsim.workload.rewrite import Rewrite


@dataclass(frozen=True)
class Problem:
    """What has to be scheduled, where, and what is known about it.

    ``execution`` is the runtime the plan will meet, by its registered name. ``seed`` feeds
    whatever random choices a scheduler makes. ``evaluate(plan)`` is the makespan in seconds of a
    valid plan in simulation, contention included, for schedulers that are defined by trying; it
    raises ``PlanError`` for a plan that cannot run. ``None`` where there is no simulator.
    ``rewritten(rewrites)`` is the same problem on the network after those rewrites, for schedulers
    that may change the network; ``None`` where nobody can profile another network. ``floors()`` is
    what no simulation goes below, for schedulers that prove something; ``None`` where nothing is
    known that would make a proof.
    """

    graph: Graph
    soc: SoC
    profile: Profile
    execution: str = DEFAULT
    seed: int = 0
    evaluate: Callable[[Plan], float] | None = None
    rewritten: Callable[[Sequence[Rewrite]], Problem] | None = None
    floors: Callable[[], Floors] | None = None

    @property
    def forks(self) -> bool:
        """Whether the runtime forks and joins parallel groups, and keeps to the list's order."""
        return find_runtime(self.execution).forks


class Scheduler(ABC):
    """Base of all schedulers. Class attributes fill a row of ``hetsim list schedulers``.

    A first sketch may leave them out: its name is then that of its class.
    """

    name: ClassVar[str]
    optimises: ClassVar[str] = "not stated"
    ignores: ClassVar[str] = "not stated"
    complexity: ClassVar[str] = "not stated"
    source: ClassVar[str] = "not stated"

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        if not isinstance(getattr(cls, "name", None), str):
            cls.name = cls.__name__

    @abstractmethod
    def plan(self, problem: Problem) -> Plan:
        """Decides. Raises :class:`~hetsim.errors.SchedulerError` when it cannot."""
