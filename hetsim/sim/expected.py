"""What partitions take when nothing else runs: the expectations of dispatchers.

The same costs as in simulation, and the times that a scheduler's profile has. What is stated holds
on an idle SoC; contention, preemption and the choice of others are not foreseen.
"""

from __future__ import annotations

from collections.abc import Sequence

from hetsim.cost.work import Step
from hetsim.lower.program import Job, Launch, Program
from hetsim.sim.machine import Machine
from hetsim.sim.task import Task
from hetsim.soc.model import SoC


class Expected:
    """Seconds of jobs and of their parts on an idle SoC; each is played once and remembered."""

    def __init__(self, soc: SoC) -> None:
        self._soc = soc
        self._steps: dict[Step, float] = {}
        # By identity, because equal jobs are one object and hashing one is dear; the objects are
        # kept, so that no other takes the place of one.
        self._launches: dict[tuple[int, int, int], tuple[object, float]] = {}
        self._jobs: dict[int, tuple[Job, float]] = {}
        self._tails: dict[int, tuple[Program, tuple[float, ...]]] = {}

    def job(self, job: Job) -> float:
        """A job from its first host step to its last."""
        found = self._jobs.get(id(job))
        if found is None:
            seconds = self.steps(job.entry) + self.launches(job.pu, job.launches)
            found = self._jobs[id(job)] = job, seconds + self.steps(job.exit)
        return found[1]

    def launches(self, unit: int, launches: Sequence[Launch], done: int = 0) -> float:
        """A job's kernels alone but for the first ``done``, data in place."""
        key = id(launches), unit, done
        found = self._launches.get(key)
        if found is None:
            seconds = self._alone(Job("launches", unit, (), (), tuple(launches[done:])))
            found = self._launches[key] = launches, seconds
        return found[1]

    def steps(self, steps: Sequence[Step]) -> float:
        """What a host thread does, one step after the other."""
        return sum(self._step(step) for step in steps)

    def tail(self, program: Program, position: int) -> float:
        """From the start of a partition to the end of the last that waits for it, seconds.

        The longest path through what its results lead to, each partition on its planned unit.
        """
        found = self._tails.get(id(program))
        if found is None:
            tails = [0.0] * len(program.jobs)
            for i in reversed(range(len(program.jobs))):
                job = program.jobs[i]
                tails[i] += self.job(job)
                for need in job.needs:
                    tails[need] = max(tails[need], tails[i])
            found = self._tails[id(program)] = program, tuple(tails)
        return found[1][position]

    def _step(self, step: Step) -> float:
        found = self._steps.get(step)
        if found is None:
            host = self._soc.host.index
            found = self._steps[step] = self._alone(Job("step", host, (), (step,), ()))
        return found

    def _alone(self, job: Job) -> float:
        machine = Machine(self._soc)
        machine.env.process(machine.run(Task(job, 0, 0)))
        machine.env.run()
        return float(machine.env.now)
