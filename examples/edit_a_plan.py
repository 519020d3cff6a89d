"""Change a plan by hand and see what it does.

A plan is plain data: partitions, the unit of each, their order. Here the last partition that the
scheduler gave to the NPU goes to the CPU. Prints the time of both plans.
"""

from dataclasses import replace

import hetsim

soc = hetsim.load_soc("zcu102-vta")
network = hetsim.load_model("squeezenet")
run = hetsim.run("paper_one", schedulers=["type_based"]).runs[0]
partitions = list(run.plan.partitions)
last = max(i for i, part in enumerate(partitions) if part.pu == "npu")
partitions[last] = replace(partitions[last], pu="cpu")
mine = replace(run.plan, scheduler="by hand", partitions=tuple(partitions))
for plan in (run.plan, mine):
    made = hetsim.simulate(soc, network, plan)
    print(f"{plan.scheduler}: {len(plan.partitions)} partitions, {1e3 * made.makespan_s:.2f} ms")
