"""Queues whose waiting times are known in closed form, carried out by the simulator."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from hetsim.analysis.serving.confidence import Sample
from hetsim.lower.program import Program
from hetsim.sim.dispatch import Dispatcher, unblocked
from hetsim.sim.serving.serve import serve
from hetsim.sim.serving.served import Served
from hetsim.sim.source import Inference
from hetsim.sim.task import Task
from hetsim.streams.arrivals.poisson import Poisson
from hetsim.streams.service import Stream
from hetsim.validate.base import Check, Row, Setting
from hetsim.validate.checks.response import bare_soc, program

SERVICE_S = 1e-3
"""What an inference takes, on average."""

LEVEL = 0.99
"""Of the intervals that are to hold what theory says."""


@dataclass(frozen=True)
class Queue:
    """``servers`` units behind one queue, Poisson arrivals at ``load`` of what they can do.

    Kendall's name says how long service takes: ``M``: exponentially distributed, ``D``: always the
    same.
    """

    service: str
    servers: int
    load: float
    count: int

    @property
    def name(self) -> str:
        """Such as ``M/M/2 at 50%``."""
        return f"{self.kind} at {self.load:.0%}"

    @property
    def kind(self) -> str:
        """Such as ``M/M/2``."""
        return f"M/{self.service}/{self.servers}"

    @property
    def rate(self) -> float:
        """Arrivals per second."""
        return self.load * self.servers / SERVICE_S

    def wait_s(self) -> float:
        """The mean wait before service (Kleinrock, *Queueing Systems* I, 1975, 3.5, 5.6)."""
        idle = SERVICE_S / (self.servers * (1.0 - self.load))
        if self.service == "D":  # Pollaczek-Khinchine
            return 0.5 * self.load * idle
        return _erlang_c(self.servers, self.load * self.servers) * idle

    def simulated(self, seed: int = 0) -> tuple[Served, Common]:
        """The queue carried out, and who dispatched it."""
        random = np.random.default_rng([17, self.servers, round(1000 * self.load), seed])
        drawn: Callable[[], float] = (
            (lambda: SERVICE_S) if self.service == "D" else lambda: random.exponential(SERVICE_S)
        )
        arrivals = Poisson.model_validate({"kind": "poisson", "period": f"{1.0 / self.rate} s"})
        # Its name is part of what arrivals are drawn by: no two queues see the same ones.
        stream = Stream(self.name, "m", arrivals, count=self.count)
        common = Common(drawn)
        served = serve(
            bare_soc(self.servers), [stream], {self.name: program("m", [SERVICE_S])},
            dispatcher=common, seed=seed,
        )  # fmt: skip
        return served, common


def _erlang_c(servers: int, offered: float) -> float:
    """The probability that one who arrives waits (Erlang 1917)."""
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = offered * blocked / (k + offered * blocked)
    return blocked / (1.0 - offered / servers * (1.0 - blocked))


class Common(Dispatcher):
    """One queue for all units, first come first served, of programs as long as is ``drawn``."""

    name: ClassVar[str] = "common queue"

    def __init__(self, drawn: Callable[[], float]) -> None:
        self._drawn = drawn
        self._waiting: deque[Task] = deque()
        self.asked_s: list[float] = []

    def program(self, inference: Inference) -> Program:
        self.asked_s.append(self._drawn())
        return program("m", self.asked_s[-1:])

    def add(self, tasks: Sequence[Task], inference: Inference) -> Iterable[int]:
        self._waiting.extend(tasks)
        return range(self.view.units)

    def next(self, unit: int) -> Task | None:
        if not self._waiting:
            return None
        task = self._waiting.popleft()
        task.place(replace(task.job, pu=unit))
        return task

    def finished(self, task: Task) -> Iterable[int]:
        assert not unblocked(task), "its programs are one partition each"
        return ()


QUEUES = tuple(
    Queue(service, servers, load, count)
    for service, servers in (("M", 1), ("D", 1), ("M", 2), ("M", 4))
    for load, count in ((0.3, 20_000), (0.5, 20_000), (0.7, 30_000), (0.9, 60_000))
)


class WaitingTimes(Check):
    """Mean waits, and of M/M/1 the 90th percentile of latencies."""

    title = "waiting times of queues"
    compared = (
        "the mean time that inferences wait in M/M/1, M/D/1, M/M/2 and M/M/4 at four loads beside"
        " Erlang's and Pollaczek's formulas, and the 90th percentile of the latency in M/M/1 beside"
        f" its distribution; the range is the {LEVEL:.0%} interval of the simulated value, and all"
        " references should lie in it"
    )
    kind = "published"
    unit = "s"
    source = "Kleinrock, Queueing Systems I, 1975, sections 3.2, 3.5 and 5.6"
    grouped: ClassVar[str] = "queue"
    slow = True

    def parts(self, setting: Setting) -> Sequence[str]:
        """The queues by position."""
        return [str(i) for i in range(len(QUEUES))]

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """One queue."""
        yield from compared(QUEUES[int(part)])


def compared(queue: Queue, seed: int = 0) -> Iterator[Row]:
    """What is known of a queue beside what is simulated, the first twentieth left out."""
    ledger = queue.simulated(seed)[0].ledgers[queue.name]
    order = np.argsort(ledger.arrival, kind="stable")[queue.count // 20 :]
    arrival = ledger.arrival[order]
    waits = Sample(ledger.start[order] - arrival)
    mean = waits.mean()
    assert mean is not None, "there are thousands"
    yield Row(f"{queue.name}, wait", queue.kind, queue.wait_s(), mean, *waits.mean_interval(LEVEL))
    if queue.kind == "M/M/1":
        latencies = Sample(ledger.finish[order] - arrival)
        found = latencies.quantile(0.9)
        assert found is not None, "there are thousands"
        known = -math.log(0.1) * SERVICE_S / (1.0 - queue.load)  # exponential at mu - lambda
        ends = latencies.quantile_interval(0.9, LEVEL)
        yield Row(f"{queue.name}, p90", queue.kind, known, found, *ends)
