"""Proven worst response times beside the longest that are simulated, on random sets of streams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

import numpy as np

from hetsim.bounds.response.streams import WorstCase
from hetsim.cost.work import Phase, Work
from hetsim.lower.program import Job, Launch, Program
from hetsim.sim.dispatchers.priority import Priority
from hetsim.sim.serving.serve import serve
from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec
from hetsim.streams.arrivals.periodic import Periodic
from hetsim.streams.service import Stream
from hetsim.validate.base import Check, Row, Setting

SETS = 1000
PART = 100
"""Sets that are done one after the other."""

LOADS = (0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Streams:
    """A random set: streams of distinct priorities on one unit, their programs, and who decides."""

    streams: tuple[Stream, ...]
    programs: dict[str, Program]
    preemptive: bool

    def worst(self) -> dict[str, float]:
        """The proven worst response times, seconds; those without a bound are left out."""
        found = WorstCase(
            bare_soc(), self.streams, self.programs, Priority(self.preemptive)
        ).worst()
        return {name: worst.seconds for name, worst in found.items() if worst.seconds is not None}

    def longest(self, duration_s: float, seed: int = 0) -> dict[str, float]:
        """The longest simulated response times, seconds."""
        served = serve(
            bare_soc(), self.streams, self.programs, dispatcher=Priority(self.preemptive),
            duration_s=duration_s, seed=seed,
        )  # fmt: skip
        return {
            name: float((ledger.finish - ledger.arrival).max(initial=0.0))
            for name, ledger in served.ledgers.items()
        }


@cache
def bare_soc(cores: int = 1) -> SoC:
    """``cores`` units, each a core of its own, on which a program takes what it says."""
    cluster = {
        "kind": "cpu_cluster", "cores": cores, "workers": [1] * cores, "path": ["dram"],
        "operating_points": {"nominal": {"clock": "1 GHz"}},
        "macs_per_cycle": {"float32": 1.0}, "element_ops_per_cycle": {"float32": 1.0},
        "efficiency": {"default": 1.0}, "parallel_efficiency": 0.0,
    }  # fmt: skip
    spec = {
        "hetsim": "soc/1", "name": "bare", "links": {}, "pus": {"cpu": cluster},
        "memory": {"dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB"}},
        "runtime": {"host": "cpu"},
    }  # fmt: skip
    return SoC.from_spec(SoCSpec.model_validate(spec))


def program(name: str, launches: Sequence[float], pu: int = 0) -> Program:
    """A partition whose launches take so many seconds and move nothing."""
    made = tuple(
        Launch(f"{name}{i}", (), Work(0.0, seconds, (Phase("compute", seconds),)))
        for i, seconds in enumerate(launches)
    )
    return Program(name, (Job(name, pu, (), (), made),), ((0,),))


def shares(random: np.random.Generator, count: int, load: float) -> list[float]:
    """``count`` shares of ``load``, uniform over all there are.

    UUniFast: Bini & Buttazzo, "Measuring the performance of schedulability tests", Real-Time
    Systems 30, 2005.
    """
    found, left = [], load
    for i in range(1, count):
        following = left * random.random() ** (1.0 / (count - i))
        found.append(left - following)
        left = following
    return [*found, left]


def random_streams(seed: int) -> Streams:
    """Two to six streams of 10 to 100 ms, each of one to five launches."""
    random = np.random.default_rng([15, seed])
    count = int(random.integers(2, 7))
    streams, programs = [], {}
    priorities = random.permutation(count)
    for i, share in enumerate(shares(random, count, LOADS[seed % len(LOADS)])):
        period = 0.01 * 10.0 ** float(random.random())
        cuts = np.sort(random.random(int(random.integers(0, 5))))
        name = f"s{i}"
        parts = np.diff([0.0, *cuts, 1.0]) * share * period
        programs[name] = program(name, [float(part) for part in parts])
        streams.append(Stream(name, "m", periodic(period), priority=int(priorities[i])))
    return Streams(tuple(streams), programs, preemptive=bool(seed % 2))


def periodic(period_s: float, offset_s: float = 0.0, jitter_s: float = 0.0) -> Periodic:
    """Periodic arrivals, times in seconds."""
    said = {"period": period_s, "offset": offset_s, "jitter": jitter_s}
    return Periodic.model_validate({"kind": "periodic", **{k: f"{v} s" for k, v in said.items()}})


def late(made: Streams, seed: int) -> Streams:
    """The same streams from anywhere in their periods on, each late by up to half of them."""
    random = np.random.default_rng([16, seed])

    def moved(stream: Stream) -> Stream:
        period = 1.0 / (stream.arrivals.rate or 1.0)
        offset, jitter = period * random.random(2) * (1.0, 0.5)
        return replace(stream, arrivals=periodic(period, float(offset), float(jitter)))

    return replace(made, streams=tuple(moved(stream) for stream in made.streams))


def critical(made: Streams, aim: int) -> Streams:
    """The same streams as they are worst for the one at ``aim``.

    All that is as urgent arrives at once, just after the longest launch (without preemption: the
    longest program) of the less urgent has begun; the rest comes later.
    """
    mine = made.streams[aim].priority
    begun, longest, blocker = 0.0, 0.0, ""
    for stream in made.streams:
        launches = [launch.work.compute_s for launch in made.programs[stream.name].jobs[0].launches]
        pieces = launches if made.preemptive else [sum(launches)]
        if stream.priority < mine and max(pieces) > longest:
            longest, blocker = max(pieces), stream.name
            begun = sum(pieces[: pieces.index(longest)])

    def moved(stream: Stream) -> Stream:
        offset = 0.1 + 1e-9
        if stream.priority < mine:
            offset = 0.1 - begun if stream.name == blocker else 0.2
        return replace(stream, arrivals=periodic(1.0 / (stream.arrivals.rate or 1.0), offset))

    return replace(made, streams=tuple(moved(stream) for stream in made.streams))


class ResponseTimes(Check):
    """Streams on one unit under fixed priorities, preemptive between launches or not."""

    title = "worst response times"
    compared = (
        "of a thousand random sets of streams that share a unit at"
        f" {', '.join(f'{load:.0%}' for load in LOADS)} load, half of them preemptive between"
        " launches: the proven worst response time beside the longest one simulated, of the stream"
        " that came nearest to its bound, when all arrive as is worst for one of them and when they"
        " arrive from anywhere and late; the range is from nothing to the bound, and all should lie"
        " in it"
    )
    kind = "simulated"
    unit = "s"
    source = "hetsim itself, its simulator beside its analysis"
    grouped: ClassVar[str] = "dispatcher"
    slow = True

    def parts(self, setting: Setting) -> Sequence[str]:
        """So many sets each."""
        return [str(first) for first in range(0, SETS, PART)]

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """A row for each set."""
        for seed in range(int(part), int(part) + PART):
            yield nearest(seed)


def nearest(seed: int) -> Row:
    """The stream of a set that came nearest to its bound, or exceeded it, in two simulations."""
    made = random_streams(seed)
    found = []
    for arranged in (critical(made, seed % len(made.streams)), late(made, seed)):
        longest = arranged.longest(0.4, seed)
        found += [(longest[name] / s, longest[name], s) for name, s in arranged.worst().items()]
    _, seen, proven = max(found)
    group = "preemptive" if made.preemptive else "to its end"
    # What floats round over thousands of events is no violation.
    return Row(f"set {seed}", group, seen, proven, 0.0, proven * (1.0 + 1e-9))
