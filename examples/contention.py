"""What does it cost that units share a bus?

Each run is simulated twice: as it is, and with no transfer disturbing another. Prints the
difference as a share, for a narrow bus and for one of four times the clock.
"""

import hetsim

for clock in ("1x", "4x"):
    result = hetsim.run("contention", {"bus.clock": clock}, schedulers=["heft", "partition_tuner"])
    for run in result.runs:
        cost = run.contention_cost_s / run.makespan_s
        print(f"bus at {clock}, {run.scheduler}: {1e3 * run.makespan_s:.1f} ms, {cost:.1%} lost")
