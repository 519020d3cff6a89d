"""Search for the smallest SoC that is fast enough.

The search tries designs with Optuna and keeps a Pareto front of area and time; designs that break a
constraint do not count. Needs the extra 'explore'. Prints the front.
"""

import hetsim

found = hetsim.explore(
    hetsim.load_scenario("paper_one", {"soc": "edge-mcu"}),
    {"npu.array.rows": [4, 8, 16], "npu.array.columns": [4, 8, 16], "bus.clock": "40MHz..160MHz"},
    minimise=["latency_ms", "area"],
    constraints=["latency_ms <= 25"],
    trials=12,
)
print(f"{len(found.designs)} designs tried, {len(found.feasible)} are fast enough")
for design in found.front:
    values = ", ".join(f"{path} {value}" for path, value in design.values.items())
    measures = ", ".join(f"{name} {value:.2f}" for name, value in design.measures.items())
    print(f"{values}: {measures}")
