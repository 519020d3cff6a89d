"""Streams of inferences: operators per second, growth with inferences and gaps, beside SimSo.

    python benchmarks/served.py [--inferences 1000000] [--simso FOLDER]

SimSo (Cheramy, Hladik & Deplanche, WATERS 2014) simulates schedulers of real-time tasks. It needs
a SimPy of its own time, so it must be installed apart: ``pip install --target FOLDER simso``. What
is a job of a task there is an inference of a stream here; both must agree about the end of each.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import inf, lcm
from pathlib import Path

from engine import contending
from harness import Measurement

import hetsim
from hetsim.cost.work import Phase, Work
from hetsim.lower.program import Job, Launch, Program
from hetsim.sim.dispatch import Dispatcher
from hetsim.sim.dispatchers.edf import EDF
from hetsim.sim.dispatchers.priority import Priority
from hetsim.sim.serving.sample import Sample
from hetsim.sim.serving.serve import serve
from hetsim.sim.serving.served import Served
from hetsim.sim.simulate import execute
from hetsim.soc.model import SoC
from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.arrivals.registry import arrival_kinds
from hetsim.streams.service import Stream

OPERATORS = 100
"""Operators of an inference; a tenth where growth with inferences is measured."""

INFERENCES = 500
"""And ten times as many, where growth is measured."""

FIVE = ((4, 1), (8, 2), (10, 2), (20, 2), (40, 4))
TWENTY = (*[(20, 1)] * 10, *[(40, 1)] * 8, *[(80, 2)] * 2)
"""Periods and times, in ticks, of tasks that keep one unit busy for 90 % and 75 %."""


@dataclass(frozen=True)
class PeriodicTask:
    """In ticks; the larger the priority the more urgent."""

    period: int
    cost: int
    deadline: float
    priority: int


def tasks_of(rows: Sequence[tuple[int, int]]) -> list[PeriodicTask]:
    """No two ever have the same priority or deadline, so that there are no ties to break."""
    return [
        PeriodicTask(period, cost, period - 0.01 * i, len(rows) - i)
        for i, (period, cost) in enumerate(rows)
    ]


TICK_S = 2.0**-10
"""About a millisecond. Sums of it are exact, so that who comes first is the same in both."""


def arrivals(kind: str, period_s: float) -> Arrivals:
    return arrival_kinds()[kind].model_validate({"kind": kind, "period": f"{period_s!r} s"})


def pair(soc: SoC, program: Program, inferences: int, gap: float = 1.0) -> Callable[[], Served]:
    """A periodic and a Poisson stream that keep two units busy for two thirds, at ``gap`` one."""
    period = 3.0 * gap * execute(soc, program, trace=False).makespan_s
    streams = [
        Stream("camera", "m", arrivals("periodic", period), count=inferences // 2),
        Stream("web", "m", arrivals("poisson", period), count=inferences // 2, priority=1),
    ]
    programs = {"camera": program, "web": program}
    return lambda: serve(soc, streams, programs, trace=Sample())


def periodic_tasks(
    soc: SoC, tasks: Sequence[PeriodicTask], horizon: int, dispatcher: Dispatcher
) -> Served:
    """``tasks`` on one unit, preempted at every tick, for so many ticks."""
    tick = Work(0.0, TICK_S, (Phase("compute", TICK_S, 0, 0, TICK_S),))
    programs, streams = {}, []
    for i, task in enumerate(tasks):
        name = f"T{i}"
        launches = tuple(Launch(f"{name}.{k}", (), tick) for k in range(task.cost))
        job = Job(name, soc.pus[-1].index, (), (), launches)
        programs[name] = Program(name, (job,), ((0,),))
        streams.append(
            Stream(name, name, arrivals("periodic", task.period * TICK_S), task.priority,
                   task.deadline * TICK_S, count=horizon // task.period)
        )  # fmt: skip
    return serve(soc, streams, programs, dispatcher=dispatcher)


SIMSO = """
import json, sys, time
from simso.configuration import Configuration
from simso.core import Model
scheduler, horizon, tasks = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
said = Configuration()
said.duration = horizon * said.cycles_per_ms
for i, task in enumerate(tasks):
    said.add_task(name=f"T{i}", identifier=i + 1, period=task["period"], activation_date=0,
                  wcet=task["cost"], deadline=task["deadline"],
                  data={"priority": task["priority"]})
