"""What may stand beside a report: Gantt charts, figures for papers, traces, plans.

Each is made when somebody asks for it. Drawing every run of a large scenario takes longer than
simulating it, and whoever has ``runs.json.gz`` has all of them: ``hetsim report`` makes any of
them later.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from hetsim.errors import ResultsError
from hetsim.executors.base import Executor
from hetsim.executors.calls import CALLER, Call, Lost
from hetsim.executors.serial import SerialExecutor
from hetsim.progress import Progress

KINDS = {"gantt": "figures", "trace": "traces", "plan": "plans"}
"""Extras of single runs, and the field of :class:`Wanted` that speaks of them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which extras; ``None`` says nothing about those of a kind.

    ``figures``, ``traces`` and ``plans`` are ``"none"``, ``"best"`` (of the fastest run of each
    network) or ``"all"``. Figures may also be a word of the kind of result
    (:attr:`hetsim.report.files.kind.Kind.figures`): those of that name, of all runs.
    ``runs`` are positions in the result: then of those runs, whichever of the words.
    """

    figures: str | None = "best"
    traces: str | None = "none"
    plans: str | None = "best"
    runs: frozenset[int] | None = None

    def word(self, extra: Extra) -> str | None:
        """What is said of extras such as ``extra``."""
        word: str | None = getattr(self, KINDS.get(extra.kind, "figures"))
        return word

    def includes(self, extra: Extra, best: Collection[int]) -> bool:
        """Whether ``extra`` is wanted; ``best`` are the positions of the fastest runs."""
        word = self.word(extra)
        if extra.position is None:
            return word == extra.kind or (word == "all" and self.runs is None)
        if word not in ("best", "all", extra.kind):
            return False
        if self.runs is not None:
            return extra.position in self.runs
        return word != "best" or extra.position in best


@dataclass(frozen=True, slots=True)
class Extra:
    """One chart, figure, trace or plan.

    ``names`` are its files, by what ``result.json`` calls them; ``position`` is that of its run,
    ``None`` for a figure of the whole result.
    """

    kind: str
    names: tuple[tuple[str, str], ...]
    position: int | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The names of its files."""
        return tuple(name for _, name in self.names)


def made(
    call: Callable[[Extra], Call],
    extras: Sequence[Extra],
    executor: Executor[Call, object] | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[str, bytes]]:
    """The files of ``extras``, name and content, in whatever order they are done.

    ``call`` says what makes the files of one, in the order of their names.

    Raises:
        ResultsError: a process that made one of them died.
    """
    executor = executor or SerialExecutor()
    executor.ensure(CALLER)
    tasks = ((extra, call(extra)) for extra in extras)
    for done, (extra, answer) in enumerate(executor.perform(tasks), start=1):
        if isinstance(answer, Lost):
            raise ResultsError(f"{extra.files[0]} could not be made: {answer.reason}")
        assert isinstance(answer, tuple)
        yield from zip(extra.files, answer, strict=True)
        if progress is not None:
            progress(extra.files[0], done, len(extras))
