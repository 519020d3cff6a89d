"""The formats of whole-network measurements by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from hetsim.calibrate.networks.table import NetworkTime
from hetsim.cost.measured.readers.base import Findings
from hetsim.cost.measured.table import Doubt

Reader = Callable[[Path, Findings], list[NetworkTime]]
"""Reads one file; what it leaves open goes to the findings, what it refuses is an error."""

FORMATS: Mapping[str, str] = {
    "aihub": "hetsim.calibrate.networks.readers.aihub:read",
    "llama-bench": "hetsim.calibrate.networks.readers.llamabench:read",
    "benchmark_app": "hetsim.calibrate.networks.readers.benchmarkapp:read",
}
"""Module and function of every format; a new one is a line here and a file beside this."""


def import_networks(
    name: str, files: Sequence[Path], device: str | None = None
) -> tuple[list[NetworkTime], list[Doubt]]:
    """Reads files of the format ``name`` (a key of :data:`FORMATS`); rows and doubts.

    ``device`` overrides what the files say was measured.

    Raises:
        ConfigError: an unreadable file, another format, nothing in it that can be used.
    """
    module, _, function = FORMATS[name].partition(":")
    reader: Reader = getattr(import_module(module), function)
    findings = Findings()
    rows = [row for file in files for row in reader(file, findings)]
    if device is not None:
        rows = [replace(row, device=device) for row in rows]
    return rows, findings.doubts
