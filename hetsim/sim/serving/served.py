"""What is kept of the inferences of a stream: a few numbers each, in columns."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

import numpy as np
from numpy.typing import NDArray

from hetsim.sim.serving.accounts import ByStream
from hetsim.sim.serving.sample import Window
from hetsim.sim.trace import LinkUsage, Trace

DONE, DROPPED, OPEN = 0, 1, 2
"""Statuses: run to its end; given up before it began; not ended when the simulation was stopped."""

Column = NDArray[np.float64]


class Ledger:
    """The inferences of one stream in order of their ends; 41 bytes each."""

    def __init__(self) -> None:
        self._number = array("q")
        self._arrival = array("d")
        self._start = array("d")
        self._finish = array("d")
        self._deadline = array("d")
        self._status = array("b")

    def add(
        self, number: int, arrival: float, start: float, finish: float, status: int = DONE,
        deadline: float = inf,
    ) -> None:  # fmt: skip
        """Takes one, times in seconds; ``start`` of one that never began is its ``finish``.

        ``number`` is the one that rows of a trace give it.
        """
        self._number.append(number)
        self._arrival.append(arrival)
        self._start.append(start)
        self._finish.append(finish)
        self._deadline.append(deadline)
        self._status.append(status)

    def __len__(self) -> int:
        return len(self._status)

    def count(self, status: int = DONE) -> int:
        """How many ended so."""
        return self._status.count(status)

    @property
    def number(self) -> NDArray[np.int64]:
        """Their numbers, in order of arrival over all streams; shape (n,)."""
        return np.array(self._number)

    @property
    def arrival(self) -> Column:
        """When each arrived, seconds; shape (n,)."""
        return np.array(self._arrival)

    @property
    def start(self) -> Column:
        """When its first partition began."""
        return np.array(self._start)

    @property
    def finish(self) -> Column:
        """When its last partition ended, or when it was given up."""
        return np.array(self._finish)

    @property
    def deadline(self) -> Column:
        """When it was to have ended, in simulated time; infinite where it had none."""
        return np.array(self._deadline)

    @property
    def status(self) -> NDArray[np.int8]:
        """How it ended: :data:`DONE`, :data:`DROPPED`, :data:`OPEN`."""
        return np.array(self._status)


@dataclass(frozen=True)
class Served:
    """Streams that were simulated; ``ledgers`` by the name of the stream.

    ``end_s`` is when the last event happened, ``unit_busy_s`` and ``links`` are totals until then.
    ``by_stream`` says who of the streams used what, and who waited for whom. ``stopped`` says why
    the simulation was cut short, if it was. ``trace`` has rows only as far as they were asked for:
    of a sample, those of ``windows``, which may overlap.
    """

    ledgers: Mapping[str, Ledger]
    end_s: float
    trace: Trace = field(repr=False)
    stopped: str = ""
    by_stream: ByStream = field(repr=False, kw_only=True)
    windows: tuple[Window, ...] = ()

    @property
    def unit_busy_s(self) -> Mapping[str, float]:
        """Seconds that each unit ran kernels."""
        return self.trace.pu_busy_s

    @property
    def links(self) -> Mapping[str, LinkUsage]:
        """What each link carried."""
        return self.trace.links
