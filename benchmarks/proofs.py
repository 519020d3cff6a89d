"""Bounds of streams beside saturated and periodic streams on random SoCs, networks and plans.

``python -m benchmarks.proofs --seeds 120`` prints how many bounds there were, how many were
exceeded (none must be), and how near to them the simulations came.
"""

from __future__ import annotations

import argparse
import random
from math import inf

import numpy as np

from hetsim.bounds.response.streams import WorstCase
from hetsim.bounds.simulated import least_seconds, simulated_floors
from hetsim.bounds.throughput import demands, most_of_any_plan, most_together
from hetsim.cost.analytical import AnalyticalModel
from hetsim.errors import HetsimError
from hetsim.lower.lowering import Lowering
from hetsim.lower.program import Program
from hetsim.sim.dispatch import Dispatcher
from hetsim.sim.dispatchers.fifo import Fifo
from hetsim.sim.dispatchers.priority import Priority
from hetsim.sim.serving.serve import serve
from hetsim.sim.simulate import execute
from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec
from hetsim.streams.arrivals.closed import Closed
from hetsim.streams.service import Stream
from hetsim.validate.checks.response import periodic
from hetsim.workload.graph import Graph
from tests.random_cases import random_network, random_plan
from tests.random_socs import random_soc_file


def calm_soc(seed: int) -> SoC:
    """A random SoC without what no worst case is proven for."""
    said, draw = random_soc_file(seed), random.Random(seed)
    for link in said["links"].values():
        link.pop("cache", None)
        if link.get("arbitration") in ("fifo", "priority"):
            link["arbitration"] = draw.choice(("weighted", "max_min_fair"))
    for memory in said["memory"].values():
        if isinstance(memory["efficiency"], list):
            memory["efficiency"] = sorted(memory["efficiency"], reverse=True)
    for unit in said["pus"].values():
        for knob in ("slowdown", "priority", "weight"):
            unit.pop(knob, None)
    return SoC.from_spec(SoCSpec.model_validate(said))


def networks(soc: SoC, seed: int, count: int) -> list[tuple[Graph, Program]]:
    """Random networks by random plans."""
    found = []
    for i in range(count):
        graph = random_network(10 * seed + i, 2 + (seed + i) % 6)
        plan = random_plan(graph, soc, 10 * seed + i)
        found.append((graph, Lowering(graph, soc, AnalyticalModel()).program(plan)))
    return found


def responses(seed: int) -> list[float]:
    """The longest response of each stream over its bound."""
    draw = random.Random(seed)
    soc = calm_soc(seed)
    programs, streams = {}, []
    count = draw.randint(1, 3)
    for i, (_, program) in enumerate(networks(soc, seed, count)):
        alone = execute(soc, program, trace=False).makespan_s
        period = alone * 10 ** draw.uniform(0.2, 1.3) * count
        offset, jitter = (period * max(0.0, draw.uniform(-1, 1)) for _ in range(2))
        programs[f"s{i}"] = program
        arrivals = periodic(period, offset, jitter)
        streams.append(Stream(f"s{i}", "m", arrivals, priority=draw.randint(0, 2), count=30))
    preemptive, fifo = draw.random() < 0.6, draw.random() < 0.25
    cost = max(0.0, draw.uniform(-1e-4, 1e-4))

    def dispatcher() -> Dispatcher:
        return Fifo() if fifo else Priority(preemptive)

    worst = WorstCase(soc, streams, programs, dispatcher(), preemption_cost_s=cost).worst()
    served = serve(
        soc, streams, programs, dispatcher=dispatcher(), preemption_cost_s=cost, seed=seed
    )
    return [
        float((ledger.finish - ledger.arrival).max()) / bound
        for name, ledger in served.ledgers.items()
        if (bound := worst[name].seconds) is not None
    ]


def throughputs(seed: int) -> tuple[list[float], list[float]]:
    """What two saturated streams reach over the bounds for their plans, and for any plan."""
    soc = calm_soc(seed)
    made = {str(i): pair for i, pair in enumerate(networks(soc, seed, 2))}
    programs = {name: program for name, (_, program) in made.items()}
    streams = [Stream(name, "m", Closed(kind="closed", clients=8), count=20) for name in made]
    served = serve(soc, streams, programs, dispatcher=Fifo())
    reached = sum(len(ledger) for ledger in served.ledgers.values()) / served.end_s
    asked = {name: demands(soc, program) for name, program in programs.items()}
    known = {name: found for name, found in asked.items() if found is not None}
    tables = {
        name: (graph, least_seconds(simulated_floors(graph, soc, AnalyticalModel(), "fluid")))
        for name, (graph, _) in made.items()
    }
    anyhow = most_of_any_plan(soc, tables, dict.fromkeys(made, 1.0))
    by_plan = [reached / most_together(known, dict.fromkeys(known, inf)).per_second]
    return by_plan, [] if anyhow is None else [reached / anyhow.per_second]


def main() -> None:
    """Prints a line for each kind of bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=120)
    ratios: dict[str, list[float]] = {"response": [], "throughput": [], "of any plan": []}
    for seed in range(parser.parse_args().seeds):
        try:
            ratios["response"] += responses(seed)
            by_plan, anyhow = throughputs(seed)
        except HetsimError:  # a plan that a random SoC cannot run
            continue
        ratios["throughput"] += by_plan
        ratios["of any plan"] += anyhow
    for name, found in ratios.items():
        above = sum(ratio > 1.0 + 1e-9 for ratio in found)
        middle, most = np.quantile(found, (0.5, 1.0))
        print(
            f"{name:12} {len(found):4} bounds, {above} exceeded; simulated over bound:"
            f" median {middle:.2f}, most {most:.3f}"
        )


if __name__ == "__main__":
    main()
