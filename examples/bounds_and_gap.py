"""How good could any schedule be?

Beside each makespan stands the best of several proofs that nothing can be faster under the same
costs. Prints each proof, and how far above the best of them two schedulers end.
"""

import hetsim

result = hetsim.run("contention", models=["squeezenet"], schedulers=["type_based", "heft"])
for bound in result.runs[0].bounds:
    print(f"at least {1e3 * bound.seconds:.2f} ms: {bound.argument}")
for run in result.runs:
    print(f"{run.scheduler}: {1e3 * run.makespan_s:.2f} ms, {run.gap:.0%} above the bound")
