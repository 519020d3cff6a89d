"""PartitionTuner's parameters for a SoC, tuned over several networks, and how far that carries.

What is minimised is the geometric mean, over the networks, of the simulated makespan divided by
that with the published parameters. Tuning on networks says little about others, so with
``holdout`` it is done again without some of them, and those are reported.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hetsim.errors import ConfigError, Location
from hetsim.schedulers.search.parameters import CHOICES, Parameters, descend, published
from hetsim.study.tune.crew import Attempt, Crew, TuneBench


@dataclass(frozen=True, slots=True)
class Gain:
    """What tuned parameters do to one network; makespans in seconds, ``None`` where no plan.

    ``held_out``: the network had no part in the tuning.
    """

    model: str
    published_s: float | None
    tuned_s: float | None
    held_out: bool = False

    @property
    def change(self) -> float | None:
        """Relative change of the makespan; negative is faster."""
        if not self.published_s or self.tuned_s is None:
            return None
        return self.tuned_s / self.published_s - 1.0


@dataclass(frozen=True, slots=True)
class Fold:
    """One tuning: its parameters, and every network's gain. ``mean_*`` are relative changes."""

    parameters: Parameters
    gains: tuple[Gain, ...]

    def mean_change(self, held_out: bool) -> float | None:
        """Geometric mean over the networks that were held out, or over those that were not."""
        ratios = [
            1.0 + gain.change
            for gain in self.gains
            if gain.held_out == held_out and gain.change is not None
        ]
        if not ratios:
            return None
        return math.exp(sum(map(math.log, ratios)) / len(ratios)) - 1.0


@dataclass(frozen=True, slots=True)
class TunedParameters:
    """The tuning on all networks, and those that hold some out. ``tried``: plans simulated."""

    everything: Fold
    folds: tuple[Fold, ...] = ()
    tried: int = 0

    @property
    def best(self) -> Parameters:
        """What to use on this SoC."""
        return self.everything.parameters

    @property
    def holdout(self) -> int:
        """How many networks were held out at a time."""
        return sum(gain.held_out for gain in self.folds[0].gains) if self.folds else 0

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def check_holdout(holdout: int, models: int) -> None:
    """Raises ``ConfigError`` when as many networks cannot be held out."""
    if holdout and not 0 < holdout < models:
        raise ConfigError(
            f"{holdout} of {models} networks cannot be held out: some must be left to tune on",
            where=Location("--holdout"),
        )


def in_turn(models: int, holdout: int) -> tuple[frozenset[int], ...]:
    """``holdout`` of ``models`` positions at a time, each at least once; none when it is zero."""
    firsts = range(0, models, holdout) if holdout else ()
    return tuple(frozenset((first + i) % models for i in range(holdout)) for first in firsts)


def tune_parameters(
    crew: Crew[TuneBench], held: Sequence[frozenset[int]] = (), *, pairs: bool = True
) -> TunedParameters:
    """Tunes on all networks of ``crew``'s bench, then without those of each entry of ``held``.

    An entry holds positions among the bench's cases, which may be on different SoCs;
    :func:`in_turn` makes those of ``--holdout``. ``pairs``: try two parameters at once as well,
    some six times the work.
    """
    table = _Table(crew, pairs)
    folds = tuple(table.tuned(out) for out in held)
    return TunedParameters(table.tuned(frozenset()), folds, table.tried)


class _Table:
    """Makespans by parameters and network, each worked out once."""

    def __init__(self, crew: Crew[TuneBench], pairs: bool) -> None:
        self.crew = crew
        self.pairs = pairs
        self.names = [case.graph.name for case in crew.bench.cases]
        self._known: dict[tuple[object, ...], float] = {}

    @property
    def tried(self) -> int:
        return len(self._known)

    def tuned(self, held: frozenset[int]) -> Fold:
        """The tuning without the networks ``held``."""
        models = range(len(self.names))
        use = [model for model in models if model not in held]

        def score(several: Sequence[Parameters]) -> list[float]:
            self._look_up([published(), *several], use)
            return [self._mean(parameters, use) for parameters in several]

        best, _ = descend(score, pairs=self.pairs)
        self._look_up([published(), best], models)
        gains = [
            Gain(
                self.names[m],
                _finite(self._seconds(published(), m)),
                _finite(self._seconds(best, m)),
                m in held,
            )
            for m in models
        ]
        return Fold(best, tuple(gains))

    def _look_up(self, several: Sequence[Parameters], models: Sequence[int]) -> None:
        jobs = [
            Attempt(model, parameters)
            for parameters in several
            for model in models
            if _key(parameters, model) not in self._known
        ]
        jobs = list({_key(job.parameters, job.model): job for job in jobs}.values())
        for job, seconds in zip(jobs, self.crew.attempt(jobs), strict=True):
            self._known[_key(job.parameters, job.model)] = seconds

    def _seconds(self, parameters: Parameters, model: int) -> float:
        return self._known[_key(parameters, model)]

    def _mean(self, parameters: Parameters, models: Sequence[int]) -> float:
        """Geometric mean of ratios to the published; networks that those cannot plan do not count.

        Infinite where there is no plan although the published parameters find one.
        """
        logs = []
        for model in models:
            reference = self._seconds(published(), model)
            if math.isfinite(reference):
                ratio = self._seconds(parameters, model) / reference
                logs.append(math.log(ratio) if math.isfinite(ratio) else math.inf)
        return math.exp(sum(logs) / len(logs)) if logs else 1.0


def _key(parameters: Parameters, model: int) -> tuple[object, ...]:
    return (model, *(parameters[name] for name in CHOICES))


def _finite(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) else None
