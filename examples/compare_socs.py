"""The same network and scheduler on two SoCs, and where the time goes on each.

Prints the makespan and the parts of it along the critical path: compute, transfers, waiting.
"""

import hetsim

for soc in ("edge-mcu", "zcu102-vta"):
    run = hetsim.run("paper_one", {"soc": soc}, schedulers=["heft"]).runs[0]
    print(f"{soc}: {1e3 * run.makespan_s:.1f} ms")
    for part, seconds in run.attribution.items():
        if seconds > 0.01 * run.makespan_s:
            print(f"  {part}: {seconds / run.makespan_s:.0%}")
