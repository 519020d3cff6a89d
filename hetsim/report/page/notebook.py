"""How results look in a notebook: small HTML with its styles inside, everything escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from hetsim.analysis.notebook import RENDERERS
from hetsim.analysis.result import Result, Run
from hetsim.analysis.serving.result import ServedResult, ServedRun
from hetsim.report.page.run import comparison_chart
from hetsim.report.page.serving.notebook import served_html, served_run_html
from hetsim.report.page.study import Page, Section, fragment
from hetsim.report.palette import PARTS
from hetsim.report.summary import (
    facts_of,
    gap_text,
    headline,
    metric_text,
    models_of,
    ranged_time,
    tidy_time,
)

_NUMBER = "text-align:right;font-variant-numeric:tabular-nums"
_SLOWEST = 5


def show_in_notebooks() -> None:
    """From now on notebooks show runs and results by the functions below."""
    RENDERERS.update({Run: run_html, Result: result_html})
    RENDERERS.update({ServedRun: served_run_html, ServedResult: served_html})


def result_html(result: Result) -> str:
    """The headline and the comparison of each network, as on the page; what failed, and why."""
    sections = [Section("", charts=[comparison_chart(result, m) for m in models_of(result)])]
    return fragment(Page("", "", headline(result), sections))


def run_html(run: Run) -> str:
    """The figures of a run: time, bound, where the time goes, utilisation, slowest launches."""
    title = f"<b>{escape(run.model)} · {escape(run.scheduler)}</b>"
    if run.error is not None:
        return f"<div><p>{title} failed: {escape(run.error)}</p></div>"
    parts = [f"simulated {escape(ranged_time(run.metrics))}"]
    if run.predicted_s is not None:
        parts.append(f"predicted {_time(run.predicted_s)}")
    if run.lower_bound_s is not None:
        gap = f", gap {gap_text(run)}"
        parts.append(f"proven lower bound {_time(run.lower_bound_s)}{gap}")
    parts += [escape(f"{m.title} {metric_text(m, value)}") for m, value in facts_of(run)]
    used = [
        (name, f"{use:.1%} used")
        for name, use in [
            *((name, pu.utilization) for name, pu in run.pus.items()),
            *((name, link.utilization) for name, link in run.links.items()),
        ]
    ]
    use = ", ".join(f"{escape(name)} {text}" for name, text in used)
    slowest = sorted(run.operators, key=lambda row: row.start_s - row.end_s)[:_SLOWEST]
    rows = [
        "<tr>"
        + _cell(row.operators)
        + _cell(row.kinds)
        + _cell(row.pu)
        + _cell(tidy_time(row.end_s - row.start_s), number=True)
        + _cell(row.cost_source)
        + "</tr>"
        for row in slowest
    ]
    table = _table(("slowest launches", "kinds", "PU", "takes", "cost from"), rows) if rows else ""
    bar = _bar(run, run.makespan_s or 0.0, width=480)
    return f"<div><p>{title}: {'; '.join(parts)}</p>{bar}{_legend([run])}<p>{use}</p>{table}</div>"


def _bar(run: Run, longest: float, width: int = 220) -> str:
    """The makespan as a stacked bar, ``width`` pixels for ``longest`` seconds."""
    pieces = []
    for part, style in PARTS.items():
        seconds = run.attribution.get(part, 0.0)
        pixels = width * seconds / longest if longest else 0.0
        if pixels < 0.05:
            continue
        tip = f"{style.label} {tidy_time(seconds)}"
        pieces.append(
            f"<span title='{escape(tip)}' style='display:inline-block;height:11px;"
            f"width:{pixels:.2f}px;background:{style.colour}'></span>"
        )
    return f"<span style='white-space:nowrap;line-height:0'>{''.join(pieces)}</span>"


def _legend(runs: Iterable[Run]) -> str:
    listed = list(runs)
    items = [
        f"<span style='margin-right:1em'><span style='display:inline-block;width:10px;height:10px;"
        f"background:{style.colour}'></span> {escape(style.label)}</span>"
        for part, style in PARTS.items()
        if any(run.attribution.get(part, 0.0) > 0.0 for run in listed)
    ]
    return f"<p style='font-size:0.85em'>{''.join(items)}</p>"


def _table(titles: Sequence[str], rows: Iterable[str]) -> str:
    head = "".join(f"<th style='text-align:left'>{escape(title)}</th>" for title in titles)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _cell(text: str, *, number: bool = False, bold: bool = False) -> str:
    style = (_NUMBER if number else "text-align:left") + (";font-weight:bold" if bold else "")
    return f"<td style='{style}'>{escape(text)}</td>"


def _time(seconds: float | None) -> str:
    return "–" if seconds is None else tidy_time(seconds)
