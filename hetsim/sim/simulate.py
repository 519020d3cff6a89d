"""Runs programs on a SoC and returns what happened."""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.errors import ConfigError, PlanError
from hetsim.lower.program import Program
from hetsim.sim.engine import Machine
from hetsim.sim.network import TracedNetwork
from hetsim.sim.runtime import RUNTIMES, Inference
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC


def execute(
    soc: SoC,
    work: Program | Sequence[Inference],
    *,
    execution: str = "dataflow",
    trace: bool = True,
) -> Trace:
    """Simulates one program, or several inferences, and returns the trace.

    ``execution`` is ``dataflow`` or ``barrier``. With ``trace=False`` only totals are kept, which
    is what a search wants.

    Raises:
        ConfigError: unknown execution.
        PlanError: the partitions wait for one another in a circle.
    """
    if execution not in RUNTIMES:
        raise ConfigError(f"unknown execution {execution!r}", hint=f"one of {', '.join(RUNTIMES)}")
    inferences = [Inference(work)] if isinstance(work, Program) else list(work)
    machine = Machine(soc, trace=trace)
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
        spans=machine.recorder.spans,
        rates=network.samples if isinstance(network, TracedNetwork) else [],
        arrived=[inference.arrival for inference in inferences],
        finished=finished,
        events=next(machine.env._eid),
    )
