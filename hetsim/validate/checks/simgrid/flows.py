"""Random flow sets, and what SimGrid says of them, where it is installed."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hetsim.errors import HetsimError, MissingExtraError

SCRIPT = Path(__file__).with_name("script.py")

FlowSet = dict[str, Any]
"""``links``: B/s by name; ``flows``: the fields of :class:`hetsim.sim.Flow` of each."""


@cache
def interpreter() -> tuple[str, str]:
    """A Python that has SimGrid, and its version.

    Raises:
        MissingExtraError: there is none.
    """
    candidates = ["/usr/bin/python3", shutil.which("python3"), shutil.which("python")]
    for python in dict.fromkeys(filter(None, candidates)):
        try:
            done = subprocess.run(
                [python, "-c", "import simgrid; print(simgrid.simgrid_version)"],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        except OSError:
            continue
        if done.returncode == 0:
            return python, done.stdout.split()[-1]
    raise MissingExtraError(
        "no Python here can import simgrid", hint="the Debian package is python3-simgrid"
    )


def random_flow_set(seed: int, *, weighted: bool) -> FlowSet:
    """1 to 4 links of 0.1 to 4 GB/s; 1 to 10 flows of 1 MB to 2 GB on paths of any length."""
    draw = random.Random(seed)
    links = {f"l{i}": draw.randint(1, 40) * 1e8 for i in range(draw.randint(1, 4))}
    flows = [
        {
            "start": 0.1 + draw.choice((0, draw.randint(0, 20))) * 0.05,
            "bytes": draw.randint(1, 2000) * 1e6,
            "path": draw.sample(sorted(links), draw.randint(1, len(links))),
            "cap": draw.randint(1, 30) * 1e8 if draw.random() < 0.4 else None,
            "weight": draw.choice((0.5, 1.0, 2.0, 3.0, 4.0)) if weighted else 1.0,
        }
        for _ in range(draw.randint(1, 10))
    ]
    return {"links": links, "flows": flows}


def finish_times(sets: Sequence[FlowSet]) -> list[list[float]]:
    """When SimGrid ends each flow of each set, in seconds.

    Raises:
        MissingExtraError: it is not installed.
        HetsimError: it fails.
    """
    done = subprocess.run(
        [interpreter()[0], str(SCRIPT)],
        input=json.dumps(list(sets)), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise HetsimError(f"SimGrid failed: {done.stderr[-2000:]}")
    found: list[list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found
