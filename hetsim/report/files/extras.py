"""What may stand beside a report: Gantt charts, figures for papers, traces, plans.

Each is made when somebody asks for it. Drawing every run of a large scenario takes longer than
simulating it, and whoever has ``runs.json.gz`` has all of them: ``hetsim report`` makes any of
them later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from hetsim.analysis.result import Result, Run
from hetsim.drafts import encoded
from hetsim.errors import ResultsError
from hetsim.executors.base import Executor
from hetsim.executors.calls import CALLER, Call, Lost
from hetsim.executors.serial import SerialExecutor
from hetsim.names import distinct_name, plain_name
from hetsim.progress import Progress
from hetsim.report.figures.summaries import RESULT_FIGURES
from hetsim.report.summary import best_run, models_of
from hetsim.soc.model import SoC

KINDS = {"gantt": "figures", "trace": "traces", "plan": "plans"}
"""Extras of single runs, and the field of :class:`Wanted` that speaks of them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which extras; ``None`` says nothing about those of a kind.

    ``figures``, ``traces`` and ``plans`` are ``"none"``, ``"best"`` (of the fastest run of each
    network) or ``"all"``. Figures may also be ``"gantt"`` (the charts of all runs, and no other
    figure) or the name of one of :data:`~hetsim.report.figures.summaries.RESULT_FIGURES`.
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


def extras_of(result: Result) -> list[Extra]:
    """All that can be made of ``result``; names are safe on every system, and unique."""
    taken: set[str] = set()
    found: list[Extra] = []
    for position, run in enumerate(result.runs):
        stem = _stem(run, taken)
        if run.trace is not None and run.trace.spans:
            charts = (("gantt_svg", f"gantt-{stem}.svg"), ("gantt_png", f"gantt-{stem}.png"))
            found.append(Extra("gantt", charts, position))
            found.append(Extra("trace", (("trace", f"trace-{stem}.json"),), position))
        if run.plan is not None:
            found.append(Extra("plan", (("plan", f"plan-{stem}.yaml"),), position))
    for name, figure in RESULT_FIGURES.items():
        if figure.possible(result):
            both = ((f"{name}_svg", f"{name}.svg"), (f"{name}_png", f"{name}.png"))
            found.append(Extra(name, both))
    return found


def chosen(result: Result, wanted: Wanted) -> list[Extra]:
    """The extras of ``result`` that are wanted."""
    fastest = {id(best_run(result, model)) for model in models_of(result)}
    best = {i for i, run in enumerate(result.runs) if id(run) in fastest}
    return [extra for extra in extras_of(result) if wanted.includes(extra, best)]


def made(
    result: Result,
    extras: Sequence[Extra],
    executor: Executor[Call, object] | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[str, bytes]]:
    """The files of ``extras``, name and content, in whatever order they are done.

    Raises:
        ResultsError: a process that made one of them died.
    """
    executor = executor or SerialExecutor()
    executor.ensure(CALLER)
    tasks = ((extra, _call(result, extra)) for extra in extras)
    for done, (extra, answer) in enumerate(executor.perform(tasks), start=1):
        if isinstance(answer, Lost):
            raise ResultsError(f"{extra.files[0]} could not be made: {answer.reason}")
        assert isinstance(answer, tuple)
        yield from zip(extra.files, answer, strict=True)
        if progress is not None:
            progress(extra.files[0], done, len(extras))


def _call(result: Result, extra: Extra) -> Call:
    if extra.position is None:
        light = (replace(run, trace=None, plan=None, operators=()) for run in result.runs)
        return Call(draw_figure, (extra.kind, replace(result, runs=tuple(light))))
    return Call(make_of_run, (extra.kind, result.runs[extra.position], result.soc))


def draw_figure(name: str, result: Result) -> tuple[bytes, ...]:
    """A figure of the whole result as SVG and PNG."""
    from hetsim.report.figures.plotting import figure_images

    return figure_images(RESULT_FIGURES[name].draw(result))


def make_of_run(kind: str, run: Run, soc: SoC) -> tuple[bytes, ...]:
    """The files of an extra of one run, in the order of their names."""
    if kind == "gantt":
        from hetsim.report.figures.gantt import gantt_images

        return gantt_images(run, soc)
    if kind == "trace":
        from hetsim.report.files.perfetto import perfetto_json

        return (encoded(perfetto_json(run, soc)),)
    from hetsim.plan.files import dump_plan

    assert run.plan is not None
    return (encoded(dump_plan(run.plan)),)


def _stem(run: Run, taken: set[str]) -> str:
    """``MODEL-SCHEDULER`` with only plain characters; numbered where two would be the same."""
    parts = plain_name(run.model, "model"), plain_name(run.scheduler, "scheduler")
    return distinct_name("-".join(parts), taken)
