"""What is proven of streams by given plans: worst responses, and how much gets through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from hetsim.analysis.serving.view import StreamView
from hetsim.bounds.response.streams import Worst, WorstCase
from hetsim.bounds.throughput import Limit, demands, most_together
from hetsim.lower.program import Program
from hetsim.sim.dispatch import Dispatcher
from hetsim.soc.model import SoC
from hetsim.streams.service import Service


@dataclass(frozen=True)
class Proofs:
    """By the name of the stream; what nothing is proven of has no limit.

    ``limits`` are of each stream alone on the SoC, ``together`` is of all with what they offer.
    Both are of what ends while rates are counted: what was there when that began comes on top.
    """

    worst: Mapping[str, Worst]
    limits: Mapping[str, Limit]
    together: Limit | None


def proven(
    soc: SoC,
    service: Service,
    programs: Mapping[str, Program],
    dispatcher: Dispatcher,
    views: Sequence[StreamView],
    fidelity: str,
) -> Proofs:
    """The proofs about ``programs``, by the name of the stream; ``views`` tell how many came."""
    worst = WorstCase(
        soc, service.streams, programs, dispatcher, fidelity, service.preemption_cost_s
    ).worst()
    if dispatcher.places or dispatcher.replans:  # nobody knows what runs where
        return Proofs(worst, {}, None)
    tiles = fidelity == "tile"
    asked = {name: demands(soc, program, tiles=tiles) for name, program in programs.items()}
    known = {name: found for name, found in asked.items() if found is not None}
    there = {view.stream.name: view.there / view.window_s if view.window_s else 0.0
             for view in views}  # fmt: skip
    limits = {
        stream.name: known[stream.name].most(stream.in_flight).plus(there[stream.name])
        for stream in service.streams
        if stream.name in known
    }
    if len(known) < len(asked):
        return Proofs(worst, limits, None)
    rates = service.rates()
    # What the SoC itself paces offers as much as it can.
    offered = {
        view.stream.name: view.arrived / view.window_s
        if rates[view.stream.name] is not None and view.window_s > 0.0
        else inf
        for view in views
    }
    return Proofs(worst, limits, most_together(known, offered).plus(sum(there.values())))
