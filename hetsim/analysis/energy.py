"""What a run draws, by part: the sums behind the metric, and what is no kernel's.

A PU draws its active power while it runs kernels and its idle power otherwise, a worker of a
cluster its share of the cluster's by cores; each byte a memory moves costs its energy. So a kernel
costs its time at active power and its bytes; apart from kernels there are idling, the PU's
completion of partitions, and what the host moves between formats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hetsim.analysis.attribution import exact
from hetsim.analysis.ran import Ran
from hetsim.analysis.traffic import on_links
from hetsim.sim.serving.accounts import ByStream
from hetsim.sim.trace import Trace
from hetsim.soc.model import PU, SoC


def unit_power(pu: PU) -> tuple[float, float]:
    """What ``pu`` draws, W: while it runs kernels, and otherwise."""
    point = pu.spec.point
    return pu.share * point.active_power, pu.share * point.idle_power


def bytes_energy(soc: SoC, carried: Mapping[str, float]) -> float:
    """What it costs that links carry so many bytes each, J."""
    return sum(amount * soc.links[name].energy_per_byte for name, amount in carried.items())


def energy(trace: Trace, soc: SoC) -> float | None:
    """Joules of one run, or ``None`` when the SoC states no power and no energy."""
    total, stated = 0.0, False
    for pu in soc.pus:
        active, idle = unit_power(pu)
        stated = stated or bool(active or idle)
        busy = trace.pu_busy_s[pu.name]
        total += busy * active + (trace.makespan_s - busy) * idle
    for name, usage in trace.links.items():
        stated = stated or bool(soc.links[name].energy_per_byte)
        total += bytes_energy(soc, {name: usage.bytes})
    return total if stated else None


def energy_of_stream(by_stream: ByStream, soc: SoC, stream: str) -> float | None:
    """Joules that a stream's inferences drew together: units at active power, and bytes.

    Idling is nobody's. ``None`` as in :func:`energy`.
    """
    at = by_stream.streams.index(stream)
    powers = [unit_power(soc.by_name[name]) for name in by_stream.units]
    busy: list[float] = by_stream.busy_s[:, at].tolist()
    bytes_: list[float] = by_stream.bytes[:, at].tolist()
    carried = dict(zip(by_stream.links, bytes_, strict=True))
    if not any(map(any, powers)) and not any(soc.links[name].energy_per_byte for name in carried):
        return None
    active = (seconds * power for seconds, (power, _) in zip(busy, powers, strict=True))
    return math.fsum(active) + bytes_energy(soc, carried)


def energy_apart(ran: Ran, kernels: Sequence[tuple[str, float]]) -> dict[str, float]:
    """What is no kernel's, in joules, by words: ``npu idle``, ``dram crossings``.

    ``kernels`` are the unit and energy (J) of every kernel: its time at active power, and its
    bytes. Their energy and all of this add up to that of the run.
    """
    trace, soc = ran.trace, ran.soc
    total = energy(trace, soc)
    if total is None:
        return {}
    found: dict[str, float] = {}
    carried = dict.fromkeys(soc.links, 0)
    moving = dict.fromkeys((pu.name for pu in soc.pus), 0.0)
    for job, launches in zip(ran.program.jobs, ran.moved, strict=True):
        pu = soc.pus[job.pu]
        for ways in launches:
            own = on_links(soc, pu, ((way.memory, *way.bytes, way.cached) for way in ways))
            moving[pu.name] += bytes_energy(soc, own)
            for link, amount in own.items():
                carried[link] += amount
    for pu in soc.pus:
        active, idle = unit_power(pu)
        busy = trace.pu_busy_s[pu.name]
        running = math.fsum(joules for name, joules in kernels if name == pu.name)
        found[f"{pu.name} idle"] = (trace.makespan_s - busy) * idle
        if pu.spec.completion_latency:
            found[f"{pu.name} completion"] = max(busy * active - running + moving[pu.name], 0.0)
    for name, usage in trace.links.items():
        joules = bytes_energy(soc, {name: usage.bytes - carried[name]})
        if joules:
            found[f"{name} crossings"] = joules
    found = {name: joules for name, joules in found.items() if joules > 0.0}
    return exact(found, total, [joules for _, joules in kernels])
