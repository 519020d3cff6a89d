"""The streams of a scenario, checked: what runs on the SoC for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import inf
from pathlib import Path
from typing import Any, Literal

from hetsim.errors import Location
from hetsim.streams.arrivals.base import Arrivals


@dataclass(frozen=True)
class Stream:
    """A network that is asked for again and again.

    ``model`` is the label of one of the scenario's. ``scheduler`` is the label of who plans it;
    ``None`` is whoever plans the others. ``plan`` is a plan file that stands for both.

    The stream is on the SoC from ``start_s`` until ``until_s``: its arrivals are counted from the
    first, what would arrive at or after the second does not, and what has arrived is run to its
    end. At most ``count`` arrive.

    An inference is to end ``deadline_s`` seconds after its arrival, or after its release where
    ``deadline_from`` says so (:meth:`~hetsim.streams.arrivals.base.Arrivals.release`; what another
    stream's end causes was released when that inference was, so that a deadline can span a chain).
    Of several that wait, the one with the larger ``priority`` goes first.

    It *waits* from its arrival until its first partition begins, and is *in flight* from then on
    until its end. At most ``in_flight`` of a stream are so at once; ``None`` is any number.
    At most ``queue`` wait (``None``: any number). Where one more arrives, one is given up at that
    moment: by ``when_full``, the ``newest``, which is the one that arrives, or the ``oldest`` of
    those that wait. One that begins at the moment of its arrival never counts as waiting. With
    ``late`` = ``drop`` an inference is given up as well when its deadline passes before it began.
    What is given up is never begun, causes nothing in streams that follow it, and sends its
    client in a closed loop back to thinking.
    """

    name: str
    model: str
    arrivals: Arrivals
    priority: int = 0
    deadline_s: float = inf
    deadline_from: Literal["arrival", "release"] = "arrival"
    late: Literal["run", "drop"] = "run"
    queue: int | None = None
    when_full: Literal["newest", "oldest"] = "newest"
    in_flight: int | None = None
    count: int | None = None
    start_s: float = 0.0
    until_s: float = inf
    scheduler: str | None = None
    plan: Path | None = None
    where: Location | None = field(default=None, compare=False)

    @property
    def planner(self) -> str | None:
        """Who plans it, by label, or the name of its plan file; ``None``: who plans the others."""
        return self.scheduler if self.plan is None else self.plan.stem


@dataclass(frozen=True)
class DispatcherRef:
    """Who decides what runs next, by registered name or ``/ABSOLUTE/FILE.py:CLASS``.

    Each of its decisions takes a thread of the host ``overhead_s`` seconds. With ``grain`` =
    ``fused`` it does not ask for a scheduler's plan, but for each fused group as a partition.
    """

    name: str
    label: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    overhead_s: float = 0.0
    grain: Literal["plan", "fused"] = "plan"
    where: Location | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Service:
    """Several streams on one SoC.

    Nothing arrives at or after ``duration_s``. What arrives before ``warm_up`` seconds is left out
    of all statistics; ``mser`` lets the rule of that name choose. ``plans`` are the ways in which
    their networks are planned (:mod:`hetsim.schedulers.joint`), all compared. A unit that is taken
    from a partition between two launches is busy for ``preemption_cost_s`` more each time. The
    simulation is stopped as overloaded, and what happened so far kept, when ``backlog`` inferences
    of one stream wait.
    """

    streams: tuple[Stream, ...]
    duration_s: float = inf
    warm_up: float | Literal["mser"] = 0.0
    dispatchers: tuple[DispatcherRef, ...] = (DispatcherRef("priority", "priority"),)
    preemption_cost_s: float = 0.0
    backlog: int = 10_000
    plans: tuple[str, ...] = ("each",)

    def stream(self, name: str) -> Stream:
        """The stream called ``name``; ``StopIteration`` when there is none."""
        return next(stream for stream in self.streams if stream.name == name)

    def plain(self) -> dict[str, object]:
        """All that decides what arrives and how it is served but for who dispatches, as data."""
        return {
            "streams": [_plain(stream) for stream in self.streams],
            **{
                name: value
                for name, value in _plain(self).items()
                if name not in ("streams", "dispatchers")
            },
        }

    def rates(self) -> dict[str, float | None]:
        """Arrivals per second in the long run by stream, if nothing is given up.

        ``None`` where the SoC decides: in closed loops, and in what follows them.
        """
        found = {stream.name: stream.arrivals.rate for stream in self.streams}
        for _ in self.streams:  # as many rounds as the longest chain can have links
            for stream in self.streams:
                causes = [found[name] for name in stream.arrivals.follows(stream.name)
                          if name != stream.name]  # fmt: skip
                if stream.arrivals.rate is None and causes and None not in causes:
                    per_end = stream.arrivals.caused_per_end
                    found[stream.name] = per_end * sum(c for c in causes if c is not None)
        return found


def _plain(thing: Stream | Service) -> dict[str, object]:
    """The fields that make two of them the same."""
    found = {f.name: getattr(thing, f.name) for f in fields(thing) if f.compare}
    if isinstance(thing, Stream):
        found["arrivals"] = thing.arrivals.model_dump(mode="json")
    return found
