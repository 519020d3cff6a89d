"""The state file of a tuning study: all it needs to go on, replaced as a whole after every round.

The new file is written beside the old one, brought to disk, and put in its place in one step. So
whenever the process is killed, the file holds the end of some round, and resuming from it leads to
the same result as never having stopped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from hetsim.drafts import write_file
from hetsim.errors import PlanError, ResultsError
from hetsim.plan.files import dump_plan, parse_plan
from hetsim.plan.model import Plan
from hetsim.records import Record, damaged, read_record, seal
from hetsim.schedulers.search.campaign import Campaign
from hetsim.schedulers.search.genome import Genome
from hetsim.schedulers.search.search import SearchState
from hetsim.study.tune.parameters import TunedParameters
from hetsim.workload.rewrite import Rewrite

_HINT = "choose another file with --state, or move this one away"
FORMAT = "hetsim.tune-state/2"


@dataclass(frozen=True, slots=True)
class Start:
    """A plan to start from: who made it, its simulated makespan, or why there is none."""

    scheduler: str
    seconds: float | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ModelState:
    """How far one network is: what it started from, the best of that, and the search."""

    starts: tuple[Start, ...]
    best_start: Plan
    campaign: Campaign


@dataclass(slots=True)
class TuneState:
    """A whole study: tuned parameters, and networks by label. ``digest`` says which study."""

    digest: str
    parameters: TunedParameters | None = None
    models: dict[str, ModelState] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Replaces the file.

        Raises:
            ResultsError: it cannot be written; the old one is intact.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_file(path, json.dumps(seal(self._as_dict()), allow_nan=False))
        except OSError as error:
            raise ResultsError(f"state file {path}: {error.strerror}") from error

    @classmethod
    def load(cls, path: Path, digest: str) -> TuneState:
        """Reads the file of the study ``digest``.

        Raises:
            ResultsError: it is missing, damaged, or of another study.
        """
        entry = read_record(path, _StateFile, schema=FORMAT, key="format", sealed=True, hint=_HINT)
        if entry.digest != digest:
            raise ResultsError(
                f"state file {path} belongs to another study",
                hint=f"it must have the same scenario, networks, SoC, seed and hetsim; {_HINT}",
            )
        try:
            models = {label: _model(model) for label, model in entry.models.items()}
        except (PlanError, ValueError) as error:
            raise damaged(str(path), str(error)) from error
        return cls(digest, entry.parameters, models)

    def _as_dict(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "digest": self.digest,
            "parameters": None if self.parameters is None else self.parameters.as_dict(),
            "models": {label: _model_dict(state) for label, state in self.models.items()},
        }


def resumed(path: Path | None, fresh: TuneState, *, resume: bool) -> TuneState:
    """The state to begin with: ``fresh``, or with ``resume`` that of the file at ``path``.

    A file that is to be replaced is read as well: it may be another study's, or no state at all.

    Raises:
        ResultsError: it is missing, damaged, or of another study.
    """
    if path is None:
        return fresh
    if not path.exists():
        if resume:
            raise ResultsError(f"there is no state file {path}", hint="leave --resume out to start")
        return fresh
    known = TuneState.load(path, fresh.digest)
    return known if resume else fresh


def _model_dict(state: ModelState) -> dict[str, Any]:
    campaign = state.campaign
    return {
        "starts": [[start.scheduler, start.seconds, start.error] for start in state.starts],
        "best_start": dump_plan(state.best_start),
        "rewrites": [
            [[r.kind, r.operators, r.tail, r.kernel] for r in several]
            for several in campaign.rewrites
        ],
        "searches": [_search_dict(search) for search in campaign.searches],
        "curve": campaign.curve,
        "spent": campaign.spent,
    }


class _SearchEntry(Record):
    order: list[int]
    pu: list[Annotated[int, Field(ge=0)]]
    cut: list[int]
    plain: list[int]
    beside: list[int]
    seconds: float
    initial_s: float
    evaluations: Annotated[int, Field(ge=0)]
    rounds: Annotated[int, Field(ge=0)]
    curve: tuple[tuple[int, float], ...]
    exhausted: bool


class _ModelEntry(Record):
    starts: list[tuple[str, float | None, str | None]]
    best_start: str
    rewrites: list[
        list[
            tuple[Literal["merge", "pad"], tuple[str, ...], tuple[str, ...], tuple[int, int] | None]
        ]
    ]
    searches: Annotated[list[_SearchEntry], Field(min_length=1)]
    curve: tuple[tuple[int, float], ...]
    spent: Annotated[int, Field(ge=0)]


class _StateFile(Record):
    format: str
    digest: str
    parameters: TunedParameters | None
    models: dict[str, _ModelEntry]


def _model(entry: _ModelEntry) -> ModelState:
    if len(entry.rewrites) != len(entry.searches):
        raise ValueError("it has not as many searches as networks")
    return ModelState(
        tuple(Start(*start) for start in entry.starts),
        parse_plan(entry.best_start),
        Campaign(
            tuple(tuple(Rewrite(*rewrite) for rewrite in several) for several in entry.rewrites),
            tuple(_search(search) for search in entry.searches),
            entry.curve,
            entry.spent,
        ),
    )


def _search_dict(state: SearchState) -> dict[str, Any]:
    best = state.best
    return {
        "order": best.order,
        "pu": best.pu,
        **{name: _where(getattr(best, name)) for name in ("cut", "plain", "beside")},
        "seconds": state.seconds,
        "initial_s": state.initial_s,
        "evaluations": state.evaluations,
        "rounds": state.rounds,
        "curve": state.curve,
        "exhausted": state.exhausted,
    }


def _search(entry: _SearchEntry) -> SearchState:
    count = len(entry.pu)
    if sorted(entry.order) != list(range(count)):
        raise ValueError("an order of operators does not hold each once")
    flags = [_flags(where, count) for where in (entry.cut, entry.plain, entry.beside)]
    return SearchState(
        Genome(entry.order, entry.pu, *flags),
        entry.seconds,
        entry.initial_s,
        entry.evaluations,
        entry.rounds,
        entry.curve,
        entry.exhausted,
    )


def _where(flags: Sequence[bool]) -> list[int]:
    return [i for i, flag in enumerate(flags) if flag]


def _flags(where: Sequence[int], count: int) -> list[bool]:
    if not set(where) <= set(range(count)):
        raise ValueError("an operator is named that is not there")
    found = set(where)
    return [i in found for i in range(count)]
