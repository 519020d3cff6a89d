"""``manifest.json``: where a results directory came from.

What is not part of the result stands here: versions, platform, hashes of the inputs, the command,
wall-clock planning times, and the list of files that belong to the directory.
"""

from __future__ import annotations

import platform
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from hetsim.analysis.result import Result
from hetsim.version import version

SCHEMA = "hetsim.manifest/1"
NAME = "manifest.json"

_LIBRARIES = (
    "jinja2",
    "matplotlib",
    "networkx",
    "numpy",
    "onnx",
    "ortools",
    "pydantic",
    "scipy",
    "simpy",
)


def versions() -> dict[str, str]:
    """Versions of hetsim, Python and the installed libraries that can change a result."""
    found = {"hetsim": version(), "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # an optional extra
            continue
    return found


def manifest_of(
    result: Result,
    files: Iterable[str],
    command: Sequence[str] | str,
    origin: Mapping[str, Any] | None = None,
) -> dict[str, object]:
    """The manifest as plain JSON values; ``files`` are the names beside it.

    ``origin`` is the manifest of the directory that the result was read from: what simulated it,
    when and where is kept then, and what made the reports anew is told beside it.
    """
    manifest: dict[str, object] = {
        "schema": SCHEMA,
        "scenario": result.scenario,
        "soc": result.soc.name,
        "execution": result.execution,
        "seed": result.seed,
        "command": command if isinstance(command, str) else shlex.join(command),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "platform": {
            "system": platform.platform(),
            "machine": platform.machine(),
            "implementation": sys.implementation.name,
        },
        "inputs": dict(result.inputs),
        "planning_ms": [
            {
                "model": run.model,
                "scheduler": run.scheduler,
                "ms": round(run.planning_s * 1e3, 3),
            }
            for run in result.runs
        ],
        "files": sorted(files),
    }
    if origin is not None:
        again = {key: manifest[key] for key in ("command", "created", "versions")}
        kept = ("command", "created", "versions", "platform")
        manifest |= {key: origin[key] for key in kept if key in origin}
        manifest["rebuilt"] = again
    return manifest
