"""How long a user waits for the command line: ``hetsim --help`` and ``hetsim run quickstart``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness import Measurement, interleaved, timed


def _process(*arguments: str, cwd: Path | None = None) -> Callable[[], object]:
    def run() -> object:
        return subprocess.run(
            [sys.executable, *arguments], check=True, capture_output=True, cwd=cwd
        )

    return run


def measure(repetitions: int) -> list[Measurement]:
    """Start-up beside an empty Python, and the whole of the quickstart scenario."""
    times = interleaved(
        {"help": _process("-m", "hetsim", "--help"), "python": _process("-c", "pass")},
        repetitions * 3,
    )
    help_s, python_s = times["help"].median, times["python"].median
    with tempfile.TemporaryDirectory() as scratch:
        command = ("-m", "hetsim", "run", "quickstart", "--force", "--quiet")
        quickstart = timed(_process(*command, cwd=Path(scratch)), repetitions)
    return [
        Measurement(
            "hetsim --help",
            help_s,
            "s",
            goal=0.3,
            better="less",
            spread=times["help"].spread,
            note=f"python -c pass takes {python_s:.3f} s: {help_s / python_s:.1f} times that",
        ),
        Measurement(
            "hetsim run quickstart",
            quickstart.median,
            "s",
            goal=3.0,
            better="less",
            spread=quickstart.spread,
            note="whole process, reports and figures included",
        ),
    ]
