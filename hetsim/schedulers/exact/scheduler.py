"""The best plan that can be found, and a proof of how good any plan could be.

The bound: a shortest path over the windows between cut operators
(:mod:`hetsim.bounds.windows`), each step bounded by a CP-SAT model of what no plan can
avoid (:mod:`hetsim.schedulers.exact.model`). Steps are solved only when they lie on the shortest
path, until all of them there are. The plan: every built-in heuristic and the solver's own solutions
are simulated, and the best is improved window by window in simulation, contention included
(:mod:`hetsim.schedulers.exact.search`, which states the plan space).

Source: CP-SAT of OR-Tools (Perron & Furnon); interval models of heterogeneous scheduling as in
Laborie et al., "IBM ILOG CP Optimizer for scheduling" (Constraints 23, 2018), optional intervals.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from hetsim.bounds.floors import Floors
from hetsim.bounds.windows import Ladder, Step
from hetsim.errors import SchedulerError
from hetsim.plan.build import Block
from hetsim.plan.model import Plan, Proof
from hetsim.schedulers.base import Problem, Scheduler
from hetsim.schedulers.estimate import predict
from hetsim.schedulers.exact.model import load_solver
from hetsim.schedulers.exact.profile import profile_floors
from hetsim.schedulers.exact.proof import Budget, WindowProof
from hetsim.schedulers.exact.prove import prove
from hetsim.schedulers.exact.search import (
    Trials,
    candidate_from_plan,
    everything,
    improve,
    spliced,
)

STARTS = (
    "best_single_pu", "type_based", "mosaic", "heft", "heft_lookahead", "peft", "duet",
    "partition_tuner", "profile_greedy",
)  # fmt: skip
"""Schedulers whose plans are tried first."""

MOST_OPERATORS = 400
"""Operators in one window beyond which the solver is not asked: its model would take too long."""

TOLERANCE = 1e-5
"""Relative gap that counts as none: the solver's ticks and the order of additions."""


