"""Programs: plans with every cost filled in, ready for the simulator.

The simulator reads this and the SoC's links, and knows neither operators' meaning nor schedulers.
Made by :mod:`hetsim.lower.lowering`.
"""

from __future__ import annotations

from dataclasses import dataclass

from hetsim.cost.work import Step, Work


@dataclass(frozen=True, slots=True)
class Launch:
    """One kernel of a partition: display name, the operators in it, and its work."""

    name: str
    operators: tuple[str, ...]
    work: Work


@dataclass(frozen=True, slots=True)
class Job:
    """A lowered partition.

    ``pu`` is a PU index; ``needs`` are positions (in the program) of the partitions whose results
    it reads. ``entry`` runs before the launches, ``exit`` after them.
    """

    name: str
    pu: int
    needs: tuple[int, ...]
    entry: tuple[Step, ...]
    launches: tuple[Launch, ...]
    exit: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """All lowered partitions of one plan, in plan order; ``groups`` hold positions.

    ``groups`` cover every position exactly once and in order: a group of one runs alone, a larger
    one is forked and joined by the barrier runtime.
    """

    model: str
    jobs: tuple[Job, ...]
    groups: tuple[tuple[int, ...], ...]
