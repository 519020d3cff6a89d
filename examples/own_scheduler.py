"""Write a scheduler and race it against others.

A scheduler sees the network, the SoC and the times of operators on an idle SoC, and returns a plan.
This one takes the fastest unit for each operator unless that would change units for a gain of less
than 20 %. Prints its time beside two others.
"""

import hetsim
from hetsim.errors import SchedulerError
from hetsim.plan.build import make_plan, merge_eager, single_units
from hetsim.plan.model import Plan
from hetsim.schedulers.base import Problem, Scheduler


class Reluctant(Scheduler):
    """Changes units only where it pays well."""

    name = "reluctant"
    optimises = "each operator's time, with a dislike of changes"
    ignores = "transfers, parallel branches, contention"
    complexity = "O(V·P)"
    source = "the examples of hetsim"

    def __init__(self, dislike: float = 1.2) -> None:
        self.dislike = dislike

    def plan(self, problem: Problem) -> Plan:
        """Called once for each network."""
        graph, soc, profile = problem.graph, problem.soc, problem.profile
        chosen: list[int] = []
        for operator in range(len(graph)):
            times = [profile.time(operator, pu.index) for pu in soc.pus]
            best = min(range(len(times)), key=times.__getitem__)
            if times[best] == float("inf"):
                raise SchedulerError(f"no unit runs {graph.operators[operator].name!r}")
            before = chosen[-1] if chosen else best
            chosen.append(before if times[before] <= self.dislike * times[best] else best)
        blocks = merge_eager(graph, single_units(graph), chosen)
        return make_plan(graph, soc, blocks, scheduler=self.name)


if __name__ == "__main__":
    mine = f"{__file__}:Reluctant"  # this file; a package would declare an entry point
    result = hetsim.run("paper_one", schedulers=["type_based", "profile_greedy", mine])
    for run in result.runs:
        print(f"{run.scheduler}: {1e3 * run.makespan_s:.1f} ms")
