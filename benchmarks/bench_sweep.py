"""Sweeps: what two workers gain, and what the machinery around a point costs.

The same 200 points run in turn in this process and on two worker processes, so that a busy moment
hits all alike; the speed-up is a ratio of times from one run. Beside it stands what two processes
of plain arithmetic gain over one in the same moments: on a busy machine that is less than two,
and nothing can beat it. The overhead is a sweep whose points take no time at all: designs, keys,
executor and transactions in the store, per point.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import Measurement

from hetsim.executors.base import Executor
from hetsim.executors.registry import executor
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import Scenario, load_scenario
from hetsim.study.axes import parse_axis
from hetsim.study.outcome import Outcome
from hetsim.study.point import Point, PointBench
from hetsim.study.sweep.study import sweep

AXES = [parse_axis("npu.sram=64KiB..1MiB:log2:20"), parse_axis("bus.clock=40MHz..320MHz:log2:10")]
CHOICE = {"schedulers": ["profile_greedy"]}
"""Of the scenario ``contention``."""
SPIN = "x = 0\nfor i in range(30_000_000): x += i"


class Replay(Executor[Point, Outcome]):
    """Gives known outcomes back at once."""

    slots = 4

    def __init__(self, outcomes: list[Outcome]) -> None:
        self.outcomes = outcomes
        self.waiting: list[int] = []

    def start(self, bench: PointBench) -> None:
        """There is nobody to start."""

    def submit(self, number: int, job: Point) -> None:
        self.waiting.append(number)

    def wait(self) -> list[tuple[int, Outcome]]:
        done, self.waiting = self.waiting, []
        return [(number, self.outcomes[number]) for number in done]

    def stop(self) -> None:
        self.waiting.clear()


def measure(repetitions: int) -> list[Measurement]:
    """Two processes against one, and the overhead of a point."""
    scenario = choose(load_scenario("contention"), **CHOICE)
    sweep(scenario, AXES[:1])  # so that neither side pays for imports of this process
    ratios, singles, references = [], [], []
    outcomes: list[Outcome] = []
    for _ in range(max(1, repetitions // 2)):
        references.append(spinning(1) * 2 / spinning(2))
        alone, outcomes = timed_sweep(scenario, executor(1))
        together, others = timed_sweep(scenario, executor(2))
        assert outcomes == others
        ratios.append(alone / together)
        singles.append(alone)
        references.append(spinning(1) * 2 / spinning(2))
    empty = [timed_sweep(scenario, Replay(outcomes))[0] for _ in range(2 * repetitions + 1)]
    graph_s = min(load_seconds(scenario) for _ in range(3))
    points = len(outcomes)
    return [
        Measurement(
            "speed-up of a sweep on two processes",
            statistics.median(ratios),
            "×",
            goal=1.8,
            note=f"{points} points of GoogLeNet, profile_greedy, start of the processes included;"
            f" {statistics.median(singles) / points * 1e3:.0f} ms a point in one process;"
            f" two processes of plain arithmetic gained {statistics.median(references):.2f} ×",
        ),
        Measurement(
            "overhead of a sweep per point",
            (statistics.median(empty) - graph_s) / points * 1e3,
            "ms",
            goal=5.0,
            better="less",
            note=f"{points} points that take no time; loading the network is not counted",
        ),
    ]


def timed_sweep(scenario: Scenario, team: Executor[Point, Outcome]) -> tuple[float, list[Outcome]]:
    """Seconds of a sweep with a store of its own, and its outcomes."""
    with tempfile.TemporaryDirectory() as directory:
        begun = time.perf_counter()
        done = sweep(scenario, AXES, store=Path(directory, "s.sqlite"), executor=team)
        return time.perf_counter() - begun, [outcome for _, outcome in done.rows]


def spinning(processes: int) -> float:
    """Seconds until so many processes have each done the same arithmetic."""
    begun = time.perf_counter()
    running = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(processes)]
    for process in running:
        process.wait()
    return time.perf_counter() - begun


def load_seconds(scenario: Scenario) -> float:
    """Seconds of loading the scenario's network."""
    begun = time.perf_counter()
    PointBench.of(scenario)
    return time.perf_counter() - begun
