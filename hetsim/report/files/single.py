"""Results of single inferences in directories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hetsim.analysis.result import Result, Run
from hetsim.drafts import encoded
from hetsim.executors.calls import Call
from hetsim.names import distinct_name, plain_name
from hetsim.report.figures.summaries import RESULT_FIGURES
from hetsim.report.files.archive import NAME, dump_archive, load_archive
from hetsim.report.files.extras import Extra
from hetsim.report.files.jsonout import dumps, result_to_dict
from hetsim.report.files.kind import Contents, Kind
from hetsim.report.files.tables import operators_csv
from hetsim.report.page.run import render_report
from hetsim.report.page.study import Section
from hetsim.report.summary import best_run, models_of
from hetsim.soc.model import SoC


class SingleKind(Kind[Result]):
    """Networks under schedulers, one inference at a time."""

    archive = NAME
    figures = ("gantt", *RESULT_FIGURES)

    def load(self, directory: Path, planning_s: Mapping[tuple[str, str], float]) -> Result:
        result = load_archive(directory / NAME)
        runs = tuple(
            replace(run, planning_s=planning_s.get((run.model, run.scheduler), 0.0))
            for run in result.runs
        )
        return replace(result, runs=runs)

    def extras(self, result: Result) -> list[Extra]:
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

    def best(self, result: Result) -> frozenset[int]:
        fastest = {id(best_run(result, model)) for model in models_of(result)}
        return frozenset(i for i, run in enumerate(result.runs) if id(run) in fastest)

    def call(self, result: Result, extra: Extra) -> Call:
        if extra.position is None:
            light = (replace(run, trace=None, plan=None, operators=()) for run in result.runs)
            return Call(draw_figure, (extra.kind, replace(result, runs=tuple(light))))
        return Call(make_of_run, (extra.kind, result.runs[extra.position], result.soc))

    def document(
        self, result: Result, files: Mapping[int, Mapping[str, str]] | None = None
    ) -> dict[str, Any]:
        return result_to_dict(result, files)

    def core(
        self, result: Result, files: Mapping[int, Mapping[str, str]], versions: Mapping[str, str],
        sections: Sequence[Section],
    ) -> Contents:  # fmt: skip
        yield "result.json", dumps(self.document(result, files))
        yield "operators.csv", operators_csv(result)
        yield "report.html", render_report(result, files, versions, sections=sections)
        yield NAME, dump_archive(result)

    def about(self, result: Result) -> dict[str, Any]:
        return {
            "scenario": result.scenario,
            "soc": result.soc.name,
            "execution": result.execution,
            "seed": result.seed,
        }

    def names(self, result: Result) -> list[str]:
        return [f"{run.model}/{run.scheduler}" for run in result.runs]

    def planning(self, result: Result) -> list[tuple[str, str, float]]:
        return [(run.model, run.scheduler, run.planning_s) for run in result.runs]

    def inputs(self, result: Result) -> Mapping[str, str]:
        return result.inputs


SINGLE = SingleKind()


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
