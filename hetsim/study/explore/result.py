"""What an exploration finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from hetsim.report.figures.pareto import pareto_front
from hetsim.scenario.loader import Scenario
from hetsim.study.axes import Axis
from hetsim.study.explore.importance import Importance
from hetsim.study.explore.objectives import Constraint
from hetsim.study.result import StudyResult


@dataclass(frozen=True)
class Design:
    """A design that was tried: its values, and its measures or why it has none.

    ``violations`` are shares by which constraints are missed; zero or less where they are met.
    """

    number: int
    values: Mapping[str, object]
    measures: Mapping[str, float] = field(default_factory=dict)
    violations: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None

    @property
    def stem(self) -> str:
        """Its number as texts and names of files have it."""
        return f"{self.number:03d}"

    @property
    def feasible(self) -> bool:
        """Whether it runs and meets every constraint."""
        return self.error is None and all(v <= 0.0 for v in self.violations.values())


@dataclass(frozen=True)
class Exploration(StudyResult):
    """A finished exploration; ``importance`` is by measure, see :attr:`measured`."""

    scenario: Scenario = field(repr=False)
    axes: tuple[Axis, ...]
    objectives: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    sampler: str
    designs: tuple[Design, ...] = field(repr=False)
    importance: Mapping[str, Importance] = field(default_factory=dict)
    fresh: int = 0
    wall_s: float = 0.0

    @property
    def measured(self) -> tuple[str, ...]:
        """Objectives, then what only constraints speak of."""
        return measured_by(self.objectives, self.constraints)

    @cached_property
    def tried(self) -> tuple[Design, ...]:
        """The different designs among them: a sampler may come back to one it knows."""
        first: dict[str, Design] = {}
        for design in self.designs:
            first.setdefault(repr(sorted(design.values.items())), design)
        return tuple(first.values())

    @cached_property
    def ran(self) -> tuple[Design, ...]:
        """The different designs that ran, feasible or not."""
        return tuple(design for design in self.tried if design.error is None)

    @cached_property
    def feasible(self) -> tuple[Design, ...]:
        """The different designs that ran and meet every constraint."""
        return tuple(design for design in self.ran if design.feasible)

    @cached_property
    def front(self) -> tuple[Design, ...]:
        """Feasible designs that no other beats in every objective, by the first objective."""
        able = self.feasible
        points = [[design.measures[name] for name in self.objectives] for design in able]
        return tuple(able[i] for i in pareto_front(points))

    def killed(self) -> dict[str, int]:
        """How many different designs each constraint rules out, and how many cannot run at all."""
        ran = self.ran
        counts = {
            str(c): sum(design.violations[str(c)] > 0 for design in ran) for c in self.constraints
        }
        return {**counts, "cannot run": len(self.tried) - len(ran)}


def measured_by(objectives: Sequence[str], constraints: Sequence[Constraint]) -> tuple[str, ...]:
    """The measures that a search needs of every design, objectives first."""
    return tuple(dict.fromkeys([*objectives, *(c.measure for c in constraints)]))
