"""From a measured time to a demand: the analytical work, bent until it takes that long.

A measurement says how long a kernel took, not what it asked of the memory. Its bytes stay those of
the analytical model, and its arithmetic takes what the measurement leaves. Only when the bytes
alone would take longer than was measured is the analytical model refuted: caches must have
served part of them, and the traffic is cut to what fits the time. Tiles are left out: a measured
kernel runs as its phases at every fidelity, because nobody measured what happens inside it.
"""

from __future__ import annotations

from dataclasses import replace

from hetsim.cost.work import Phase, Work
from hetsim.soc.model import Way


def alone_s(work: Work, path: Way) -> float:
    """Seconds that ``work`` takes on an idle SoC whose memory lies at the end of ``path``."""
    return work.dispatch_s + sum(_phase_s(phase, path) for phase in work.phases)


def _phase_s(phase: Phase, path: Way) -> float:
    if not phase.bytes:
        return phase.seconds
    return path.latency + max(phase.seconds, moving_s(phase, path))


def moving_s(phase: Phase, path: Way) -> float:
    """Seconds that the bytes of ``phase`` take on an idle path, latency aside."""
    return path.seconds(phase.load_bytes, phase.store_bytes)


def fit(
    work: Work, seconds: float, path: Way, *, source: str, note: str, spread: float | None = None
) -> Work:
    """``work`` changed so that :func:`alone_s` gives ``seconds`` (positive and finite)."""
    if work.spread != spread:
        work = replace(work, spread=spread)
    moved = sum(moving_s(p, path) for p in work.phases)
    waits = sum(path.latency for p in work.phases if p.bytes)
    fixed = sum(max(p.seconds - moving_s(p, path), 0.0) for p in work.phases if not p.compute_s)
    if not any(p.compute_s for p in work.phases):
        fixed = 0.0  # nothing computes: what moves is all there is to stretch
    left = seconds - work.dispatch_s - waits - moved - fixed
    if left >= 0.0:
        return _stretched(work, left, path, source, note)
    dispatch = max(0.0, seconds - waits - moved - fixed)
    if dispatch > 0.0:
        return _stretched(replace(work, dispatch_s=dispatch), 0.0, path, source, note)
    return _cut(work, seconds, path, source, note)


def _stretched(work: Work, left: float, path: Way, source: str, note: str) -> Work:
    """Spreads ``left`` seconds over the phases that compute, on top of what their bytes take."""
    weights = [p.compute_s for p in work.phases]
    if not any(weights):
        weights = [float(p.bytes) for p in work.phases]
    if not any(weights):
        weights = [1.0] * len(work.phases)
    total = sum(weights)
    computes = any(p.compute_s for p in work.phases)
    phases = []
    for phase, weight in zip(work.phases, weights, strict=True):
        if computes and not phase.compute_s:
            phases.append(phase)
            continue
        least = moving_s(phase, path)
        length = least + left * (weight / total)
        busy = length if left > 0.0 else min(phase.compute_s, length)
        phases.append(replace(phase, seconds=length, compute_s=busy if computes else 0.0))
    return replace(
        work,
        compute_s=sum(p.compute_s for p in phases),
        phases=tuple(phases),
        tiles=(),
        clock_hz=0.0,
        source=source,
        note=note,
    )


def _cut(work: Work, seconds: float, path: Way, source: str, note: str) -> Work:
    """Fewer bytes over the path: caches served the rest."""
    waits = sum(path.latency for p in work.phases if p.bytes)
    moved = sum(p.bytes for p in work.phases)
    room = max(0.0, seconds - waits)
    whole = sum(moving_s(p, path) for p in work.phases)
    share = min(1.0, room / whole) if moved else 0.0
    phases = [
        replace(p, load_bytes=int(p.load_bytes * share), store_bytes=int(p.store_bytes * share))
        for p in work.phases
    ]
    waits = sum(path.latency for p in phases if p.bytes)
    least = [moving_s(p, path) for p in phases]
    spare = max(0.0, seconds - waits - sum(least)) / len(phases)
    done = tuple(
        replace(p, seconds=length + spare, compute_s=min(p.compute_s, length + spare))
        for p, length in zip(phases, least, strict=True)
    )
    saved = 1.0 - sum(p.bytes for p in done) / moved if moved else 0.0
    note = f"{note}; caches served {saved:.0%} of its bytes"
    return replace(
        work,
        dispatch_s=0.0,
        compute_s=sum(p.compute_s for p in done),
        phases=done,
        tiles=(),
        clock_hz=0.0,
        weight_bytes=int(work.weight_bytes * share),
        first_weights=int(work.first_weights * share),
        source=source,
        note=note,
    )
