"""The table a run ends with in the terminal.

One line per network and scheduler. Utilisation stands in the same table when the console is wide
enough, else in a second one below; nothing is ever cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hetsim.analysis.metrics.base import Metric
from hetsim.analysis.metrics.time import MAKESPAN
from hetsim.analysis.result import Result, Run
from hetsim.report.limits import limit_texts
from hetsim.report.overlooked import overlooked
from hetsim.report.palette import PARTS
from hetsim.report.summary import (
    BASELINES,
    LEVEL_TEXT,
    PublishedFigure,
    band_note,
    beaten_text,
    best_run,
    columns_of_runs,
    gap_text,
    headline,
    metric_text,
    models_of,
    published_figures,
    range_notes,
    range_text,
    share_text,
    speedup,
    time_unit,
    winners,
)
from hetsim.report.text.columns import GAP, split, width_of

Cell = Callable[[Run], str]
"""What a column prints for a run that succeeded."""

_SHORT = {"type_based": "type\nbased", "profile_greedy": "prof.\ngreedy"}
"""Headings of the columns of :data:`BASELINES`."""

_GAPS = (GAP, 1)
"""Blanks between columns: the wider if there is room."""


def print_result(result: Result, console: Console) -> None:
    """Prints the result tables, the published figures if there are any, and the headline."""
    figures = _figure_columns(result)
    use = _utilisation_columns(result)
    together = {**figures, **use}
    first, texts = _first_column(result), _texts(result, together)
    gap = next((g for g in _GAPS if width_of(first, texts, g) <= console.width), None)
    if gap is not None:
        title = "time per inference, speed-up and utilisation"
        _print_table(result, console, together, title, gap)
    else:
        for columns in _chunks(result, figures, console.width):
            _print_table(result, console, columns, "time per inference and speed-up")
            console.print()
        for columns in _chunks(result, use, console.width):
            _print_table(result, console, columns, "utilisation")
            console.print()
    console.print(_legend(result))
    for note in range_notes(result):
        console.print(Text(note, style="dim"))
    _print_wide_gaps(result, console)
    for columns in _chunks(result, _attribution_columns(result), console.width):
        console.print()
        _print_table(result, console, columns, "where the time goes along the critical path")
    _print_limits(result, console)
    _print_failures(result, console)
    if result.reference:
        console.print()
        _print_published(result, console)
    for note in result.notes:
        console.print(Text(f"note: {note}", style="yellow"))
    console.print()
    console.print(Text(headline(result), style="bold"))
    if sentence := overlooked(result):
        console.print(Text(sentence))


def _figure_columns(result: Result) -> dict[str, Cell]:
    times = [r.makespan_s for r in result.runs if r.makespan_s]
    unit, factor = time_unit(min(times, default=1e-3))
    decimals = 3 if min(times, default=1.0) / factor < 10 else 2

    def clock(seconds: float | None) -> str:
        return "–" if seconds is None else f"{seconds / factor:,.{decimals}f}"

    def times_faster(baseline: str) -> Cell:
        def cell(run: Run) -> str:
            ratio = speedup(result, run, baseline)
            return "–" if ratio is None else f"{ratio:.2f}×"

        return cell

    ranged = any(run.makespan_range_s for run in result.runs)

    def with_range(run: Run) -> str:
        ends = run.makespan_range_s
        said = f" ({range_text(*ends, factor)})" if ends else ""
        return clock(run.makespan_s) + said

    def column(metric: Metric) -> tuple[str, Cell]:
        if metric is MAKESPAN and ranged:
            return f"{metric.title}\n{unit} ({LEVEL_TEXT})", with_range

        def cell(run: Run) -> str:
            value = run.metrics.get(metric.column)
            if metric.dimension == "time":
                return clock(value)
            if metric.unit == "share" and value is not None:
                return share_text(value, 0)
            return metric_text(metric, value)

        return f"{metric.title}\n{unit}" if metric.dimension == "time" else metric.title, cell

    before, after = columns_of_runs()
    return {
        **dict(map(column, before)),
        **({"beaten\nby best": lambda run: beaten_text(result, run)} if ranged else {}),
        **{f"× {short}": times_faster(name) for name, short in _baselines(result).items()},
        **dict(map(column, after)),
    }


def _baselines(result: Result) -> dict[str, str]:
    """The baselines that ran beside something else, and what their columns are called."""
    ran = {run.scheduler for run in result.runs if run.makespan_s is not None}
    return {name: _SHORT[name] for name in BASELINES if name in ran and len(ran) > 1}


def _attribution_columns(result: Result) -> dict[str, Cell]:
    """Shares of the makespan; parts that no run spends time on have no column."""

    def cell(part: str) -> Cell:
        return lambda run: _share(run.attribution.get(part, 0.0) / (run.makespan_s or 1.0))

    used = {
        part
        for run in result.runs
        for part, time in run.attribution.items()
        if time >= 0.0005 * (run.makespan_s or 0.0) and time > 0.0
    }
    labels = {part: PARTS[part].label.replace(" ", "\n", 1) for part in PARTS if part in used}
    return {label: cell(part) for part, label in labels.items()}


def _utilisation_columns(result: Result) -> dict[str, Cell]:
    columns: dict[str, Cell] = {}

    def pu_cell(name: str) -> Cell:
        return lambda run: _share(run.pus[name].utilization if name in run.pus else None)

    def link_cell(name: str) -> Cell:
        return lambda run: _share(run.links[name].utilization if name in run.links else None)

    for name in dict.fromkeys(name for run in result.runs for name in run.pus):
        columns[f"PU\n{name}"] = pu_cell(name)
    for name in dict.fromkeys(name for run in result.runs for name in run.links):
        columns[f"link\n{name}"] = link_cell(name)
    return columns


def _share(value: float | None) -> str:
    """A percentage; small ones keep a digit, so that a little is not shown as nothing."""
    if value is None:
        return "–"
    return f"{value:.1%}" if 0 < value < 0.0995 else f"{value:.0%}"


def _first_column(result: Result) -> int:
    longest = [len(model) for model in models_of(result)]
    return max(
        [len("  scheduler"), *longest, *(len(run.scheduler) + 2 for run in result.runs)], default=0
    )


def _texts(result: Result, columns: dict[str, Cell]) -> dict[str, list[str]]:
    ran = [run for run in result.runs if run.error is None]
    return {title: [cell(run) for run in ran] for title, cell in columns.items()}


def _chunks(result: Result, columns: dict[str, Cell], width: int) -> list[dict[str, Cell]]:
    """Splits ``columns`` into tables that fit ``width``."""
    tables = split(_first_column(result), _texts(result, columns), width)
    return [{title: columns[title] for title in table} for table in tables]


def _print_table(
    result: Result,
    console: Console,
    columns: dict[str, Cell],
    caption: str,
    gap: int = _GAPS[0],
) -> None:
    title = f"{result.scenario} on {result.soc.name} ({result.execution}): {caption}"
    console.print(Text(title, style="bold"))
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
    name_width = min(_first_column(result), 40)
    table.add_column("network\n  scheduler", overflow="fold", min_width=name_width)
    for name in columns:
        table.add_column(Text(name), justify="right", no_wrap=True)
    for model in models_of(result):
        table.add_row(Text(model, style="bold"))
        best = winners(result, model)
        for run in result.runs:
            if run.model != model:
                continue
            if run.error is not None:
                table.add_row(Text(f"  {run.scheduler}", style="red"), Text("failed", style="red"))
                continue
            style = "green" if run.scheduler in best else ""
            cells = [Text(cell(run), style=style) for cell in columns.values()]
            table.add_row(Text(f"  {run.scheduler}", style=style), *cells)
    console.print(table)


def _legend(result: Result) -> Text:
    baselines = list(_baselines(result))
    faster = ""
    if baselines:
        shorts = ", ".join(f"× {_SHORT[name]}".replace("\n", " ") for name in baselines)
        faster = f" {shorts}: how many times the speed of {' and of '.join(baselines)}."
    if any(run.makespan_range_s for run in result.runs):
        faster = (
            f" In brackets: {LEVEL_TEXT} of what is measured lies there. beaten by best: the"
            f" probability that the fastest plan really is faster.{faster}"
        )
    return Text(
        f"Fastest per network in green. predicted: what the scheduler expected.{faster} bound: best"
        " proven lower bound; gap: how far above it. PU: share of the time busy; link: share of its"
        " bandwidth used.",
        style="dim",
    )


WIDE_GAP = 0.05
"""The gap from which on people are told what its bound lacks."""


def _print_wide_gaps(result: Result, console: Console) -> None:
    """For networks whose best run is far above the bound: which argument it is, what it lacks."""
    for model in models_of(result):
        best = best_run(result, model)
        if best is None or best.gap is None or best.gap < WIDE_GAP or not best.bounds:
            continue
        strongest = max(best.bounds, key=lambda bound: bound.seconds)
        text = f"{model}, gap {gap_text(best)}: the bound is by {strongest.argument}."
        console.print(Text(text, style="dim"))


def _print_limits(result: Result, console: Console) -> None:
    """Of the fastest run of each network: what holds up each unit, and the most to gain."""
    for model in models_of(result):
        best = best_run(result, model)
        if best is None or not best.limits:
            continue
        console.print()
        title = f"{model} / {best.scheduler}: what would make it faster, and the most by which"
        console.print(Text(title, style="bold"))
        for line in limit_texts(best):
            console.print(Text(f"  {line}."))


def _print_failures(result: Result, console: Console) -> None:
    if not result.failed:
        return
    console.print()
    alike: dict[tuple[str, str], list[str]] = {}
    for run in result.failed:
        reason = "; ".join(line.strip() for line in (run.error or "").splitlines())
        alike.setdefault((run.model, reason), []).append(run.scheduler)
    for (model, reason), schedulers in alike.items():
        who = schedulers[0] if len(schedulers) == 1 else f"all {len(schedulers)} schedulers"
        if 1 < len(schedulers) < sum(run.model == model for run in result.runs):
            who = ", ".join(schedulers)
        console.print(Text(f"failed: {model} / {who}: {reason}", style="red"))


def _print_published(result: Result, console: Console) -> None:
    table = Table(
        title=Text(f"Published figures beside these: {result.reference.get('title', '')}", "bold"),
        title_justify="left", box=None, pad_edge=False, padding=(0, _GAPS[0], 0, 0),
        header_style="dim",
    )  # fmt: skip
    table.add_column("network", overflow="fold")
    table.add_column("scheduler", overflow="fold")
    table.add_column("over", overflow="fold")
    figures = published_figures(result)
    band = any(figure.band for figure in figures)
    for title in ("published", "simulated", *(["band"] if band else []), "time saved"):
        table.add_column(title, justify="right", overflow="fold")
    for figure in figures:
        table.add_row(*map(Text, _published_cells(figure, band)))
    console.print(table)
    footnote = (
        "simulated = (baseline / makespan − 1)·100 %; time saved = (1 − makespan / baseline)·100 %."
    )
    if band:
        footnote += " " + band_note(result)
    source = str(result.reference.get("source", ""))
    console.print(Text(f"{footnote} Source: {source}" if source else footnote, style="dim"))


def _published_cells(figure: PublishedFigure, band: bool) -> Sequence[str]:
    def percent(value: float | None) -> str:
        return "not run" if value is None else f"{value:+.2f} %"

    between = (f"{figure.band[0]:+.1f} … {figure.band[1]:+.1f} %" if figure.band else "–",)
    return (
        figure.model, figure.scheduler, figure.baseline, percent(figure.published),
        percent(figure.ours), *(between if band else ()), percent(figure.ours_saved),
    )  # fmt: skip
