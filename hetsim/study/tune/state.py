"""The state file of a tuning study: all it needs to go on, replaced as a whole after every round.

The new file is written beside the old one, brought to disk, and put in its place in one step. So
whenever the process is killed, the file holds the end of some round, and resuming from it leads to
the same result as never having stopped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hetsim.drafts import write_file
from hetsim.errors import PlanError, ResultsError
from hetsim.plan.files import dump_plan, parse_plan
from hetsim.plan.model import Plan
from hetsim.schedulers.search.campaign import Campaign
from hetsim.schedulers.search.genome import Genome
from hetsim.schedulers.search.search import SearchState
from hetsim.study.tune.parameters import TunedParameters
from hetsim.workload.rewrite import Rewrite

FORMAT = "hetsim.tune-state/1"


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
            write_file(path, json.dumps(self._as_dict(), allow_nan=False))
        except OSError as error:
            raise ResultsError(f"state file {path}: {error.strerror}") from error

    @classmethod
    def load(cls, path: Path, digest: str) -> TuneState:
        """Reads the file of the study ``digest``.

        Raises:
            ResultsError: it is missing, damaged, or of another study.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(data, dict) or data.get("format") != FORMAT:
                raise ResultsError(f"{path} is not a state file of this hetsim")
            if data["digest"] != digest:
                raise ResultsError(
                    f"state file {path} belongs to another study",
                    hint="it must have the same scenario, networks, SoC, seed and hetsim",
                )
            parameters = data["parameters"]
            return cls(
                digest,
                None if parameters is None else TunedParameters.from_dict(parameters),
                {label: _model(entry) for label, entry in data["models"].items()},
            )
        except FileNotFoundError:
            raise ResultsError(
                f"there is no state file {path}", hint="leave --resume out to start"
            ) from None
        except OSError as error:
            raise ResultsError(f"state file {path}: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, PlanError) as error:
            raise ResultsError(f"state file {path} is damaged: {error!r}") from error

    def _as_dict(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "digest": self.digest,
            "parameters": None if self.parameters is None else self.parameters.as_dict(),
            "models": {label: _model_dict(state) for label, state in self.models.items()},
        }


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


def _model(data: Mapping[str, Any]) -> ModelState:
    return ModelState(
        tuple(Start(*entry) for entry in data["starts"]),
        parse_plan(data["best_start"]),
        Campaign(
            tuple(tuple(_rewrite(*entry) for entry in several) for several in data["rewrites"]),
            tuple(_search(entry) for entry in data["searches"]),
            _curve(data["curve"]),
            data["spent"],
        ),
    )


def _rewrite(kind: Any, operators: Any, tail: Any, kernel: Any) -> Rewrite:
    size = None if kernel is None else (kernel[0], kernel[1])
    return Rewrite(kind, tuple(operators), tuple(tail), size)


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


def _search(data: Mapping[str, Any]) -> SearchState:
    count = len(data["pu"])
    flags = [_flags(data[name], count) for name in ("cut", "plain", "beside")]
    return SearchState(
        Genome(data["order"], data["pu"], *flags),
        data["seconds"],
        data["initial_s"],
        data["evaluations"],
        data["rounds"],
        _curve(data["curve"]),
        data["exhausted"],
    )


def _where(flags: Sequence[bool]) -> list[int]:
    return [i for i, flag in enumerate(flags) if flag]


def _flags(where: Sequence[int], count: int) -> list[bool]:
    flags = [False] * count
    for i in where:
        flags[i] = True
    return flags


def _curve(data: Sequence[Sequence[Any]]) -> tuple[tuple[int, float], ...]:
    return tuple((int(count), float(seconds)) for count, seconds in data)
