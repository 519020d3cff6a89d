"""Plans of streams found by simulating them: against all there are, latency against throughput.

    python benchmarks/joint.py exhaustive            the search beside all pairs of plans
    python benchmarks/joint.py front                 latency against throughput, with their bounds
    python benchmarks/joint.py carry SCENARIO        what tuning gains, and what of it carries over

*exhaustive*: two random networks of three operators each on a CPU and an NPU, arrivals close
enough to meet. Every assignment to units with every way to cut it into partitions is simulated for
each network beside each of the other; the search starts from three schedulers. Goal: the optimum in
9 of 10 cases.

*front*: frames of one network, so many in flight at once that each is begun when one ends. With one
in flight the best throughput is the least latency; with more, plans that spread a frame over units
gain, because units work on different frames. For every number the best plan found, then its latency
alone and its throughput with eight in flight. A point that no other beats in both is marked *.
Bounds, of the network as it is or as some plan rewrites it: that on the makespan, and that on the
rate of any plans (:func:`hetsim.bounds.throughput.most_of_any_plan`).

*carry*: each objective tuned over the short horizon, then judged as long as the scenario says with
arrivals of another seed.
"""

from __future__ import annotations

import argparse
import itertools
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

from hetsim.analysis.serving.objectives import OBJECTIVES
from hetsim.bounds.simulated import least_seconds
from hetsim.bounds.throughput import most_of_any_plan
from hetsim.errors import HetsimError
from hetsim.executors.serial import SerialExecutor
from hetsim.plan.build import Block, make_plan
from hetsim.plan.model import Plan
from hetsim.runs.joint import Together, shortened
from hetsim.runs.serving import Mix
from hetsim.scenario.loader import Scenario, load_scenario
from hetsim.schedulers.registry import create
from hetsim.schedulers.search import campaign
from hetsim.schedulers.search.judge import draft_of
from hetsim.schedulers.search.space import Space
from hetsim.schedulers.search.starts import start_names
from hetsim.soc.model import SoC
from hetsim.streams.arrivals.closed import Closed
from hetsim.study.tune.rounds import Effort
from hetsim.study.tune.streamstudy import StreamTuneStudy
from hetsim.workload.graph import Graph
from hetsim.workload.synthetic import random_graph

PAIR = """\
hetsim: scenario/1
name: pair
soc: edge-mcu
models: [resnet8, ds_cnn]
schedulers: [heft]
seed: {seed}
streams:
  - {{name: a, model: resnet8, arrivals: {{kind: periodic, period: {a:.3f} ms}}}}
  - {{name: b, model: ds_cnn, arrivals: {{kind: poisson, period: {b:.3f} ms}}}}
serve: {{duration: 1 s}}
"""

ONE = """\
hetsim: scenario/1
name: one
soc: {soc}
models: [{model}]
schedulers: [heft]
streams:
  - {{model: {model}, arrivals: {{kind: closed}}, count: 24}}
"""

NETWORKS = ("mobilenet_v2", "resnet18", "squeezenet")
SOCS = ("mobile-flagship", "phone-gpu-dsp")
IN_FLIGHT = (1, 2, 4, 8)


def scenario_of(text: str) -> Scenario:
    """A scenario that stands in no file for long."""
    with TemporaryDirectory() as directory:
        file = Path(directory) / "scenario.yaml"
        file.write_text(text, encoding="utf-8")
        return load_scenario(file)


def together(scenario: Scenario, objective: str, graphs: Mapping[str, Graph] | None = None,
             share: float = 1.0) -> Together:  # fmt: skip
    """All streams of a scenario over the horizon of a search."""
    assert scenario.service is not None
    short = replace(scenario, service=shortened(scenario.service, share=share))
    return Together(Mix.of(short, graphs), scenario.service.dispatchers[0], OBJECTIVES[objective])


def planned(case: Together, names: tuple[str, ...] | list[str]) -> list[Plan]:
    """What schedulers make of every network alone, as plans of the union."""
    found = []
    for name in names:
        try:
            plans = {s.name: case.mix.cases[s.model].plan(create(name)) for s in case.streams}
        except HetsimError:
            continue
        found.append(case.union.join(plans, name))
    return found


