"""Floors made of a profile, for problems that come without floors of a simulator.

A profile's times are no lower bounds on simulations; what is proven with them is how far a plan's
*predicted* makespan may be from the best.
"""

from __future__ import annotations

from collections.abc import Callable

from hetsim.bounds.floors import Chain, Floors, Least, alike, divided
from hetsim.cost.profile import INFEASIBLE
from hetsim.schedulers.base import Problem
from hetsim.soc.model import PU


def profile_floors(problem: Problem) -> Floors:
    """What everything takes according to the problem's profile."""
    profile, graph, soc = problem.profile, problem.graph, problem.soc
    host = soc.host.index

    def kernel_on(pu: PU) -> Callable[[Chain], Least | None]:
        def kernel(chain: Chain) -> Least | None:
            seconds = profile.chain_time(chain, pu.index)
            return None if seconds == INFEASIBLE else Least(seconds)

        return kernel

    def toll(tensor: str, source: int | None, target: int | None) -> Least:
        from_ = host if source is None else source
        to = host if target is None else target
        return Least(profile.crossing(tensor, from_, to))

    columns = {
        pu.index: divided(graph, pu, kernel_on(pu), lambda op: 0.0)
        for pu, first in zip(soc.pus, alike(soc), strict=True)
        if first == pu.index
    }
    return Floors(
        ops=tuple(zip(*(columns[first] for first in alike(soc)), strict=True)),
        toll=toll,
        call=profile.call(),
        leave=((0.0,) * len(soc.pus),) * len(graph),
        awake=(False,) * len(soc.pus),
    )
