"""What plans of several streams are tuned for: a number each, less being better.

Every objective is a function of a :class:`Tally` that only grows while a simulation goes on. So its
value of what has happened until now is a lower bound on its value in the end, and a simulation that
is already worse than another may be stopped.

An inference that was given up counts as late, and its latency as all the time simulated: no plan
is better for giving up more.

Fairness is the largest *slowdown*, the mean latency of a stream over the proven lower bound on one
inference of its network, as it is, alone (the maximum stretch of Bender, Chakrabarti and
Muthukrishnan, SODA 1998, of means). :func:`jain` is Jain's index of them (Jain, Chiu and Hawe,
DEC-TR-301, 1984); it is told beside it, and not tuned for, because slowing all streams alike does
not change it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from hetsim.analysis.energy import energy
from hetsim.analysis.serving.view import StreamView
from hetsim.errors import ConfigError
from hetsim.sim.serving.served import Served
from hetsim.soc.model import SoC
from hetsim.streams.service import Service, Stream


@dataclass(frozen=True)
class Tally:
    """What happened to streams; lists are by stream.

    ``arrived`` inferences in all, the sum of the ``latencies_s`` of those that have ended, how many
    of them ended late (``misses``), and how many end in all (``done``, or more). ``alone_s`` is the
    least time of one inference alone, ``deadline_s`` the mean deadline of streams that have one.
    """

    arrived: Sequence[int]
    latencies_s: Sequence[float]
    misses: int
    done: int
    end_s: float
    alone_s: Sequence[float]
    deadline_s: float = inf
    energy_j: float = 0.0

    @property
    def latency_s(self) -> float:
        """Mean over all inferences."""
        return sum(self.latencies_s) / max(sum(self.arrived), 1)

    @property
    def slowdowns(self) -> list[float]:
        """Of the streams that had arrivals."""
        return [
            total / count / alone
            for total, count, alone in zip(
                self.latencies_s, self.arrived, self.alone_s, strict=True
            )
            if count
        ]


@dataclass(frozen=True)
class Objective:
    """One of :data:`OBJECTIVES`: ``of`` is its value, ``shown`` that in words.

    ``check`` raises where it cannot be asked.
    """

    name: str
    label: str
    of: Callable[[Tally], float]
    shown: Callable[[float], str]
    check: Callable[[Service, SoC], None] = lambda service, soc: None

    def __reduce__(self) -> tuple[Callable[[str], Objective], tuple[str]]:
        """Crosses to other processes by its name."""
        return _named, (self.name,)


def _named(name: str) -> Objective:
    return OBJECTIVES[name]


def _late(tally: Tally) -> float:
    """Misses, and of equals the lesser mean latency: the fraction is below one."""
    relative = tally.latency_s / tally.deadline_s
    return tally.misses + relative / (1.0 + relative)


def _has_deadlines(service: Service, soc: SoC) -> None:
    if all(stream.deadline_s == inf for stream in service.streams):
        raise ConfigError(
            "no stream has a deadline that could be missed",
            hint="give one a 'deadline', or tune for latency",
        )


def _has_power(service: Service, soc: SoC) -> None:
    active = any(pu.spec.point.active_power or pu.spec.point.idle_power for pu in soc.pus)
    if not active and not any(link.energy_per_byte for link in soc.links.values()):
        raise ConfigError(
            f"SoC {soc.name!r} states no power and no energy",
            hint="give its units 'active_power' and 'idle_power', its memories 'energy_per_byte'",
        )


def _milliseconds(value: float) -> str:
    return f"{value * 1e3:.4g} ms"


OBJECTIVES: Mapping[str, Objective] = {
    found.name: found
    for found in (
        Objective("latency", "mean latency", lambda t: t.latency_s, _milliseconds),
        Objective(
            "throughput", "inferences per second",
            lambda t: t.end_s / max(t.done, 1),
            lambda value: f"{1.0 / value:.5g}/s" if value else "–",
        ),
        Objective(
            "deadline_misses", "missed deadlines", _late,
            lambda value: f"{int(value)} late", _has_deadlines,
        ),
        Objective(
            "energy", "energy per inference",
            lambda t: t.energy_j / max(t.done, 1),
            lambda value: f"{value * 1e3:.4g} mJ", _has_power,
        ),
        Objective(
            "fairness", "largest slowdown",
            lambda t: max(t.slowdowns, default=0.0), lambda value: f"{value:.4g}x",
        ),
    )
}  # fmt: skip
"""By name. Throughput is all inferences over the time until the last has ended: where arrivals set
the pace every plan that keeps up has the same, and ``closed`` arrivals ask how much it can do."""


def tally_of(
    soc: SoC, streams: Sequence[Stream], served: Served, alone_s: Sequence[float]
) -> Tally:
    """The tally of a simulation that has ended."""
    views = [
        StreamView(stream, served.ledgers[stream.name], 0.0, served.end_s) for stream in streams
    ]
    lost = [view.arrived - len(view.latencies) for view in views]
    return Tally(
        [view.arrived for view in views],
        [
            float(view.latencies.sum()) + given_up * served.end_s
            for view, given_up in zip(views, lost, strict=True)
        ],
        sum(view.misses for view in views),
        sum(len(view.latencies) for view in views),
        served.end_s,
        alone_s,
        mean_deadline(streams),
        energy(served.trace, soc) or 0.0,
    )


def mean_deadline(streams: Sequence[Stream]) -> float:
    """Of those that have one; infinite where none has."""
    known = [stream.deadline_s for stream in streams if stream.deadline_s < inf]
    return sum(known) / len(known) if known else inf


def jain(slowdowns: Sequence[float]) -> float:
    """Jain's index, from 1/n (one stream has it all) to 1 (all fare alike)."""
    square = sum(value * value for value in slowdowns)
    return sum(slowdowns) ** 2 / (len(slowdowns) * square) if square else 1.0
