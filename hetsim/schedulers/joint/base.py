"""The contract of a way to plan several networks that share a SoC.

A way is a class with a ``name`` and one method, :meth:`JointScheduler.plan`. It decides by asking
schedulers of single networks (:mod:`hetsim.schedulers.base`), which know nothing of streams: about
each network, about a network made of several, or about a SoC that has fewer units. So every
scheduler can be used in every way.

To add one, write one file and register its class under the entry-point group
``hetsim.joint_schedulers``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem
from hetsim.soc.model import SoC
from hetsim.streams.service import Stream
from hetsim.workload.graph import Graph


@dataclass(frozen=True)
class JointProblem:
    """Streams that share ``soc``, the network of each by the name of the stream, and their rates.

    ``rates`` are arrivals per second in the long run, all 1 where some are unknown (closed loops).
    ``ask(graph, soc, stream)`` is the checked plan that a scheduler makes of a network on a SoC:
    the scheduler of that stream, or with ``None`` that of all streams together. The SoC may be
    this one without some of its units. ``alone(graph, plan)`` is the makespan in seconds of one
    inference by ``plan`` while nothing else runs. ``together(plans)``: seconds until each stream's
    inference ends when one of each begins at once, by plans by the name of the stream, simulated.
    ``problem(stream)`` is the problem of its network alone, for those that look at times.
    All raise :class:`~hetsim.errors.HetsimError` where there is none.
    """

    soc: SoC
    streams: tuple[Stream, ...]
    graphs: Mapping[str, Graph]
    rates: Mapping[str, float]
    ask: Callable[[Graph, SoC, str | None], Plan]
    alone: Callable[[Graph, Plan], float]
    together: Callable[[Mapping[str, Plan]], Mapping[str, float]]
    problem: Callable[[str], Problem]


class JointScheduler(ABC):
    """Base of all ways; class attributes fill a row of ``hetsim list joint-schedulers``."""

    name: ClassVar[str]
    source: ClassVar[str] = "not stated"
    asks: ClassVar[bool] = True
    """Whether it asks schedulers of single networks; or else it is the same whoever they are."""

    @abstractmethod
    def plan(self, problem: JointProblem) -> Mapping[str, Plan]:
        """A valid plan for every stream, by its name.

        Raises:
            SchedulerError: it cannot.
        """


def with_units(soc: SoC, units: Collection[str]) -> SoC:
    """``soc`` as it would be with only ``units``, in its order; links and memories stay."""
    kept = [pu for pu in soc.pus if pu.name in units]
    return replace(soc, pus=tuple(replace(pu, index=i) for i, pu in enumerate(kept)))
