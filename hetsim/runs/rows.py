"""The rows of one network: every scheduler and every plan file, and what they prove together.

What a row tells depends on its network alone, so networks may be worked on in other processes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hetsim.analysis.result import Run
from hetsim.plan.model import Plan
from hetsim.runs.case import Case, proven_by
from hetsim.scenario.loader import Scenario
from hetsim.workload.graph import Graph

ROUNDING = 1.0 + 1e-9
"""Plan files keep times in microseconds; a proof may sit on the makespan but for rounding."""


@dataclass(frozen=True)
class Rows:
    """Runs of one network in the scenario's order; what was remarked, and noted on costs."""

    runs: tuple[Run, ...]
    remarks: tuple[str, ...] = ()
    cost_notes: tuple[str, ...] = ()


def rows_of(
    scenario: Scenario,
    graph: Graph,
    plans: Sequence[tuple[str, Plan]],
    tell: Callable[[str], None] = lambda what: None,
) -> Rows:
    """Plans and simulates ``graph`` under every scheduler, then ``plans``, by label.

    ``tell`` is called before each with what it is.
    """
    case = case_of(scenario, graph)
    misfit = case.misfit
    runs: list[Run] = []
    for ref in scenario.schedulers:
        tell(f"{graph.name} · {ref.label}")
        runs.append(
            Run(graph.name, ref.label, graph, error=misfit)
            if misfit
            else case.run(ref.label, ref.create(), scenario.time_limit_s)
        )
    for label, plan in plans:
        tell(f"{graph.name} · {label}")
        runs.append(
            Run(graph.name, label, graph, plan=plan, error=misfit)
            if misfit
            else case.evaluate(label, plan)
        )
    proven, remarks = _with_proofs(runs, graph)
    return Rows(proven, remarks, tuple(case.cost_model.notes()))


def lost_rows(scenario: Scenario, graph: Graph, reason: str) -> Rows:
    """The rows of a network whose worker died."""
    labels = [ref.label for ref in scenario.schedulers]
    return Rows(tuple(Run(graph.name, label, graph, error=reason) for label in labels))


def case_of(scenario: Scenario, graph: Graph) -> Case:
    """The case of one network under the options of a scenario."""
    return Case(
        graph,
        scenario.soc,
        execution=scenario.execution,
        seed=scenario.seed,
        fidelity=scenario.fidelity,
    )


def _with_proofs(mine: Sequence[Run], graph: Graph) -> tuple[tuple[Run, ...], tuple[str, ...]]:
    """The runs of one network; what one of them proved holds for every plan without rewrites.

    A proof is a claim: one that a simulated plan beats is taken back from all, and remarked.
    """
    plain = [
        run
        for run in mine
        if run.makespan_s is not None and run.plan is not None and not run.plan.rewrites
    ]
    ids = {id(run) for run in plain}
    claims = [bound for run in mine if run.plan for bound in proven_by(run.scheduler, run.plan)]
    fastest = min((run.makespan_s or 0.0 for run in plain), default=math.inf)
    refuted = [bound for bound in claims if bound.seconds > fastest * ROUNDING]
    remarks = tuple(
        f"{graph.name}: the bound {bound.argument} ({bound.seconds:.9g} s) is refuted by a"
        f" plan that takes {fastest:.9g} s, and left out"
        for bound in refuted
    )
    believed = [bound for bound in claims if bound not in refuted]
    runs = tuple(
        run.with_bounds(
            tuple(
                dict.fromkeys(
                    bound
                    for bound in (*run.bounds, *(believed if id(run) in ids else ()))
                    if bound not in refuted
                )
            )
        )
        for run in mine
    )
    return runs, remarks
