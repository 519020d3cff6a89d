"""The results directory of a scenario: its report and figures, written at once.

report.html, result.json, tables, an archive and manifest.json, and the extras that were asked for
(:mod:`hetsim.report.files.extras`): unless somebody says otherwise, those of the best runs. Which
files these are depends on the kind of result (:mod:`hetsim.report.files.kinds`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hetsim.analysis.result import Result
from hetsim.analysis.serving.result import ServedResult
from hetsim.drafts import encoded
from hetsim.executors.base import Executor
from hetsim.executors.calls import Call
from hetsim.progress import Progress
from hetsim.report.files.directory import check_directory, fresh_directory
from hetsim.report.files.extras import Extra, Wanted, made
from hetsim.report.files.jsonout import dumps
from hetsim.report.files.kinds import kind_of
from hetsim.report.files.manifest import NAME as MANIFEST
from hetsim.report.files.manifest import Manifest, manifest_of, versions
from hetsim.report.page.study import Section

__all__ = ["Wanted", "check_directory", "write_results"]


def write_results(
    result: Result | ServedResult,
    directory: Path,
    *,
    extras: Wanted | Sequence[Extra] = Wanted(),  # noqa: B008  # it is frozen
    kept: Mapping[str, bytes] | None = None,
    force: bool = False,
    command: Sequence[str] | str = (),
    progress: Progress | None = None,
    origin: Manifest | None = None,
    sections: Sequence[Section] = (),
    executor: Executor[Call, object] | None = None,
) -> dict[str, Path]:
    """Writes a fresh ``directory`` about ``result``; returns paths by file name.

    ``extras`` stand beside the report; those whose files are all in ``kept``, by name, are not made
    again. A run that failed has none; its reason stands in ``result.json`` and ``report.html``.
    ``command`` is the command line to note in the manifest. ``origin`` is the manifest of
    the directory that the result was read from, if it was; ``sections`` are shown in the report as
    they are. ``executor`` makes the extras.

    Raises:
        ResultsError: the directory exists (see :func:`check_directory`) or cannot be written.
            Then nothing has changed on disk.
    """
    kind = kind_of(result)
    wanted = kind.chosen(result, extras) if isinstance(extras, Wanted) else extras
    there = kept or {}
    missing = [extra for extra in wanted if not set(extra.files) <= there.keys()]
    files: dict[int, dict[str, str]] = {}
    for extra in wanted:
        if extra.position is not None:
            files.setdefault(extra.position, {}).update(extra.names)
    written: dict[str, bytes] = {}
    with fresh_directory(directory, force=force) as draft:

        def put(name: str, content: str | bytes) -> None:
            written[name] = encoded(content)
            (draft / name).write_bytes(written[name])

        for name, content in made(
            lambda extra: kind.call(result, extra), missing, executor, progress
        ):
            put(name, content)
        for name in (name for extra in wanted if extra not in missing for name in extra.files):
            put(name, there[name])
        simulated_with = versions() if origin is None else origin.versions
        for name, text in kind.core(result, files, simulated_with, sections):
            put(name, text)
        manifest = manifest_of(
            kind.about(result), kind.inputs(result), kind.planning(result), written, command, origin
        )
        put(MANIFEST, dumps(manifest))
    return {name: directory / name for name in sorted(written)}
