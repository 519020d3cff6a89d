"""``report.html`` of streams: one file that shows them all, offline, on a desk or a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hetsim.analysis.serving.result import ServedResult, ServedRun
from hetsim.report.files.jsonout import FileNames
from hetsim.report.page.run import soc_text
from hetsim.report.page.serving.cells import timelines_of
from hetsim.report.page.serving.charts import comparison_charts, run_charts, runs_shown
from hetsim.report.page.study import Section, anchored
from hetsim.report.page.tables import Cell, Table
from hetsim.report.page.template import STREAMS, render, script_json
from hetsim.report.serving import (
    CONFIDENCE,
    best_served,
    headline_of,
    interval,
    notes_of,
    told_of_streams,
    unproven,
    with_interval,
)

LONG = 16
"""Letters of a run's name from which on the table keeps room for it, so that it breaks less."""

MOST = 6
"""Runs whose charts and timelines a page holds."""


def render_served(
    result: ServedResult,
    files: FileNames | None = None,
    versions: Mapping[str, str] | None = None,
    *,
    sections: Sequence[Section] = (),
) -> str:
    """The text of ``report.html``; arguments as :func:`hetsim.report.page.run.render_report`."""
    shown = runs_shown(result, MOST)
    told = [run if i in shown else None for i, run in enumerate(result.runs)]
    best = best_served(result)
    first = next((i for i, run in enumerate(result.runs) if run is best), -1)
    return render(
        "served.html.j2",
        scripts=STREAMS if shown else (),
        result=result,
        headline=headline_of(result),
        charts=comparison_charts(result),
        tables=streams_table(result.runs),
        notes=notes_of(result),
        sections=anchored((*_sections(result, shown, first, files or {}), *sections)),
        chosen=first,
        soc_text=soc_text(result.soc),
        versions=versions or {},
        data=script_json(timelines_of(told, first, result.soc)),
    )


def streams_table(listed: Sequence[ServedRun]) -> Table:
    """Every metric of every stream of every run, and of all streams together."""
    runs = [(i, run) for i, run in enumerate(listed) if run.error is None]
    rows = [(i, run, s.stream.name, s.metrics) for i, run in runs for s in run.streams]
    rows += [(i, run, "all", run.metrics) for i, run in runs if len(run.streams) > 1]
    rows.sort(key=lambda row: row[0])
    columns = dict.fromkeys(column for *_, values in rows for column in values)
    chosen = [
        found for found in told_of_streams([*columns])
        if any(values.get(found.column) is not None for *_, values in rows)
    ]  # fmt: skip
    lines: list[list[str | Cell]] = []
    for _, run, name, values in rows:
        cells = [
            Cell(with_interval(found, values, level=False), values.get(found.column))
            for found in chosen
        ]
        lines.append([run.label, name, *cells])
    ranged = any(interval(found, values) for *_, values in rows for found in chosen)
    caption = f"In brackets: {CONFIDENCE} confidence." if ranged else ""
    words = ["run"] if any(len(run.label) > LONG for _, run in runs) else []
    heads = ["run", "stream", *(found.title for found in chosen)]
    return Table(heads, lines, caption, left=2, words=words)


def _sections(
    result: ServedResult, shown: Sequence[int], best: int, files: FileNames
) -> list[Section]:
    found = []
    for i in shown:
        run = result.runs[i]
        found.append(
            Section(
                run.label, _about(result, run), charts=run_charts(run),
                table=_files(files.get(i, {})), folded=i != best, dense=True,
            )
        )  # fmt: skip
    return found


def _about(result: ServedResult, run: ServedRun) -> list[str]:
    planned = dict.fromkeys(f"{s.stream.name} by {s.scheduler}" for s in run.streams)
    text = [f"Dispatcher {run.dispatcher}; planned: {', '.join(planned)}."]
    text += unproven(run)
    if run.served is not None and run.served.stopped:
        text.append(f"Stopped: {run.served.stopped}.")
    return text


def _files(names: Mapping[str, str]) -> Table | None:
    if not names:
        return None
    rows: list[list[str | Cell]] = [[kind, Cell(name, link=name)] for kind, name in names.items()]
    return Table(["file of this run", "name"], rows, left=2)
