"""Whose bytes crossed the links: by class of tensor, and by kernel.

A kernel's tensors are counted once each; what it loads beyond that is *refetch*, read again because
tiles did not fit. Where caches served a part of them, every class has its share of the rest. The
host's conversions and copies are *crossings*. All classes of a link add up to its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hetsim.cost.analytical.traffic import tensor_bytes, weight_bytes
from hetsim.cost.work import Kernel, Work
from hetsim.lower.program import Job, Launch, Program
from hetsim.sim.trace import Hit
from hetsim.soc.model import PU, SoC
from hetsim.workload.graph import Graph

CLASSES = ("weights", "activations", "inputs", "outputs", "refetch", "crossings")
"""``inputs`` and ``outputs`` are those of the network; ``activations`` all others."""

Bytes = dict[str, int]
"""Bytes by class; only those there are."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What one kernel reads from ``memory`` and writes there, by class.

    ``once`` are the bytes, read and written, when each tensor crosses once. ``cached`` of those it
    reads came from a system cache on the way.
    """

    memory: str
    loads: Mapping[str, int]
    stores: Mapping[str, int]
    once: tuple[int, int]
    cached: int = 0

    @property
    def bytes(self) -> tuple[int, int]:
        """All that is read, and written."""
        return sum(self.loads.values()), sum(self.stores.values())


def moved_by(
    graph: Graph, soc: SoC, job: Job, memories: Mapping[str, str], hits: Mapping[str, int],
    *, tiled: bool = False,
) -> Iterator[tuple[Moved, ...]]:  # fmt: skip
    """For each launch of ``job``, what it moves, by memory, that of its own path first.

    ``memories`` are those of tensors that the plan has put somewhere, ``hits`` the bytes that each
    launch found in a system cache. ``tiled``: at the fidelity that plays tiles, which may differ by
    the bytes that do not divide.
    """
    pu = soc.pus[job.pu]
    lent = 0
    for launch in job.launches:
        work = launch.work
        early = work.tail_load - lent  # weights of its successor, less its own that came before
        lent = work.tail_load
        once = _once(graph, pu, launch, memories, early)
        yield tuple(
            _part(
                memory or pu.memory,
                amounts,
                once.get(memory, ({}, {})),
                0 if memory else hits.get(launch.name, 0),
            )
            for memory, amounts in _moved(work, tiled=tiled).items()
        )


def way_bytes(
    soc: SoC, pu: PU, memory: str, loads: Bytes, stores: Bytes, cached: int = 0
) -> Iterator[tuple[str, Bytes]]:
    """What ``pu`` reads from ``memory`` and writes there, by class, on each link that it crosses.

    ``cached`` bytes of what is read cross no link behind the cache that has them; of each class
    the same share.
    """
    way = soc.route(pu, memory)
    near = way.links if pu.cached is None else pu.cached.links
    missed = _shared(sum(loads.values()) - cached, loads, "") if cached else loads
    for number, link in enumerate(way.links):
        yield link, loads if number < len(near) else missed
    for link in way.back:
        yield link, stores


def link_classes(
    soc: SoC, program: Program, moved: Sequence[Sequence[Sequence[Moved]]], hits: Iterable[Hit]
) -> dict[str, Bytes]:
    """Bytes of every link by class.

    ``moved`` is :func:`moved_by` of every job, ``hits`` what system caches had for the host.
    """
    found: dict[str, Bytes] = {name: {} for name in soc.links}

    def add(pu: PU, memory: str, loads: Bytes, stores: Bytes, cached: int) -> None:
        for link, classes in way_bytes(soc, pu, memory, loads, stores, cached):
            own = found[link]
            for kind, amount in classes.items():
                own[kind] = own.get(kind, 0) + amount

    for job, launches in zip(program.jobs, moved, strict=True):
        for part in (part for parts in launches for part in parts):
            loads, stores = dict(part.loads), dict(part.stores)
            add(soc.pus[job.pu], part.memory, loads, stores, part.cached)
        steps = [*job.entry, *job.exit]
        steps += [step for launch in job.launches for step in (*launch.before, *launch.after)]
        for step in steps:
            memory = step.memory or soc.host.memory
            read, written = {"crossings": step.read}, {"crossings": step.written}
            add(soc.host, memory, read, written, 0)
    home = soc.host.memory
    for hit in hits:
        if hit.kind != "kernel":
            near = on_links(soc, soc.host, [(home, hit.bytes, 0, hit.bytes)])
            for link in soc.host.path:
                found[link]["crossings"] -= hit.bytes - near.get(link, 0)
    return {
        name: {kind: classes[kind] for kind in CLASSES if classes.get(kind)}
        for name, classes in found.items()
    }


def on_links(soc: SoC, pu: PU, amounts: Iterable[tuple[str, int, int, int]]) -> dict[str, int]:
    """Bytes by link of what ``pu`` reads and writes: (memory, bytes read, written, cached)."""
    found: dict[str, int] = {}
    for memory, loads, stores, cached in amounts:
        for link, classes in way_bytes(soc, pu, memory, {"": loads}, {"": stores}, cached):
            if classes[""]:
                found[link] = found.get(link, 0) + classes[""]
    return found


def _part(memory: str, amounts: tuple[int, int], once: tuple[Bytes, Bytes], cached: int) -> Moved:
    """What is loaded and stored, by class."""
    loads, stores = amounts
    least = min(loads, sum(once[0].values())), min(stores, sum(once[1].values()))
    return Moved(
        memory, _shared(loads, once[0], "refetch"), _shared(stores, once[1], "activations"), least,
        cached,
    )  # fmt: skip


def _add(found: dict[str, Bytes], links: Sequence[str], classes: Mapping[str, int]) -> None:
    for link in links:
        own = found[link]
        for kind, amount in classes.items():
            own[kind] = own.get(kind, 0) + amount


def _moved(work: Work, *, tiled: bool) -> dict[str, tuple[int, int]]:
    """Bytes loaded and stored by memory; no name is the end of the unit's path."""
    found = {"": (0, 0)}

    def add(memory: str, loads: int, stores: int) -> None:
        before = found.get(memory, (0, 0))
        found[memory] = before[0] + loads, before[1] + stores

    if tiled and work.tiles:
        add("", work.tail_load, 0)
        for run in work.tiles:
            for memory, amount in run.loads:
                add(memory, run.count * amount, 0)
            for memory, amount in run.stores:
                add(memory, 0, run.count * amount)
        return found
    for phase in work.phases:
        add("", phase.load_bytes, phase.store_bytes)
        for part in phase.elsewhere:
            add(part.memory, part.load_bytes, part.store_bytes)
    return found


