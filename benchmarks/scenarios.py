"""What whole scenarios cost: processor time of ``hetsim run``, results directory included.

Processor seconds of the process and its workers, as multiples of what ``import numpy`` takes in the
same minute: a busy or a slow machine changes both alike. How long one waits is less where there are
several processors.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import Measurement

RUNS = [("quickstart", ()), ("paper_one", ()), ("paper_one", ("--figures", "none")),
        ("camera_pipeline", ())]  # fmt: skip
"""Scenario and options, each repeated."""

ONCE = [("paper_seven", ())]
"""It takes most of a minute."""

REFERENCE = ("-c", "import numpy")


def processor_seconds(arguments: tuple[str, ...], cwd: Path) -> float:
    """User and system time of a Python process and whatever it started and waited for."""
    import resource

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = spent()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, cwd=cwd)
    return spent() - before


def measure(repetitions: int) -> list[Measurement]:
    """Quickstart, one and all of the paper's networks, and streams, in turn with the reference."""
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for (name, options), times in (*((r, repetitions) for r in RUNS), *((r, 1) for r in ONCE)):
            command = ("-m", "hetsim", "run", name, *options, "--force", "--quiet")
            processor_seconds(REFERENCE, Path(scratch))
            pairs = [
                (
                    processor_seconds(REFERENCE, Path(scratch)),
                    processor_seconds(command, Path(scratch)),
                )
                for _ in range(times)
            ]
            seconds = statistics.median(own for _, own in pairs)
            ratio = statistics.median(own / reference for reference, own in pairs)
            found.append(
                Measurement(
                    " ".join(("hetsim run", name, *options)),
                    ratio,
                    "× import numpy",
                    better="less",
                    note=f"{seconds:.3g} s of processor time, with all workers",
                )
            )
    return found
