"""Plans handed to real runtimes: how many nodes run where the plan has them.

``python benchmarks/plan_export.py --to onnxruntime --second NAME[:OPTION=VALUE] [NETWORK ...]``

Every network (of the zoo, or FILE.onnx) is cut into stretches of ``--every`` operators that change
the unit each time, which is harder than what a scheduler plans; one unit is the CPU, the other
NAME. The plan is exported, run, and read back. A row for each: nodes of the file, partitions, nodes
that the runtime had to place, those that ran as planned, and how far outputs are from the whole
model's. The exit code is 1 unless all did.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hetsim.errors import HetsimError
from hetsim.host.handover.compare import Comparison, compare
from hetsim.host.handover.registry import find_runner, runtime_names
from hetsim.plan.build import Block, make_plan
from hetsim.plan.handover.base import Order
from hetsim.plan.handover.document import load_assignment
from hetsim.plan.handover.registry import find_exporter
from hetsim.plan.handover.targets import parse_targets
from hetsim.report.files.directory import write_directory
from hetsim.soc.loader import load_soc
from hetsim.workload.onnx.runnable import load_runnable

COLUMNS = ("network", "nodes", "parts", "placed", "as planned", "share", "outputs apart")
NETWORKS = ("squeezenet", "googlenet", "shufflenet", "mobilenet_v2", "resnet18", "resnet50",
            "inception_v2", "densenet121", "vit_b16")  # fmt: skip


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--to", choices=runtime_names(), default="onnxruntime")
    parser.add_argument("--first", default="", help="target of the CPU, with options")
    parser.add_argument("--second", default="CPUExecutionProvider", help="target of the other unit")
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    mapped = [f"npu={options.second}"] + ([f"cpu={options.first}"] if options.first else [])
    print(_line(COLUMNS))
    all_landed = True
    for network in options.networks:
        label = Path(network).stem
        try:
            parts, found = carry_out(network, options.to, mapped, options.every, options.whole)
        except HetsimError as error:
            print(f"{label:<24}{' '.join(str(error).split())[:150]}")
            all_landed = False
            continue
        placed = len(found.placeable)
        apart = found.evidence.deviation
        print(_line((label, len(found.rows), parts, placed, found.landed, f"{found.share:.1%}",
                     "" if apart is None else f"{apart:.1e}")), flush=True)  # fmt: skip
        for row in [row for row in found.placeable if row.status != "as planned"][:3]:
            print(f"    {row.node.name}: {row.status}, {row.reason}")
        all_landed &= found.landed == placed
    return 0 if all_landed else 1


def carry_out(
    network: str, runtime: str, mapped: Sequence[str], every: int, whole: bool
) -> tuple[int, Comparison]:
    """Exports a network cut in stretches, runs it, and says how many parts there were."""
    soc = load_soc("zcu102-vta")
    ready = load_runnable(network)
    graph = ready.graph
    pus = [soc.by_name[name].index for name in ("cpu", "npu")]
    blocks = [
        Block(tuple(range(start, min(start + every, len(graph)))), pus[i % 2])
        for i, start in enumerate(range(0, len(graph), every))
    ]
    plan = make_plan(graph, soc, blocks, scheduler="stretches")
    order = Order(plan, graph, soc, parse_targets(mapped), lambda: ready)
    made = find_exporter(runtime).export(order)
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "out"
        write_directory(directory, made.files)
        assignment = load_assignment(directory)
        evidence = find_runner(runtime)(directory, assignment, whole=whole, seed=0)
    return len(blocks), compare(assignment, evidence)


def _line(cells: Sequence[object]) -> str:
    first, *others = map(str, cells)
    return f"{first:<24}" + "".join(f"{cell:>14}" for cell in others)


if __name__ == "__main__":
    sys.exit(main())
