"""The SoC as the rest of hetsim sees it: processing units, links and memories, in SI units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from hetsim.errors import PlanError
from hetsim.soc.schema import PUSpec, RuntimeSpec, SoCSpec


@dataclass(frozen=True)
class Link:
    """A bus, port or memory channel that transfers share.

    ``bandwidth[n - 1]`` is its capacity in B/s while n transfers use it; the last entry holds
    for more. ``latency`` in seconds is added to every transfer.
    """

    name: str
    bandwidth: tuple[float, ...]
    latency: float = 0.0
    arbitration: str = "max_min_fair"
    energy_per_byte: float = 0.0


@dataclass(frozen=True, slots=True)
class Way:
    """A PU's way to a memory: the links crossed, its own private ones first, the memory last.

    Alone it gets ``bandwidth`` B/s there, after ``latency`` seconds. ``most[n - 1]`` is what no
    transfer exceeds while at most n are under way; all the same, unless a memory carries several
    better than one.
    """

    links: tuple[str, ...]
    bandwidth: float
    latency: float
    most: tuple[float, ...]

    @property
    def memory(self) -> str:
        """Where it ends."""
        return self.links[-1]


@dataclass(frozen=True)
class PU:
    """One schedulable unit: a whole NPU or accelerator, or a worker of a CPU cluster.

    ``name`` is what plans say (``cpu``, or ``cpu.0`` when a cluster has several workers),
    ``cluster`` the entry of the SoC file it comes from, ``cores`` its share of that cluster.
    ``path`` names the links its traffic crosses, its own private ones first; alone it gets
    ``bandwidth`` B/s there, after ``latency`` seconds; ``most`` is as in :class:`Way`.
    ``further`` are its ways to other memories than the one in which that path ends.
    """

    name: str
    cluster: str
    spec: PUSpec
    cores: int
    index: int
    path: tuple[str, ...]
    bandwidth: float
    latency: float
    most: tuple[float, ...]
    further: tuple[Way, ...] = ()

    @property
    def memory(self) -> str:
        """Where its tensors lie unless they are put elsewhere: the end of its path."""
        return self.path[-1]

    @property
    def ways(self) -> tuple[Way, ...]:
        """To all memories it reaches, its own first."""
        return (Way(self.path, self.bandwidth, self.latency, self.most), *self.further)

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
        links = _shared_links(spec)
        pus: list[PU] = []
        for cluster, pu_spec in spec.pus.items():
            units = pu_spec.units
            latency = _latency(links, pu_spec.path)
            for i, cores in enumerate(units):
                name = cluster if len(units) == 1 else f"{cluster}.{i}"
                private = [
                    Link(f"{name}.{link}", (bandwidth,))
                    for link, bandwidth in pu_spec.private_links(latency).items()
                ]
                links.update((link.name, link) for link in private)
                own = tuple(link.name for link in private)
                home = _way(links, own, pu_spec.path)
                further = tuple(_way(links, own, way) for way in pu_spec.routes.values())
                pus.append(
                    PU(
                        name,
                        cluster,
                        pu_spec,
                        cores,
                        len(pus),
                        home.links,
                        home.bandwidth,
                        home.latency,
                        home.most,
                        further,
                    )
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


def _latency(links: Mapping[str, Link], path: Iterable[str]) -> float:
    return sum(links[name].latency for name in path)


def _way(links: Mapping[str, Link], own: tuple[str, ...], path: Iterable[str]) -> Way:
    """The way over private links and ``path``; only the latter have a latency."""
    crossed = (*own, *path)
    return Way(
        crossed,
        min(links[name].bandwidth[0] for name in crossed),
        _latency(links, path),
        tuple(
            min(max(links[name].bandwidth[:n]) for name in crossed)
            for n in range(1, 1 + max(len(links[name].bandwidth) for name in crossed))
        ),
    )


def _shared_links(spec: SoCSpec) -> dict[str, Link]:
    """Links and memories by name."""
    links = {
        name: Link(name, (link.bytes_per_second,), link.latency, link.arbitration)
        for name, link in spec.links.items()
    }
    for name, memory in spec.memory.items():
        shares = memory.efficiency
        shares = shares if isinstance(shares, list) else [shares]
        bandwidth = tuple(memory.bandwidth * share for share in shares)
        links[name] = Link(name, bandwidth, memory.latency, energy_per_byte=memory.energy_per_byte)
    return links
