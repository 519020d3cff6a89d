"""The loop of an exploration: designs asked for in batches, performed, told.

Designs are asked for in batches of a fixed size and evaluated by any executor; the next batch is
asked for when all of one are known. So the search does not depend on the number of workers or on
who is done first. What a sampler sees is in the storage, and its seed follows from the number of
the trial: a search that was interrupted or killed goes on to the designs it would have tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hetsim.executors.base import Executor
from hetsim.progress import Progress
from hetsim.study.axes import Axis
from hetsim.study.explore.objectives import Constraint, measure
from hetsim.study.explore.space import design_of, size
from hetsim.study.explore.trials import Trials
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point, PointBench, points_of

BATCH = 8
"""Trials asked for at once, whatever the number of workers."""


@dataclass
class Search:
    """The loop, and what it remembers between batches."""

    bench: PointBench
    axes: tuple[Axis, ...]
    objectives: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    measures: tuple[str, ...]
    memory: Trials
    executor: Executor[Point, Outcome]

    def run(self, trials: int, sampler: str, progress: Progress | None) -> int:
        """Asks for batches until enough is known; returns how many trials were new."""
        fresh = 0
        batch = self.memory.left_behind()
        while True:
            finished = self.memory.finished
            if progress is not None:
                progress("asking", len(finished), trials)
            tried = {repr(design_of(self.axes, told.params)) for _, told in finished}
            if len(finished) >= trials or len(tried) >= size(self.axes):
                return fresh
            # Batches end at multiples of their size, also one that was left half done: what is
            # known when a trial is asked for does not depend on who was killed when.
            while len(batch) < min(BATCH, trials - len(finished)):
                if batch and self.memory.count % BATCH == 0:
                    break
                batch.append(self.memory.begin())
            for trial in batch:
                self.memory.ask(trial, self.axes, sampler, self.bench.scenario.seed)
            fresh += len(batch)
            self._evaluate(batch, len(finished), trials, progress)
            batch = []

    def _evaluate(
        self, batch: Sequence[Any], done: int, trials: int, progress: Progress | None
    ) -> None:
        known = self.memory.known()
        waiting: list[tuple[Any, dict[str, Point]]] = []
        needed: dict[str, Point] = {}
        for trial in batch:
            design = design_of(self.axes, trial.params)
            points = points_of(self.bench.scenario, [design])
            keyed = {self.bench.key(point): point for point in points}
            waiting.append((trial, keyed))
            needed |= {k: p for k, p in keyed.items() if k not in known and k not in needed}

        def settle() -> None:
            nonlocal done
            for entry in [e for e in waiting if known.keys() >= e[1].keys()]:
                waiting.remove(entry)
                self._tell(*entry, known)
                done += 1
                if progress is not None:
                    progress("", done, trials)

        settle()
        if needed:
            self.executor.ensure(self.bench)
            for key, outcome in self.executor.perform(needed.items()):
                known[key] = outcome
                settle()

    def _tell(self, trial: Any, keyed: Mapping[str, Point], known: Mapping[str, Outcome]) -> None:
        outcomes = {key: known[key] for key in keyed}
        rows = [(point, outcomes[key]) for key, point in keyed.items()]
        measured, error = measure(rows, self.measures)
        if error is not None:
            self.memory.tell_failed(trial, error, outcomes)
            return
        violations = {str(c): c.violation(measured) for c in self.constraints}
        self.memory.tell(trial, measured, violations, outcomes)
