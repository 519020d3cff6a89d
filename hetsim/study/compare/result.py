"""What a comparison finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hetsim.analysis.result import Result, Run
from hetsim.report.summary import best_run, models_of
from hetsim.study.result import StudyResult


@dataclass(frozen=True)
class Variant:
    """A named variant: what it changes, and what came out.

    ``borrowed`` are runs, by network, of plans that were made for another variant and are faster
    here than those made for this one.
    """

    name: str
    changes: Mapping[str, object]
    result: Result = field(repr=False)
    borrowed: Mapping[str, Run] = field(default_factory=dict, repr=False)

    def best(self, model: str) -> Run | None:
        """The fastest run of a network by the best plan known; ``None`` when all failed."""
        return self.borrowed.get(model) or best_run(self.result, model)


@dataclass(frozen=True)
class Comparison(StudyResult):
    """Variants of one scenario; the first is the scenario as it is."""

    scenario: str
    variants: tuple[Variant, ...]

    @property
    def base(self) -> Variant:
        """The scenario as it is."""
        return self.variants[0]

    @property
    def models(self) -> tuple[str, ...]:
        """Labels of the networks."""
        return models_of(self.base.result)

    @property
    def failed(self) -> tuple[tuple[Variant, Run], ...]:
        """Every run that failed."""
        return tuple((v, run) for v in self.variants for run in v.result.failed)
