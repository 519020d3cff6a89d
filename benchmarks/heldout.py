"""How far PartitionTuner's tuned parameters carry: networks and SoCs that had no part in it.

What is minimised is the geometric mean of makespans relative to the published parameters', as in
``hetsim tune``. Beside each tuning without a network or SoC stands one on that alone: what there
was to be had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hetsim.executors.base import Executor
from hetsim.runs.case import Case
from hetsim.runs.rows import case_of
from hetsim.scenario.choices import choose
from hetsim.scenario.loader import Scenario
from hetsim.scenario.variants import varied
from hetsim.study.point import PointBench
from hetsim.study.tune.crew import Crew, TuneBench
from hetsim.study.tune.parameters import Fold, tune_parameters


@dataclass(frozen=True)
class HeldOut:
    """``name`` was left out of ``others``; ``alone`` is tuned on nothing else."""

    name: str
    others: Fold
    alone: Fold


@dataclass(frozen=True)
class Carried:
    """All of it. ``tried``: plans simulated, each once."""

    places: tuple[tuple[str, str], ...]
    everything: Fold
    held: tuple[HeldOut, ...]
    tried: int


def cases_of(
    scenario: Scenario, socs: Mapping[str, Mapping[str, object]], models: Sequence[str]
) -> dict[tuple[str, str], Case]:
    """The cases by SoC and network; a network that does not fit a SoC is left out there."""
    graphs = PointBench.of(choose(scenario, models=models)).graphs
    found: dict[tuple[str, str], Case] = {}
    for soc, changes in socs.items():
        there = varied(scenario, {"soc": soc, **changes})
        for model, graph in graphs.items():
            case = case_of(there, graph)
            if not case.misfit:
                found[soc, model] = case
    return found


def carried(cases: Mapping[tuple[str, str], Case], team: Executor) -> Carried:
    """Tunes on all cases, without each network, without each SoC, and on each of those alone."""
    places = tuple(cases)
    everywhere = frozenset(range(len(places)))
    names = list(dict.fromkeys([model for _, model in places] + [soc for soc, _ in places]))
    out = [frozenset(i for i in everywhere if name in places[i]) for name in names]
    rest = [everywhere - held for held in out]
    crew = Crew(TuneBench(tuple(cases.values())), team)
    tuned = tune_parameters(crew, (*out, *rest), pairs=False)
    without, alone = tuned.folds[: len(out)], tuned.folds[len(out) :]
    held = tuple(map(HeldOut, names, without, alone))
    return Carried(places, tuned.everything, held, tuned.tried)
