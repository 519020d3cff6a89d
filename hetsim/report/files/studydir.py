"""Results directories of studies: ``report.html``, data, pictures, ``manifest.json``.

A directory is written whole or not at all, and only where nothing is or ``force`` allows it. One
that the same study wrote before (the manifest holds its digest) is replaced without asking: it is
made again from the study's store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hetsim.errors import ResultsError
from hetsim.report.files.directory import check_directory, write_directory
from hetsim.report.files.manifest import manifest_in, versions
from hetsim.report.page.study import Page, render_page


@dataclass(frozen=True, slots=True)
class StudyIdentity:
    """What a study is: its verb, its scenario, and a hash of what it varies."""

    kind: str
    scenario: str
    digest: str

    def as_dict(self) -> dict[str, str]:
        """For the manifest."""
        return {"kind": self.kind, "scenario": self.scenario, "digest": self.digest}


def check_study_directory(directory: Path, identity: StudyIdentity, *, force: bool = False) -> bool:
    """Refuses a place where results cannot go; returns whether it may be replaced.

    Raises:
        ResultsError: see :func:`hetsim.report.files.directory.check_directory`.
    """
    allowed = force or _written_by(directory) == identity.as_dict()
    check_directory(directory, force=allowed)
    return allowed


def write_study(
    directory: Path,
    identity: StudyIdentity,
    page: Page,
    files: Mapping[str, str | bytes],
    *,
    force: bool = False,
    command: Sequence[str] = (),
) -> dict[str, Path]:
    """Writes the page and ``files`` into a fresh ``directory``; returns paths by file name.

    Raises:
        ResultsError: it exists, or cannot be written; then nothing has changed on disk.
    """
    replace = check_study_directory(directory, identity, force=force)
    everything = {**files, "report.html": render_page(page, versions())}
    told = {"scenario": identity.scenario, "study": identity.as_dict()}
    return write_directory(directory, everything, told, force=replace, command=command)


def _written_by(directory: Path) -> object:
    try:
        return manifest_in(directory).study
    except ResultsError:
        return None
