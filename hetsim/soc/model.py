"""The SoC as the rest of hetsim sees it: processing units, links and memories, in SI units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hetsim.errors import PlanError
from hetsim.soc.schema import PUSpec, RuntimeSpec, SoCSpec


@dataclass(frozen=True, slots=True)
class Turns:
    """Channels of a memory that take turns: ``channels`` of them, ``interleave`` bytes each."""

    channels: int
    interleave: float

    def occupied(self, amount: Any) -> Any:
        """Bytes for which a transfer of ``amount``, a number or an array, keeps the memory busy.

        As many as all channels would move while the one with the most of it does: it begins where
        a channel's turn begins, so whole rounds are shared evenly and the last one is not.
        """
        whole = amount // (self.channels * self.interleave)
        rest = amount - whole * self.channels * self.interleave
        last = (rest + self.interleave - abs(rest - self.interleave)) / 2.0  # the lesser of both
        return self.channels * (whole * self.interleave + last)


@dataclass(frozen=True)
class Link:
    """A bus, port or memory channel that transfers share.

    ``bandwidth[n - 1]`` is its capacity in B/s while n transfers use it; the last entry holds
    for more. ``latency`` in seconds is added to every transfer. ``whole`` names the full-duplex
    link of which it is one direction; ``private`` is one that a unit has for itself. ``turns`` are
    those of its channels.
    """

    name: str
    bandwidth: tuple[float, ...]
    latency: float = 0.0
    arbitration: str = "max_min_fair"
    energy_per_byte: float = 0.0
    whole: str = ""
    private: bool = False
    turns: Turns | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A PU's way to a memory: the links crossed, its own private ones first, the memory last.

    What is read crosses ``links``, what is written ``back``; they differ where a link is
    full-duplex. Alone either gets ``bandwidth`` B/s, after ``latency`` seconds, and both at once
    ``together``. ``most[n - 1]`` is what no transfer exceeds while at most n are under way, and
    ``widest[n - 1]`` what reading and writing at once do not; all the same, unless a memory
    carries several better than one. ``turns`` are those of the memory's channels.
    """

    links: tuple[str, ...]
    back: tuple[str, ...]
    bandwidth: float
    together: float
    latency: float
    most: tuple[float, ...]
    widest: tuple[float, ...]
    peak: float
    turns: Turns | None = None

    @property
    def memory(self) -> str:
        """Where it ends."""
        return self.links[-1]

    @property
    def crossed(self) -> tuple[str, ...]:
        """All links, whichever direction crosses them."""
        return tuple(dict.fromkeys((*self.links, *self.back)))

    def seconds(self, load: float, store: float) -> float:
        """Of reading and writing so many bytes at once, with nobody in the way; no latency."""
        moving = max(max(load, store) / self.bandwidth, (load + store) / self.together)
        return max(moving, float(self.turning(load + store)))

    def turning(self, amount: Any) -> Any:
        """Seconds for which a transfer of so many bytes keeps the memory's busiest channel busy."""
        return self.turns.occupied(amount) / self.peak if self.turns else 0.0 * amount


@dataclass(frozen=True)
class PU:
    """One schedulable unit: a whole NPU or accelerator, or a worker of a CPU cluster.

    ``name`` is what plans say (``cpu``, or ``cpu.0`` when a cluster has several workers),
    ``cluster`` the entry of the SoC file it comes from, ``cores`` its share of that cluster.
    ``home`` is the way its traffic takes, ``cached`` its beginning up to the system cache that
    keeps its tensors, if there is one; ``further`` are those to other memories than the one in
    which ``home`` ends.
    """

    name: str
    cluster: str
    spec: PUSpec
    cores: int
    index: int
    home: Way
    further: tuple[Way, ...] = ()
    cached: Way | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """The links that what it reads crosses, its own private ones first."""
        return self.home.links

    @property
    def bandwidth(self) -> float:
        """What it gets alone, B/s, in one direction."""
        return self.home.bandwidth

    @property
    def latency(self) -> float:
        """Seconds before each transfer."""
        return self.home.latency

    @property
    def memory(self) -> str:
        """Where its tensors lie unless they are put elsewhere: the end of its path."""
        return self.home.memory

    @property
    def share(self) -> float:
        """Its part of what its entry of the SoC file states, by cores."""
        return self.cores / sum(self.spec.units)

    @property
    def managed_memory(self) -> float:
        """Bytes of software-managed on-chip memory in which its tensors can stay; 0 if none."""
        return self.spec.managed_memory * self.share

    @property
    def best_ways(self) -> tuple[Way, ...]:
        """To all memories, its own first; only up to a cache that may have what it reads."""
        return (self.cached or self.home, *self.further)

    @property
    def ways(self) -> tuple[Way, ...]:
        """To all memories it reaches, its own first."""
        return (self.home, *self.further)

    @property
    def kind(self) -> str:
        """The PU kind, e.g. ``cpu_cluster``."""
        return self.spec.kind

    def stored_dtype(self, dtype: str) -> str:
        """The data type in which this PU keeps tensors that the network declares as ``dtype``."""
        return self.spec.precision.get(dtype, dtype)


