"""T(n): PartitionTuner's single transfer time per operator, from profiles that have one per PU."""

from __future__ import annotations

from collections.abc import Iterable

from hetsim.cost.profile import INFEASIBLE, Profile


def transfer_time(profile: Profile, op: int, pus: Iterable[int]) -> float:
    """The largest finite transfer time of ``op`` over ``pus``, seconds; 0 if there is none.

    The paper measures one transfer per operator, to the NPU and back to the CPU alike. On a PU
    that shares the host's format the transfer is free, so the largest is the one that is meant.
    """
    times = (profile.transfer(op, pu) for pu in pus)
    return max((t for t in times if t < INFEASIBLE), default=0.0)
