"""What rates Arm's compiler gives an Ethos-U55: ``python benchmarks/ethos_layers.py``.

From its estimates of MLPerf Tiny's layers (hetsim/data/npu_compiler_cycles.csv): for each array and
kind of layer the median share of the multipliers' rate that is reached, products counted as the
SoC's kind does; the results stored per cycle where there are few channels to sum over; and the
spread of each between the four networks.
"""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from hetsim.cost.analytical.mobile_npu import MobileNPUModel
from hetsim.cost.pu import model_of
from hetsim.soc.loader import load_soc
from hetsim.validate.checks.ethos import NETWORKS, SOCS, layers
from hetsim.validate.tables import Tables
from hetsim.workload.zoo import load_model

FEW, MANY = 16, 32
"""Input channels up to which a 1x1 convolution waits for its results, and from which it never."""


def main() -> None:
    for soc in SOCS:
        model = model_of(load_soc(soc).by_name["npu"])
        assert isinstance(model, MobileNPUModel)
        multipliers = model.reached("int8").macs_per_cycle
        found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        packed: dict[str, list[float]] = defaultdict(list)
        for network, name in NETWORKS.items():
            graph = load_model(name)
            flash = weights = 0
            for layer in layers(Tables(), soc, network):
                op, cycles = layer.operator, layer.array_cycles
                kind, out = op.kind_path[0], graph.tensors[op.outputs[0]].elements
                if kind == "Conv.pointwise" and op.nest is not None and op.nest.in_c <= FEW:
                    found["results per cycle"][network].append(out / cycles)
                elif op.macs and not (kind == "Conv.pointwise" and op.nest.in_c < MANY):
                    found[kind][network].append(model.padded(op) / cycles / multipliers)
                elif not op.macs:
                    read = max(graph.tensors[t].elements for t in (*op.inputs, *op.outputs))
                    found[f"{kind}, passes"][network].append(cycles / read)
                flash += layer.cycles if layer.cycles > cycles else 0
                weights += op.weight_elements if layer.cycles > cycles else 0
            if flash:
                packed[network].append(weights / flash)
        print(f"{soc}: {multipliers:g} multipliers")
        for kind, networks in found.items():
            every = [value for values in networks.values() for value in values]
            parts = ", ".join(f"{n} {median(v):.3g}" for n, v in networks.items())
            print(f"  {kind:26} {median(every):6.3f}   ({parts})")
        parts = ", ".join(f"{network} {median(v):.2f}" for network, v in packed.items())
        print(f"  weights per cycle of flash, where it decides: {parts}")


if __name__ == "__main__":
    main()
