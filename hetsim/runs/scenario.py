"""Runs a scenario: every network under every scheduler."""

from __future__ import annotations

import hashlib
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
from hetsim.executors.base import Executor
from hetsim.executors.calls import CALLER, Call, Lost
from hetsim.plan.anyfile import planned_model, read_plan
from hetsim.plan.model import Plan
from hetsim.plan.validate import validate_plan
from hetsim.progress import Progress
from hetsim.runs.band import Band, bands, percents, variants_of
from hetsim.runs.case import Case
from hetsim.runs.rows import lost_rows, rows_of
from hetsim.scenario.loader import Scenario
from hetsim.scenario.refs import ModelRef
from hetsim.scenario.schema import ReferenceSpec
from hetsim.sim.runtimes.registry import DEFAULT, find_runtime
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from hetsim.workload.networks import load_network


def run_scenario(
    scenario: Scenario,
    *,
    plans: Sequence[Path] = (),
    progress: Progress | None = None,
    executor: Executor[Call, Any] | None = None,
) -> Result:
    """Plans and simulates everything the scenario asks for; ``plans`` are files run as well.

    ``executor`` works on networks beside one another; the result does not depend on it. A scheduler
    that fails is a run with ``error``, and so are all runs of a network that does not
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
    graphs = [load_graph(scenario, model) for model in scenario.models]
    extra = [_checked(path, graphs, scenario.soc, remarks) for path in plans]
    calls = [
        Call(rows_of, (scenario, graph, [row for row in extra if row[1].model == graph.name]))
        for graph in graphs
    ]
    reference = scenario.reference
    if reference is not None:
        named = {row.model for row in reference.improvements}
        needed = {graph.name: graph for graph in graphs if graph.name in named}
        calls += [Call(percents, (reference, varied, needed)) for varied in variants]
    sizes = [len(scenario.schedulers) + len(call.arguments[2]) for call in calls[: len(graphs)]]
    answers = _answers(calls, [*sizes, *[1] * (len(calls) - len(graphs))], executor, progress)
    rows = [
        lost_rows(scenario, graph, found.reason) if isinstance(found, Lost) else found
        for graph, found in zip(graphs, answers, strict=False)
    ]
    spread = bands([found for found in answers[len(graphs) :] if not isinstance(found, Lost)])
    runs = [run for found in rows for run in found.runs]
    notes = [note for graph in graphs for note in graph.notes] + remarks
    notes += [remark for found in rows for remark in found.remarks]
    notes += doubts + anomaly_notes(runs) + overflow_notes(runs, scenario.soc)
    if cost_files(scenario.soc):
        notes += source_notes(runs)
        for graph, found in zip(graphs, rows, strict=True):
            notes += [f"{graph.name}: {note}" for note in found.cost_notes]
    return Result(
        scenario=scenario.name,
        soc=scenario.soc,
        seed=scenario.seed,
        execution=scenario.execution,
        runs=tuple(runs),
        notes=tuple(notes),
        reference=_published(scenario.reference, spread),
        inputs=hashes(
            [
                scenario.source,
                scenario.soc.source,
                *map(str, cost_files(scenario.soc)),
                *map(str, plans),
            ],
            graphs,
        ),
    )


def workers_worth(scenario: Scenario) -> int:
    """How many processes pay off: a row takes a fraction of what it takes to start one."""
    return max(1, min(len(scenario.models), len(scenario.models) * len(scenario.schedulers) // 8))


def _answers(
    calls: Sequence[Call],
    steps: Sequence[int],
    executor: Executor[Call, Any] | None,
    progress: Progress | None,
) -> list[Any]:
    """What ``calls``, of so many ``steps`` each, return; made here where there is no executor."""
    total, done = sum(steps), count()

    def tell(what: str) -> None:
        if progress is not None:
            progress(what, next(done), total)

    if executor is None:
        found = [call.function(*call.arguments, tell) for call in calls]
    else:
        executor.ensure(CALLER)
        found = [None] * len(calls)
        for number, answer in executor.perform(_longest_first(calls)):
            found[number] = answer
            for _ in range(steps[number]):
                tell(calls[number].arguments[1].name)
    tell("done")
    return found


def _longest_first(calls: Sequence[Call]) -> list[tuple[int, Call]]:
    """With their positions; networks of many operators take longest, what is varied least."""

    def length(numbered: tuple[int, Call]) -> int:
        network = numbered[1].arguments[1]
        return -len(network) if isinstance(network, Graph) else 0

    return sorted(enumerate(calls), key=length)


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


def load_graph(scenario: Scenario, model: ModelRef) -> Graph:
    """Loads one of the scenario's networks."""
    options: dict[str, Any] = {
        "name": model.label,
        **scenario.reading,
        **model.sizes.options(),
    }
    try:
        return load_network(model.network, **options)
    except HetsimError as error:
        raise _located(error, model.where) from None


def _located(error: HetsimError, where: object) -> HetsimError:
    """``error``, pointing at the scenario's line unless it already points somewhere."""
    if error.where is None:
        error.where = where  # type: ignore[assignment]
    return error


def _checked(path: Path, graphs: Sequence[Graph], soc: SoC, remarks: list[str]) -> tuple[str, Plan]:
    """The label and the plan of a file; what its reader decided goes to ``remarks``."""
    found = read_plan(path, graphs, soc)
    plan = found.plan
    remarks += [f"{path.name}: {note}" for note in found.notes]
    for graph in graphs:
        if graph.name == plan.model:
            validate_plan(plan, graph, soc, where=Location(str(path)))
            return path.stem, plan
    names = ", ".join(graph.name for graph in graphs)
    raise PlanError(f"{path}: the plan is for network {plan.model!r}; the scenario has {names}")


def hashes(files: Sequence[str], graphs: Sequence[Graph]) -> dict[str, str]:
    """SHA-256 of every input file that can be read."""
    found: dict[str, str] = {}
    for name in [*files, *(graph.source for graph in graphs)]:
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
