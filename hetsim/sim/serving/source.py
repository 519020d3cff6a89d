"""The source of several streams' inferences: what arrives by itself, and what ends cause."""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import merge
from math import inf

import numpy as np

from hetsim.catalogue import innermost
from hetsim.errors import ConfigError
from hetsim.lower.program import Program
from hetsim.sim.source import Completion, Inference, Source
from hetsim.streams.service import Stream


class StreamSource(Source):
    """Inferences of ``streams``, by the program that each runs; none at or after ``duration_s``.

    Every stream draws from a generator of its own, made of ``seed`` and its name: changing or
    leaving out one stream does not change what arrives in the others by itself. Of each stream one
    arrival is asked for ahead, not more.
    """

    def __init__(
        self, streams: Sequence[Stream], programs: Mapping[str, Program], *,
        duration_s: float = inf, seed: int = 0,
    ) -> None:  # fmt: skip
        self._streams = streams
        self._programs = [programs[stream.name] for stream in streams]
        self._duration = duration_s
        self._random = [
            np.random.default_rng([seed, zlib.crc32(stream.name.encode())]) for stream in streams
        ]
        self._left = [inf if stream.count is None else stream.count for stream in streams]
        self._followers: dict[int, list[int]] = {}
        index = {stream.name: i for i, stream in enumerate(streams)}
        for i, stream in enumerate(streams):
            for name in stream.arrivals.follows(stream.name):
                self._followers.setdefault(index[name], []).append(i)

    def arrivals(self) -> Iterator[Inference]:
        each = (self._own(i) for i in range(len(self._streams)))
        return merge(*each, key=lambda inference: inference.arrival)

    def ended(self, completion: Completion) -> Iterable[Inference]:
        return self._caused(completion, done=True)

    def given_up(self, completion: Completion) -> Iterable[Inference]:
        """What follows from one that was given up.

        Raises:
            ConfigError: a client whose question is given up at once asks again at once, for ever.
        """
        asked = completion.inference
        for following in self._caused(completion, done=False):
            stream = self._streams[following.stream]
            same = following.stream == asked.stream
            if same and following.arrival == completion.finish == asked.arrival:
                raise ConfigError(
                    f"stream {stream.name!r}: a client whose inference is given up at"
                    f" {asked.arrival:g} s asks again at that moment, for ever",
                    where=stream.where,
                    hint="give its clients time to think, or more room to wait",
                )
            yield following

    def _caused(self, completion: Completion, *, done: bool) -> Iterator[Inference]:
        by = completion.inference
        for i in self._followers.get(by.stream, ()):
            stream = self._streams[i]
            release = (by.arrival if by.release is None else by.release) if i != by.stream else None
            finish = completion.finish
            for time in self._checked(i, stream.arrivals.caused, finish, finish, done=done):
                if time >= stream.start_s and self._may_come(i, time):
                    yield self._inference(i, time, release)

    def _own(self, i: int) -> Iterator[Inference]:
        stream = self._streams[i]
        start, arrivals = stream.start_s, stream.arrivals
        for k, time in enumerate(self._checked(i, arrivals.times, 0.0)):
            if not self._may_come(i, start + time):
                return
            due = arrivals.release(k, time)
            yield self._inference(i, start + time, start + due if due != time else None)

    def _checked(
        self, i: int, asked: Callable[..., Iterable[float]], before: float,
        *finish: float, **how: bool,
    ) -> Iterator[float]:  # fmt: skip
        """What a method of the arrivals of stream ``i`` tells; ``before`` is the earliest moment.

        Raises:
            ConfigError: a process that is not ours raised, or told no times or an earlier one.
        """
        stream = self._streams[i]
        what = f"stream {stream.name!r}: arrivals {stream.arrivals.kind!r}"
        try:
            for time in asked(*finish, self._random[i], **how):
                if not time >= before:  # nan is not, either
                    raise ConfigError(
                        f"{what} tell an arrival at {time} s, and the earliest can be at"
                        f" {before} s", where=stream.where,
                        hint="times do not decrease, and begin at zero or at what causes them",
                    )  # fmt: skip
                if not finish:
                    before = time
                yield time
        except ConfigError:
            raise
        except Exception as error:
            cls = type(stream.arrivals)
            if cls.__module__.startswith("hetsim."):
                raise
            where = innermost(error, inspect.getsourcefile(cls)) or stream.where
            raised = f"{type(error).__name__}: {error}"
            raise ConfigError(f"{what} raised {raised}", where=where) from error

    def _may_come(self, i: int, time: float) -> bool:
        """Whether one more of stream ``i`` may arrive at ``time``; it is counted then."""
        if time >= min(self._duration, self._streams[i].until_s) or self._left[i] <= 0:
            return False
        self._left[i] -= 1
        return True

    def _inference(self, i: int, time: float, release: float | None) -> Inference:
        stream = self._streams[i]
        since = time
        if release is not None and stream.deadline_from == "release":
            since = release
        return Inference(
            self._programs[i], time, stream.priority, i, since + stream.deadline_s, release
        )
