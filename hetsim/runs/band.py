"""How far a published comparison depends on what nobody measured.

A scenario's reference may list quantities of the SoC that no source states, each with the values
that what is known leaves open. The comparisons are simulated at all combinations of these values;
the least and the most that come out are the band. It is no confidence interval: within it lies what
the model says wherever the truth lies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from hetsim.errors import HetsimError
from hetsim.runs.case import Case
from hetsim.runs.rows import case_of
from hetsim.scenario.loader import Scenario
from hetsim.scenario.refs import SchedulerRef
from hetsim.scenario.schema import ImprovementSpec, ReferenceSpec
from hetsim.scenario.variants import varied
from hetsim.workload.graph import Graph

Percents = Sequence[float | None]
"""One for each published comparison."""


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


def bands(found: Sequence[Percents]) -> list[Band]:
    """The band of each published comparison, over what :func:`percents` said of each variant."""
    spread = []
    for column in zip(*found, strict=True):
        known = [percent for percent in column if percent is not None]
        spread.append(Band(min(known, default=None), max(known, default=None), len(known)))
    return spread


def percents(
    reference: ReferenceSpec,
    variant: Scenario,
    graphs: Mapping[str, Graph],
    tell: Callable[[str], None] = lambda what: None,
) -> Percents:
    """(baseline / makespan - 1)·100 of each published comparison in one variant of the scenario.

    ``None`` where one of the two did not run. ``graphs`` are the networks, by name; ``tell`` is
    called first, with what is being done.
    """
    tell("what nobody measured")
    refs = {ref.label: ref for ref in variant.schedulers}
    cases: dict[str, Case] = {}
    known: dict[tuple[str, str], float | None] = {}
    found: list[float | None] = []
    for row in reference.improvements:
        if row.model not in graphs or not {row.scheduler, row.baseline} <= refs.keys():
            found.append(None)
            continue
        if row.model not in cases:
            cases[row.model] = case_of(variant, graphs[row.model])
        found.append(_percent(cases[row.model], row, refs, known))
    return found


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
