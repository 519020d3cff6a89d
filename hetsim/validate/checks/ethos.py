"""Layers on an Ethos-U55 beside the estimates of Arm's compiler, which are no silicon."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hetsim.analysis.launches import operator_rows
from hetsim.analysis.ran import Ran
from hetsim.runs.case import Case
from hetsim.schedulers.registry import create
from hetsim.sim.runtimes.registry import find_runtime
from hetsim.soc.loader import load_soc
from hetsim.validate.base import Check, Row, Setting
from hetsim.validate.tables import Tables
from hetsim.workload.graph import Graph, Operator
from hetsim.workload.zoo import load_model

TABLE = "npu_compiler_cycles.csv"
SOCS = ("ethos-u55-128", "ethos-u55-64")
NETWORKS = {"ad": "toy_autoencoder", "ic": "resnet8", "kws": "ds_cnn", "vww": "mobilenet_v1_025"}
CLOCK = 500e6
"""Hertz of the compiler's default system, and of the SoC files."""

_FUSED = ("Relu", "Clip", "Pad")
"""What is no layer of the compiler's: it is done with what stands before or behind."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer as the compiler estimates it: of the array alone, and with what it waits for."""

    operator: Operator
    array_cycles: int
    cycles: int


def layers(tables: Tables, soc: str, network: str) -> list[Layer]:
    """The layers of a network of the table, softmax left out: the zoo's networks end before it."""
    graph = load_model(NETWORKS[network])
    operators = [op for op in graph.operators if op.kind not in _FUSED]
    lines = [
        line
        for line in tables.records(TABLE)
        if (line["accelerator"], line["network"]) == (soc, network)
        and line["layer"] != "total"
        and line["fused_as"] != "Relu"
        and line["operator"] != "Softmax"
    ]
    found = []
    for op, line in zip(operators, lines, strict=True):
        if op.macs and op.macs != int(line["macs"]):
            raise AssertionError(f"{network}: {op.name} is not layer {line['layer']}")
        found.append(Layer(op, int(line["npu_cycles"]), int(line["op_cycles"])))
    return found


class EthosLayers(Check):
    """MLPerf Tiny's four networks on two sizes of the array."""

    title = "layers on Ethos-U55"
    compared = (
        "a layer's time, simulated, beside the estimate of Arm's compiler, which is no silicon; the"
        " rates of the SoC files were read off these estimates, network by network and all together"
    )
    kind = "estimated"
    unit = "s"
    tables = (TABLE,)
    grouped = "array and layer"

    def parts(self, setting: Setting) -> Sequence[str]:
        """A SoC each."""
        return SOCS

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """A row for each layer, and one for each network."""
        for network in NETWORKS:
            yield from self._network(layers(setting.tables, part, network), part, network)

    def _network(self, told: Sequence[Layer], soc: str, network: str) -> Iterator[Row]:
        graph = load_model(NETWORKS[network])
        seconds = kernel_seconds(graph, soc)
        total = 0.0
        for i, layer in enumerate(told):
            own = seconds.get(layer.operator.name, 0.0)
            total += own
            group = f"{soc}, {layer.operator.kind_path[0]}"
            yield Row(f"{network} layer {i}", group, layer.cycles / CLOCK, own)
        cycles = sum(layer.cycles for layer in told)
        yield Row(NETWORKS[network], f"{soc}, networks", cycles / CLOCK, total)


def kernel_seconds(graph: Graph, soc: str) -> dict[str, float]:
    """Time of each kernel of the ``npu_only`` plan by its first operator."""
    case = Case(graph, load_soc(soc))
    plan = case.plan(create("npu_only", {}))
    program = case.rewritten(plan.rewrites).lowering.program(plan)
    ran = Ran(
        case.graph, case.soc, plan, program, case.simulate(plan), find_runtime(case.execution)
    )
    return {
        row.operators.split("+")[0]: row.end_s - row.start_s
        for row in operator_rows("npu_only", ran)
    }
