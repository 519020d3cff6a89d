"""``fidelity: fluid`` beside ``fidelity: tile``, which plays every tile: whole networks on NPUs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.soc.loader import load_soc
from hetsim.validate.base import Check, Row, Setting
from hetsim.workload.zoo import load_model

NETWORKS = (
    "alexnet", "densenet121", "googlenet", "mobilenet_v2", "randwire", "resnet18", "resnet50",
    "resnext50_32x4d", "shufflenet", "squeezenet", "vit_b16",
)  # fmt: skip
"""Chains, branches and random wires; grouped, depthwise and dense; a transformer."""

SOCS = ("chiplet-edge", "edge-dual", "edge-mcu", "mobile-flagship", "zcu102-vta")
"""SoCs whose NPUs differ in kind: dies, cores, buffers, number formats."""


class TilesAgainstFluid(Check):
    """Makespans of ``npu_only`` plans at both fidelities."""

    title = "fluid against tiles on NPUs"
    compared = (
        "the makespan of eleven networks on five SoCs with NPUs, where one stream stands for"
        " all tiles of a kernel, beside hetsim itself playing every tile; networks that do not fit"
        " a SoC's memory are left out"
    )
    kind = "simulated"
    unit = "s"
    source = "hetsim itself, fidelity: tile"
    slow = True
    grouped = "SoC"

    def parts(self, setting: Setting) -> Sequence[str]:
        """The networks."""
        return NETWORKS

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """A network on each SoC that has the memory for it."""
        graph = load_model(part)
        for soc in SOCS:
            machine = load_soc(soc)
            fluid, tile = (Case(graph, machine, fidelity=grain) for grain in ("fluid", "tile"))
            if fluid.misfit:
                continue
            plan = fluid.plan(create("npu_only", {}))
            coarse, fine = (case.simulate(plan, trace=False).makespan_s for case in (fluid, tile))
            yield Row(part, soc, fine, coarse)
