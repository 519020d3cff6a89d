"""What ``contention_study.py`` measures: one network on one SoC, from ample bandwidth to starved.

A row is what ``hetsim tune`` does with one network: the plans of all schedulers, PartitionTuner's
parameters tuned for that network on that SoC, and a search from there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hetsim.errors import InfeasibleError
from hetsim.executors.base import Bench, Executor
from hetsim.plan.model import Plan
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import Scenario
from hetsim.scenario.variants import varied
from hetsim.schedulers.partition_tuner.scheduler import PartitionTuner
from hetsim.schedulers.search.parameters import Parameters
from hetsim.soc.model import SoC
from hetsim.study.axes import asked_axes, parse_axis
from hetsim.study.grid import Design, designs
from hetsim.study.tune.crew import Crew, TuneBench
from hetsim.study.tune.parameters import tune_parameters
from hetsim.study.tune.rounds import Effort, grounds_of
from hetsim.study.tune.search import Search

EVALUATIONS = 500
"""Plans judged for each network and bandwidth, those of the schedulers included."""

SOCS: Mapping[str, Mapping[str, object]] = {
    "edge-mcu": {},
    "mobile-flagship": {},
    "zcu102-vta": {"execution": "barrier"},
}
"""The SoCs, and what else differs there: the paper's board has the paper's runtime."""

AXES = {
    "mobile-flagship": (
        "noc.bandwidth=1x,0.25x,0.125x",
        "dram.bandwidth=1x,0.25x,0.125x",
    ),
    "zcu102-vta": ("dram.bandwidth=1x,0.0625x",),
}
"""What is varied in step, ample first; the scenario's own SoC has the scenario's sweep."""


@dataclass(frozen=True)
class Row:
    """One network on one SoC at one bandwidth. Makespans in seconds by the scheduler's label.

    ``load``: bytes the published plan moves over the busiest shared link, as a share of what that
    carries in its makespan. ``contention`` and ``tuned_contention``: the share of the critical
    path, of the published and the tuned plan; ``bytes`` and ``tuned_bytes``: over that link.
    ``rounds``: sets of branches that the published plan runs side by side. ``kept_s``: the plan
    tuned at the first bandwidth, run here.
    """

    soc: str
    model: str
    bandwidth: str
    error: str = ""
    load: float = 0.0
    contention: float = 0.0
    tuned_contention: float = 0.0
    bytes: int = 0
    tuned_bytes: int = 0
    rounds: int = 0
    bound_s: float = 0.0
    starts: Mapping[str, float | None] = field(default_factory=dict)
    parameters: Parameters = field(default_factory=dict)
    parameters_s: float = 0.0
    plan_s: float = 0.0
    kept_s: float = 0.0
    judged: int = 0


@dataclass(frozen=True)
class Chain:
    """A network on a SoC, at all bandwidths."""

    soc: str
    model: str


@dataclass(frozen=True)
class StudyBench(Bench[Chain, "tuple[Row, ...]"]):
    """The scenario, and how many plans are judged for each row."""

    scenario: Scenario
    evaluations: int = EVALUATIONS

    def evaluate(self, job: Chain) -> tuple[Row, ...]:
        """The rows of a chain; a network that does not fit is a row that says so."""
        rows: list[Row] = []
        kept: Plan | None = None
        for design in designs_of(self.scenario, job.soc):
            place = (job.soc, job.model, str(next(iter(design.values()), "1x")))
            changes = {"soc": job.soc, **SOCS.get(job.soc, {}), **design}
            there = choose(varied(self.scenario, changes), models=[job.model])
            try:
                row, tuned = measure(place, there, self.evaluations, kept)
            except InfeasibleError as error:
                row, tuned = Row(*place, error=error.message), None
            kept = kept or tuned
            rows.append(row)
        return tuple(rows)

    def lost(self, job: Chain, reason: str) -> tuple[Row, ...]:
        """A row that says so."""
        return (Row(job.soc, job.model, "", error=reason),)


def designs_of(scenario: Scenario, soc: str) -> tuple[Design, ...]:
    """The bandwidths of a SoC, ample first."""
    if soc == scenario.soc.name:
        return designs(asked_axes(scenario, (), "sweep"), "zip")
    return designs([parse_axis(text) for text in AXES.get(soc, ())], "zip")


def measure(
    place: tuple[str, str, str], scenario: Scenario, evaluations: int, kept: Plan | None
) -> tuple[Row, Plan]:
    """The row of the only network of ``scenario``, and its tuned plan.

    Raises:
        InfeasibleError: the network does not fit.
    """
    search = Search(scenario, Effort(evaluations), None, lambda *_: None)
    [(label, case)] = search.cases.items()
    crew = Crew(TuneBench((case,)))
    tuned = search.state.parameters = tune_parameters(crew, pairs=False)
    search.search(crew, 0, label)
    found = search.tuned(label, grounds_of(crew.bench, 0), None)
    published = case.run("partition_tuner", PartitionTuner())
    [gain] = tuned.everything.gains
    best = found.best
    assert published.plan is not None
    assert best.plan is not None
    stay = case.evaluate("kept", kept or best.plan)
    busy = max(shared_links(case.soc), key=lambda name: published.links[name].utilization)
    row = Row(
        *place,
        load=published.links[busy].utilization,
        contention=published.attribution["bus_contention"] / published.makespan_s,
        tuned_contention=best.attribution["bus_contention"] / best.makespan_s,
        bytes=published.links[busy].bytes,
        tuned_bytes=best.links[busy].bytes,
        rounds=published.plan.details["parallel_rounds"],
        bound_s=min(run.lower_bound_s for run in (published, best, stay)),
        starts={start.scheduler: start.seconds for start in found.starts},
        parameters=tuned.best,
        parameters_s=gain.tuned_s,
        plan_s=best.makespan_s,
        kept_s=stay.makespan_s,
        judged=found.evaluations + tuned.tried,
    )
    return row, best.plan


def shared_links(soc: SoC) -> list[str]:
    """Links and memories on the paths of several units."""
    paths = [pu.path for pu in soc.pus]
    return [name for name in soc.links if sum(name in path for path in paths) > 1]


def study(
    scenario: Scenario, jobs: Sequence[Chain], evaluations: int, team: Executor
) -> tuple[Row, ...]:
    """The rows of all chains, in their order."""
    found: dict[Chain, tuple[Row, ...]] = {}
    bench = StudyBench(scenario, evaluations)
    team.ensure(bench)
    for job, rows in team.perform((job, job) for job in jobs):
        found[job] = rows
        print(f"{job.soc} · {job.model}: {len(rows)} rows", file=sys.stderr, flush=True)
    return tuple(row for job in jobs for row in found[job])
