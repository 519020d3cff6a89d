"""Runs programs on a SoC and returns what happened."""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.errors import ConfigError, HetsimError
from hetsim.lower.program import Program
from hetsim.sim.dispatch import Dispatcher
from hetsim.sim.machine import Machine
from hetsim.sim.network.traced import TracedNetwork
from hetsim.sim.recorder import Recorder, SpanRecorder
from hetsim.sim.runtimes.base import Runtime
from hetsim.sim.runtimes.dataflow import Dataflow
from hetsim.sim.runtimes.registry import DEFAULT, find_runtime
from hetsim.sim.source import Completion, Inference, Listed, Sink, Source
from hetsim.sim.trace import Activity, Hit, Span, TaskRow, Trace
from hetsim.sim.tracefile import TraceFile
from hetsim.soc.model import SoC

FIDELITIES = ("fluid", "tile")
"""Grains of the NPU model."""


def execute(
    soc: SoC,
    work: Program | Sequence[Inference] | Source,
    *,
    execution: str = DEFAULT,
    fidelity: str = "fluid",
    trace: bool | TraceFile = True,
    contention: bool = True,
    sink: Sink | None = None,
    dispatcher: Dispatcher | None = None,
) -> Trace:
    """Simulates one program, several inferences, or whatever a source asks for.

    ``execution`` is one of :func:`~hetsim.sim.runtimes.registry.runtime_names`, ``fidelity``
    ``fluid`` or ``tile``. With ``trace=False`` only totals are kept, which is what a search wants;
    a :class:`~hetsim.sim.tracefile.TraceFile` takes the rows instead of the result, and ``sink``
    each inference's times as it ends, so that memory stays bounded however long the run. With
    ``contention=False`` every transfer runs as if it were alone: the difference is the exact cost
    of contention. A ``dispatcher`` decides who is next on each unit, in place of the runtime's own.

    Raises:
        ConfigError: unknown execution or fidelity, or a dispatcher for a runtime that asks none.
        PlanError: the partitions wait for one another in a circle, or a state lies where its PU
            cannot reach it.
        InfeasibleError: a state has outgrown its memory.
    """
    runtime_class = find_runtime(execution)
    if isinstance(work, Program):
        work = [Inference(work)]
    source = work if isinstance(work, Source) else Listed(work)
    results = _Results(sink)
    spans: list[Span] = []
    tasks: list[TaskRow] = []
    activities: list[Activity] = []
    hits: list[Hit] = []
    recorder: Recorder | None = None
    if isinstance(trace, TraceFile):
        recorder = SpanRecorder(trace.spans, trace.tasks, trace.activities, trace.hits)
    elif trace:
        recorder = SpanRecorder(spans, tasks, activities, hits)
    machine = Machine(
        soc, recorder, rates=trace is True, tiles=tile_by_tile(fidelity), shared=contention
    )
    runtime = (
        runtime_class(machine, source, results.take)
        if dispatcher is None
        else _dispatched(runtime_class)(machine, source, results.take, dispatcher)
    )
    run(machine, runtime)
    found = totals(machine, results.last)
    found.spans, found.tasks, found.activities, found.hits = spans, tasks, activities, hits
    found.arrived = [done.inference.arrival for done in results.by_number()]
    found.finished = [done.finish for done in results.by_number()]
    return found


def tile_by_tile(fidelity: str) -> bool:
    """Whether ``fidelity`` plays every tile.

    Raises:
        ConfigError: there is no such fidelity.
    """
    if fidelity not in FIDELITIES:
        raise ConfigError(f"unknown fidelity {fidelity!r}", hint=f"one of {', '.join(FIDELITIES)}")
    return fidelity == "tile"


def run(machine: Machine, runtime: Runtime) -> None:
    """Lets ``runtime`` go on until nothing happens any more, or it stops.

    Raises:
        PlanError: partitions wait for one another in a circle.
        DispatcherError: a dispatcher raised, or did what no unit can carry out.
    """
    try:
        runtime.start()
        machine.env.run()
    except HetsimError as error:
        # What a process raised comes out as a copy without its place and hint.
        raise error.__cause__ if isinstance(error.__cause__, HetsimError) else error from None
    except (Exception, SystemExit) as error:
        raise runtime.blamed(error) from None
    if runtime.open and not runtime.stopped:
        raise runtime.stuck()


def totals(machine: Machine, end_s: float) -> Trace:
    """What happened on ``machine`` until the last inference ended, without rows of tasks."""
    network = machine.network
    return Trace(
        makespan_s=end_s,
        pu_busy_s={unit.lane: unit.busy_s for unit in machine.units},
        links={name: link.usage for name, link in network.links.items()},
        rates=network.samples if isinstance(network, TracedNetwork) else [],
        events=next(machine.env._eid),
        state_peak_bytes=machine.states.peak_bytes,
    )


def _dispatched(runtime: type[Runtime]) -> type[Dataflow]:
    if not issubclass(runtime, Dataflow):
        raise ConfigError(f"runtime {runtime.__name__} follows its plan and takes no dispatcher")
    return runtime


class _Results:
    """The last end, and every completion unless a sink takes them."""

    def __init__(self, sink: Sink | None) -> None:
        self.last = 0.0
        self._kept: list[Completion] = []
        self._pass_on = sink or self._kept.append

    def take(self, done: Completion) -> None:
        """An inference has ended; time does not run backwards."""
        self.last = done.finish
        self._pass_on(done)

    def by_number(self) -> list[Completion]:
        """All that were kept."""
        return sorted(self._kept, key=lambda done: done.number)
