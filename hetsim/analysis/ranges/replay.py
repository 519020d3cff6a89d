"""A plan that ran, again with other times of its kernels, without simulating: max and plus.

Partitions keep what they waited for: the results they read, the partition before them on their
unit and, where a runtime forks, the group before theirs; what passed between the last of these and
their start passes again. So the end of a plan is a maximum of sums of times (Baccelli et al.,
"Synchronization and Linearity", 1992), which all samples take at once.

Where a kernel's transfers lost time to others, the bus decides: that stretch lasts as long as its
bytes need, or as the kernel itself if that is longer. How long it was is not in a trace; the kernel
is taken to have gone at half its speed there, as beside one like itself. A kernel that takes less
time than its bytes need on an idle bus moves fewer of them, as a measured one does
(:mod:`hetsim.cost.measured.fit`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hetsim.analysis.launches import OperatorRow
from hetsim.analysis.ran import Ran
from hetsim.analysis.ranges.draws import SAMPLES
from hetsim.analysis.ranges.errors import Errors
from hetsim.numeric import Floats


def replay(ran: Ran, kernels: Sequence[OperatorRow], errors: Errors) -> Floats:
    """Makespans of the first inference, seconds, :data:`~hetsim.analysis.ranges.draws.SAMPLES`.

    ``kernels`` are the launches of ``ran``. Linear in them.
    """
    lasting = _durations(ran, kernels, errors)
    before = _before(ran)
    rows = sorted(
        (row for row in ran.trace.tasks if not row.inference),
        key=lambda row: (row.start, row.end, row.position),
    )
    ended: dict[int, tuple[float, Floats]] = {}
    last: dict[int, int] = {}
    for row in rows:
        causes = {*ran.program.jobs[row.position].needs, *before[row.position]}
        if row.pu in last:
            causes.add(last[row.pu])
        known = [ended[cause] for cause in sorted(causes) if cause in ended]
        free = max((end for end, _ in known), default=0.0)
        start: Floats = np.zeros(SAMPLES)
        for _, ends in known:
            start = np.maximum(start, ends)
        last[row.pu] = row.position
        ended[row.position] = row.end, start + (row.start - free) + lasting[row.position]
    left = ran.trace.makespan_s - max((end for end, _ in ended.values()), default=0.0)
    result: Floats = np.zeros(SAMPLES)
    for _, ends in ended.values():
        result = np.maximum(result, ends)
    return result + left


def _durations(ran: Ran, kernels: Sequence[OperatorRow], errors: Errors) -> list[Floats]:
    """Of every partition, by position."""
    rows = {(row.partition, row.operators): row for row in kernels}
    found = []
    for job in ran.jobs:
        pu = ran.soc.pus[job.job.pu]
        around = job.at[1] - job.at[0]
        total: Floats = np.zeros(SAMPLES)
        for part in job.launches:
            length = part.at[1] - part.at[0]
            around -= length
            factors = errors.kernel(part.launch, pu)
            if factors is None:
                total = total + length
            else:
                row = rows[job.job.name, part.launch.name]
                total = total + _stretched(length, row, factors)
        factors = errors.host(job.job.launches, pu)
        found.append(total + max(around, 0.0) * factors)
    return found


def _stretched(length: float, row: OperatorRow, factors: Floats) -> Floats:
    """What a kernel of ``length`` seconds takes when alone it takes ``factors`` times as long."""
    if row.contention_s <= 0.0:
        return length * factors
    beside = min(row.contention_s, row.alone_s)
    moving = row.link_bytes / row.link_bytes_per_s if row.link_bytes else 0.0
    kept = np.minimum(1.0, row.alone_s / moving * factors) if moving > 0.0 else 1.0
    bus = (row.contention_s + beside) * kept
    return np.asarray((row.alone_s - beside) * factors + np.maximum(bus, beside * factors))


def _before(ran: Ran) -> dict[int, tuple[int, ...]]:
    """By position: the group that must have ended before, where the runtime forks and joins."""
    found: dict[int, tuple[int, ...]] = {}
    group_before: tuple[int, ...] = ()
    for group in ran.program.groups:
        found.update(dict.fromkeys(group, group_before if ran.runtime.forks else ()))
        group_before = tuple(group)
    return {i: found.get(i, ()) for i in range(len(ran.program.jobs))}
