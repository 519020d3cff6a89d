"""The memory of an exploration: an Optuna study, kept where others can share it.

``FILE.sqlite`` and ``FILE.db`` are databases, ``FILE.log`` is a journal (for network file
systems), anything with ``://`` is a database URL as Optuna takes it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hetsim.errors import ConfigError, MissingExtraError, ResultsError
from hetsim.study.point import SCHEMA, Outcome
from hetsim.version import version

SAMPLERS = ("tpe", "nsga2", "random")
POPULATION = 20
"""Designs of one generation of NSGA-II; Optuna's 50 would spend most of a study on the first."""


def require_optuna() -> None:
    """Finds out early whether exploration is possible.

    Raises:
        MissingExtraError: optuna is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise MissingExtraError.for_extra("optuna", "explore", "exploration") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)


class Trials:
    """One study in a storage, checked to be about the same question."""

    def __init__(
        self,
        storage: str | Path | None,
        scenario: str,
        question: str,
        content: str,
        objectives: Sequence[str],
    ) -> None:
        """Opens or starts the study of a scenario; ``None`` keeps it in memory.

        Studies of other questions (hash of ranges, objectives, constraints) may share the
        storage; of this one only that of the same ``content`` (hash of SoC, networks, options).

        Raises:
            ResultsError: the storage cannot be used, or holds this study of another content or
                another hetsim.
        """
        import optuna

        self.place = "memory" if storage is None else str(storage)
        with self.explaining():
            self.study = optuna.create_study(
                storage=_storage(storage),
                study_name=f"hetsim explore {scenario} {question[:12]}",
                directions=["minimize"] * len(objectives),
                load_if_exists=True,
            )
            self._check({"version": version(), "schema": SCHEMA, "content": content})

    def _check(self, ours: dict[str, object]) -> None:
        found = self.study.user_attrs.get("hetsim")
        if found is None and not self.study.trials:
            self.study.set_user_attr("hetsim", ours)
            return
        if found == ours:
            return
        what = "explores another SoC, network, scheduler or option under the same name"
        if isinstance(found, Mapping) and found.get("version") != ours["version"]:
            what = f"was made by hetsim {found.get('version')}, this is {ours['version']}"
        raise ResultsError(
            f"the study in {self.place} {what}",
            hint="choose another storage with --storage, or move this one away",
        )

    @property
    def finished(self) -> list[Any]:
        """Trials that ran, feasible or not, and designs that failed; in order of their numbers."""
        done = [t for t in self.study.get_trials(deepcopy=False) if t.state.is_finished()]
        return [t for t in done if "measures" in t.user_attrs or "error" in t.user_attrs]

    def known(self) -> dict[str, Outcome]:
        """Outcomes of all points that any trial ran, by key."""
        found: dict[str, Outcome] = {}
        for trial in self.study.get_trials(deepcopy=False):
            for key, text in trial.user_attrs.get("outcomes", {}).items():
                found[key] = Outcome.from_json(text)
        return found

    def use(self, sampler: str, seed: int) -> None:
        """Samples from now on by ``sampler``.

        Raises:
            ConfigError: an unknown one.
        """
        from optuna import samplers

        if sampler == "tpe":
            self.study.sampler = samplers.TPESampler(seed=seed)
        elif sampler == "nsga2":
            self.study.sampler = samplers.NSGAIISampler(seed=seed, population_size=POPULATION)
        elif sampler == "random":
            self.study.sampler = samplers.RandomSampler(seed=seed)
        else:
            raise ConfigError(f"unknown sampler {sampler!r}", hint=f"one of {', '.join(SAMPLERS)}")

    def ask(self, space: dict[str, Any]) -> Any:
        """A new trial, marked as this process's."""
        trial = self.study.ask(space)
        trial.set_user_attr("owner", _owner())
        return trial

    def tell(
        self,
        trial: Any,
        measured: Mapping[str, float],
        objectives: Sequence[str],
        violations: Mapping[str, float],
        outcomes: Mapping[str, Outcome],
    ) -> None:
        """Keeps a design that ran."""
        trial.set_user_attr("measures", dict(measured))
        trial.set_user_attr("violations", dict(violations))
        trial.set_user_attr("outcomes", {key: o.to_json() for key, o in outcomes.items()})
        for name, value in violations.items():
            trial.set_constraint(name, value)
        self.study.tell(trial, [measured[name] for name in objectives])

    def tell_failed(self, trial: Any, error: str, outcomes: Mapping[str, Outcome]) -> None:
        """Keeps a design that cannot run."""
        from optuna.trial import TrialState

        trial.set_user_attr("error", error)
        trial.set_user_attr("outcomes", {key: o.to_json() for key, o in outcomes.items()})
        self.study.tell(trial, state=TrialState.FAIL)

    def take_over(self) -> int:
        """Queues again what a process that died left unfinished; returns how many trials."""
        from optuna.trial import TrialState

        running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        orphans = [t for t in running if _is_dead(t.user_attrs.get("owner"))]
        for trial in orphans:
            self.study.tell(trial.number, state=TrialState.FAIL)
            self.study.enqueue_trial(trial.params)
        return len(orphans)

    @contextlib.contextmanager
    def explaining(self) -> Iterator[None]:
        """Storage errors in words that tell what to do."""
        from optuna.exceptions import OptunaError

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                yield
            except (OptunaError, OSError, json.JSONDecodeError) as error:
                raise self._trouble(error) from error
            except Exception as error:
                if type(error).__module__.partition(".")[0] != "sqlalchemy":
                    raise
                raise self._trouble(error) from error

    def _trouble(self, error: Exception) -> ResultsError:
        reason = str(error.__cause__ or error).partition("\n")[0]
        if "full" in reason or "No space" in reason:
            hint = "free some space and give the same command again: it goes on where it was"
            return ResultsError(f"the study in {self.place}: the disk is full", hint=hint)
        return ResultsError(
            f"the study in {self.place} cannot be used: {reason}",
            hint="choose another storage with --storage",
        )


def _storage(place: str | Path | None) -> Any:
    if place is None or "://" in str(place):
        return place
    path = Path(place)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".log":
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        return JournalStorage(JournalFileBackend(str(path)))
    return f"sqlite:///{path.absolute()}"


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _is_dead(owner: object) -> bool:
    """Whether a trial's process is gone; of other machines we cannot know."""
    host, _, pid = str(owner).rpartition(":")
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
