"""Cycles of systolic arrays against SCALE-Sim (Samajdar et al., ISPASS 2020; version 3.0)."""

from __future__ import annotations

from collections.abc import Iterator

from hetsim.cost import systolic_cycles
from hetsim.validate.base import Check, Row, Setting
from hetsim.workload.graph import Graph
from hetsim.workload.zoo import load_model

NETWORKS, PRODUCTS = "scalesim_cycles.csv", "scalesim_products.csv"


class ScaleSimCycles(Check):
    """Stall-free cycles of random products, and of all matrix work of a network."""

    title = "cycles of systolic arrays"
    compared = (
        "stall-free cycles of random products, and of all convolutions and products of a network,"
        " beside the cycles that SCALE-Sim counts; nothing is fitted"
    )
    kind = "simulated"
    unit = "cycles"
    tables = (PRODUCTS, NETWORKS)
    grouped = "dataflow"

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """A row for each product, or network, on an array in a dataflow."""
        for record in setting.tables.records(PRODUCTS):
            sizes = [int(record[name]) for name in ("rows", "columns", "T", "K", "N")]
            rows, cols, t, k, n = sizes
            ours = systolic_cycles(record["dataflow"], *sizes)
            name = f"{t}x{k} by {k}x{n} on {rows}x{cols}"
            yield Row(name, record["dataflow"], float(record["cycles"]), float(ours))
        for record in setting.tables.records(NETWORKS):
            dataflow, rows, cols = record["dataflow"], int(record["rows"]), int(record["cols"])
            ours = total_cycles(load_model(record["network"]), dataflow, rows, cols)
            name = f"{record['network']} on {rows}x{cols}"
            yield Row(name, dataflow, float(record["cycles"]), float(ours))


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
