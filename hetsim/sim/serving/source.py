"""The source of several streams' inferences: what arrives by itself, and what ends cause."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from math import inf

import numpy as np

from hetsim.lower.program import Program
from hetsim.sim.source import Completion, Inference, Source
from hetsim.streams.service import Stream


class StreamSource(Source):
    """Inferences of ``streams``, by the program that each runs; nothing after ``duration_s``.

    Every stream draws from a generator of its own, made of ``seed`` and its name: changing or
    leaving out one stream does not change what arrives in the others.
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
        for i in self._followers.get(completion.inference.stream, ()):
            for time in self._streams[i].arrivals.caused(completion.finish, self._random[i]):
                if time <= self._duration and self._left[i] > 0:
                    self._left[i] -= 1
                    yield self._inference(i, time)

    def _own(self, i: int) -> Iterator[Inference]:
        for time in self._streams[i].arrivals.times(self._random[i]):
            if time > self._duration or self._left[i] <= 0:
                return
            self._left[i] -= 1
            yield self._inference(i, time)

    def _inference(self, i: int, time: float) -> Inference:
        stream = self._streams[i]
        return Inference(self._programs[i], time, stream.priority, i, time + stream.deadline_s)
