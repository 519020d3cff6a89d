"""What a study is: a question about a scenario that takes many runs to answer.

Adding a kind of study is a file with one subclass and a line in :mod:`hetsim.study.registry`, or an
entry point of the group ``hetsim.studies`` in a package of your own. Then ``hetsim NAME`` runs it.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import click

from hetsim.executors.base import Executor
from hetsim.names import results_place
from hetsim.progress import Progress
from hetsim.report.files.studydir import StudyIdentity
from hetsim.report.page.study import Page
from hetsim.scenario.loader import Scenario
from hetsim.study.outcome import Outcome
from hetsim.study.perform import run_points
from hetsim.study.point import Point, PointBench, digest, setting
from hetsim.study.result import Shown, Words

Result = TypeVar("Result")
"""What a study finds: plain data, a :class:`hetsim.study.result.StudyResult` for notebooks."""

Files = Mapping[str, str | bytes]
"""Contents by file name."""


class Study(ABC, Generic[Result]):
    """One study of one scenario.

    The class says what may be asked, an object what is asked. Life cycle, as
    :mod:`hetsim.cli.studies` goes through it:

    1. :attr:`options` and :attr:`keeping` become options of the verb, and the docstring its help.
    2. :meth:`check` refuses options that contradict each other, before anything is read.
    3. :meth:`asked` makes the study from the loaded scenario and the options. Whatever is wrong
       with them is told now, before anything runs.
    4. :attr:`identity` is compared with that of the results directory, if there is one: only the
       same study may replace it unasked.
    5. :meth:`run` finds the result on the workers of an executor. What fails because of its values
       is a part of the result; an exception is the end of the study, so whatever took long should
       be on disk by then and the next run should find it. :class:`PointStudy` does all that for a
       study that knows its points beforehand.
    6. :meth:`report` makes the page and the files of the results directory from the result.
    7. :meth:`shown` and :meth:`effort` are printed, or the file ``KIND.json`` with ``--json``.
    8. :meth:`failures` go to standard error, and :meth:`exit_code` is what the shell gets.
    """

    kind: ClassVar[str]
    """Its name in identities and file names; usually also that of its verb."""

    options: ClassVar[Sequence[click.Parameter]] = ()
    """What may be asked, beside what all studies take (networks, schedulers, workers, output)."""

    keeping: ClassVar[Sequence[click.Parameter]] = ()
    """Where and how it keeps what it finds; options as well, shown after those of the workers."""

    set_help: ClassVar[str | None] = "Change what is not varied."
    """The help of ``--set``; ``None`` when the study understands something else by that option."""

    workers_help: ClassVar[str] = "Worker processes.  [default: one per processor]"
    runs_elsewhere: ClassVar[bool] = True
    """Whether the verb has the options of executors on other machines."""

    failures_with_json: ClassVar[bool] = True
    """Whether failures are told beside ``--json``, too; not where they are rows of it."""

    def __init__(self, scenario: Scenario) -> None:
        """``scenario`` with the networks, schedulers and options the study is about."""
        self.scenario = scenario

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> None:
        """Looks at all options of the verb, by parameter name, before anything is read.

        Raises:
            click.UsageError: some contradict each other.
            MissingExtraError: a library that the study needs is not installed.
        """

    @classmethod
    def asked(cls, scenario: Scenario, options: Mapping[str, Any]) -> Study[Any]:
        """The study that all options of the verb mean.

        As it stands the constructor gets those of :attr:`options` and :attr:`keeping` by keyword.

        Raises:
            ConfigError: options that make no sense for this scenario.
        """
        return cls(scenario, **cls.own(options))

    @classmethod
    def own(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the verb's options that the class declares."""
        return {p.name: options[p.name] for p in (*cls.options, *cls.keeping) if p.name}

    @property
    def identity(self) -> StudyIdentity:
        """What makes two studies the same: kind, scenario with all changes, :meth:`question`."""
        scenario = self.scenario
        asked = {
            "question": self.question(),
            "models": [[ref.label, ref.name, ref.sizes.plain()] for ref in scenario.models],
            "schedulers": [[r.label, r.name, dict(r.parameters)] for r in scenario.schedulers],
            **scenario.reading,
            **setting(scenario),
        }
        return StudyIdentity(self.kind, scenario.name, digest(asked))

    @abstractmethod
    def question(self) -> object:
        """Plain data that tells this study from others of its kind about the same scenario."""

    @abstractmethod
    def run(self, executor: Executor[Any, Any], progress: Progress | None = None) -> Result:
        """Finds the result. The caller stops the executor.

        Raises:
            HetsimError: something without which there is no result.
        """

    @abstractmethod
    def report(self, result: Result) -> tuple[Page, Files]:
        """The page, and all other files; ``KIND.json`` is among them."""

    @abstractmethod
    def headline(self, result: Result) -> str:
        """The result in a sentence or two."""

    def failures(self, result: Result) -> Sequence[str]:
        """What the user must know went wrong, a line each; none when nothing did."""
        return ()

    def exit_code(self, result: Result) -> int:
        """What the shell gets: 2 when there are failures."""
        return 2 if self.failures(result) else 0

    def shown(self, result: Result) -> Iterable[Shown]:
        """What the terminal shows."""
        yield Words(self.headline(result), "bold")

    def effort(self, result: Result) -> str:
        """What it took, in one line; printed before the place of the results."""
        return ""

    def place(self, suffix: str) -> Path:
        """Where the command line keeps what a study of this kind knows unless told otherwise."""
        return results_place(self.scenario.name, f"-{self.kind}{suffix}")


class PointStudy(Study[Result]):
    """A study whose points are known beforehand: it performs those that its store does not hold."""

    store: Path | None = None
    """Where outcomes are kept as they arrive; ``None`` keeps nothing, so nothing is resumed."""

    retry_failed = False
    """Whether points that failed before run again."""

    @abstractmethod
    def points(self) -> Sequence[Point]:
        """Every run it takes.

        Raises:
            ConfigError: what is varied leads nowhere.
        """

    @abstractmethod
    def conclude(self, rows: Sequence[tuple[Point, Outcome]], reused: int, wall_s: float) -> Result:
        """The result, from the outcome of each point in order.

        ``reused`` of them were known; this took ``wall_s`` seconds of wall-clock time.
        """

    def run(self, executor: Executor[Point, Outcome], progress: Progress | None = None) -> Result:
        """Performs the points."""
        begun = time.perf_counter()
        self.scenario.check_schedulers()
        points = self.points()
        outcomes, reused = run_points(
            PointBench.of(self.scenario, points[0].design if points else None),
            points, self.store, executor,
            retry_failed=self.retry_failed, progress=progress,
        )  # fmt: skip
        rows = tuple(zip(points, outcomes, strict=True))
        return self.conclude(rows, reused, time.perf_counter() - begun)
