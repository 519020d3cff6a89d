"""The engine alone: events beside bare SimPy, operators per second, growth with size.

The program is built here rather than lowered from a network, so that nothing but the simulation is
timed: pairs of partitions, one on each of two PUs, that contend for the bus and wait for one
another, so that rates are recomputed all the time.
"""

from __future__ import annotations

import cProfile
import tracemalloc
from collections.abc import Callable

import simpy
from harness import Measurement, interleaved

import hetsim
from hetsim.cost.work import Phase, Work
from hetsim.lower.program import Job, Launch, Program
from hetsim.sim.simulate import execute
from hetsim.soc.model import SoC

OPERATORS = 10_000
PER_PARTITION = 10


def contending(soc: SoC, operators: int) -> Program:
    """A program of ``operators`` launches in partitions of ten, two partitions at a time."""
    first, second = soc.pus[0].index, soc.pus[-1].index
    # The NPU-like side is bound by memory and the CPU-like side by arithmetic; both move bytes.
    demands = {first: Phase("stream", 40e-6, 30_000, 10_000, 40e-6),
               second: Phase("stream", 10e-6, 60_000, 20_000, 5e-6)}  # fmt: skip
    works = {
        pu: Work(dispatch_s=1e-6, compute_s=phase.compute_s, phases=(phase,))
        for pu, phase in demands.items()
    }
    jobs: list[Job] = []
    for start in range(0, operators, PER_PARTITION):
        position = len(jobs)
        pu = first if position % 2 == 0 else second
        names = [f"op{i}" for i in range(start, min(start + PER_PARTITION, operators))]
        # Each waits for the pair before, so that both PUs start together.
        pair = position - position % 2
        needs = (pair - 2, pair - 1) if pair else ()
        launches = tuple(Launch(name, (name,), works[pu]) for name in names)
        jobs.append(Job(f"p{position}", pu, needs, (), launches))
    return Program("synthetic", tuple(jobs), tuple((i,) for i in range(len(jobs))))


def bare_simpy(events: int) -> Callable[[], None]:
    """Two processes that share ``events`` timeouts: the least SimPy can do for as many events."""

    def run() -> None:
        env = simpy.Environment()

        def ticking(count: int) -> simpy.events.ProcessGenerator:
            for _ in range(count):
                yield env.timeout(1.0)

        env.process(ticking(events // 2))
        env.process(ticking(events - events // 2))
        env.run()

    return run


def measure(repetitions: int) -> list[Measurement]:
    """Rates on a program of 10,000 operators, and what ten times as many cost."""
    soc = hetsim.load_soc("zcu102-vta")
    program = contending(soc, OPERATORS)
    events = execute(soc, program, trace=False).events
    times = interleaved(
        {
            "hetsim": lambda: execute(soc, program, trace=False),
            "traced": lambda: execute(soc, program, trace=True),
            "simpy": bare_simpy(events),
        },
        repetitions,
    )
    rate, peer = events / times["hetsim"].median, events / times["simpy"].median
    operators = OPERATORS / times["hetsim"].median
    return [
        Measurement(
            "events per second",
            rate,
            "events/s",
            spread=times["hetsim"].spread,
            note=f"{events / OPERATORS:.1f} per operator; bare SimPy makes {peer:,.0f} timeouts/s",
        ),
        Measurement("... of bare SimPy's rate", rate / peer, "ratio", goal=0.5),
        Measurement(
            "operators per second",
            operators,
            "operators/s",
            goal=50_000,
            spread=times["hetsim"].spread,
            note="two PUs contending for the bus, no trace kept",
        ),
        Measurement(
            "... keeping the trace",
            OPERATORS / times["traced"].median,
            "operators/s",
            spread=times["traced"].spread,
        ),
        *_growth(soc, repetitions),
    ]


def _growth(soc: SoC, repetitions: int) -> list[Measurement]:
    small, large = contending(soc, OPERATORS // 10), contending(soc, OPERATORS)
    times = interleaved(
        {
            "small": lambda: execute(soc, small, trace=False),
            "large": lambda: execute(soc, large, trace=False),
        },
        repetitions,
    )
    seconds = times["large"].median / times["small"].median
    calls = _calls(lambda: execute(soc, large, trace=False)) / _calls(
        lambda: execute(soc, small, trace=False)
    )
    kept = _peak_bytes(lambda: execute(soc, large)) / _peak_bytes(lambda: execute(soc, small))
    note = f"{OPERATORS // 10:,} to {OPERATORS:,} operators"
    return [
        Measurement(
            "time for 10 times the operators", seconds, "times", goal=12, better="less", note=note
        ),
        Measurement("calls for it", calls, "times", goal=10, better="less", note=note),
        Measurement("memory for it, trace kept", kept, "times", goal=12, better="less", note=note),
    ]


def _calls(action: Callable[[], object]) -> int:
    """Function calls made: the algorithm's growth, whatever else the machine is doing."""
    profile = cProfile.Profile()
    profile.runcall(action)
    return sum(entry.callcount for entry in profile.getstats())


def _peak_bytes(action: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
