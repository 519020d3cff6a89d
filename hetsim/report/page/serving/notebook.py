"""How results of streams look in a notebook."""

from __future__ import annotations

from hetsim.analysis.serving.result import ServedResult, ServedRun
from hetsim.report.page.serving.charts import comparison_charts, run_charts
from hetsim.report.page.serving.page import streams_table
from hetsim.report.page.study import Page, Section, fragment
from hetsim.report.serving import headline_of, notes_of, unproven


def served_html(result: ServedResult) -> str:
    """The headline, the comparison of each stream, and every figure, as on the page."""
    section = Section(
        "", notes_of(result), table=streams_table(result.runs), charts=comparison_charts(result)
    )
    return fragment(Page("", "", headline_of(result), [section]))


def served_run_html(run: ServedRun) -> str:
    """The figures and the charts of one run."""
    if run.error is not None:
        return fragment(Page("", "", f"{run.label} failed: {run.error}"))
    text = unproven(run)
    if run.served is not None and run.served.stopped:
        text.append(f"Stopped: {run.served.stopped}.")
    section = Section("", text, table=streams_table([run]), charts=run_charts(run))
    return fragment(Page("", "", run.label, [section]))
