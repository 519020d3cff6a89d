"""Rounds of a tuning study: a campaign for each thing tuned, kept in the state file."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hetsim.progress import Progress
from hetsim.records import damaged
from hetsim.schedulers.search.campaign import Grounds, round_done, round_tasks
from hetsim.schedulers.search.genome import Genome, decode
from hetsim.schedulers.search.space import Space
from hetsim.study.tune.crew import Crew, Walk, WalkBench
from hetsim.study.tune.state import ModelState, TuneState

UNLIMITED = 10**15
"""Evaluations, where only seconds limit."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to spend on each network: ``evaluations`` and, if not ``None``, wall ``seconds``.

    With seconds the result depends on the machine; with evaluations alone it does not.
    """

    evaluations: int = 20_000
    seconds: float | None = None


def _fits(space: Space, genome: Genome) -> bool:
    """Whether ``genome`` is of this network on these units: in order, and on units that can."""
    if len(genome.pu) != len(space.graph) or max(genome.pu) >= len(space.soc.pus):
        return False
    place = {op: i for i, op in enumerate(genome.order)}
    before = space.graph.predecessors
    ordered = all(place[p] < place[op] for op in place for p in before[op])
    return ordered and decode(space, genome) is not None


class Rounds(ABC):
    """A study under way; ``state`` is always the end of some round.

    ``labels`` are what is tuned, each a campaign of its own, on ``soc`` with random numbers from
    ``seed``.
    """

    def __init__(
        self, labels: Sequence[str], soc: str, seed: int, state: TuneState, effort: Effort,
        path: Path | None, progress: Progress,
    ) -> None:  # fmt: skip
        self.labels = labels
        self.soc = soc
        self.seed = seed
        self.state = state
        self.effort = effort
        self.path = path
        self.progress = progress

    @abstractmethod
    def begin(self, bench: WalkBench, model: int, label: str, grounds: Grounds) -> ModelState:
        """Finds what to start from, and begins the campaign."""

    @abstractmethod
    def worth(self, value: float) -> str:
        """What the judge says of the best so far, in words."""

    @property
    def judged(self) -> int:
        return sum(model.campaign.evaluations for model in self.state.models.values())

    def check(self, bench: WalkBench) -> None:
        """Holds a state that was read against the networks and units it is about.

        Raises:
            ResultsError: it speaks of operators or units that are not there.
            PlanError: it rewrites what cannot be rewritten.
        """
        for model, label in enumerate(self.labels):
            state = self.state.models.get(label)
            campaign = None if state is None else state.campaign
            for rewrites, search in (
                () if campaign is None else zip(campaign.rewrites, campaign.searches, strict=True)
            ):
                space = grounds_of(bench, model)(rewrites).space
                if not _fits(space, search.best):
                    raise damaged(str(self.path), f"its search does not fit {label} on {self.soc}")

    def save(self) -> None:
        if self.path is not None:
            self.state.save(self.path)

    def search(self, crew: Crew[Any], model: int, label: str) -> None:
        """Rounds on one of the labels until its effort is used up."""
        deadline = math.inf
        if self.effort.seconds is not None:
            deadline = time.perf_counter() + self.effort.seconds
        budget = self.effort.evaluations
        grounds = grounds_of(crew.bench, model)
        total = min(budget, UNLIMITED)
        if label not in self.state.models:
            self.progress(f"{label} · plans to start from", 0, total)
            self.state.models[label] = self.begin(crew.bench, model, label, grounds)
            self.save()
        while time.perf_counter() < deadline:
            here = self.state.models[label]
            campaign = here.campaign
            told = f"{label} · {self.worth(campaign.seconds)}"
            self.progress(told, campaign.evaluations, total)
            tasks = round_tasks(grounds, campaign, self.seed, budget)
            if not tasks:
                break
            rewrites = campaign.rewrites[campaign.following]
            outcomes = crew.walk([Walk(model, rewrites, task) for task in tasks])
            campaign = round_done(grounds, campaign, outcomes)
            self.state.models[label] = replace(here, campaign=campaign)
            self.save()


def grounds_of(bench: WalkBench, model: int) -> Grounds:
    """Network ``model`` after any rewrites, as the bench knows it."""
    return lambda rewrites: bench.ground(model, rewrites)
