"""Loading the next kernel's first weights while this one computes its last tile.

An option of NPUs. What moves early is bounded by the weights the next kernel's first tile needs
and by the on-chip memory that this kernel leaves free. The bytes stay the same, only their time
changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hetsim.cost.work import Phase, Work
from hetsim.soc.model import PU


def prefetched(works: Sequence[Work], pu: PU) -> list[Work]:
    """The kernels of one partition, with weights moved from each to the one before it."""
    result = list(works)
    for i in range(len(result) - 1):
        work, following = result[i], result[i + 1]
        amount = min(following.first_weights, work.free_weights)
        if amount and work.overlapped and following.tiles:
            streams = [k for k, phase in enumerate(work.phases) if phase.kind == "stream"]
            if streams:
                result[i] = _lend(work, streams[-1], amount, pu)
                result[i + 1] = _relieved(following, amount, pu)
    return result


def _lend(work: Work, last: int, amount: int, pu: PU) -> Work:
    """``work`` that also loads ``amount`` bytes for its successor in ``last``, its last tile."""
    phase = work.phases[last]
    moving = pu.home.seconds(phase.load_bytes + amount, phase.store_bytes)
    alone = moving + pu.spec.transfer_setup
    longer = replace(phase, load_bytes=phase.load_bytes + amount, seconds=max(phase.seconds, alone))
    phases = (*work.phases[:last], longer, *work.phases[last + 1 :])
    held = work.on_chip_bytes + amount
    return replace(work, phases=phases, tail_load=amount, on_chip_bytes=held)


def _relieved(work: Work, amount: int, pu: PU) -> Work:
    """``work`` whose first tile finds ``amount`` bytes of weights already there."""
    first, *others = work.phases
    left = first.load_bytes - amount
    if left:
        seconds = pu.home.seconds(left, 0) + pu.spec.transfer_setup
        others.insert(0, Phase("load", seconds, left))
    run, *further = work.tiles
    if run.count > 1:
        further.insert(0, replace(run, count=run.count - 1))
    head = replace(run, count=1, load_bytes=run.load_bytes - amount)
    return replace(
        work,
        phases=tuple(others),
        tiles=(head, *further),
        first_weights=work.first_weights - amount,
    )
