"""What every scheduler owes: a valid plan for any problem, always the same one, or a clean refusal.

The problems are of two sorts. Made-up ones (:mod:`hetsim.testing.problems`) are cheap and odd:
random graphs, random times, units that run some kinds only behind others. Simulated ones are a
random network on a SoC that ships with hetsim, as ``hetsim run`` would pose them, with everything
that :class:`~hetsim.schedulers.base.Problem` can offer.
"""

from __future__ import annotations

import math
import pickle
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from hetsim.errors import SchedulerError
from hetsim.plan.model import Plan
from hetsim.plan.validate import plan_problems
from hetsim.runs.case import Case
from hetsim.runs.guards.shape import misshapen
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.registry import create, describe, find
from hetsim.soc.loader import load_soc
from hetsim.testing.kit import Kit
from hetsim.testing.problems import make_graph, make_problem, make_soc, random_problem
from hetsim.workload.synthetic import chain_graph, random_graph

SHAPES: Sequence[Mapping[str, Any]] = (
    {}, {"npus": 3}, {"npus": 2, "cpus": (1, 2, 1), "gpus": 1},
)  # fmt: skip
"""SoCs of the made-up problems: one of each, several of one, a divided cluster and a GPU."""

Pose = Callable[[], Problem]
"""Poses a problem; every call makes an equal one from nothing, with caches of its own."""


def posed(seed: int, size: int, shape: Mapping[str, Any] = SHAPES[0]) -> Pose:
    """A made-up problem of ``size`` operators, which depends on the arguments alone."""
    return lambda: random_problem(random.Random(seed), size, **shape)