def piped(case: Together) -> Plan:
    """The networks as rows of stages on different units."""
    (who,) = case.mix.scenario.contenders
    return case.union.join(case.mix.plans(replace(who, plans="pipeline")), "pipeline")


def searched(case: Together, starts: list[Plan], budget: int, seed: int = 0) -> campaign.Campaign:
    """The search from ``starts``, here and now."""
    begun = campaign.begin(case.ground, starts, budget)
    return campaign.run(case.ground, begun, seed, budget)


def every_plan(space: Space, soc: SoC) -> Iterator[Plan]:
    """All assignments of a network's operators, with all ways to cut its order."""
    size = len(space.graph)
    for pus in itertools.product(*space.homes):
        for cuts in itertools.product((False, True), repeat=size - 1):
            blocks = [[0]]
            for op in range(1, size):
                if cuts[op - 1] or pus[op] != pus[op - 1]:
                    blocks.append([])
                blocks[-1].append(op)
            ran = [Block(tuple(block), pus[block[0]]) for block in blocks]
            yield make_plan(space.graph, soc, ran, scheduler="every")


def optimum(case: Together) -> tuple[float, int]:
    """The least value of all pairs of plans, and how many there are."""
    ground, soc, best, count = case.ground(()), case.mix.scenario.soc, inf, 0
    choices = [
        list({plan.partitions: plan for plan in every_plan(part, soc)}.values())
        for part in ground.space.parts  # type: ignore[attr-defined]
    ]
    for pair in itertools.product(*choices):
        joined = case.union.join(dict(zip(case.union.graphs, pair, strict=True)), "every")
        draft = draft_of(ground.space.graph, soc, joined)
        best = min(best, ground.judge.judge(draft, best).seconds)
        count += 1
    return best, count


def exhaustive(cases: int, budget: int) -> None:
    """The table of random cases."""
    reached = 0
    for seed in range(cases):
        draw = random.Random(seed)
        text = PAIR.format(seed=seed, a=draw.uniform(0.05, 1), b=draw.uniform(0.05, 1))
        graphs = {
            label: random_graph(seed + 100 * i, 3, spatial=(7, 14)[seed % 2])
            for i, label in enumerate(("resnet8", "ds_cnn"))
        }
        objective = ("latency", "fairness", "throughput")[seed % 3]
        case = together(scenario_of(text), objective, graphs, share=0.25)
        found = searched(case, planned(case, ("cpu_only", "type_based", "heft")), budget, seed)
        best, count = optimum(together(scenario_of(text), objective, graphs, share=0.25))
        hit = found.seconds <= best * (1 + 1e-9)
        reached += hit
        print(
            f"{seed:3} {objective:11} {count:6} pairs  optimum {best:.6g}  search"
            f" {found.seconds:.6g} ({found.seconds / best - 1:+.2%}) after {found.evaluations}"
        )
    print(f"the optimum in {reached} of {cases} cases")


@dataclass(frozen=True)
class Point:
    """A plan: who found it, seconds of one frame alone, frames a second with eight in flight."""

    name: str
    latency_s: float
    per_s: float
    units: int


def in_flight(scenario: Scenario, clients: int, count: int) -> Scenario:
    """The one stream with so many in flight."""
    assert scenario.service is not None
    (stream,) = scenario.service.streams
    arrivals = Closed(kind="closed", clients=clients)
    stream = replace(stream, arrivals=arrivals, count=count)
    return replace(scenario, service=replace(scenario.service, streams=(stream,)))


