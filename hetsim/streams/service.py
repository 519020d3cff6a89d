"""The streams of a scenario, checked: what runs on the SoC for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal

from hetsim.errors import Location
from hetsim.streams.arrivals.base import Arrivals


@dataclass(frozen=True)
class Stream:
    """A network that is asked for again and again.

    ``model`` is the label of one of the scenario's. Inferences are to end ``deadline_s`` seconds
    after their arrival; of several that wait, the one with the larger ``priority`` goes first.
    At most ``count`` arrive. ``scheduler`` is the label of who plans it; ``None`` is whoever plans
    the others.
    """

    name: str
    model: str
    arrivals: Arrivals
    priority: int = 0
    deadline_s: float = inf
    count: int | None = None
    scheduler: str | None = None
    where: Location | None = field(default=None, compare=False)


@dataclass(frozen=True)
class DispatcherRef:
    """Who decides what runs next, by registered name."""

    name: str
    label: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    where: Location | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Service:
    """Several streams on one SoC.

    Nothing arrives after ``duration_s``. What arrives before ``warm_up`` seconds is left out of all
    statistics; ``mser`` lets the rule of that name choose.
    """

    streams: tuple[Stream, ...]
    duration_s: float = inf
    warm_up: float | Literal["mser"] = 0.0
    dispatchers: tuple[DispatcherRef, ...] = (DispatcherRef("priority", "priority"),)

    def stream(self, name: str) -> Stream:
        """The stream called ``name``; ``StopIteration`` when there is none."""
        return next(stream for stream in self.streams if stream.name == name)
