"""Simulates several streams of inferences on one SoC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from hetsim.lower.program import Program
from hetsim.sim.dispatch import Dispatcher
from hetsim.sim.machine import Machine
from hetsim.sim.recorder import Recorder, SpanRecorder
from hetsim.sim.serving.accounts import Accounts
from hetsim.sim.serving.runtime import Serving
from hetsim.sim.serving.sample import Onlooker, Sample, Sampler
from hetsim.sim.serving.served import Ledger, Served
from hetsim.sim.serving.source import StreamSource
from hetsim.sim.simulate import run, tile_by_tile, totals
from hetsim.sim.trace import Trace
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
    trace: bool | TraceFile | Sample = False,
    contention: bool = True,
    preemption_cost_s: float = 0.0,
    backlog: float = inf,
    onlooker: Onlooker | None = None,
) -> Served:
    """Carries out ``streams``, each by its program (by the stream's name), until all have ended.

    A unit that is taken from a task between two launches is busy for ``preemption_cost_s`` more
    each time. When ``backlog`` inferences of one stream wait, the simulation stops there.

    ``trace`` is that of :func:`hetsim.sim.simulate.execute`, which takes memory or disk by the
    event, or a :class:`~hetsim.sim.serving.sample.Sample`, which takes as much memory however long
    the run. All else takes a few bytes for each inference. An ``onlooker`` hears of every end where
    the trace is no sample; what it raises ends the simulation.

    Raises:
        PlanError: partitions wait for one another in a circle.
        InfeasibleError: a state has outgrown its memory.
    """
    rows = Trace(0.0, {}, {})
    to = trace if isinstance(trace, TraceFile) else rows
    recorder = SpanRecorder(to.spans, to.tasks, to.activities, to.hits)
    sampler: Sampler | None = None
    if isinstance(trace, Sample):
        sampler = Sampler(trace, [stream.name for stream in streams], seed)
    accounts = Accounts(len(streams), len(soc.pus), sampler or (recorder if trace else Recorder()))
    machine = Machine(
        soc, accounts, tiles=tile_by_tile(fidelity), shared=contention,
        preemption_s=preemption_cost_s,
    )  # fmt: skip
    source = StreamSource(streams, programs, duration_s=duration_s, seed=seed)
    ledgers = {stream.name: Ledger() for stream in streams}
    runtime = Serving(
        machine, source, streams, [*ledgers.values()], dispatcher, backlog=backlog,
        onlooker=sampler or onlooker,
    )  # fmt: skip
    run(machine, runtime)
    runtime.close()
    found = totals(machine, runtime.last_s)
    found.spans, found.tasks = rows.spans, rows.tasks
    found.activities, found.hits = rows.activities, rows.hits
    units, links = [unit.lane for unit in machine.units], list(machine.network.links)
    by_stream = accounts.close(list(ledgers), units, links, runtime.waits)
    windows = () if sampler is None else sampler.replay(recorder)
    return Served(
        ledgers, found.makespan_s, found, runtime.stopped, by_stream=by_stream, windows=windows
    )