def points(soc: str, model: str, budget: int) -> tuple[list[Point], float, float]:
    """The plans of schedulers and those found, and both bounds: seconds, frames a second."""
    scenario = scenario_of(ONE.format(soc=soc, model=model))
    full = together(in_flight(scenario, IN_FLIGHT[-1], 60), "throughput")
    full = replace(full, mix=replace(full.mix, scenario=in_flight(scenario, IN_FLIGHT[-1], 60)))
    (case,) = full.mix.cases.values()

    def point(name: str, plan: Plan) -> Point:
        (own,) = full.union.split(plan).values()
        per_s = 1.0 / full.value({model: own}).seconds
        units = len({partition.pu for partition in own.partitions})
        return Point(name, full.mix.alone(model, own).makespan_s, per_s, units)

    starts = [*planned(full, start_names()), piped(full)]
    found = [point(plan.scheduler, plan) for plan in starts]
    for clients in IN_FLIGHT:
        many = together(in_flight(scenario, clients, 24), "throughput")
        ended = searched(many, starts, budget)
        best = campaign.best_plan(many.ground, ended, "tune")
        starts.append(best)
        found.append(point(f"tuned, {clients} in flight", best))
    every = [own for plan in starts for own in full.union.split(plan).values()]
    alone_s = min(max(b.seconds for b in case.bounds_beside(own)) for own in every)
    cases = {own.rewrites: case.rewritten(own.rewrites) for own in every}
    limits = [
        most_of_any_plan(each.soc, {model: (each.graph, least_seconds(each.floors))}, {model: 1.0})
        for each in cases.values()
    ]
    return found, alone_s, max(inf if limit is None else limit.per_second for limit in limits)


def front(budget: int, networks: list[str], socs: list[str]) -> None:
    """Both ends, their bounds and what lies between."""
    for soc, model in itertools.product(socs, networks):
        begun = time.process_time()
        found, alone_s, most = points(soc, model, budget)
        print(
            f"\n{model} on {soc}: at least {alone_s * 1e3:.4g} ms a frame, at most {most:.5g}"
            f" frames a second ({time.process_time() - begun:.0f} s of CPU)"
        )
        for p in sorted(found, key=lambda p: (p.latency_s, -p.per_s)):
            beaten = any(
                q.latency_s <= p.latency_s and q.per_s >= p.per_s
                and (q.latency_s, q.per_s) != (p.latency_s, p.per_s)
                for q in found
            )  # fmt: skip
            if beaten and not p.name.startswith("tuned"):
                continue
            assert p.latency_s >= alone_s * (1 - 1e-9), "a bound is broken"
            assert p.per_s <= most * (1 + 1e-9), "a bound is broken"
            print(
                f"  {' ' if beaten else '*'} {p.name:22} {p.latency_s * 1e3:9.4g} ms"
                f" ({p.latency_s / alone_s - 1:+7.1%})  {p.per_s:8.5g}/s"
                f" ({p.per_s / most:6.1%} of the bound)  {p.units} units"
            )


def carry(scenario: str, budget: int) -> None:
    """Gains over the horizon of the search and over fresh arrivals."""
    for objective in OBJECTIVES:
        study = StreamTuneStudy(load_scenario(scenario), objective, Effort(budget))
        try:
            with SerialExecutor() as team:
                found = study.run(team)
        except HetsimError as error:
            print(f"{objective:16} {error.message}")
            continue
        shown = OBJECTIVES[objective].shown
        runs = (found.before, found.after, *found.fresh)
        values = [run.values[objective] for run in runs]
        gains = [1.0 - values[i + 1] / values[i] if values[i] else 0.0 for i in (0, 2)]
        print(
            f"{objective:16} {shown(values[0])} -> {shown(values[1])} ({gains[0]:.1%} less);"
            f" fresh {shown(values[2])} -> {shown(values[3])} ({gains[1]:.1%} less)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("exhaustive", "front", "carry"))
    parser.add_argument("scenario", nargs="?", help="of 'carry'")
    parser.add_argument("--cases", type=int, default=30)
    parser.add_argument("--evaluations", type=int, default=600)
    parser.add_argument("--network", action="append")
    parser.add_argument("--soc", action="append")
    asked = parser.parse_args()
    if asked.what == "exhaustive":
        exhaustive(asked.cases, asked.evaluations)
    elif asked.what == "front":
        front(asked.evaluations, asked.network or list(NETWORKS), asked.soc or list(SOCS))
    elif asked.scenario is None:
        parser.error("carry needs a scenario")
    else:
        carry(asked.scenario, asked.evaluations)


if __name__ == "__main__":
    main()