said.add_processor(name="unit", identifier=1)
said.scheduler_info.clas = scheduler
said.check_all()
model = Model(said)
begun = time.process_time()
model.run_model()
seconds = time.process_time() - begun
tasks = model.results.tasks.values()
ends = [[job.end_date / said.cycles_per_ms for job in task.jobs if job.end_date] for task in tasks]
print(json.dumps({"seconds": seconds, "ends": ends}))
"""


def simso(
    folder: str, scheduler: str, tasks: Sequence[PeriodicTask], horizon: int
) -> tuple[float, list[list[float]]]:
    """CPU seconds that SimSo takes, by which a tick is a millisecond, and ends of jobs in ticks."""
    command = [sys.executable, "-c", SIMSO, scheduler, str(horizon)]
    command.append(json.dumps([asdict(task) for task in tasks]))
    environment = {**os.environ, "PYTHONPATH": folder}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return found["seconds"], found["ends"]


def beside_simso(soc: SoC, folder: str | None, repetitions: int) -> list[Measurement]:
    """The same periodic tasks in both, job by job."""
    if not folder:
        how = "set SIMSO=FOLDER after pip install --target FOLDER simso"
        print(f"not beside SimSo: nobody said where it is; {how}", file=sys.stderr)
        return []
    rows = []
    for pairs, name, theirs, ours in (
        (FIVE, "5 tasks, fixed priority", "FP", Priority),
        (FIVE, "5 tasks, EDF", "EDF", EDF),
        (TWENTY, "20 tasks, fixed priority", "FP", Priority),
        (TWENTY, "20 tasks, EDF", "EDF", EDF),
    ):
        tasks = tasks_of(pairs)
        horizon = 100 * lcm(*(task.period for task in tasks))
        mine, other = [], []
        for _ in range(repetitions):
            seconds, ends = simso(folder, f"simso.schedulers.{theirs}", tasks, horizon)
            other.append(seconds)
            begun = time.process_time()
            found = periodic_tasks(soc, tasks, horizon, ours(preemptive=True))
            mine.append(time.process_time() - begun)
        each = [sorted((ledger.finish / TICK_S).tolist()) for ledger in found.ledgers.values()]
        jobs = sum(map(len, ends))
        # The last jobs may end after SimSo's horizon, where it stops.
        same = sum(
            a == b
            for task, e in zip(each, ends, strict=True)
            for a, b in zip(task, e, strict=False)
        )
        note = (
            f"{same:,} of {jobs:,} jobs end at the same time; {jobs / min(other):,.0f}/s by SimSo"
        )
        rows.append(
            Measurement(f"jobs per second, of SimSo's ({name})", min(other) / min(mine), "times",
                        goal=5, note=note)
        )  # fmt: skip
    return rows


def least(actions: dict[str, Callable[[], object]], repetitions: int) -> dict[str, float]:
    """CPU seconds of each when it was disturbed the least; in turn."""
    found = dict.fromkeys(actions, inf)
    for _ in range(repetitions):
        for name, action in actions.items():
            gc.collect()
            begun = time.process_time()
            action()
            found[name] = min(found[name], time.process_time() - begun)
    return found


def measure(repetitions: int) -> list[Measurement]:
    """Rates and their growth, on inferences of 100 operators that contend for the bus."""
    soc = hetsim.load_soc("zcu102-vta")
    program, short = contending(soc, OPERATORS), contending(soc, OPERATORS // 10)
    times = least(
        {
            "long": pair(soc, program, INFERENCES),
            "once": pair(soc, short, INFERENCES),
            "ten times": pair(soc, short, 10 * INFERENCES),
            "rarely": pair(soc, short, INFERENCES, gap=10.0),
            "seldom": pair(soc, short, INFERENCES, gap=100.0),
        },
        repetitions,
    )
    rate = INFERENCES * OPERATORS / times["long"]
    growth = times["ten times"] / times["once"]
    gaps = times["seldom"] / times["rarely"]
    return [
        Measurement(
            "operators per second, streams", rate, "operators/s", goal=50_000,
            note="a periodic and a Poisson stream on two units that contend, a sampled trace kept",
        ),
        Measurement(
            "time for 10 times the inferences", growth, "times", goal=10.5, better="less",
            note=f"{INFERENCES:,} to {10 * INFERENCES:,} of {OPERATORS // 10} operators",
        ),
        Measurement(
            "time for gaps 10 times as long", gaps, "times", goal=1.1, better="less",
            note="from 10 to 100 times the time between two arrivals: nobody waits for anybody",
        ),
        *beside_simso(soc, os.environ.get("SIMSO"), min(repetitions, 3)),
    ]  # fmt: skip


def long_run(inferences: int) -> None:
    """So many inferences of one operator each; prints CPU seconds and peak memory."""
    soc = hetsim.load_soc("zcu102-vta")
    run = pair(soc, contending(soc, 1), inferences)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun = time.process_time()
    found = run()
    seconds = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ended = sum(len(ledger) for ledger in found.ledgers.values())
    print(
        f"{ended:>10,} inferences {seconds:8.2f} s CPU {peak - before:8.1f} MB more than at first"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Everything once, and the long run in processes of their own."""
    import run

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--inferences", type=int, help="the long run: so many, and a tenth")
    parser.add_argument("--simso", metavar="FOLDER", help="where SimSo was installed")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        long_run(options.one)
        return 0
    if options.simso:
        os.environ["SIMSO"] = options.simso
    if options.inferences:
        for size in (options.inferences // 10, options.inferences):
            subprocess.run([sys.executable, str(Path(__file__)), "--one", str(size)], check=True)
        return 0
    run.show(measure(options.repetitions))
    return 0


if __name__ == "__main__":
    sys.exit(main())