@dataclass(frozen=True)
class SoC:
    """A validated SoC. ``pus`` are in file order; ``links`` include the memories."""

    name: str
    spec: SoCSpec
    pus: tuple[PU, ...]
    links: Mapping[str, Link]
    source: str = ""

    @classmethod
    def from_spec(cls, spec: SoCSpec, source: str = "") -> SoC:
        """Builds the SoC a checked description describes."""
        links = {link.name: link for link in _shared_links(spec)}
        pus: list[PU] = []
        for cluster, pu_spec in spec.pus.items():
            units = pu_spec.units
            latency = _latency(spec, pu_spec.path)
            for i, cores in enumerate(units):
                name = cluster if len(units) == 1 else f"{cluster}.{i}"
                private = [
                    Link(f"{name}.{link}", (bandwidth * (cores / sum(units)),), private=True)
                    for link, bandwidth in pu_spec.private_links(latency).items()
                ]
                links.update((link.name, link) for link in private)
                own = tuple(link.name for link in private)
                home, *further = (
                    _way(spec, links, own, way) for way in (pu_spec.path, *pu_spec.routes.values())
                )
                to_cache = _to_cache(spec, cluster)
                end = pu_spec.path[-1]
                cached = _way(spec, links, own, to_cache, end) if to_cache else None
                pus.append(
                    PU(name, cluster, pu_spec, cores, len(pus), home, tuple(further), cached)
                )
        return cls(spec.name, spec, tuple(pus), links, source)

    def route(self, pu: PU, memory: str) -> Way:
        """How ``pu`` reaches ``memory``.

        Raises:
            PlanError: the SoC file states no way there.
        """
        for way in pu.ways:
            if way.memory == memory:
                return way
        raise PlanError(
            f"{pu.name} cannot reach memory {memory!r}",
            hint=f"state a way there: pus.{pu.cluster}.routes.{memory}",
        )

    @property
    def runtime(self) -> RuntimeSpec:
        """Call, fork and join costs, and the host cluster."""
        return self.spec.runtime

    @cached_property
    def by_name(self) -> Mapping[str, PU]:
        """PUs by the name plans use."""
        return {pu.name: pu for pu in self.pus}

    @cached_property
    def host(self) -> PU:
        """The first unit of the host cluster: its format is that of the application."""
        return next(pu for pu in self.pus if pu.cluster == self.runtime.host)


def _latency(spec: SoCSpec, path: Sequence[str]) -> float:
    return sum((spec.links.get(name) or spec.memory[name]).latency for name in path)


def _way(
    spec: SoCSpec,
    links: Mapping[str, Link],
    own: tuple[str, ...],
    path: Sequence[str],
    memory: str = "",
) -> Way:
    """The way over private links and ``path``; only the latter have a latency.

    ``memory`` is the one that it leads to if it ends in a cache before.
    """
    there, back = ((*own, *_directed(spec, path, side, memory or path[-1])) for side in (0, 1))
    steps = range(1, 1 + max(len(links[name].bandwidth) for name in there))
    return Way(
        there,
        back,
        min(links[name].bandwidth[0] for name in there),
        _together(links, there, back, 1),
        _latency(spec, path),
        tuple(min(max(links[name].bandwidth[:n]) for name in there) for n in steps),
        tuple(_together(links, there, back, n) for n in steps),
        links[there[-1]].bandwidth[0],
        links[there[-1]].turns,
    )


def _to_cache(spec: SoCSpec, pu: str) -> Sequence[str]:
    """The path of ``pu`` up to the cache that keeps its tensors; empty if none does."""
    path = spec.pus[pu].path
    for i, name in enumerate(path):
        cache = spec.links[name].cache if name in spec.links else None
        if cache is not None and pu in (cache.units or spec.pus):
            return path[: i + 1]
    return ()


def _together(
    links: Mapping[str, Link], there: Sequence[str], back: Sequence[str], transfers: int
) -> float:
    """B/s of reading and writing at once while at most so many transfers are under way."""
    return min(
        max(links[out].bandwidth[:transfers])
        + (max(links[home].bandwidth[:transfers]) if out != home else 0.0)
        for out, home in zip(there, back, strict=True)
    )


def _directed(spec: SoCSpec, path: Sequence[str], side: int, memory: str) -> tuple[str, ...]:
    """What is read (``side`` 0) or written crosses on ``path``, which leads to ``memory``."""
    names = []
    for name in path:
        link = spec.links.get(name)
        if link is not None and link.duplex == "full":
            name = _DIRECTIONS[side ^ (memory in link.backwards)].format(name)
        names.append(name)
    return tuple(names)


_DIRECTIONS = ("{}.in", "{}.out")
"""The two halves of a full-duplex link: what is read comes in, what is written goes out."""


def _shared_links(spec: SoCSpec) -> Iterator[Link]:
    """Links, full-duplex ones as two, and memories."""
    for name, link in spec.links.items():
        halves = _DIRECTIONS if link.duplex == "full" else ("{}",)
        for half in halves:
            yield Link(
                half.format(name),
                (link.bytes_per_second * link.efficiency,),
                link.latency,
                link.arbitration,
                link.energy_per_byte,
                name if link.duplex == "full" else "",
            )
    for name, memory in spec.memory.items():
        shares = memory.efficiency
        shares = shares if isinstance(shares, list) else [shares]
        bandwidth = tuple(memory.bandwidth * share for share in shares)
        turns = Turns(memory.channels, memory.interleave) if memory.interleave else None
        yield Link(
            name,
            bandwidth,
            memory.latency,
            energy_per_byte=memory.energy_per_byte,
            turns=turns,
        )
