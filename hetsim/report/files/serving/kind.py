"""Results of streams in directories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hetsim.analysis.serving.result import ServedResult, ServedRun
from hetsim.drafts import encoded
from hetsim.executors.calls import Call
from hetsim.names import distinct_name, plain_name
from hetsim.plan.files import dump_plan
from hetsim.plan.model import Plan
from hetsim.report.figures.serving import STREAM_FIGURES
from hetsim.report.files.extras import Extra
from hetsim.report.files.jsonout import dumps
from hetsim.report.files.kind import Contents, Kind
from hetsim.report.files.manifest import check_content
from hetsim.report.files.serving.archive import (
    INFERENCES,
    NAME,
    dump_inferences,
    dump_served,
    load_served,
)
from hetsim.report.files.serving.jsonout import served_to_dict
from hetsim.report.files.serving.perfetto import served_trace_json
from hetsim.report.files.serving.tables import streams_csv
from hetsim.report.page.serving.page import render_served
from hetsim.report.page.study import Section
from hetsim.report.serving import best_served
from hetsim.soc.model import SoC

ALL_STREAMS = "all streams"
"""What stands for a network in the manifest."""


class ServedKind(Kind[ServedResult]):
    """Streams of inferences under schedulers and dispatchers."""

    archive = NAME
    figures = tuple(STREAM_FIGURES)

    def load(self, directory: Path, planning_s: Mapping[tuple[str, str], float]) -> ServedResult:
        check_content(directory, INFERENCES)
        result = load_served(directory)
        runs = tuple(
            replace(run, planning_s=planning_s.get((ALL_STREAMS, run.label), 0.0))
            for run in result.runs
        )
        return replace(result, runs=runs)

    def extras(self, result: ServedResult) -> list[Extra]:
        taken: set[str] = set()
        found = []
        for position, run in enumerate(result.runs):
            if run.error is not None:
                continue
            stem = distinct_name(plain_name(run.label, "run"), taken)
            own: set[str] = set()
            names = [
                (f"plan {s.stream.name}",
                 f"plan-{stem}-{distinct_name(plain_name(s.stream.name, 'stream'), own)}.yaml")
                for s in run.streams
            ]  # fmt: skip
            for name, figure in STREAM_FIGURES.items():
                if figure.possible(run):
                    both = [(f"{name}_{end}", f"{name}-{stem}.{end}") for end in ("svg", "png")]
                    found.append(Extra(name, tuple(both), position))
            if run.served is not None and run.served.trace.spans:
                found.append(Extra("trace", (("trace", f"trace-{stem}.json"),), position))
            found.append(Extra("plan", tuple(names), position))
        return found

    def best(self, result: ServedResult) -> frozenset[int]:
        best = best_served(result)
        return frozenset(i for i, run in enumerate(result.runs) if run is best)

    def call(self, result: ServedResult, extra: Extra) -> Call:
        assert extra.position is not None
        run = result.runs[extra.position]
        if extra.kind == "plan":
            return Call(plan_files, ([found.plan for found in run.streams],))
        return Call(make_of_run, (extra.kind, run, result.soc))

    def document(
        self, result: ServedResult, files: Mapping[int, Mapping[str, str]] | None = None
    ) -> dict[str, Any]:
        return served_to_dict(result, files)

    def core(
        self, result: ServedResult, files: Mapping[int, Mapping[str, str]],
        versions: Mapping[str, str], sections: Sequence[Section],
    ) -> Contents:  # fmt: skip
        yield "result.json", dumps(self.document(result, files))
        yield "streams.csv", streams_csv(result)
        yield "report.html", render_served(result, files, versions, sections=sections)
        yield NAME, dump_served(result)
        yield INFERENCES, dump_inferences(result)

    def about(self, result: ServedResult) -> dict[str, Any]:
        return {"scenario": result.scenario, "soc": result.soc.name, "seed": result.seed}

    def names(self, result: ServedResult) -> list[str]:
        return [run.label for run in result.runs]

    def planning(self, result: ServedResult) -> list[tuple[str, str, float]]:
        return [(ALL_STREAMS, run.label, run.planning_s) for run in result.runs]

    def inputs(self, result: ServedResult) -> Mapping[str, str]:
        return result.inputs


SERVED = ServedKind()


def plan_files(plans: Sequence[Plan]) -> tuple[bytes, ...]:
    """The plans of a run, stream by stream."""
    return tuple(encoded(dump_plan(plan)) for plan in plans)


def make_of_run(kind: str, run: ServedRun, soc: SoC) -> tuple[bytes, ...]:
    """A figure or the trace of a run."""
    if kind == "trace":
        return (encoded(served_trace_json(run, soc)),)
    from hetsim.report.figures.plotting import figure_images

    return figure_images(STREAM_FIGURES[kind].draw(run))
