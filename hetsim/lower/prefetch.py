"""Loading the next kernel's first weights while this one computes its last tile.

An option of NPUs. What moves early is bounded by the weights the next kernel's first tile needs
and by the on-chip memory that this kernel leaves free. The bytes stay the same, only their time
changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hetsim.cost.work import Phase, TileRun, Work
from hetsim.soc.model import PU


def prefetched(works: Sequence[Work], pu: PU) -> list[Work]:
    """The kernels of one partition, with weights moved from each to the one before it."""
    result = list(works)
    for i in range(len(result) - 1):
        amount = min(result[i + 1].first_weights, result[i].free_weights)
        if amount > 0 and result[i].overlapped and result[i + 1].tiles:
            result[i] = _lend(result[i], amount, pu)
            result[i + 1] = _relieved(result[i + 1], amount, pu)
    return result


def _lend(work: Work, amount: int, pu: PU) -> Work:
    """``work`` that also loads ``amount`` bytes for its successor during its last tile."""
    last = max((i for i, p in enumerate(work.phases) if p.kind == "stream"), default=None)
    if last is None:
        return work
    phase = work.phases[last]
    moving = pu.home.seconds(phase.load_bytes + amount, phase.store_bytes)
    alone = moving + pu.spec.transfer_setup
    longer = replace(phase, load_bytes=phase.load_bytes + amount, seconds=max(phase.seconds, alone))
    phases = (*work.phases[:last], longer, *work.phases[last + 1 :])
    held = work.on_chip_bytes + amount
    return replace(work, phases=phases, tail_load=amount, on_chip_bytes=held)


def _relieved(work: Work, amount: int, pu: PU) -> Work:
    """``work`` whose first tile finds ``amount`` bytes of weights already there."""
    first = work.phases[0]
    left = first.load_bytes - amount
    seconds = pu.home.seconds(left, 0) + pu.spec.transfer_setup if left else 0.0
    phases = (*((Phase("load", seconds, left),) if left else ()), *work.phases[1:])
    run = work.tiles[0]
    head = TileRun(1, run.load_bytes - amount, run.compute_s, run.store_bytes)
    rest = (replace(run, count=run.count - 1),) if run.count > 1 else ()
    return replace(
        work,
        phases=phases or (Phase("stream", 0.0),),
        tiles=(head, *rest, *work.tiles[1:]),
        first_weights=work.first_weights - amount,
    )
