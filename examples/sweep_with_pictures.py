"""Sweep two parameters of a SoC and draw the outcome.

Every combination of NPU memory and bus clock is simulated and kept in a store, so that the same
sweep goes on where it was. Prints the table and writes a picture for each figure of the sweep.
"""

import hetsim

sweep = hetsim.sweep(
    hetsim.load_scenario("paper_one", {"soc": "edge-mcu"}),
    {"npu.sram": "128KiB..512KiB:log2", "bus.clock": ["40 MHz", "160 MHz"]},
    store="sweep.sqlite",
)
for row in sweep.table.to_records():
    print(row["npu.sram"], row["bus.clock"], row["scheduler"], f"{1e3 * row['makespan_s']:.1f} ms")

for name, figure in sweep.figures().items():
    figure.savefig(f"{name}.png")
    print(f"{name}.png")
