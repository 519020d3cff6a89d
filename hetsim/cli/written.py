"""Directories that verbs without a study write, and what they tell beside their results."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
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


def write_files(directory: Path, texts: Mapping[str, str], force: bool) -> None:
    """All files at once, with a manifest that says who wrote them."""
    from hetsim.report.files.directory import fresh_directory
    from hetsim.report.files.manifest import NAME, SCHEMA, versions

    with fresh_directory(directory, force=force) as draft:
        for name, text in texts.items():
            (draft / name).write_text(text, encoding="utf-8")
        manifest = {
            "schema": SCHEMA,
            "command": shlex.join(["hetsim", *sys.argv[1:]]),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": versions(),
            "files": sorted(texts),
        }
        (draft / NAME).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
