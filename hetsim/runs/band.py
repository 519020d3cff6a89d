"""How far a published comparison depends on what nobody measured.

A scenario's reference may list quantities of the SoC that no source states, each with the values
that what is known leaves open. The comparisons are simulated at all combinations of these values;
the least and the most that come out are the band. It is no confidence interval: within it lies what
the model says wherever the truth lies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from hetsim.errors import HetsimError
from hetsim.runs.case import Case
from hetsim.scenario.loader import Scenario, SchedulerRef
from hetsim.scenario.schema import ImprovementSpec, ReferenceSpec
from hetsim.scenario.variants import varied

CaseOf = Callable[[Scenario, str], Case]


@dataclass(frozen=True, slots=True)
class Band:
    """The least and the most (baseline / makespan - 1)·100 over ``settings`` combinations.

    ``None`` where none could run.
    """

    low: float | None
    high: float | None
    settings: int


def variants_of(scenario: Scenario) -> list[Scenario]:
    """The scenario at every combination of what was not measured; empty when that is nothing.

    Raises:
        ConfigError: the SoC, another than the scenario file names, has no such quantity.
    """
    quantities = scenario.reference.unmeasured if scenario.reference is not None else []
    options = [
        [
            {path: values[k] for path, values in quantity.vary.items()}
            for k in range(len(next(iter(quantity.vary.values()))))
        ]
        for quantity in quantities
    ]
    return [
        varied(
            scenario,
            {path: value for choice in chosen for path, value in choice.items()},
            "reference.unmeasured",
        )
        for chosen in (product(*options) if options else ())
    ]


def bands(
    reference: ReferenceSpec,
    variants: Sequence[Scenario],
    case_of: CaseOf,
    tell: Callable[[], None],
) -> list[Band]:
    """The band of each published comparison; ``tell`` is called before each of ``variants``."""
    found: list[list[float]] = [[] for _ in reference.improvements]
    for scenario in variants:
        tell()
        refs = {ref.label: ref for ref in scenario.schedulers}
        models = {ref.label for ref in scenario.models}
        cases: dict[str, Case] = {}
        known: dict[tuple[str, str], float | None] = {}
        for row, percents in zip(reference.improvements, found, strict=True):
            if row.model not in models or not {row.scheduler, row.baseline} <= refs.keys():
                continue
            if row.model not in cases:
                cases[row.model] = case_of(scenario, row.model)
            percent = _percent(cases[row.model], row, refs, known)
            percents += [] if percent is None else [percent]
    return [Band(min(p, default=None), max(p, default=None), len(p)) for p in found]


def _percent(
    case: Case,
    row: ImprovementSpec,
    refs: dict[str, SchedulerRef],
    known: dict[tuple[str, str], float | None],
) -> float | None:
    times = []
    for label in (row.scheduler, row.baseline):
        key = (row.model, label)
        if key not in known:
            try:
                known[key] = case.simulate(case.plan(refs[label].create()), trace=False).makespan_s
            except HetsimError:
                known[key] = None
        times.append(known[key])
    mine, base = times
    return None if mine is None or base is None else (base / mine - 1.0) * 100.0
