"""Run a scenario and print what each schedule takes.

A scenario says which networks run on which SoC under which schedulers. Prints a line for each
network and scheduler: simulated time, proven lower bound, and how far above it the schedule ends.
"""

import hetsim

result = hetsim.run("quickstart")  # a shipped name or the path of a file

for run in result.runs:
    print(
        f"{run.model} under {run.scheduler}: {1e3 * run.makespan_s:.1f} ms,"
        f" at least {1e3 * run.lower_bound_s:.1f} ms, gap {run.gap:.1%}"
    )
