"""The SimPy model of a SoC that runs programs.

One process per PU tells its story: fetch the next partition, let a host thread bring its inputs
into the PU's format, launch its kernels one after the other, hand the results over. Everything
that takes bandwidth is a flow in the :class:`~hetsim.sim.network.Network`; everything that takes
host time is a thread on :class:`~hetsim.sim.cores.Cores`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from hetsim.cost.work import Phase
from hetsim.lower.program import Job, Step
from hetsim.sim.cores import Cores
from hetsim.sim.network import INFINITY, Flow, Network, Route, TracedNetwork
from hetsim.sim.recorder import Recorder, SpanRecorder
from hetsim.soc.cpu import CPUClusterSpec
from hetsim.soc.model import PU, SoC

Story = Generator[simpy.Event, Any, None]


class Task:
    """A partition of one inference on its way through the SoC; it awaits ``blockers`` others."""

    __slots__ = ("blockers", "inference", "job", "position", "readers")

    def __init__(self, job: Job, position: int, inference: int) -> None:
        self.job = job
        self.position = position
        self.inference = inference
        self.blockers = len(job.needs)
        self.readers: list[Task] = []


class Unit:
    """A PU during a simulation."""

    __slots__ = (
        "busy_s", "cores", "host_lane", "idle", "index", "interrupt_s", "lane", "polls",
        "priority", "route", "threads", "weight",
    )  # fmt: skip

    def __init__(self, pu: PU, machine: Machine) -> None:
        spec = pu.spec
        self.index = pu.index
        self.lane = pu.name
        self.route = machine.network.route(pu.path)
        self.weight = spec.weight
        self.priority = spec.priority
        self.cores: Cores | None = machine.clusters.get(pu.cluster)
        self.threads = pu.cores
        self.polls = spec.polls_host
        self.interrupt_s = spec.completion_latency
        on_host = pu.cluster == machine.soc.runtime.host
        self.host_lane = pu.name if on_host else f"{machine.soc.runtime.host}:{pu.name}"
        self.idle: simpy.Event | None = None
        self.busy_s = 0.0


class Machine:
    """A SoC with its network, clusters and units, ready to run tasks."""

    def __init__(self, soc: SoC, *, trace: bool) -> None:
        self.env = simpy.Environment()
        self.soc = soc
        self.network: Network = (TracedNetwork if trace else Network)(self.env, soc.links.values())
        self.recorder: Recorder = SpanRecorder() if trace else Recorder()
        self.clusters = {
            name: Cores(self.network, spec.cores)
            for name, spec in soc.spec.pus.items()
            if isinstance(spec, CPUClusterSpec)
        }
        self.units = [Unit(pu, self) for pu in soc.pus]
        self.host = self.clusters[soc.runtime.host]
        self.host_unit = self.units[soc.host.index]

    def run(self, task: Task) -> Story:
        """Executes one partition: entry, kernels, exit."""
        job = task.job
        unit = self.units[job.pu]
        for step in job.entry:
            yield from self.host_step(step, unit.host_lane, task)
        yield from self._launches(unit, task)
        for step in job.exit:
            yield from self.host_step(step, unit.host_lane, task)

    def host_step(self, step: Step, lane: str, task: Task) -> Story:
        """One host thread works for ``step.seconds``, moving ``step.bytes`` over its path."""
        unit = self.host_unit
        start = self.env.now
        self.host.enter(1)
        flow = self.host.work(
            step.seconds, step.bytes, unit.route, weight=unit.weight, priority=unit.priority,
            owner=lane,
        )  # fmt: skip
        yield flow
        self.host.leave(1)
        end = self.env.now
        self.recorder.host(
            lane, step.kind, step.name, start, end, task.inference, task.job.name, step.bytes,
            end - start - flow.lost,
        )  # fmt: skip

    def _launches(self, unit: Unit, task: Task) -> Story:
        env, job, record = self.env, task.job, self.recorder.phase
        begun = env.now
        threads = self._occupy(unit)
        for launch in job.launches:
            delay = launch.work.dispatch_s
            for phase in launch.work.phases:
                start = env.now
                flow = self._begin(unit, phase, delay)
                yield flow
                record(unit.lane, launch, phase, delay, start, env.now, flow, task.inference, job)
                delay = 0.0
        if unit.interrupt_s:
            start = env.now
            yield env.timeout(unit.interrupt_s)
            self.recorder.host(
                unit.lane, "interrupt", "completion", start, env.now, task.inference, job.name, 0,
                unit.interrupt_s,
            )  # fmt: skip
        if threads is not None:
            threads.leave(unit.threads)
            if unit.cores is None:
                self.recorder.host(
                    unit.host_lane, "poll", "wait for " + unit.lane, begun, env.now,
                    task.inference, job.name, 0, env.now - begun,
                )  # fmt: skip
        unit.busy_s += env.now - begun

    def _occupy(self, unit: Unit) -> Cores | None:
        """The cores that are busy while ``unit`` runs: its own, or a polling host thread's."""
        cores = unit.cores or (self.host if unit.polls else None)
        if cores is not None:
            cores.enter(unit.threads)
        return cores

    def _begin(self, unit: Unit, phase: Phase, delay: float) -> Flow:
        amount = phase.load_bytes + phase.store_bytes
        seconds = phase.seconds
        if unit.cores is not None:
            return unit.cores.work(
                seconds, amount, unit.route, delay=delay, weight=unit.weight,
                priority=unit.priority, owner=unit.lane,
            )  # fmt: skip
        if amount <= 0:
            return self.network.transfer(seconds, _COMPUTE, 1.0, delay=delay)
        return self.network.transfer(
            amount, unit.route, amount / seconds if seconds > 0.0 else INFINITY, delay=delay,
            weight=unit.weight, priority=unit.priority, owner=unit.lane,
        )  # fmt: skip


_COMPUTE = Route((), 0.0)
"""No links: a flow over it is computation alone, in seconds at rate 1."""
