"""Cycles of whole networks on systolic arrays: ``python benchmarks/systolic_totals.py [MODEL]``.

Sums the closed form of :func:`hetsim.cost.systolic_cycles` over every convolution and matrix
product of a network (default: ResNet-18), for each dataflow and two array sizes.
"""

from __future__ import annotations

import argparse
import sys

from hetsim.cost import systolic_cycles
from hetsim.errors import HetsimError
from hetsim.workload.graph import Graph
from hetsim.workload.zoo import load_model

DATAFLOWS = ("weight_stationary", "output_stationary", "input_stationary")


def total_cycles(graph: Graph, dataflow: str, rows: int, cols: int) -> int:
    """Stall-free cycles of all matrix work of ``graph``, layer after layer."""
    total = 0
    for op in graph.operators:
        nest = op.nest
        if nest is not None:
            pixels = nest.batch * nest.out_h * nest.out_w
            taps = nest.in_c * nest.k_h * nest.k_w
            total += nest.groups * systolic_cycles(dataflow, rows, cols, pixels, taps, nest.out_c)
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default="resnet18", help="a network of the zoo")
    model = parser.parse_args().model
    try:
        graph = load_model(model)
    except HetsimError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{graph.name}, {graph.macs / 1e9:.3f} GMAC\n")
    print("| array | " + " | ".join(f"{name:>17}" for name in DATAFLOWS) + " |")
    print("|------:|" + "|".join("-" * 18 + ":" for _ in DATAFLOWS) + "|")
    for size in (32, 16):
        cells = (f"{total_cycles(graph, name, size, size):17,}" for name in DATAFLOWS)
        print(f"| {size}×{size} | " + " | ".join(cells) + " |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
