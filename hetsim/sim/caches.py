"""What caches, and memories for weights, hold over simulated time, tensor by tensor.

Of a system cache the least recently used tensors leave first, so a tensor is there when what was
touched since, with itself, fits the cache (the stack distance of Mattson, Gecsei, Slutz & Traiger,
*Evaluation techniques for storage hierarchies*, IBM Systems Journal 9(2), 1970, in bytes). Whoever
shares a cache pushes out what others keep there. A kernel reads when it starts and has written when
it ends; what is written goes on to memory at once.
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


class WeightMemory:
    """Weights that stay in ``capacity`` bytes of a unit from one inference to the next.

    As the parameter cache of Coral's Edge TPU does ("Edge TPU compiler", *Parameter data caching*):
    a network's kernels keep their weights in the order in which they first run, until it is full;
    the rest is read each time. A network that finds no room takes that of others, of the least
    recently used first, each given up as a whole.
    """

    def __init__(self, capacity: float) -> None:
        self._left = capacity
        self._held: dict[str, dict[str, int]] = {}  # networks by age of their last use
        self._taken: dict[str, int] = {}  # by each of them, in all

    def touch(self, network: str, weights: Iterable[tuple[str, int]]) -> int:
        """A kernel uses its weights; returns the bytes of those that were there."""
        own, taken = self._held.pop(network, {}), self._taken.pop(network, 0)
        found = 0
        for name, size in weights:
            if name in own:
                found += size
            elif size <= self._left + sum(self._taken.values()):
                while size > self._left:
                    oldest = next(iter(self._held))
                    del self._held[oldest]
                    self._left += self._taken.pop(oldest)
                own[name] = size
                self._left -= size
                taken += size
        self._held[network], self._taken[network] = own, taken
        return found


def served(
    work: Work, found: int, total: int, cache: str, spared: Callable[[Phase, int], float]
) -> Work:
    """``work`` of whose reads a cache has ``found`` of ``total`` bytes.

    No ``cache`` is the unit itself, which need not move them. Like the rest of what it reads, these
    are spread evenly. ``spared(phase, bytes)`` are the
    seconds by which so many cached bytes hurry the transfers of a phase.
    """
    phases = []
    for phase in work.phases:
        hits = phase.load_bytes * found // total
        if hits and work.tiles:  # the time of its engines is told apart from arithmetic
            phase = phase.hurried(spared(phase, hits))
        phases.append(_split(phase, hits, cache))
    tiles = tuple(_split(run, run.load_bytes * found // total, cache) for run in work.tiles)
    told = f"{found / total:.0%} of its reads {f'from {cache}' if cache else 'kept on chip'}"
    note = f"{work.note}, {told}" if work.note else told
    return replace(work, phases=tuple(phases), tiles=tiles, note=note)


def _split(part: Part, hits: int, cache: str) -> Part:
    """``part`` with so many of the bytes it loads from ``cache``."""
    if not hits:
        return part
    elsewhere = (*part.elsewhere, Traffic(cache, hits)) if cache else part.elsewhere
    return replace(part, load_bytes=part.load_bytes - hits, elsewhere=elsewhere)
