"""Simulates several streams of inferences on one SoC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from hetsim.lower.program import Program
from hetsim.sim.dispatch import Dispatcher
from hetsim.sim.serving.served import Ledger, Served
from hetsim.sim.serving.source import StreamSource
from hetsim.sim.simulate import execute
from hetsim.sim.source import Completion, Sink
from hetsim.sim.tracefile import TraceFile
from hetsim.soc.model import SoC
from hetsim.streams.service import Stream


def serve(
    soc: SoC,
    streams: Sequence[Stream],
    programs: Mapping[str, Program],
    *,
    dispatcher: Dispatcher | None = None,
    duration_s: float = inf,
    seed: int = 0,
    fidelity: str = "fluid",
    trace: bool | TraceFile = False,
    contention: bool = True,
    watch: Sink | None = None,
) -> Served:
    """Carries out ``streams``, each by its program (by the stream's name), until all have ended.

    ``trace`` is that of :func:`hetsim.sim.simulate.execute`; it takes memory or disk by the event,
    all else a few bytes for each inference. ``watch`` is called at each end as well, and what it
    raises ends the simulation.

    Raises:
        PlanError: partitions wait for one another in a circle.
        InfeasibleError: a state has outgrown its memory.
    """
    ledgers = [Ledger() for _ in streams]

    def take(done: Completion) -> None:
        ledgers[done.inference.stream].add(done.inference.arrival, done.start, done.finish)
        if watch is not None:
            watch(done)

    rows = execute(
        soc,
        StreamSource(streams, programs, duration_s=duration_s, seed=seed),
        fidelity=fidelity,
        trace=trace,
        contention=contention,
        sink=take,
        dispatcher=dispatcher,
    )
    names = [stream.name for stream in streams]
    return Served(dict(zip(names, ledgers, strict=True)), rows.makespan_s, rows)
