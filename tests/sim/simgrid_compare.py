"""Random flow sets, and how far hetsim and SimGrid differ on them."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hetsim.sim import Flow, simulate_flows

SCRIPT = Path(__file__).with_name("simgrid_reference.py")


@cache
def interpreter() -> tuple[str | None, str]:
    """A Python that has SimGrid and its version, or ``None`` and the reason why there is none."""
    candidates = ["/usr/bin/python3", shutil.which("python3"), shutil.which("python")]
    for python in dict.fromkeys(filter(None, candidates)):
        done = _run(python, "-c", "import simgrid; print(simgrid.simgrid_version)")
        if done is not None and done.returncode == 0:
            return python, done.stdout.split()[-1]
    return None, "no Python here can import simgrid (Debian package python3-simgrid)"


def _run(*command: str, **options: Any) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, **options)
    except OSError:
        return None


def random_flow_set(seed: int, *, weighted: bool) -> dict[str, Any]:
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


@dataclass(frozen=True)
class Agreement:
    """Over ``sets`` flow sets with ``flows`` flows: the largest relative difference, and whose."""

    sets: int
    flows: int
    worst: float
    worst_set: int


def compare(seeds: range, *, weighted: bool) -> Agreement:
    """Runs the flow sets of ``seeds`` in both simulators; finish times, relative to SimGrid's."""
    python, reason = interpreter()
    if python is None:
        raise RuntimeError(reason)
    sets = [random_flow_set(seed, weighted=weighted) for seed in seeds]
    done = subprocess.run(
        [python, str(SCRIPT)], input=json.dumps(sets), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"SimGrid failed: {done.stderr[-2000:]}")
    reference = json.loads(done.stdout.splitlines()[-1])
    worst = (-1.0, -1)
    for seed, flow_set, theirs in zip(seeds, sets, reference, strict=True):
        ours = simulate_flows(flow_set["links"], [Flow(**flow) for flow in flow_set["flows"]])
        for a, b in zip(ours, theirs, strict=True):
            worst = max(worst, (abs(a - b) / b, seed))
    return Agreement(len(sets), sum(len(s["flows"]) for s in sets), *worst)
