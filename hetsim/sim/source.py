"""Where inferences come from, and what is said of each when it has ended.

A source is pulled: nothing is asked of it before its time, and nothing is kept of an inference
that has ended. So a run may be as long as one likes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from hetsim.lower.program import Program


@dataclass(frozen=True, slots=True)
class Inference:
    """One run of a program: when it arrives (seconds) and how urgent it is (higher first).

    ``stream`` says which of several streams of inferences it belongs to: results are told apart by
    it, and state that outlives an inference passes on within it. It should end by ``deadline``,
    seconds of simulated time. ``release`` is when it was due, where that is not its arrival: with
    jitter, or at the end of a chain of streams.
    """

    program: Program
    arrival: float = 0.0
    priority: int = 0
    stream: int = 0
    deadline: float = inf
    release: float | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """An inference that has ended: when its first partition began and its last one ended, seconds.

    ``number`` is the one that rows of the trace give it.
    """

    number: int
    inference: Inference
    start: float
    finish: float

    @property
    def latency(self) -> float:
        """Seconds from its arrival to its end."""
        return self.finish - self.inference.arrival


Sink = Callable[[Completion], None]
"""Takes results as they come."""


class Source:
    """Says which inferences arrive when.

    The runtime iterates over :meth:`arrivals` and takes the next one only after the one before has
    arrived. It calls :meth:`ended` whenever an inference has ended, and what that returns arrives
    as well. Override either or both: the base class is silent.
    """

    def arrivals(self) -> Iterator[Inference]:
        """What arrives whatever happens, in order of arrival."""
        return iter(())

    def ended(self, completion: Completion) -> Iterable[Inference]:
        """What arrives because an inference, of any source, has ended; at that moment or later."""
        return ()

    def given_up(self, completion: Completion) -> Iterable[Inference]:
        """What arrives because an inference was given up before it began."""
        return ()

    def number(self, count: int) -> int:
        """The number of the inference that arrives after ``count`` others."""
        return count


class Listed(Source):
    """Inferences known beforehand, in any order; they are numbered by their place in the list."""

    def __init__(self, inferences: Sequence[Inference]) -> None:
        self._inferences = inferences
        self._order = sorted(range(len(inferences)), key=lambda i: inferences[i].arrival)

    def arrivals(self) -> Iterator[Inference]:
        return (self._inferences[i] for i in self._order)

    def number(self, count: int) -> int:
        return self._order[count]
