"""What neighbours take away from a worker."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

from hetsim.host.engines.base import Engine, How, is_quantised
from hetsim.host.machine import Machine, pinned
from hetsim.host.measure import timed
from hetsim.host.network import Network


def measure_company(
    networks: Sequence[Network], machine: Machine, threads: int, engine: Engine, repeats: int = 10
) -> float:
    """Share of its speed that a worker keeps while the others work: geometric mean over networks.

    Each turn runs a network alone, then beside copies of itself on the other workers. 1.0 when
    there is room for one worker only.
    """
    cpus = [
        machine.cpus[i : i + threads] for i in range(0, len(machine.cpus) - threads + 1, threads)
    ]
    if len(cpus) < 2:
        return 1.0
    logs = []
    for network in networks:
        alone, beside = _turns(network, cpus, threads, engine, repeats)
        logs.append(math.log(min(1.0, median(alone) / median(beside))))
    return math.exp(sum(logs) / len(logs))


def _turns(
    network: Network, cpus: Sequence[Sequence[int]], threads: int, engine: Engine, repeats: int
) -> tuple[list[float], list[float]]:
    go, stop = threading.Event(), threading.Event()
    ready = threading.Barrier(len(cpus))
    how = How(network.graph.name, threads, is_quantised(network))

    def opened() -> Callable[[], object]:
        return partial(engine.runner(network.model, how), network.feeds)

    def neighbour(mine: Sequence[int]) -> None:
        with pinned(mine):
            run = opened()
            ready.wait()
            while not stop.is_set():
                if go.wait(0.01):
                    run()

    others = [threading.Thread(target=neighbour, args=(c,), daemon=True) for c in cpus[1:]]
    for thread in others:
        thread.start()
    alone: list[float] = []
    beside: list[float] = []
    try:
        with pinned(cpus[0]):
            run = opened()
            ready.wait()
            timed(run)
            for _ in range(repeats):
                alone.append(timed(run, threads).own_s)
                go.set()
                timed(run)  # until the neighbours are well under way
                beside.append(timed(run, threads).own_s)
                go.clear()
                timed(run)  # until they have finished
    finally:
        stop.set()
        for thread in others:
            thread.join()
    return alone, beside
