"""Runs programs on a SoC and returns what happened."""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.errors import ConfigError, PlanError
from hetsim.lower.program import Program
from hetsim.sim.machine import Machine
from hetsim.sim.network.traced import TracedNetwork
from hetsim.sim.recorder import Recorder, SpanRecorder
from hetsim.sim.runtime import RUNTIMES, Inference
from hetsim.sim.trace import Activity, Span, TaskRow, Trace
from hetsim.sim.tracefile import TraceFile
from hetsim.soc.model import SoC

FIDELITIES = ("fluid", "tile")
"""Grains of the NPU model."""


def execute(
    soc: SoC,
    work: Program | Sequence[Inference],
    *,
    execution: str = "dataflow",
    fidelity: str = "fluid",
    trace: bool | TraceFile = True,
    contention: bool = True,
) -> Trace:
    """Simulates one program, or several inferences, and returns the trace.

    ``execution`` is ``dataflow`` or ``barrier``, ``fidelity`` ``fluid`` or ``tile``. With
    ``trace=False`` only totals are kept, which is what a search wants; a
    :class:`~hetsim.sim.tracefile.TraceFile` takes the rows instead of the result, so that memory
    stays bounded however long the run. With ``contention=False``
    every transfer runs as if it were alone: the difference is the exact cost of contention.

    Raises:
        ConfigError: unknown execution or fidelity.
        PlanError: the partitions wait for one another in a circle.
    """
    if execution not in RUNTIMES:
        raise ConfigError(f"unknown execution {execution!r}", hint=f"one of {', '.join(RUNTIMES)}")
    if fidelity not in FIDELITIES:
        raise ConfigError(f"unknown fidelity {fidelity!r}", hint=f"one of {', '.join(FIDELITIES)}")
    inferences = [Inference(work)] if isinstance(work, Program) else list(work)
    spans: list[Span] = []
    tasks: list[TaskRow] = []
    activities: list[Activity] = []
    recorder: Recorder | None = None
    if isinstance(trace, TraceFile):
        recorder = SpanRecorder(trace.spans, trace.tasks, trace.activities)
    elif trace:
        recorder = SpanRecorder(spans, tasks, activities)
    machine = Machine(
        soc, recorder, rates=trace is True, tiles=fidelity == "tile", shared=contention
    )
    runtime = RUNTIMES[execution](machine, inferences)
    runtime.start()
    machine.env.run()
    finished = [t for t in runtime.finished_at if t is not None]
    if len(finished) < len(inferences):
        raise PlanError("partitions wait for one another in a circle: the plan cannot finish")
    network = machine.network
    return Trace(
        makespan_s=max(finished, default=0.0),
        pu_busy_s={unit.lane: unit.busy_s for unit in machine.units},
        links={name: link.usage for name, link in network.links.items()},
        spans=spans,
        tasks=tasks,
        activities=activities,
        rates=network.samples if isinstance(network, TracedNetwork) else [],
        arrived=[inference.arrival for inference in inferences],
        finished=finished,
        events=next(machine.env._eid),
    )
