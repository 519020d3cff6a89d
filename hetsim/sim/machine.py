"""The SimPy model of a SoC that runs programs.

One process per PU tells its story: fetch the next partition, let a host thread bring its inputs
into the PU's format, launch its kernels one after the other, hand the results over. Everything that
takes bandwidth is a flow in the :class:`~hetsim.sim.network.network.Network`; everything that takes
host time is a thread on :class:`~hetsim.sim.cores.Cores`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

import simpy

from hetsim.cost.work import Phase, Step, TileRun, Traffic, Work
from hetsim.errors import ConfigError
from hetsim.lower.program import Launch
from hetsim.sim.caches import SystemCache
from hetsim.sim.cores import Cores
from hetsim.sim.network.flow import Flow
from hetsim.sim.network.links import INFINITY
from hetsim.sim.network.network import Network
from hetsim.sim.network.traced import TracedNetwork
from hetsim.sim.recorder import Recorder
from hetsim.sim.states import States
from hetsim.sim.story import Story
from hetsim.sim.task import Task
from hetsim.sim.tiles import play_tiles
from hetsim.sim.unit import Aside, Unit
from hetsim.soc.model import SoC

Pause = Callable[[Task], tuple[Task, Story] | None]
"""Asked before each launch of a task: what its unit shall run first, or ``None`` to go on."""


class Machine:
    """A SoC with its network, clusters and units, ready to run tasks.

    ``recorder`` hears of everything that happens. ``tiles`` plays NPU kernels tile by tile
    instead of as a fluid. ``shared=False`` takes contention on links away. A unit that is taken
    from a task between two launches is busy for ``preemption_s`` seconds more each time.
    """

    def __init__(
        self,
        soc: SoC,
        recorder: Recorder | None = None,
        *,
        rates: bool = False,
        tiles: bool = False,
        shared: bool = True,
        preemption_s: float = 0.0,
    ) -> None:
        self.env = simpy.Environment()
        self.soc = soc
        self.tiles = tiles
        self.preemption_s = preemption_s
        kind = TracedNetwork if rates else Network
        self.network: Network = kind(self.env, soc.links.values(), shared=shared)
        self.recorder = recorder or Recorder()
        self.clusters = {
            name: Cores(self.network, spec.thread_cores)
            for name, spec in soc.spec.pus.items()
            if spec.thread_cores
        }
        caches = {
            name: SystemCache(name, link.cache.capacity)
            for name, link in soc.spec.links.items()
            if link.cache is not None
        }
        self.states = States(soc)
        self.units = [
            Unit(pu, soc, self.network, self.clusters.get(pu.cluster), caches) for pu in soc.pus
        ]
        self.host = self.clusters[soc.runtime.host]
        self.host_unit = self.units[soc.host.index]

    def set_clock(self, domain: str, hz: float) -> None:
        """From now on the clock of ``domain``, an entry of the SoC's ``pus``, runs at ``hz``.

        Kernels under way go on at the new rate from where they are; the trace books their
        arithmetic at the slowest clock they began or ended with. What was stated or measured in
        seconds (dispatch, conversions, set-up of transfers) takes as long as before.

        Raises:
            ConfigError: no such domain, or a clock that stands still.
        """
        units = [unit for unit in self.units if unit.domain == domain]
        if not units:
            known = ", ".join(dict.fromkeys(unit.domain for unit in self.units))
            raise ConfigError(f"no clock is called {domain!r}", hint=f"one of {known}")
        if not 0.0 < hz < INFINITY:
            raise ConfigError(f"clock {domain!r} needs a frequency above zero, not {hz} Hz")
        for unit in units:
            if unit.clock_hz != hz:
                unit.clock_hz = hz
                unit.unusual = hz != unit.nominal_hz
                if unit.under_way is not None:
                    self._rerate(unit, *unit.under_way)

    def _rerate(self, unit: Unit, work: Work, nominal: Phase | TileRun, flow: Flow) -> None:
        """Lets what ``unit`` has under way go on at its clock."""
        part = nominal.at(work.stretch(unit.clock_hz))
        if isinstance(part, Phase):
            cores, seconds = unit.cores, part.seconds
        else:
            cores, seconds = None, part.compute_s
        if flow.processed or seconds <= 0.0:
            return
        if cores is not None:
            cores.set_rate(flow, flow.amount / seconds)
        else:
            self.network.set_limit(flow, flow.amount / seconds)

    def run(self, task: Task, pause: Pause | None = None) -> Story:
        """Executes one partition: entry, kernels, exit.

        ``pause`` may come between its launches, where its unit can be interrupted.
        """
        job = task.job
        unit = self.units[job.pu]
        start = self.env.now
        for step in job.entry:
            yield from self.host_step(step, unit.host_lane, task)
        yield from self._launches(unit, task, pause if unit.preemptible else None)
        for step in job.exit:
            yield from self.host_step(step, unit.host_lane, task)
        task.done = True
        if task.states:
            self.states.finish(task)
        self.recorder.task(task, unit, start, self.env.now)

    def host_step(self, step: Step, lane: str, task: Task) -> Story:
        """One host thread works for ``step.seconds``, moving ``step.bytes`` to or from a memory."""
        unit = self.host_unit
        start = self.env.now
        self.host.enter(1)
        route = unit.route(step.memory, step.read, step.written)
        cached = unit.cache is not None and step.bytes > 0 and not step.memory
        if cached and (split := unit.host_route(task.inference, step)) is not None:
            route = split
            self.recorder.hit(step.kind, step.name, step.read, task)
        flow = self.host.work(step.seconds, step.bytes, route)
        yield flow
        if cached:
            unit.wrote(task.inference, [(step.name, step.written)])
        self.host.leave(1)
        self.recorder.host(lane, step, start, self.env.now, flow, task)

    def _launches(self, unit: Unit, task: Task, pause: Pause | None) -> Story:
        env, record, record_wait = self.env, self.recorder.phase, self.recorder.wait
        if not task.launches:
            return
        begun = env.now
        threads = self._occupy(unit)
        for launch in task.launches:
            if pause is not None and (urgent := pause(task)) is not None:
                if self.preemption_s:
                    yield env.timeout(self.preemption_s)
                    record_wait(unit.lane, "switch", "preemption", env.now - self.preemption_s,
                                env.now, task)  # fmt: skip
                self._vacate(unit, threads, begun, task)
                yield from self._stand_aside(unit, task, launch, urgent, pause)
                begun = env.now
                self._occupy(unit)
            if launch.before:
                begun = yield from self._aside(unit, threads, begun, launch.before, task)
            tiled = bool(self.tiles and launch.work.tiles)
            if launch.touched is not None:
                launch, hits = unit.served(launch, launch.touched, task.inference, tiled=tiled)
                if hits:
                    self.recorder.hit("kernel", launch.name, hits, task)
            work = launch.work
            if tiled:
                yield from self._tiled(unit, launch, task)
            delay = work.dispatch_s
            for nominal in () if tiled else work.phases:
                phase, start = nominal, env.now
                if unit.unusual:
                    phase = nominal.at(work.stretch(unit.clock_hz))
                amount = phase.load_bytes + phase.store_bytes
                if phase.elsewhere:
                    amount, route = unit.routes(phase.moves)
                else:
                    route = unit.straight or unit.route("", phase.load_bytes, phase.store_bytes)
                flow = unit.move(phase.seconds, amount, route, delay)
                unit.under_way = work, nominal, flow
                yield flow
                if unit.unusual or phase is not nominal:
                    now = nominal.at(work.stretch(unit.clock_hz))
                    phase = max(phase, now, key=_arithmetic)
                record(unit, launch, phase, delay, start, env.now, flow, task)
                delay = 0.0
            if launch.touched is not None:
                unit.wrote(task.inference, launch.touched.writes)
            if launch.after:
                if unit.interrupt_s:
                    yield from self._completion(unit, task)
                begun = yield from self._aside(unit, threads, begun, launch.after, task)
            task.launched += 1
        if unit.interrupt_s and not task.launches[-1].after:
            yield from self._completion(unit, task)
        self._vacate(unit, threads, begun, task)

    def _completion(self, unit: Unit, task: Task) -> Story:
        """The host learns that ``unit`` is done."""
        start = self.env.now
        yield self.env.timeout(unit.interrupt_s)
        self.recorder.wait(unit.lane, "interrupt", "completion", start, self.env.now, task)

    def _aside(
        self, unit: Unit, threads: Cores | None, begun: float, steps: tuple[Step, ...], task: Task
    ) -> Generator[simpy.Event, Any, float]:
        """Host work between kernels, while ``unit`` does nothing; returns when it goes on."""
        self._vacate(unit, threads, begun, task)
        for step in steps:
            yield from self.host_step(step, unit.host_lane, task)
        self._occupy(unit)
        return self.env.now

    def _stand_aside(
        self, unit: Unit, task: Task, launch: Launch, urgent: tuple[Task, Story] | None,
        pause: Pause,
    ) -> Story:  # fmt: skip
        """The unit does what is more urgent before ``launch``, and makes room on chip for it.

        What was there is put into memory as far as that does not have it, and fetched again.
        """
        aside = Aside(launch.kept.held_bytes, launch.kept.unsaved_bytes)
        unit.aside.append(aside)
        start = self.env.now
        while urgent is not None:
            other, story = urgent
            unsaved = unit.make_room(other)
            if unsaved:
                self.recorder.preempted(unit, start, self.env.now, task)
                yield from self._spill(unit, "store", unsaved, launch, task)
                start = self.env.now
            yield from story
            urgent = pause(task)
        self.recorder.preempted(unit, start, self.env.now, task)
        unit.aside.pop()
        if aside.gone and aside.held:
            yield from self._spill(unit, "load", aside.held, launch, task)

    def _spill(self, unit: Unit, kind: str, amount: int, launch: Launch, task: Task) -> Story:
        """Moves what kernels of ``task`` had left on chip for one another."""
        start = self.env.now
        load, store = (amount, 0) if kind == "load" else (0, amount)
        route = unit.route("", load, store)
        flow = self.network.transfer(amount, route, INFINITY, unit.setup_s)
        yield flow
        phase = Phase(kind, 0.0, load, store)
        self.recorder.phase(unit, launch, phase, 0.0, start, self.env.now, flow, task)
        unit.busy_s += self.env.now - start
        self.recorder.occupied(unit, start, self.env.now, task)

    def _occupy(self, unit: Unit) -> Cores | None:
        """The cores that are busy while ``unit`` runs: its own, or a polling host thread's."""
        cores = unit.cores or (self.host if unit.polls else None)
        if cores is not None:
            cores.enter(unit.threads)
        return cores

    def _vacate(self, unit: Unit, threads: Cores | None, begun: float, task: Task) -> None:
        """``unit`` gives up what it has occupied since ``begun``."""
        if threads is not None:
            threads.leave(unit.threads)
            if not unit.owns_cores and self.env.now > begun:
                self.recorder.wait(unit.host_lane, "poll", unit.lane, begun, self.env.now, task)
        unit.busy_s += self.env.now - begun
        self.recorder.occupied(unit, begun, self.env.now, task)

    def _tiled(self, unit: Unit, launch: Launch, task: Task) -> Story:
        """A kernel tile by tile."""
        env, begun = self.env, self.env.now
        flows: list[Flow] = []

        def move(kind: str, amounts: Sequence[tuple[str, int]]) -> Flow:
            if len(amounts) == 1:
                memory, amount = amounts[0]
                there, back = unit.ways[memory]
                route = back if kind == "store" else there
            else:
                amount, route = unit.routes(
                    Traffic(m, *((0, b) if kind == "store" else (b, 0))) for m, b in amounts
                )
            flow = self.network.transfer(amount, route, INFINITY, unit.setup_s)
            flows.append(flow)
            return flow

        def compute(nominal: TileRun) -> Flow:
            tile = nominal
            if unit.unusual:
                tile = nominal.at(launch.work.stretch(unit.clock_hz))
            flow = self.network.work(tile.compute_s)
            unit.under_way = launch.work, nominal, flow
            return flow

        def note(kind: str, index: int, start: float, moved: int) -> None:
            self.recorder.tile(unit, launch, kind, index, start, env.now, moved, task)

        if launch.work.dispatch_s:
            yield env.timeout(launch.work.dispatch_s)
        yield from play_tiles(env, launch.work, move, compute, note)
        lost = sum(flow.lost for flow in flows)
        for flow in flows:
            self.recorder.moved(flow, task)
        if unit.unusual:
            stretch = launch.work.stretch(unit.clock_hz)
            launch = replace(launch, work=launch.work.at(stretch))
        amount, route = unit.routes(launch.work.moves.values())
        moving = route.latency + amount / route.bus if amount else 0.0
        self.recorder.tiled(unit, launch, begun, env.now, lost, moving, route.latency, task)


def _arithmetic(phase: Phase) -> float:
    return phase.compute_s
