"""Who runs exports, and who reads back what a runtime said: a module for each runtime.

A new runtime is a file here with ``run`` and ``read``, and its line in ``RUNTIMES``; the exporter
of the same name writes what it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from hetsim.errors import ConfigError
from hetsim.names import suggest

if TYPE_CHECKING:
    from hetsim.host.handover.evidence import Evidence
    from hetsim.plan.handover.assignment import Assignment

RUNTIMES = {
    "onnxruntime": "hetsim.host.handover.onnxruntime",
    "openvino": "hetsim.host.handover.openvino",
}


class Runner(Protocol):
    """Runs an exported directory."""

    def __call__(
        self, directory: Path, assignment: Assignment, *, whole: bool, seed: int
    ) -> Evidence: ...


class Reader(Protocol):
    """Reads files in which a runtime says what it did."""

    def __call__(self, files: Sequence[Path]) -> Evidence: ...


def runtime_names() -> tuple[str, ...]:
    """What ``--from`` may say; nothing is imported."""
    return tuple(RUNTIMES)


def find_runner(name: str) -> Runner:
    """Who runs exports for the runtime called ``name``; ``ConfigError`` when nobody does."""
    runner: Runner = _module(name).run
    return runner


def find_reader(name: str) -> Reader:
    """Who reads what the runtime called ``name`` wrote; ``ConfigError`` when nobody does."""
    reader: Reader = _module(name).read
    return reader


def _module(name: str) -> Any:
    if name not in RUNTIMES:
        raise ConfigError(f"nothing here runs exports for {name!r}", hint=suggest(name, RUNTIMES))
    return import_module(RUNTIMES[name])