class SchedulerKit(Kit):
    """Checks one scheduler.

    Set ``name`` to what :func:`~hetsim.schedulers.registry.create` takes: a registered name, or
    ``./mine.py:Mine``. ``parameters`` are those it is constructed with. Concessions:
    ``may_refuse`` for a scheduler that finds no plan of its sort where others find one (all on one
    unit, say), ``needs`` for kinds of units that it cannot do without, and ``predicts = False`` for
    one without an opinion on the makespan.
    """

    name: ClassVar[str]
    parameters: ClassVar[Mapping[str, object]] = {}
    may_refuse: ClassVar[bool] = False
    needs: ClassVar[Sequence[str]] = ()
    predicts: ClassVar[bool] = True
    problems: ClassVar[int] = 40
    """How many made-up problems the random test poses; small ones come first."""

    simulated: ClassVar[Sequence[str]] = ("edge-mcu", "zcu102-2vta")
    """SoC files of the simulated problems."""

    def make(self) -> Scheduler:
        """A fresh scheduler."""
        return create(self.name, self.parameters)

    def check_plan(self, pose: Pose, told: str = "the problem") -> Plan | None:
        """The plan of a feasible problem, checked; ``None`` where the scheduler may refuse.

        Raises:
            AssertionError: the plan does not fit, or an equal problem has another plan.
        """
        plan = self._attempt(pose(), told)
        if plan is None:
            return None
        self._check_fit(plan, pose(), told)
        again = self._attempt(pose(), told)
        assert again == plan, f"{told}: another plan the second time\n{plan}\n{again}"
        return plan

    def test_its_row_is_complete(self) -> None:
        cls = find(self.name)
        row = describe(cls, cls.name, "")
        for field in ("optimises", "ignores", "complexity", "source"):
            text = getattr(row, field)
            assert len(text) > 3, f"{cls.name}.{field} is {text!r}"
            assert text != Scheduler.__dict__[field], f"{cls.name}.{field} is not stated"

    def test_it_survives_pickling(self) -> None:
        # Studies hand schedulers' parameters to worker processes.
        pickle.loads(pickle.dumps(dict(self.parameters)))
        pose = posed(1, 8)
        sent = pickle.loads(pickle.dumps(self.make()))
        same = self._plan_of(sent, pose()) == self._plan_of(self.make(), pose())
        assert same, "after pickling it makes another plan"

    def test_random_problems_have_a_valid_plan_always_the_same(self) -> None:
        for seed in range(self.problems):
            size = 1 + seed * 24 // max(1, self.problems - 1)
            shape = SHAPES[seed % len(SHAPES)]
            self.check_plan(posed(seed, size, shape), f"posed({seed}, {size}, {shape})")

    def test_it_remembers_nothing_of_other_problems(self) -> None:
        used = self.make()
        for seed, size in ((7, 3), (8, 12)):
            alone = self._plan_of(self.make(), posed(seed, size)())
            again = self._plan_of(used, posed(seed, size)())
            assert again == alone, f"posed({seed}, {size}): the plan depends on earlier problems"

    def test_the_barrier_runtime_gets_valid_plans(self) -> None:
        for seed in range(3):

            def pose(seed: int = seed) -> Problem:
                return replace(posed(seed, 12, SHAPES[2])(), execution="barrier")

            self.check_plan(pose, f"posed({seed}, 12, {SHAPES[2]}) under barrier")

    def test_degenerate_networks(self) -> None:
        shapes: dict[str, dict[str, list[str]]] = {
            "a single operator": {"a": []},
            "a chain": {f"n{i}": [f"n{i - 1}"] if i else [] for i in range(6)},
            "nothing depends on anything": {f"n{i}": [] for i in range(6)},
            "one joins all": {**{f"n{i}": [] for i in range(5)}, "z": [f"n{i}" for i in range(5)]},
        }
        for told, edges in shapes.items():
            for soc in (make_soc(), make_soc(npus=0)):
                graph = make_graph(edges)
                for seconds in (1.0, 0.0):  # of zero, too: everything is a tie then
                    pose = partial(
                        make_problem, graph, soc, dict.fromkeys(edges, [seconds] * len(soc.pus))
                    )
                    self.check_plan(pose, f"{told} of {seconds:g} s on {len(soc.pus)} units")

    def test_what_no_unit_runs_is_refused(self) -> None:
        graph = make_graph({"a": [], "b": ["a"], "c": ["b"]}, {"b": "Softmax"})
        soc = make_soc(cpu_exclude=["Softmax"])
        times: dict[str, list[float | None]]
        times = {"a": [1.0, 1.0], "b": [None, None], "c": [1.0, 1.0]}
        problem = make_problem(graph, soc, times)
        try:
            plan = self.make().plan(problem)
        except SchedulerError:
            return
        raise AssertionError(f"no unit runs 'b', and yet the plan is {plan}")

    def test_simulated_problems_have_plans_that_run_within_their_bounds(self) -> None:
        graphs = [chain_graph(1), random_graph(3, 9)]
        for name in self.simulated:
            for graph in graphs:
                for execution in ("dataflow", "barrier"):
                    self._simulate(Case(graph, load_soc(name), execution=execution), name)

    def _simulate(self, case: Case, soc: str) -> None:
        told = f"{case.graph.name} on {soc} under {case.execution}"
        plan = self.check_plan(case.problem, told)
        if plan is None:
            return
        run = case.run(self.name, self.make())
        assert run.error is None, f"{told}: {run.error}"
        assert run.makespan_s is not None, f"{told}: no makespan and no error"
        for bound in run.bounds:  # with what the scheduler itself says it has proven
            assert run.makespan_s >= bound.seconds * (1 - 1e-9), (
                f"{told}: {run.makespan_s} s are less than the bound {bound.argument}"
            )

    def _attempt(self, problem: Problem, told: str) -> Plan | None:
        try:
            return self._plan_of(self.make(), problem)
        except SchedulerError as error:
            if self.may_refuse or set(self.needs) - {pu.kind for pu in problem.soc.pus}:
                return None
            raise AssertionError(f"{told} has a plan, and it was refused: {error}") from error

    def _plan_of(self, scheduler: Scheduler, problem: Problem) -> Plan:
        plan = scheduler.plan(problem)
        fault = misshapen(plan)
        assert fault is None, f"{type(scheduler).__name__} returned {fault}"
        return plan

    def _check_fit(self, plan: Plan, problem: Problem, told: str) -> None:
        faults = plan_problems(plan, problem.graph, problem.soc)
        assert not faults, f"{told}: " + "; ".join(faults)
        assert plan.scheduler == find(self.name).name, f"{told}: it says {plan.scheduler!r}"
        if plan.predicted_s is None:
            assert not self.predicts, f"{told}: no prediction (predicts = False allows that)"
        else:
            told += f": it predicts {plan.predicted_s} s"
            assert 0 <= plan.predicted_s < math.inf, told
