"""What every dispatcher owes: each partition once, in an order that the data allows, always alike.

The programs are those of random networks on SoCs that ship with hetsim, every fused group a
partition, and with choices, so that a dispatcher may place them. Inferences of several streams
arrive while others run, with priorities and deadlines drawn from a seed; some are given up.
"""

from __future__ import annotations

import pickle
import random
from collections.abc import Mapping, Sequence
from functools import cache
from typing import ClassVar, Literal

from hetsim.lower.choices import PlanChoices
from hetsim.lower.program import Program
from hetsim.runs.case import Case
from hetsim.schedulers.groups import fused_groups
from hetsim.sim.dispatch import Dispatcher
from hetsim.sim.dispatchers.registry import create_dispatcher, describe, find_dispatcher
from hetsim.sim.serving.serve import serve
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.sim.trace import Trace
from hetsim.soc.loader import load_soc
from hetsim.soc.model import SoC
from hetsim.streams.arrivals.periodic import Periodic
from hetsim.streams.service import Stream
from hetsim.testing.kit import Kit
from hetsim.workload.synthetic import chain_graph, random_graph


@cache
def programs(soc: str) -> tuple[SoC, tuple[tuple[Program, float], ...]]:
    """A SoC, and programs of networks for it with the time that each takes alone, seconds."""
    loaded = load_soc(soc)
    found = []
    for graph in (chain_graph(4), random_graph(3, 9), random_graph(5, 14)):
        case = Case(graph, loaded)
        program = PlanChoices(case.lowering, fused_groups(case.problem())).program
        found.append((program, execute(loaded, program, trace=False).makespan_s))
    return loaded, tuple(found)


def nothing_new(streams: Sequence[int], way: str) -> tuple[Mapping[int, Program], float]:
    """A planner that leaves all networks their programs."""
    return {}, 0.0


def _periodic(seconds: float) -> Periodic:
    return Periodic.model_validate({"kind": "periodic", "period": f"{seconds} s"})


class DispatcherKit(Kit):
    """Checks one dispatcher.

    Set ``name`` to what :func:`~hetsim.sim.dispatchers.registry.create_dispatcher` takes: a
    registered name, or ``./mine.py:Mine``. ``parameters`` are those it is constructed with.
    """

    name: ClassVar[str]
    parameters: ClassVar[Mapping[str, object]] = {}
    socs: ClassVar[Sequence[str]] = ("edge-mcu", "zcu102-2vta")
    loads: ClassVar[Sequence[float]] = (0.3, 3.0)
    """How much work arrives, in inferences per time of one alone; above one, queues grow."""

    inferences: ClassVar[int] = 12
    """How many there are at each load."""

    def make(self, overhead_s: float = 0.0) -> Dispatcher:
        """A fresh dispatcher."""
        made = create_dispatcher(self.name, self.parameters, overhead_s)
        made.planner = nothing_new
        return made

    def work(self, soc: str, load: float) -> list[Inference]:
        """What arrives on a SoC, always the same."""
        drawn = random.Random(f"{soc} {load}")
        _, known = programs(soc)
        now, found = 0.0, []
        for _ in range(self.inferences):
            stream = drawn.randrange(len(known))
            program, alone = known[stream]
            now += drawn.expovariate(load / alone)
            deadline = now + drawn.choice((1.5, 3.0, float("inf"))) * alone
            found.append(Inference(program, now, drawn.randrange(3), stream, deadline))
        return found

    def test_its_row_is_complete(self) -> None:
        row = describe(find_dispatcher(self.name), self.name, "")
        for field in ("optimises", "ignores", "source"):
            text = getattr(row, field)
            stated = len(text) > 3 and text != Dispatcher.__dict__[field]
            assert stated, f"{self.name}.{field} is {text!r}"

    def test_it_survives_pickling(self) -> None:
        # Studies hand dispatchers' parameters to worker processes.
        pickle.loads(pickle.dumps(dict(self.parameters)))
        pickle.loads(pickle.dumps(self.make()))

    def test_every_partition_runs_once_when_its_inputs_are_there(self) -> None:
        for soc in self.socs:
            for load in self.loads:
                self._check(self._run(soc, load), self.work(soc, load), f"{soc} at load {load}")

    def test_the_same_arrivals_have_the_same_end(self) -> None:
        for soc in self.socs:
            first, again = (self._run(soc, self.loads[-1]) for _ in range(2))
            assert first.tasks == again.tasks, f"{soc}: another schedule the second time"

    def test_time_for_deciding_changes_no_more_than_the_times(self) -> None:
        soc, work = self.socs[0], self.work(self.socs[0], self.loads[-1])
        loaded, known = programs(soc)
        trace = execute(loaded, work, dispatcher=self.make(known[0][1] / 50))
        self._check(trace, work, f"{soc} with overhead")

    def test_what_is_given_up_is_not_run_and_nothing_waits_for_it(self) -> None:
        for soc in self.socs:
            loaded, known = programs(soc)
            policies: Sequence[Literal["run", "drop"]] = ("drop", "drop", "run")
            streams = [
                Stream(
                    f"s{i}", "", _periodic(alone / 1.5), i,
                    deadline_s=2.0 * alone, late=late, queue=2, count=10,
                )
                for i, ((_, alone), late) in enumerate(zip(known, policies, strict=True))
            ]  # fmt: skip
            by_name = {s.name: known[i][0] for i, s in enumerate(streams)}
            served = serve(loaded, streams, by_name, dispatcher=self.make())
            for stream in streams:
                ended = len(served.ledgers[stream.name])
                assert ended == 10, f"{soc}: {ended} of 10 inferences of {stream.name} ended"

    def _run(self, soc: str, load: float) -> Trace:
        loaded, _ = programs(soc)
        return execute(loaded, self.work(soc, load), dispatcher=self.make())

    def _check(self, trace: Trace, work: Sequence[Inference], told: str) -> None:
        ran = {(row.inference, row.position): row for row in trace.tasks}
        asked = sum(len(inference.program.jobs) for inference in work)
        assert len(ran) == len(trace.tasks) == asked, (
            f"{told}: {len(trace.tasks)} partitions ran of {asked}"
        )
        for (number, position), row in ran.items():
            inference = work[number]
            needs = inference.program.jobs[position].needs
            since = max([inference.arrival, *(ran[number, need].end for need in needs)])
            what = f"{told}: partition {position} of inference {number} ran at {row.start} s"
            assert row.start >= since, f"{what}, and its inputs were there at {since} s"
        if not self.make().preempts:
            self._check_turns(trace, told)

    def _check_turns(self, trace: Trace, told: str) -> None:
        until: dict[int, float] = {}
        for row in sorted(trace.tasks, key=lambda row: (row.start, row.end)):
            free = until.get(row.pu, 0.0)
            assert row.start >= free, f"{told}: unit {row.pu} ran two at {row.start} s"
            until[row.pu] = row.end
