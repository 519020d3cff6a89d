"""What a sweep leaves: a page, the table as CSV and JSON (Parquet on demand), pictures."""

from __future__ import annotations

import shlex
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from hetsim.analysis.metrics.registry import lead
from hetsim.analysis.metrics.time import GAP, MAKESPAN
from hetsim.report.figures.plotting import image_files
from hetsim.report.files.jsonout import dumps
from hetsim.report.page.study import Page, Section
from hetsim.report.page.tables import Cell, Table
from hetsim.report.summary import metric_text, ranged_time
from hetsim.scenario.refs import ALL_STREAMS, AS_NAMED
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point
from hetsim.study.result import page_of
from hetsim.study.sweep.charts import anchor, sweep_charts
from hetsim.study.sweep.pictures import beside_the_time, sweep_figures
from hetsim.study.sweep.result import Sweep

SHOWN = 500
"""Rows in the page's table; all are in ``sweep.csv``."""


def headline(sweep: Sweep) -> str:
    """The sweep in a sentence or two."""
    done = [row for row in sweep.rows if row[1].merit is not None]
    count = f"{len(sweep.rows)} runs of {sweep.scenario} on {sweep.soc}"
    if not done:
        return f"All {count} failed."
    parts = []
    for model in dict.fromkeys(point.model for point, _ in done):
        point, outcome = best(done, model)
        word = "are" if model == ALL_STREAMS else "is"
        values = ", ".join(f"{k} = {v}" for k, v in point.design.items())
        with_values = f" with {values}" if values else ""
        parts.append(
            f"{model} {word} fastest{with_values}: {ranged_time(outcome.metrics)}"
            f" under {point.scheduler}"
        )
    failed = f" {len(sweep.failed)} failed." if sweep.failed else ""
    shown = "; ".join(parts[:4]) + ("; …" if len(parts) > 4 else "")
    return f"Of {count}, {shown}.{failed}"


def best(rows: list[tuple[Point, Outcome]], model: str) -> tuple[Point, Outcome]:
    """The row of the best merit on ``model``; the first of equals."""
    return min((row for row in rows if row[0].model == model), key=lambda row: row[1].merit or ())


def sweep_files(sweep: Sweep, *, parquet: bool = False) -> tuple[Page, dict[str, str | bytes]]:
    """The page and all other files of the results directory.

    Raises:
        MissingExtraError: ``parquet`` is wanted and pandas or pyarrow is not installed.
    """
    table = sweep.table
    files: dict[str, str | bytes] = {
        "sweep.csv": table.to_csv(),
        "sweep.json": dumps(
            {
                "schema": "hetsim.sweep/1",
                "scenario": sweep.scenario,
                "soc": sweep.soc,
                "mode": sweep.mode,
                "axes": {axis.path: list(axis.values) for axis in sweep.axes},
                "rows": table.to_records(),
            }
        ),
    }
    if parquet:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory, "sweep.parquet")
            table.to_parquet(path)
            files[path.name] = path.read_bytes()
    return _page(sweep), files | image_files(sweep_figures(sweep))


def failure_lines(sweep: Sweep) -> list[str]:
    """Each reason of failure with how many points it stopped and an example."""
    counts = Counter(first_line(outcome.error) for _, outcome in sweep.failed)
    examples = {first_line(o.error): p for p, o in reversed(sweep.failed)}
    return [
        f"{count} × {reason} (for example {examples[reason]})"
        for reason, count in counts.most_common()
    ]


def first_line(text: str | None) -> str:
    """The message of an error without its hint."""
    return (text or "").partition("\n")[0]


@page_of.register(Sweep)
def _page(sweep: Sweep) -> Page:
    order = [i for i, (_, outcome) in enumerate(sweep.rows) if outcome.error is None]
    order.sort(key=lambda i: sweep.rows[i][1].merit or ())
    shown = order[:SHOWN]
    sections = []
    charts = sweep_charts(sweep, beside_the_time(sweep.table), set(shown))
    if charts:
        sections.append(Section("Charts", charts=charts))
    if shown:
        text = "A sweep keeps no timelines; run a row by itself to see its own, with whatever other"
        text += " options the sweep had. The fastest:"
        command = _again(sweep, shown[0])
        sections.append(Section("Runs", [text], table=_table(sweep, order), code=command))
    if sweep.failed:
        sections.append(Section("Failed", failure_lines(sweep)))
    varied = ", ".join(f"{axis.path} ({len(axis.values)})" for axis in sweep.axes) or "nothing"
    return Page(
        f"sweep of {sweep.scenario}",
        f"sweep · {sweep.scenario} on {sweep.soc} · {sweep.mode} · varied: {varied}",
        headline(sweep),
        sections,
    )


def _table(sweep: Sweep, order: Sequence[int]) -> Table:
    """The first :data:`SHOWN` rows of ``order``."""
    extra = beside_the_time(sweep.table)
    time = lead(outcome.metrics for _, outcome in sweep.rows)
    front = (
        [(MAKESPAN, "time"), (GAP, "gap to bound")] if time is MAKESPAN else [(time, time.title)]
    )
    paths = [axis.path for axis in sweep.axes]
    rows: list[list[str | Cell]] = []
    for point, outcome in (sweep.rows[i] for i in order[:SHOWN]):
        measured = [(m, outcome.metrics.get(m.column)) for m in (*(m for m, _ in front), *extra)]
        rows.append([
            point.model, point.scheduler, *(str(point.design[path]) for path in paths),
            *(Cell(metric_text(m, value, scaled=True), value) for m, value in measured),
        ])  # fmt: skip
    titles = [*(title for _, title in front), *(metric.title for metric in extra)]
    caption = "Fastest first."
    if len(order) > SHOWN:
        caption = f"The {SHOWN} fastest of {len(order):,}; all are in sweep.csv."
    anchors = [anchor(i) for i in order[:SHOWN]]
    return Table(["network", "scheduler", *paths, *titles], rows, caption, 2 + len(paths), anchors)


def _again(sweep: Sweep, position: int) -> str:
    """The command that runs a row by itself."""
    point, _ = sweep.rows[position]
    words = ["hetsim", "run", sweep.source]
    if point.model == ALL_STREAMS:
        scheduler = point.scheduler.partition(" · ")[0]
        words += [] if scheduler == AS_NAMED else ["--scheduler", scheduler]
    else:
        words += ["--model", point.model, "--scheduler", point.scheduler]
    for path, value in point.design.items():
        words += ["--set", f"{path}={value}"]
    return shlex.join(words)
