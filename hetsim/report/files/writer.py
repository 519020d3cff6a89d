"""The results directory of a scenario: every report of every run, written at once.

result.json  report.html  operators.csv  manifest.json  runs.json.gz
comparison.svg/.png  attribution.svg/.png  gap.svg/.png
gantt-MODEL-SCHEDULER.svg/.png  trace-MODEL-SCHEDULER.json  plan-MODEL-SCHEDULER.yaml
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hetsim.analysis.result import Result, Run
from hetsim.drafts import encoded
from hetsim.names import distinct_name, plain_name
from hetsim.progress import Progress
from hetsim.report.figures.gantt import gantt_images
from hetsim.report.figures.plotting import figure_images
from hetsim.report.figures.summaries import result_figures
from hetsim.report.files.archive import NAME as ARCHIVE
from hetsim.report.files.archive import dump_archive
from hetsim.report.files.directory import check_directory, fresh_directory
from hetsim.report.files.jsonout import dumps, result_to_dict
from hetsim.report.files.manifest import NAME as MANIFEST
from hetsim.report.files.manifest import Manifest, manifest_of, versions
from hetsim.report.files.perfetto import perfetto_json
from hetsim.report.files.tables import operators_csv
from hetsim.report.page.run import render_report
from hetsim.report.page.study import Section

__all__ = ["check_directory", "file_names", "write_results"]


def write_results(
    result: Result,
    directory: Path,
    *,
    force: bool = False,
    command: Sequence[str] | str = (),
    progress: Progress | None = None,
    origin: Manifest | None = None,
    sections: Sequence[Section] = (),
) -> dict[str, Path]:
    """Writes everything about ``result`` into a fresh ``directory``; returns paths by file name.

    ``command`` is the command line to note in the manifest. A run that failed has no files of its
    own; its reason stands in ``result.json`` and ``report.html``. ``origin`` is the manifest of
    the directory that the result was read from, if it was; ``sections`` are shown in the report as
    they are.

    Raises:
        ResultsError: the directory exists (see :func:`check_directory`) or cannot be written.
            Then nothing has changed on disk.
    """
    from hetsim.plan.files import dump_plan

    files = file_names(result)
    written: dict[str, bytes] = {}
    with fresh_directory(directory, force=force) as draft:

        def put(name: str, content: str | bytes) -> None:
            written[name] = encoded(content)
            (draft / name).write_bytes(written[name])

        for position, run in enumerate(result.runs):
            names = files[position]
            if progress is not None:
                progress(f"{run.model} / {run.scheduler}", position, len(result.runs))
            if "trace" in names:
                svg, png = gantt_images(run, result.soc)
                put(names["gantt_svg"], svg)
                put(names["gantt_png"], png)
                put(names["trace"], perfetto_json(run, result.soc))
            if run.plan is not None:
                put(names["plan"], dump_plan(run.plan))
        put("result.json", dumps(result_to_dict(result, files)))
        put("operators.csv", operators_csv(result))
        for name, figure in result_figures(result).items():
            svg, png = figure_images(figure)
            put(f"{name}.svg", svg)
            put(f"{name}.png", png)
        simulated_with = versions() if origin is None else origin.versions
        put("report.html", render_report(result, files, simulated_with, sections=sections))
        put(ARCHIVE, dump_archive(result))
        put(MANIFEST, dumps(manifest_of(result, written, command, origin)))
    return {name: directory / name for name in sorted(written)}


def file_names(result: Result) -> dict[int, dict[str, str]]:
    """Names of the files of each run, by its position: safe on every system, and unique."""
    taken: set[str] = set()
    names: dict[int, dict[str, str]] = {}
    for position, run in enumerate(result.runs):
        stem = _stem(run, taken)
        own: dict[str, str] = {}
        if run.trace is not None and run.trace.spans:
            own["gantt_svg"] = f"gantt-{stem}.svg"
            own["gantt_png"] = f"gantt-{stem}.png"
            own["trace"] = f"trace-{stem}.json"
        if run.plan is not None:
            own["plan"] = f"plan-{stem}.yaml"
        names[position] = own
    return names


def _stem(run: Run, taken: set[str]) -> str:
    """``MODEL-SCHEDULER`` with only plain characters; numbered where two would be the same."""
    parts = plain_name(run.model, "model"), plain_name(run.scheduler, "scheduler")
    return distinct_name("-".join(parts), taken)
