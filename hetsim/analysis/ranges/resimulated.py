"""The judge of :mod:`hetsim.analysis.ranges.replay`: the engine itself, run again and again.

Slow, and as right as the simulator is: each sample is a program whose kernels take other times, as
if they had been measured so (:mod:`hetsim.cost.measured.fit`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hetsim.analysis.ran import Ran
from hetsim.analysis.ranges.errors import Errors
from hetsim.cost.measured.fit import alone_s, fit
from hetsim.cost.work import Step
from hetsim.lower.program import Job, Launch, Program
from hetsim.numeric import Floats
from hetsim.sim.runtimes.registry import runtime_names
from hetsim.sim.simulate import execute
from hetsim.soc.model import PU, SoC


def resimulate(ran: Ran, execution: str, samples: Sequence[int]) -> Floats:
    """Makespans of those ``samples``, seconds; fluid only."""
    assert execution in runtime_names()
    errors = Errors(ran.graph, ran.soc)
    found = []
    for sample in samples:
        jobs = tuple(_job(job, ran.soc, errors, sample) for job in ran.program.jobs)
        program = replace(ran.program, jobs=jobs)
        trace = execute(ran.soc, program, execution=execution, trace=False)
        found.append(trace.makespan_s)
    return np.array(found)


def _job(job: Job, soc: SoC, errors: Errors, sample: int) -> Job:
    pu = soc.pus[job.pu]
    host = float(errors.host(job.launches, pu)[sample])

    def steps(listed: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(replace(step, seconds=step.seconds * host) for step in listed)

    launches = tuple(
        replace(
            launch, work=_launch(launch, pu, errors, sample).work,
            before=steps(launch.before), after=steps(launch.after),
        )
        for launch in job.launches
    )  # fmt: skip
    return replace(job, launches=launches, entry=steps(job.entry), exit=steps(job.exit))


def _launch(launch: Launch, pu: PU, errors: Errors, sample: int) -> Launch:
    factors = errors.kernel(launch, pu)
    if factors is None:
        return launch
    work, path = launch.work, pu.home
    seconds = alone_s(work, path) * float(factors[sample])
    if seconds <= 0.0:
        return launch
    return replace(launch, work=fit(work, seconds, path, source=work.source, note=work.note))


__all__ = ["Program", "resimulate"]
