"""The judge of :mod:`hetsim.analysis.ranges.replay`: the engine itself, run again for each sample.

Slow, and as right as the simulator is: a sample is the program with other times of its kernels, as
if they had been measured so (:mod:`hetsim.cost.measured.fit`). ``hetsim validate ranges`` and the
tests compare the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from hetsim.analysis.ran import Ran
from hetsim.analysis.ranges.errors import Errors
from hetsim.cost.measured.fit import alone_s, fit
from hetsim.cost.work import Step, Work
from hetsim.lower.program import Job, Launch
from hetsim.numeric import Floats
from hetsim.sim.simulate import execute
from hetsim.soc.model import PU


def resimulate(ran: Ran, execution: str, samples: Iterable[int]) -> Floats:
    """Makespans of those samples over that of the program as it is, fluid.

    A fit may itself move the makespan a little, where a unit's transfers are no single path; that
    is no uncertainty, so what is divided by is fitted, too.
    """
    errors = Errors(ran.graph, ran.soc)
    found = []
    for sample in (None, *samples):
        jobs = tuple(_job(job, ran.soc.pus[job.pu], errors, sample) for job in ran.program.jobs)
        program = replace(ran.program, jobs=jobs)
        found.append(execute(ran.soc, program, execution=execution, trace=False).makespan_s)
    return np.array(found[1:]) / found[0]


def _job(job: Job, pu: PU, errors: Errors, sample: int | None) -> Job:
    host = 1.0 if sample is None else float(errors.host(job.launches, pu)[sample])

    def steps(listed: tuple[Step, ...]) -> tuple[Step, ...]:
        return tuple(replace(step, seconds=step.seconds * host) for step in listed)

    def launch(old: Launch) -> Launch:
        work = _work(old, pu, errors, sample)
        return replace(old, work=work, before=steps(old.before), after=steps(old.after))

    launches = tuple(map(launch, job.launches))
    return replace(job, launches=launches, entry=steps(job.entry), exit=steps(job.exit))


def _work(launch: Launch, pu: PU, errors: Errors, sample: int | None) -> Work:
    work, factors = launch.work, errors.kernel(launch, pu)
    seconds = alone_s(work, pu.home)
    if factors is None or seconds <= 0.0:
        return work
    seconds *= 1.0 if sample is None else float(factors[sample])
    return fit(work, seconds, pu.home, source=work.source, note=work.note)
