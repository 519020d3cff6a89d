"""How long a user waits for the command line to say anything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from harness import Measurement, interleaved


def _process(*arguments: str) -> Callable[[], object]:
    def run() -> object:
        return subprocess.run([sys.executable, *arguments], check=True, capture_output=True)

    return run


def measure(repetitions: int) -> list[Measurement]:
    """Start-up beside an empty Python."""
    times = interleaved(
        {"help": _process("-m", "hetsim", "--help"), "python": _process("-c", "pass")},
        repetitions * 3,
    )
    help_s, python_s = times["help"].median, times["python"].median
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
    ]