class Exact(Scheduler):
    """CP-SAT bound and simulated search, decomposed at cut operators.

    ``time_limit`` (seconds) bounds planning, ``effort`` the solver's work in its own deterministic
    seconds, ``evaluations`` the simulated plans. The result is repeatable as long as the last two
    end the search, and not the clock. ``gap`` is the fraction at which a proof is good enough.
    """

    name: ClassVar[str] = "exact"
    optimises: ClassVar[str] = "simulated makespan, with a proven lower bound"
    ignores: ClassVar[str] = "nothing within its budget; rewrites of the network"
    complexity: ClassVar[str] = "exponential per window between cuts; stops at its budget"
    source: ClassVar[str] = "CP-SAT (OR-Tools), decomposition at cut operators"

    def __init__(
        self,
        time_limit: float = 60.0,
        effort: float = 120.0,
        evaluations: int = 20000,
        gap: float = 0.0,
    ) -> None:
        if min(time_limit, effort) <= 0.0 or evaluations < 1 or gap < 0.0:
            raise SchedulerError(
                "exact: time_limit, effort and evaluations must be positive, gap not negative"
            )
        self.time_limit = time_limit
        self.effort = effort
        self.evaluations = evaluations
        self.gap = gap

    def plan(self, problem: Problem) -> Plan:
        """Decides and proves.

        Raises:
            MissingExtraError: OR-Tools is not installed.
            SchedulerError: no heuristic finds any plan.
        """
        load_solver()
        deadline = time.monotonic() + 0.95 * self.time_limit
        floors = profile_floors(problem) if problem.floors is None else problem.floors()
        trials = _Judged(problem, self.evaluations, deadline)
        _start(problem, trials)
        if trials.best is None:
            raise SchedulerError("exact: no built-in scheduler finds a plan to start from")
        ladder = Ladder(problem.graph, floors)
        budget = Budget(0.4 * self.effort, 0.4 * (deadline - time.monotonic()))
        proofs = self._prove(problem, floors, ladder, trials, budget, {})
        exhausted = everything(problem, floors, trials)
        if not exhausted:
            trials.limit(0.4 * (deadline - time.monotonic()), 0.5)
            self._search(problem, ladder, proofs, trials)
            trials.limit(deadline - time.monotonic(), 1.0)
            seconds = deadline - time.monotonic()
            if seconds > 0.0 and not self._done(ladder, trials):
                budget = Budget(0.6 * self.effort, 0.9 * seconds)
                proofs |= self._prove(problem, floors, ladder, trials, budget, proofs)
                self._search(problem, ladder, proofs, trials)
        return self._answer(problem, ladder.shortest()[0], exhausted, trials)

    def _done(self, ladder: Ladder, trials: Trials) -> bool:
        return trials.best_s <= ladder.shortest()[0] * (1.0 + max(self.gap, TOLERANCE))

    def _prove(
        self,
        problem: Problem,
        floors: Floors,
        ladder: Ladder,
        trials: Trials,
        budget: Budget,
        earlier: Mapping[Step, WindowProof],
    ) -> dict[Step, WindowProof]:
        """Bounds the steps of shortest paths until all steps of one are as good as they get.

        Steps with ``earlier`` proofs are raised further, those furthest from closing the longest.
        """
        ends = time.monotonic() + budget.seconds
        proofs: dict[Step, WindowProof] = {}
        effort = budget.effort
        assert trials.best is not None
        hint = trials.best.places
        while True:
            todo = {
                step: _open_gap(earlier.get(step))
                for step in ladder.shortest()[1]
                if step not in proofs
                and step not in ladder.closed
                and 1 < len(ladder.stages[step.stage].ops) <= MOST_OPERATORS
            }
            for step in todo:
                left = ends - time.monotonic()
                if left <= 0.0 or effort <= 0.0 or self._done(ladder, trials):
                    return proofs
                waiting = sum(gap for other, gap in todo.items() if other not in proofs)
                share = 0.9 * todo[step] / waiting if waiting > 0.0 else 0.9
                part = Budget(effort * share, left * share)
                window, known = ladder.window(step), earlier.get(step)
                proof = prove(problem.graph, floors, window, part, hint, known)
                ladder.raise_cost(step, proof.bound_s)
                proofs[step] = proof
                if proof.closed:
                    ladder.closed.add(step)
                effort -= proof.effort
            if not todo:
                return proofs

    def _search(
        self,
        problem: Problem,
        ladder: Ladder,
        proofs: dict[Step, WindowProof],
        trials: _Judged,
    ) -> None:
        """Tries what the solver found, then improves the best window by window."""
        for step in ladder.shortest()[1]:
            proof = proofs.get(step)
            if proof is not None and proof.places is not None and trials.best is not None:
                for candidate in spliced(problem, trials.best, proof.places, proof.order):
                    trials.seconds(candidate)
        draw = random.Random(problem.seed)
        windows = [stage.ops for stage in ladder.stages]
        improve(trials, windows, draw, lambda: self._done(ladder, trials))

    def _answer(self, problem: Problem, bound: float, exhausted: bool, trials: Trials) -> Plan:
        assert trials.best_plan is not None
        best = trials.best_s
        bound = min(bound, best)
        proven = problem.floors is not None
        gap = (best - bound) / best if best > 0.0 else 0.0
        details: dict[str, object] = {
            "incumbent_s": best,
            "gap": gap,
            "optimal": gap <= TOLERANCE,
            "plan_space_exhausted": exhausted,
            "evaluations": trials.count,
        }
        if not proven:
            details["predicted_lower_bound_s"] = bound
        return replace(
            trials.best_plan,
            scheduler=self.name,
            parameters={
                "time_limit": self.time_limit,
                "effort": self.effort,
                "evaluations": self.evaluations,
                "gap": self.gap,
            },
            predicted_s=best,
            details=details,
            proof=Proof(bound, self.name) if proven and bound > 0.0 else None,
        )


def _open_gap(proof: WindowProof | None) -> float:
    """Seconds between what is proven and what was found; alike for all that is not known."""
    if proof is None or proof.value_s is None:
        return 1.0
    return max(proof.value_s - proof.bound_s, 1e-12)


class _Judged(Trials):
    """Trials by simulation, or by prediction where there is no simulator."""

    def __init__(self, problem: Problem, most: int, deadline: float) -> None:
        super().__init__(problem, Exact.name)
        self._most = self._all = most
        self._deadline = deadline

    def limit(self, seconds: float, share: float) -> None:
        """Spends no more than ``seconds`` from now, and ``share`` of all evaluations."""
        self._deadline = time.monotonic() + seconds
        self._most = max(1, int(self._all * share))

    def spent(self) -> bool:
        """Whether the budget is used up."""
        return self.count >= self._most or time.monotonic() >= self._deadline

    def judge(self, plan: Plan, blocks: Sequence[Block], groups: Sequence[Sequence[int]]) -> float:
        if self.problem.evaluate is not None:
            return self.problem.evaluate(plan)
        return predict(self.problem, blocks, groups)


def _start(problem: Problem, trials: Trials) -> None:
    """Tries the plans of the built-in heuristics."""
    from hetsim.schedulers.registry import create

    for name in STARTS:
        try:
            plan = create(name).plan(problem)
        except SchedulerError:
            continue
        trials.seconds(candidate_from_plan(problem, plan))
