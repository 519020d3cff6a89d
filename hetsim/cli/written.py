"""Directories that verbs without a study write, and what they tell beside their results."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

DOUBTS_SHOWN = 12


def tell(notes: Iterable[str]) -> None:
    """Doubts go to standard error: they are not the result."""
    listed = list(notes)
    for note in listed[:DOUBTS_SHOWN]:
        click.echo(f"note: {note}", err=True)
    if len(listed) > DOUBTS_SHOWN:
        click.echo(f"note: and {len(listed) - DOUBTS_SHOWN} more like these", err=True)


def write_files(directory: Path, texts: Mapping[str, str | bytes], force: bool) -> None:
    """All files at once, with a manifest that says who wrote them."""
    from hetsim.report.files.directory import write_directory

    write_directory(directory, texts, force=force, command=["hetsim", *sys.argv[1:]])
