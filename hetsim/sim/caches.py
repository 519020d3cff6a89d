"""System caches over simulated time: what they hold, tensor by tensor.

The least recently used tensors leave first, so a tensor is there when what was touched since, with
itself, fits the cache (the stack distance of Mattson, Gecsei, Slutz & Traiger, *Evaluation
techniques for storage hierarchies*, IBM Systems Journal 9(2), 1970, in bytes). Whoever shares a
cache pushes out what others keep there. A kernel reads when it starts and has written when it ends;
what is written goes on to memory at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from hetsim.cost.work import Phase, TileRun, Traffic, Work

Key = tuple[int, str]
"""A tensor of an inference, by its number; of weights, which inferences share, it is -1."""

Part = TypeVar("Part", Phase, TileRun)


class SystemCache:
    """The tensors in a cache of ``capacity`` bytes; one larger than that leaves nothing in it."""

    def __init__(self, name: str, capacity: float) -> None:
        self.name = name
        self._left = capacity
        self._held: dict[Key, int] = {}  # by age of the last use

    def touch(self, tensors: Iterable[tuple[Key, int]]) -> int:
        """Uses tensors one after the other; returns the bytes of those that were there."""
        found = 0
        for key, size in tensors:
            known = self._held.pop(key, 0)
            found += size if known == size else 0
            self._left += known - size
            self._held[key] = size
            while self._left < 0:
                oldest = next(iter(self._held))
                self._left += self._held.pop(oldest)
        return found


def served(
    work: Work, found: int, total: int, cache: str, spared: Callable[[Phase, int], float]
) -> Work:
    """``work`` of whose reads a cache has ``found`` of ``total`` bytes.

    Like the rest of what it reads, these are spread evenly. ``spared(phase, bytes)`` are the
    seconds by which so many cached bytes hurry the transfers of a phase.
    """
    phases = []
    for phase in work.phases:
        hits = phase.load_bytes * found // total
        if hits and work.tiles:  # the time of its engines is told apart from arithmetic
            phase = phase.hurried(spared(phase, hits))
        phases.append(_split(phase, hits, cache))
    tiles = tuple(_split(run, run.load_bytes * found // total, cache) for run in work.tiles)
    told = f"{found / total:.0%} of its reads from {cache}"
    note = f"{work.note}, {told}" if work.note else told
    return replace(work, phases=tuple(phases), tiles=tiles, note=note)


def _split(part: Part, hits: int, cache: str) -> Part:
    """``part`` with so many of the bytes it loads from ``cache``."""
    if not hits:
        return part
    elsewhere = (*part.elsewhere, Traffic(cache, hits))
    return replace(part, load_bytes=part.load_bytes - hits, elsewhere=elsewhere)
