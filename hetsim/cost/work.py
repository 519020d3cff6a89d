"""What a kernel asks of its PU: the data that cost models hand to the simulator.

A *kernel* is one launch: a single operator or a fused chain. Its :class:`Work` says how it loads
its PU and the memory system, and nothing about when: time comes from the simulator alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

from hetsim.errors import HetsimError
from hetsim.workload.graph import Graph, LoopNest, Operator


@dataclass(frozen=True)
class Kernel:
    """A chain of operators that run as one, with the tensors it reads and writes.

    ``inputs`` are read from outside, ``outputs`` are needed outside; tensors passed between
    the fused operators appear in neither. ``head`` is the operator whose loops dominate.
    """

    operators: tuple[Operator, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, graph: Graph, operators: tuple[Operator, ...]) -> Kernel:
        """The kernel that runs ``operators`` (in this order) of ``graph``."""
        produced = {t for op in operators for t in op.outputs}
        members = {graph.index[op.name] for op in operators}
        inputs = dict.fromkeys(t for op in operators for t in op.inputs if t not in produced)
        outputs = tuple(
            t
            for op in operators
            for t in op.outputs
            if t in graph.output_set or any(c not in members for c in graph.consumers[t])
        )
        if not outputs:  # a dead end still computes and stores its last result
            outputs = operators[-1].outputs
        return cls(operators, tuple(inputs), outputs)

    @property
    def head(self) -> Operator:
        """The first operator of the chain."""
        return self.operators[0]

    @cached_property
    def name(self) -> str:
        """The operators' names joined by ``+``."""
        return "+".join(op.name for op in self.operators)

    @property
    def nest(self) -> LoopNest | None:
        """The head's loop nest."""
        return self.head.nest

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Operator kinds of the chain."""
        return tuple(op.kind for op in self.operators)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return sum(op.macs for op in self.operators)

    @cached_property
    def element_ops(self) -> int:
        """Other arithmetic operations."""
        return sum(op.element_ops for op in self.operators)


@dataclass(frozen=True, slots=True)
class Residency:
    """Which tensors need not cross the memory path: already on chip, or to be kept there.

    ``reserved_bytes`` of on-chip memory are taken by such tensors while the kernel runs. Of those
    there before it begins, ``held_bytes`` must come back if they had to make room for somebody
    else, and the ``unsaved_bytes`` of them that memory does not have must be put there first.
    """

    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    reserved_bytes: int = 0
    held_bytes: int = 0
    unsaved_bytes: int = 0


NOWHERE = Residency()
"""Nothing is resident: every tensor comes from memory and goes back to it."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes read from and written to ``memory``."""

    memory: str
    load_bytes: int = 0
    store_bytes: int = 0

    @property
    def bytes(self) -> int:
        """Both ways."""
        return self.load_bytes + self.store_bytes

    def __add__(self, other: Traffic) -> Traffic:
        """With more of the same memory."""
        return Traffic(
            self.memory, self.load_bytes + other.load_bytes, self.store_bytes + other.store_bytes
        )


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a kernel with one resource demand.

    ``load_bytes`` and ``store_bytes`` cross the PU's path while the phase lasts; with all the
    bandwidth in the world it takes ``seconds`` (its computation, or its DMA engines' time), so the
    flow's rate cap is bytes / seconds. ``compute_s`` is the time the PU's arithmetic is busy.
    ``elsewhere`` crosses other routes, to other memories than the one at the end of that path, at
    the same time: the phase lasts until all of it is there.
    """

    kind: str
    seconds: float
    load_bytes: int = 0
    store_bytes: int = 0
    compute_s: float = 0.0
    elsewhere: tuple[Traffic, ...] = ()

    @property
    def bytes(self) -> int:
        """All bytes that cross the path."""
        return self.load_bytes + self.store_bytes

    def at(self, stretch: float) -> Phase:
        """The same work while the PU's clock makes each cycle ``stretch`` times as long.

        A slower clock lengthens the arithmetic, which takes over once it is longer than what it
        ran beside; with a faster one, what stuck out beside the arithmetic stays. Exact for one
        demand, and for tiles that are all bound by the same thing; in between a lower bound.
        """
        if stretch == 1.0:
            return self
        arithmetic = self.compute_s * stretch
        if stretch > 1.0:
            seconds = max(self.seconds, arithmetic)
        else:
            seconds = self.seconds - self.compute_s + arithmetic
        return replace(self, seconds=seconds, compute_s=arithmetic)

    def hurried(self, seconds: float) -> Phase:
        """The same work while the engines that move its tiles get their bytes that much sooner.

        Exact where only they or only the arithmetic decide; in between a lower bound.
        """
        return replace(self, seconds=max(self.compute_s, self.seconds - max(seconds, 0.0)))

    @property
    def home(self) -> Traffic:
        """What crosses the path."""
        return Traffic("", self.load_bytes, self.store_bytes)

    @property
    def moves(self) -> tuple[Traffic, ...]:
        """By memory; no name is the end of the PU's path."""
        return (self.home, *self.elsewhere)


@dataclass(frozen=True, slots=True)
class TileRun:
    """``count`` identical tiles in a row: what each loads, computes and stores.

    Bytes as in :class:`Phase`: over the PU's path, and ``elsewhere`` at the same time.
    """

    count: int
    load_bytes: int
    compute_s: float
    store_bytes: int
    elsewhere: tuple[Traffic, ...] = ()

    def at(self, stretch: float) -> TileRun:
        """The same tiles while the PU's clock makes each cycle ``stretch`` times as long."""
        return replace(self, compute_s=self.compute_s * stretch)

    @property
    def loads(self) -> tuple[tuple[str, int], ...]:
        """(memory, bytes) of what it loads; no name is the end of the PU's path."""
        return (("", self.load_bytes), *((t.memory, t.load_bytes) for t in self.elsewhere))

    @property
    def stores(self) -> tuple[tuple[str, int], ...]:
        """(memory, bytes) of what it stores; no name is the end of the PU's path."""
        return (("", self.store_bytes), *((t.memory, t.store_bytes) for t in self.elsewhere))


@dataclass(frozen=True, slots=True)
class Work:
    """The demand of one kernel on one PU.

    ``dispatch_s``: launch overhead before anything moves, seconds. ``compute_s``: arithmetic time
    with all data at hand. ``phases`` are executed one after the other at ``fluid`` fidelity;
    ``tiles`` (when the PU works in tiles) at ``tile`` fidelity, loads and stores beside compute if
    ``overlapped``. Both move the same bytes. ``first_weights`` bytes of the first load are weights
    that could come early; ``free_weights`` such bytes of the next kernel would fit meanwhile.
    ``tail_load`` bytes are loaded for the next kernel during the last tile.
    ``on_chip_bytes`` of managed memory are taken while the kernel runs: its tiles' buffers and the
    tensors that stay between kernels.
    ``clock_hz`` is the PU's clock at which arithmetic takes ``compute_s``, here and in phases and
    tiles: it is their product in cycles. Zero: these times do not change with a clock, as measured
    ones do not.
    ``source`` says who knew the cost (``analytical``, ``measured``, ``learned``), ``note`` why.
    ``spread`` is the standard deviation of ln(real / said) of this kernel's time where that is
    known of it alone, as of measured ones; ``None``: as its unit's ``uncertainty`` says.
    """

    dispatch_s: float
    compute_s: float
    phases: tuple[Phase, ...]
    tiles: tuple[TileRun, ...] = ()
    overlapped: bool = False
    weight_bytes: int = 0
    first_weights: int = 0
    free_weights: int = 0
    tail_load: int = 0
    on_chip_bytes: int = 0
    source: str = "analytical"
    note: str = ""
    clock_hz: float = 0.0
    spread: float | None = None

    def __post_init__(self) -> None:
        amounts = [self.dispatch_s, self.compute_s, self.spread or 0.0]
        for phase in self.phases:
            amounts += (phase.seconds, phase.compute_s, phase.load_bytes, phase.store_bytes)
        for run in self.tiles:
            amounts += (run.compute_s, run.load_bytes, run.store_bytes)
        # What everything else is made of is checked here, once, whichever model made it.
        if not all(0.0 <= amount < inf for amount in amounts):
            wrong = next(amount for amount in amounts if not 0.0 <= amount < inf)
            raise HetsimError(
                f"the {self.source} cost model says {wrong} of seconds, bytes or spread, which is"
                " negative or infinite"
            )

    @property
    def cycles(self) -> float:
        """Cycles of the PU's clock that its arithmetic takes; zero where that is not known."""
        return self.compute_s * self.clock_hz

    def at(self, stretch: float) -> Work:
        """The same work while the PU's clock makes each cycle ``stretch`` times as long."""
        return replace(
            self,
            compute_s=self.compute_s * stretch,
            phases=tuple(phase.at(stretch) for phase in self.phases),
            tiles=tuple(run.at(stretch) for run in self.tiles),
            clock_hz=self.clock_hz / stretch,
        )

    def stretch(self, hz: float) -> float:
        """How many times as long a cycle is at ``hz``; one where times do not change with it."""
        return self.clock_hz / hz if self.clock_hz else 1.0

    @property
    def moves(self) -> Mapping[str, Traffic]:
        """By memory; no name is the end of the PU's path."""
        total: dict[str, Traffic] = {}
        for phase in self.phases:
            for traffic in phase.moves:
                known = total.get(traffic.memory)
                total[traffic.memory] = known + traffic if known else traffic
        return total

    @property
    def bytes(self) -> int:
        """All that it moves."""
        return self.load_bytes + self.store_bytes

    def loaded(self, memory: str, *, tiled: bool) -> int:
        """Bytes read from one memory; tile by tile they may differ by what does not divide."""
        if tiled:
            return sum(
                run.count * amount
                for run in self.tiles
                for there, amount in run.loads
                if there == memory
            )
        moved = self.moves.get(memory)
        return 0 if moved is None else moved.load_bytes

    @property
    def load_bytes(self) -> int:
        """Bytes read from all memories, re-reads included."""
        return sum(p.load_bytes + sum(t.load_bytes for t in p.elsewhere) for p in self.phases)

    @property
    def store_bytes(self) -> int:
        """Bytes written to all memories."""
        return sum(p.store_bytes + sum(t.store_bytes for t in p.elsewhere) for p in self.phases)


def with_traffic(work: Work, *traffic: Traffic) -> Work:
    """``work`` whose longest phase also moves ``traffic``; tile by tile, its first and last one.

    No name of a memory is the end of the PU's path.
    """
    longest = max(range(len(work.phases)), key=lambda i: work.phases[i].seconds)
    phase = work.phases[longest]
    home = [t for t in traffic if not t.memory]
    load, store = sum(t.load_bytes for t in home), sum(t.store_bytes for t in home)
    far = tuple(t for t in traffic if t.memory)
    phase = replace(
        phase,
        load_bytes=phase.load_bytes + load,
        store_bytes=phase.store_bytes + store,
        elsewhere=(*phase.elsewhere, *far),
    )
    phases = (*work.phases[:longest], phase, *work.phases[longest + 1 :])
    tiles = list(_split_ends(work.tiles))
    if tiles:
        first = tiles[0]
        loads = tuple(Traffic(t.memory, t.load_bytes) for t in far if t.load_bytes)
        stores = tuple(Traffic(t.memory, 0, t.store_bytes) for t in far if t.store_bytes)
        tiles[0] = replace(
            first, load_bytes=first.load_bytes + load, elsewhere=(*first.elsewhere, *loads)
        )
        last = tiles[-1]
        tiles[-1] = replace(
            last, store_bytes=last.store_bytes + store, elsewhere=(*last.elsewhere, *stores)
        )
    return replace(work, phases=phases, tiles=tuple(tiles))


def _split_ends(runs: tuple[TileRun, ...]) -> Iterator[TileRun]:
    """The same tiles with the first and the last one as runs of their own."""
    for i, run in enumerate(runs):
        left = run.count
        if i == 0:
            yield replace(run, count=1)
            left -= 1
        last = i == len(runs) - 1 and left > 0
        if left > last:
            yield replace(run, count=left - last)
        if last:
            yield replace(run, count=1)


@dataclass(frozen=True, slots=True)
class Step:
    """Host work around a partition: a conversion, a cache flush, a copy, a call.

    ``seconds`` is the time of one host thread with all the bandwidth it wants; ``bytes`` cross
    the way to ``memory`` meanwhile (no name: the end of the host's path), ``written`` of them
    towards it.
    """

    kind: str
    name: str
    seconds: float
    bytes: int = 0
    memory: str = ""
    written: int = 0

    @property
    def read(self) -> int:
        """The bytes that are not written."""
        return self.bytes - self.written