def _once(
    graph: Graph, pu: PU, launch: Launch, memories: Mapping[str, str], early: int
) -> dict[str, tuple[Bytes, Bytes]]:
    """By memory, the classes that a kernel reads and writes when each tensor crosses once."""
    kernel = Kernel.of(graph, tuple(graph.operator(name) for name in launch.operators))
    found: dict[str, tuple[Bytes, Bytes]] = {"": ({}, {})}
    weights = max(weight_bytes(kernel, pu) + early, 0)
    if weights:
        found[""][0]["weights"] = weights
    sides = (
        (kernel.inputs, launch.kept.inputs, frozenset(graph.inputs), "inputs"),
        (kernel.outputs, launch.kept.outputs, graph.output_set, "outputs"),
    )
    for side, (tensors, kept, ends, name) in enumerate(sides):
        for tensor in tensors:
            if tensor in kept:
                continue
            memory = memories.get(tensor, pu.memory)
            own = found.setdefault("" if memory == pu.memory else memory, ({}, {}))[side]
            kind = name if tensor in ends else "activations"
            own[kind] = own.get(kind, 0) + tensor_bytes(graph, tensor, pu)
    return found


def _shared(amount: int, once: Bytes, rest: str) -> Bytes:
    """``amount`` bytes by class: those of ``once``, or in their proportion if it is less.

    What is beyond goes to the class ``rest``.
    """
    total = sum(once.values())
    found = dict(once) if amount >= total else {k: v * amount // total for k, v in once.items()}
    left = amount - sum(found.values())
    if left:
        where = rest if amount > total or not found else max(found, key=lambda kind: found[kind])
        found[where] = found.get(where, 0) + left
    return found
