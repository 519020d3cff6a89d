"""Does the reference kernel tell the machine's pace? Networks and the reference run in turns.

    python benchmarks/pace.py squeezenet resnet18

Prints, for each network, how much its latency and the reference's wander (medians over five turns,
largest over smallest), how well the two agree (correlation), and what is left of the wandering when
latencies are divided by the pace. Needs the extra ``measure``.
"""

from __future__ import annotations

import argparse
from functools import partial
from statistics import correlation, median

from hetsim.host.engines.base import How
from hetsim.host.engines.onnxruntime import OnnxRuntime
from hetsim.host.machine import pinned, this_machine
from hetsim.host.measure import timed
from hetsim.host.network import load_network
from hetsim.host.pace import Pacer, smoothed


def wandering(times: list[float]) -> float:
    """Largest over smallest, smoothed."""
    slow = smoothed(times)
    return max(slow) / min(slow)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--turns", type=int, default=150)
    given = parser.parse_args()
    engine = OnnxRuntime()
    cpus = this_machine().cpus[:1]
    row = "{:<16} {:>10} {:>10} {:>10} {:>12} {:>10}"
    print(row.format("network", "median ms", "wanders", "reference", "correlation", "corrected"))
    for name in given.networks:
        network, pacer = load_network(name), Pacer(cpus, engine)
        latencies = []
        with pinned(cpus):
            run = partial(engine.runner(network.model, How(name)), network.feeds)
            for turn in range(given.turns + 5):
                pacer.turn(keep=turn >= 5)
                sample = timed(run)
                if turn >= 5:
                    latencies.append(sample.own_s)
        pace = pacer.pace()
        corrected = [latency / slow for latency, slow in zip(latencies, pace, strict=True)]
        print(row.format(
            name, f"{median(latencies) * 1e3:.2f}", f"{wandering(latencies):.2f}",
            f"{max(pace) / min(pace):.2f}", f"{correlation(smoothed(latencies), pace):.2f}",
            f"{wandering(corrected):.2f}",
        ))  # fmt: skip


if __name__ == "__main__":
    main()
