"""The memory of an exploration: an Optuna study, kept where others can share it.

``FILE.sqlite`` and ``FILE.db`` are databases, ``FILE.log`` is a journal (for network file
systems), anything with ``://`` is a database URL as Optuna takes it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from hetsim.drafts import leave, share
from hetsim.errors import ConfigError, HetsimError, MissingExtraError, ResultsError
from hetsim.study.axes import Axis
from hetsim.study.explore.space import suggest
from hetsim.study.explore.told import Told, tell, told
from hetsim.study.outcome import Outcome
from hetsim.study.point import SCHEMA, digest
from hetsim.version import version

SAMPLERS = ("tpe", "nsga2", "random")
OWNERLESS_S = 60.0
"""After so long a trial that nobody has put his name to is nobody's."""
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
        self._lock: tuple[Path, int] | None = None
        self._objectives = tuple(objectives)
        self._records: dict[int, Told] = {}
        self._alone = False
        with contextlib.ExitStack() as opened, self.explaining():
            opened.callback(self.close)
            self._share(storage)
            self.study = optuna.create_study(
                storage=_storage(storage),
                study_name=f"hetsim explore {scenario} {question[:12]}",
                directions=["minimize"] * len(objectives),
                load_if_exists=True,
            )
            self._check({"version": version(), "schema": SCHEMA, "content": content})
            opened.pop_all()

    def __enter__(self) -> Trials:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets others know that this process is done with the storage."""
        if self._lock is not None:
            leave(*self._lock)
            self._lock = None

    def _share(self, storage: str | Path | None) -> None:
        """Finds out whether another process works on the storage, if it is a file."""
        if storage is not None and "://" not in str(storage):
            path = Path(storage)
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.parent / f".{path.name}.lock"
            handle, self._alone = share(lock)
            self._lock = (lock, handle)

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
    def finished(self) -> list[tuple[int, Told]]:
        """Numbers and records of trials that ran, feasible or not, and of designs that failed.

        Raises:
            ResultsError: a record that is damaged.
        """
        done = [t for t in self.study.get_trials(deepcopy=False) if t.state.is_finished()]
        return [(t.number, found) for t in done if (found := self._told(t)) is not None]

    def known(self) -> dict[str, Outcome]:
        """Outcomes of all points that any trial ran, by key."""
        found: dict[str, Outcome] = {}
        for trial in self.study.get_trials(deepcopy=False):
            record = self._told(trial)
            found |= {} if record is None else record.points(self.place)
        return found

    def _told(self, trial: Any) -> Told | None:
        if trial.number not in self._records:
            record = told(trial, self._objectives, self.place)
            if record is None or not trial.state.is_finished():
                return record
            self._records[trial.number] = record
        return self._records[trial.number]

    @property
    def count(self) -> int:
        """How many trials there are, whatever became of them."""
        return len(self.study.get_trials(deepcopy=False))

    def begin(self) -> Any:
        """A new trial without a design, marked as this process's."""
        trial = self.study.ask()
        trial.set_user_attr("owner", _owner())
        return trial

    def left_behind(self) -> list[Any]:
        """The trials that processes which died had begun, now this one's, in order."""
        from optuna.trial import Trial, TrialState

        found = []
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if self._alone or _is_dead(trial):
                found.append(Trial(self.study, trial._trial_id))
                found[-1].set_user_attr("owner", _owner())
        return found

    def ask(self, trial: Any, axes: Sequence[Axis], sampler: str, seed: int) -> None:
        """Chooses the design of a trial; what it has chosen already stays.

        Every value depends on the trials that finished before, the trial's number and ``seed``
        alone. So a trial that was begun by a process that died becomes what it would have been.

        Raises:
            ConfigError: an unknown sampler.
        """
        self._use(sampler, seed, trial.number, 0)
        _ = trial.relative_params  # values that belong together, chosen at once
        for i, axis in enumerate(axes, 1):
            self._use(sampler, seed, trial.number, i)
            suggest(axis, trial)

    def _use(self, sampler: str, *seeds: int) -> None:
        from optuna import samplers

        seed = int(digest(seeds)[:8], 16)
        if sampler == "tpe":
            self.study.sampler = samplers.TPESampler(seed=seed)
        elif sampler == "nsga2":
            self.study.sampler = samplers.NSGAIISampler(seed=seed, population_size=POPULATION)
        elif sampler == "random":
            self.study.sampler = samplers.RandomSampler(seed=seed)
        else:
            raise ConfigError(f"unknown sampler {sampler!r}", hint=f"one of {', '.join(SAMPLERS)}")

    def tell(
        self,
        trial: Any,
        measured: Mapping[str, float],
        violations: Mapping[str, float],
        outcomes: Mapping[str, Outcome],
    ) -> None:
        """Keeps a design that ran."""
        tell(trial, outcomes, measures=measured, violations=violations)
        for name, value in violations.items():
            trial.set_constraint(name, value)
        values = [measured[name] for name in self._objectives]
        self.study.tell(trial, values, skip_if_finished=True)

    def tell_failed(self, trial: Any, error: str, outcomes: Mapping[str, Outcome]) -> None:
        """Keeps a design that cannot run."""
        from optuna.trial import TrialState

        tell(trial, outcomes, error=error)
        self.study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)

    @contextlib.contextmanager
    def explaining(self) -> Iterator[None]:
        """Storage errors in words that tell what to do."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                yield
            except HetsimError:
                raise
            except Exception as error:
                # A damaged storage fails deep inside, as anything from KeyError to LookupError.
                within = {_package(frame) for frame, _ in traceback.walk_tb(error.__traceback__)}
                if within.isdisjoint(("optuna", "sqlalchemy")) and not isinstance(error, OSError):
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
    if path.suffix == ".log":
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        return JournalStorage(JournalFileBackend(str(path)))
    return f"sqlite:///{path.absolute()}"


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _is_dead(trial: Any) -> bool:
    """Whether a trial's process is gone; of other machines we cannot know.

    One without an owner was begun a moment ago, or by a process that died in that moment.
    """
    owner = trial.user_attrs.get("owner")
    if owner is None:
        return bool((datetime.now() - trial.datetime_start).total_seconds() > OWNERLESS_S)
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
