"""Runs a scenario: every network under every scheduler."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from hetsim.analysis.contention import anomaly_notes
from hetsim.analysis.overflow import overflow_notes
from hetsim.analysis.result import Result, Run
from hetsim.analysis.sources import source_notes
from hetsim.cost.sources import cost_doubts, cost_files
from hetsim.errors import ConfigError, HetsimError, Location, PlanError
from hetsim.plan.anyfile import planned_model, read_plan
from hetsim.plan.model import Plan
from hetsim.plan.validate import validate_plan
from hetsim.progress import Progress
from hetsim.runs.band import Band, bands, variants_of
from hetsim.runs.case import Case, proven_by
from hetsim.scenario.loader import ModelRef, Scenario
from hetsim.scenario.schema import ReferenceSpec
from hetsim.sim.runtimes.registry import DEFAULT, find_runtime
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from hetsim.workload.networks import load_network

ROUNDING = 1.0 + 1e-9
"""Plan files keep times in microseconds; a proof may sit on the makespan but for rounding."""


def run_scenario(
    scenario: Scenario,
    *,
    plans: Sequence[Path] = (),
    progress: Progress | None = None,
) -> Result:
    """Plans and simulates everything the scenario asks for; ``plans`` are files run as well.

    A scheduler that fails is a run with ``error``, and so are all runs of a network that does not
    fit the memory; the others go on.

    Raises:
        HetsimError: an input that is wrong before anything runs: an unknown network, scheduler or
            parameter, a plan file that fits no network.
    """
    scenario.check_schedulers()
    doubts = cost_doubts(scenario.soc)
    for path in plans:  # a file that is no plan is told before networks are built
        planned_model(path)
    remarks: list[str] = []
    try:
        variants = variants_of(scenario)
    except ConfigError as error:
        remarks.append(f"published figures: no band on {scenario.soc.name}: {error.message}")
        variants = []
    cases = [case_of(scenario, load_graph(scenario, model)) for model in scenario.models]
    extra = [_checked(path, cases, remarks) for path in plans]
    total = len(cases) * len(scenario.schedulers) + len(extra) + len(variants)
    runs: list[Run] = []
    steps = count()

    def tell(what: str) -> None:
        if progress is not None:
            progress(what, next(steps), total)

    for case in cases:
        graph, misfit = case.graph, case.misfit
        for ref in scenario.schedulers:
            tell(f"{graph.name} · {ref.label}")
            runs.append(
                Run(graph.name, ref.label, graph, error=misfit)
                if misfit
                else case.run(ref.label, ref.create(), scenario.time_limit_s)
            )
        for plan, path, owner in extra:
            if owner is case:
                tell(f"{graph.name} · {path.name}")
                runs.append(
                    Run(graph.name, path.stem, graph, plan=plan, error=misfit)
                    if misfit
                    else case.evaluate(path.stem, plan)
                )
    graphs = {case.graph.name: case.graph for case in cases}
    spread = []
    if scenario.reference is not None and variants:
        spread = bands(
            scenario.reference,
            variants,
            lambda varied, model: case_of(varied, graphs[model]),
            lambda: tell("what nobody measured"),
        )
    tell("done")
    runs = [run for case in cases for run in _with_proofs(runs, case, remarks)]
    notes = [note for case in cases for note in case.graph.notes] + remarks
    notes += doubts + anomaly_notes(runs) + overflow_notes(runs, scenario.soc)
    if cost_files(scenario.soc):
        notes += source_notes(runs)
        notes += [f"{case.graph.name}: {n}" for case in cases for n in case.cost_model.notes()]
    return Result(
        scenario=scenario.name,
        soc=scenario.soc,
        seed=scenario.seed,
        execution=scenario.execution,
        runs=tuple(runs),
        notes=tuple(notes),
        reference=_published(scenario.reference, spread),
        inputs=_hashes(
            [
                scenario.source,
                scenario.soc.source,
                *map(str, cost_files(scenario.soc)),
                *map(str, plans),
            ],
            cases,
        ),
    )


def _published(reference: ReferenceSpec | None, spread: Sequence[Band]) -> dict[str, object]:
    """The scenario's published figures as reports read them, with their bands if there are any."""
    if reference is None:
        return {}
    figures = [row.model_dump() for row in reference.improvements]
    for figure, band in zip(figures, spread, strict=False):
        figure["band"] = None if band.low is None else [band.low, band.high]
        figure["settings"] = band.settings
    return {
        "title": reference.title,
        "source": reference.source,
        "figures": figures,
        "unmeasured": [quantity.what for quantity in reference.unmeasured],
    }


