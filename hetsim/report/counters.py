"""Counters: quantities over time, as steps, for every picture of a run.

* ``rate``: the traffic of a link, B/s, beside its capacity;
* ``memory``: the bytes of a PU's on-chip memory that kernels' buffers and tensors kept between
  kernels take, beside its size;
* ``power``: what a part of the SoC draws, W, where its file states that: a PU its active power
  while it runs kernels and its idle power otherwise (a worker of a cluster its share by cores), a
  memory the energy of the bytes it moves. The surface under all of them is the energy of the run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hetsim.sim.trace import Span, Trace
from hetsim.soc.model import PU, SoC


@dataclass(frozen=True, slots=True)
class Counter:
    """From ``times[i]`` (seconds) on, the value is ``values[i]``, at most ``capacity``.

    Starts at zero and is closed by a last step at the makespan; repeats are removed.
    """

    name: str
    kind: str
    capacity: float
    times: tuple[float, ...]
    values: tuple[float, ...]


def counters(trace: Trace, soc: SoC) -> tuple[Counter, ...]:
    """All counters of a run: memories of PUs, links, then power as one sum."""
    power = total_power(trace, soc)
    found = (*memory_counters(trace, soc), *link_counters(trace, soc))
    return found if power is None else (*found, power)


def link_counters(trace: Trace, soc: SoC) -> tuple[Counter, ...]:
    """The traffic of each link of the SoC, in its order."""
    times: dict[str, list[float]] = {name: [0.0] for name in soc.links}
    rates: dict[str, list[float]] = {name: [0.0] for name in soc.links}
    for sample in trace.rates:
        at, values = times.setdefault(sample.link, [0.0]), rates.setdefault(sample.link, [0.0])
        _step(at, values, sample.time, sample.rate)
    found = []
    for name, at in times.items():
        capacity = max(soc.links[name].bandwidth) if name in soc.links else max(rates[name])
        found.append(_counter(name, "rate", capacity, at, rates[name], trace.makespan_s))
    return tuple(found)


def memory_counters(trace: Trace, soc: SoC) -> tuple[Counter, ...]:
    """The on-chip memory of each PU that has one and ran something."""
    found = []
    for pu in soc.pus:
        size = pu.spec.on_chip_memory * pu.share
        spans = [s for s in _kernel_spans(trace.spans, pu) if s.on_chip_bytes]
        if not size or not spans:
            continue
        at, values = [0.0], [0.0]
        end = 0.0
        for span in sorted(spans, key=lambda span: (span.start, span.end)):
            if span.start > end:
                _step(at, values, end, 0.0)
            _step(at, values, span.start, float(span.on_chip_bytes))
            end = max(end, span.end)
        _step(at, values, end, 0.0)
        found.append(_counter(pu.name, "memory", size, at, values, trace.makespan_s))
    return tuple(found)


def power_counters(trace: Trace, soc: SoC) -> tuple[Counter, ...]:
    """The power of each part that states one; none when the SoC states none."""
    found = []
    for pu in soc.pus:
        point = pu.spec.point
        share = pu.share
        active, idle = share * point.active_power, share * point.idle_power
        if not (active or idle):
            continue
        at, values = [0.0], [idle]
        for begin, end in _busy(trace.spans, pu):
            _step(at, values, begin, active)
            _step(at, values, end, idle)
        found.append(_counter(pu.name, "power", max(active, idle), at, values, trace.makespan_s))
    for link in link_counters(trace, soc):
        energy = soc.links[link.name].energy_per_byte if link.name in soc.links else 0.0
        if energy:
            watts = tuple(rate * energy for rate in link.values)
            found.append(Counter(link.name, "power", link.capacity * energy, link.times, watts))
    return tuple(found)


def total_power(trace: Trace, soc: SoC) -> Counter | None:
    """The sum of :func:`power_counters`; ``None`` when there are none."""
    parts = power_counters(trace, soc)
    if not parts:
        return None
    changes = sorted(
        (time, number, value)
        for number, part in enumerate(parts)
        for time, value in zip(part.times, part.values, strict=True)
    )
    now = [0.0] * len(parts)
    at, values = [0.0], [0.0]
    for time, number, value in changes:
        now[number] = value
        _step(at, values, time, sum(now))
    capacity = sum(part.capacity for part in parts)
    return _counter("power", "power", capacity, at, values, trace.makespan_s)


def _kernel_spans(spans: Iterable[Span], pu: PU) -> list[Span]:
    """What kernels and their transfers did on ``pu``, completion included."""
    return [
        span
        for span in spans
        if (span.operators and (span.lane == pu.name or span.lane.startswith(f"{pu.name}.dma")))
        or (span.kind in ("interrupt", "switch") and span.lane == pu.name)
    ]


def _busy(spans: Iterable[Span], pu: PU) -> list[tuple[float, float]]:
    """When ``pu`` ran kernels: from the first to the last of each partition."""
    extents: dict[tuple[int, str], tuple[float, float]] = {}
    for span in _kernel_spans(spans, pu):
        key = (span.inference, span.partition)
        begin, end = extents.get(key, (span.start, span.end))
        extents[key] = (min(begin, span.start), max(end, span.end))
    return sorted(extents.values())


def _step(times: list[float], values: list[float], time: float, value: float) -> None:
    """From ``time`` on the counter is ``value``; a later word about the same moment counts."""
    if time <= times[-1]:
        values[-1] = value
        if len(values) > 1 and values[-2] == value:
            del times[-1], values[-1]
    elif value != values[-1]:
        times.append(time)
        values.append(value)


def _counter(
    name: str, kind: str, capacity: float, times: list[float], values: list[float], end: float
) -> Counter:
    if times[-1] < end:
        times.append(end)
        values.append(0.0)
    return Counter(name, kind, capacity, tuple(times), tuple(values))
