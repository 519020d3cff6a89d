"""A processing unit during a simulation: its state, its ways, and what a cache spares it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import simpy

from hetsim.cost.work import Phase, Step, TileRun, Traffic, Work
from hetsim.lower.program import Launch, Touched
from hetsim.sim.caches import SystemCache, WeightMemory, served
from hetsim.sim.cores import Cores
from hetsim.sim.network.flow import Flow
from hetsim.sim.network.links import NOWHERE, Claim, Route
from hetsim.sim.network.network import Network
from hetsim.sim.network.slowdown import slowdown_curve
from hetsim.sim.task import Task
from hetsim.soc.model import PU, SoC

Move = Callable[[float, float, Route, float], Flow]
"""Arithmetic of so many seconds that moves so many bytes over a route meanwhile, after a delay."""

UnderWay = tuple[Work, Phase | TileRun, Flow]
"""A kernel's part that a unit has begun, as it is at the clock it was costed for, and its flow."""


@dataclass(slots=True)
class Aside:
    """Bytes on chip of a task that stands aside; ``unsaved`` are those that memory does not have.

    They are ``gone`` when somebody else needed the room.
    """

    held: int
    unsaved: int
    gone: bool = False


class Unit:
    """A PU during a simulation.

    ``straight`` is its way to the memory at the end of its path, there and back, if it is one.
    """

    __slots__ = (
        "aside", "busy_s", "cache", "clock_hz", "cores", "dma_lane", "domain", "host_lane", "idle",
        "index", "interrupt_s", "lane", "managed", "move", "network", "nominal_hz", "owns_cores",
        "polls", "preemptible", "setup_s", "straight", "threads", "under_way", "unusual", "ways",
        "weights",
    )  # fmt: skip

    def __init__(
        self, pu: PU, soc: SoC, network: Network, cores: Cores | None,
        caches: Mapping[str, SystemCache],
    ) -> None:  # fmt: skip
        """``cores`` are those of its cluster, if threads run there."""
        spec = pu.spec
        self.network = network
        self.index = pu.index
        self.lane = pu.name
        self.dma_lane = f"{pu.name}.dma"
        self.preemptible = spec.preemptible
        self.ways: dict[str, tuple[Route, Route]] = {}  # of what is read and what is written
        slowdown = slowdown_curve(spec.slowdown) if spec.slowdown is not None else None
        claim = Claim(spec.weight, spec.priority, slowdown)
        for way in (*pu.ways, *([pu.cached] if pu.cached else [])):
            there = back = network.route(way.links, claim)
            if way.back != way.links:
                back = network.route(way.back, claim)
            self.ways[way.memory] = there, back
        # No name is the memory at the end of its path.
        self.ways[""] = there, back = self.ways[pu.memory]
        self.straight = there if there is back else None
        self.cache = caches[pu.cached.memory] if pu.cached else None
        room = spec.weight_memory
        self.weights = None if room is None else WeightMemory(room)
        self.setup_s = spec.transfer_setup
        self.cores = cores
        self.move: Move = network.work if cores is None else cores.work
        self.owns_cores = self.cores is not None
        self.threads = pu.cores if cores is not None else 1  # of the host, if it polls
        self.polls = spec.polls_host
        self.interrupt_s = spec.completion_latency
        on_host = pu.cluster == soc.runtime.host
        self.host_lane = pu.name if on_host else f"{soc.runtime.host}:{pu.name}"
        self.idle: simpy.Event | None = None
        self.busy_s = 0.0
        self.managed = pu.managed_memory
        self.aside: list[Aside] = []  # the task that was taken aside last at the end
        self.domain = pu.cluster
        self.clock_hz = self.nominal_hz = float(spec.point.clock)
        self.unusual = False  # whether the two differ
        self.under_way: UnderWay | None = None

    def route(self, memory: str, load: int, store: int) -> Route:
        """What so many bytes, read and written at once, cross to or from ``memory``."""
        there, back = self.ways[memory]
        if there is back or not store:
            return there
        return self.network.blend(((there, load), (back, store))) if load else back

    def routes(self, moves: Iterable[Traffic]) -> tuple[int, Route]:
        """The bytes that go to several memories side by side, and what they cross."""
        parts = [
            (self.route(t.memory, t.load_bytes, t.store_bytes), t.bytes) for t in moves if t.bytes
        ]
        if not parts:
            return 0, NOWHERE
        if len(parts) == 1:
            return parts[0][1], parts[0][0]
        return sum(amount for _, amount in parts), self.network.blend(parts)

    def served(
        self, launch: Launch, touched: Touched, inference: int, *, tiled: bool
    ) -> tuple[Launch, int]:
        """``launch``, which starts now, with what the cache has of what it reads, and its bytes.

        Weights that are still in the unit from an inference before do not move at all.
        """
        if self.weights is not None:
            launch, touched = self._kept(self.weights, launch, touched)
        if self.cache is None:
            return launch, 0
        cache = self.cache.name

        def spared(phase: Phase, hits: int) -> float:
            load, store = phase.load_bytes, phase.store_bytes
            plain = self.route("", load, store)
            amount, split = self.routes((Traffic("", load - hits, store), Traffic(cache, hits)))
            return amount / plain.bandwidth - amount / split.bandwidth

        found = self.cache.touch(((inference, t), size) for t, size in touched.reads)
        found += self.cache.touch(((-1, t), size) for t, size in touched.weights)
        if not found:
            return launch, 0
        work = served(launch.work, found, touched.read_bytes, cache, spared)
        return replace(launch, work=work), work.loaded(cache, tiled=tiled)

    def _kept(
        self, memory: WeightMemory, launch: Launch, touched: Touched
    ) -> tuple[Launch, Touched]:
        """What is left to move when some of its weights are there."""
        found = memory.touch(touched.network, touched.weights)
        if not found:
            return launch, touched

        def spared(phase: Phase, hits: int) -> float:
            return hits / self.route("", phase.load_bytes, phase.store_bytes).bandwidth

        work = served(launch.work, found, touched.read_bytes, "", spared)
        return replace(launch, work=work), replace(touched, weights=())

    def host_route(self, inference: int, step: Step) -> Route | None:
        """What the bytes of ``step``, a host thread's that starts now, cross if it is cached."""
        assert self.cache is not None
        if not self.cache.touch([((inference, step.name), step.read)]):
            return None
        split = Traffic("", 0, step.written), Traffic(self.cache.name, step.read)
        return self.routes(split)[1]

    def make_room(self, task: Task) -> int:
        """Clears on-chip memory for ``task`` if it must; bytes that must go to memory for that.

        All who stand aside lose what they have there unless it fits beside what ``task`` takes. A
        cache, which nobody manages, keeps nothing of theirs.
        """
        taken = sum(aside.held for aside in self.aside if not aside.gone)
        needed = max((launch.work.on_chip_bytes for launch in task.launches), default=0)
        if not taken or taken + needed <= self.managed:
            return 0
        unsaved = sum(aside.unsaved for aside in self.aside if not aside.gone)
        for aside in self.aside:
            aside.gone = True
        return unsaved

    def wrote(self, inference: int, tensors: Iterable[tuple[str, int]]) -> None:
        """Tensors of so many bytes have been written."""
        if self.cache is not None:
            self.cache.touch(((inference, t), size) for t, size in tensors if size)