def _with_proofs(runs: Sequence[Run], case: Case, remarks: list[str]) -> list[Run]:
    """The runs of one network; what one of them proved holds for every plan without rewrites.

    A proof is a claim: one that a simulated plan beats is taken back from all, and told.
    """
    mine = [run for run in runs if run.model == case.graph.name]
    plain = [
        run
        for run in mine
        if run.makespan_s is not None and run.plan is not None and not run.plan.rewrites
    ]
    ids = {id(run) for run in plain}
    claims = [bound for run in mine if run.plan for bound in proven_by(run.scheduler, run.plan)]
    fastest = min((run.makespan_s or 0.0 for run in plain), default=math.inf)
    refuted = [bound for bound in claims if bound.seconds > fastest * ROUNDING]
    remarks += [
        f"{case.graph.name}: the bound {bound.argument} ({bound.seconds:.9g} s) is refuted by a"
        f" plan that takes {fastest:.9g} s, and left out"
        for bound in refuted
    ]
    believed = [bound for bound in claims if bound not in refuted]
    return [
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
    ]


def load_graph(scenario: Scenario, model: ModelRef) -> Graph:
    """Loads one of the scenario's networks."""
    options: dict[str, Any] = {
        "name": model.label,
        "fold_batch_norm": scenario.fold_batch_norm,
        "unknown_operators": scenario.unknown_operators,
        **model.sizes.options(),
    }
    try:
        return load_network(model.network, **options)
    except HetsimError as error:
        raise _located(error, model.where) from None


def case_of(scenario: Scenario, graph: Graph) -> Case:
    """The case of one network under the options of a scenario."""
    return Case(
        graph,
        scenario.soc,
        execution=scenario.execution,
        seed=scenario.seed,
        fidelity=scenario.fidelity,
    )


def _located(error: HetsimError, where: object) -> HetsimError:
    """``error``, pointing at the scenario's line unless it already points somewhere."""
    if error.where is None:
        error.where = where  # type: ignore[assignment]
    return error


def _checked(path: Path, cases: Sequence[Case], remarks: list[str]) -> tuple[Plan, Path, Case]:
    """The plan of a file and the case it is for; what its reader decided goes to ``remarks``."""
    found = read_plan(path, [case.graph for case in cases], cases[0].soc)
    plan = found.plan
    remarks += [f"{path.name}: {note}" for note in found.notes]
    for case in cases:
        if case.graph.name == plan.model:
            validate_plan(plan, case.graph, case.soc, where=Location(str(path)))
            return plan, path, case
    names = ", ".join(case.graph.name for case in cases)
    raise PlanError(f"{path}: the plan is for network {plan.model!r}; the scenario has {names}")


def _hashes(files: Sequence[str], cases: Sequence[Case]) -> dict[str, str]:
    """SHA-256 of every input file that can be read."""
    found: dict[str, str] = {}
    for name in [*files, *(case.graph.source for case in cases)]:
        path = Path(name)
        if name and path.is_file():
            found[path.name] = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def simulate(
    soc: SoC, graph: Graph, plan: Plan, *, execution: str = DEFAULT, label: str | None = None
) -> Run:
    """Validates and simulates one plan; the notebook's way in.

    Raises:
        PlanError: the plan does not fit.
        ConfigError: unknown execution.
    """
    find_runtime(execution)
    validate_plan(plan, graph, soc)
    case = Case(graph, soc, execution=execution)
    case.check()
    return case.evaluate(label or plan.scheduler, plan)
