"""The streams of a scenario, checked: what runs on the SoC for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
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


def _plain(thing: Stream | Service) -> dict[str, object]:
    """The fields that make two of them the same."""
    found = {f.name: getattr(thing, f.name) for f in fields(thing) if f.compare}
    if isinstance(thing, Stream):
        found["arrivals"] = thing.arrivals.model_dump(mode="json")
    return found
