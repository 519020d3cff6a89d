"""Plans that contention makes faster: when the time without it is the longer one, reports say why.

Without contention every transfer ends sooner or at the same time, and under a fixed order on each
unit nothing else could start later, were it not for the host's cores. Threads share them, and a
thread that begins sooner may take a core's time from one that everything waits for. Less work at
one place, and the whole takes longer: an anomaly of scheduling (Graham, "Bounds on multiprocessing
timing anomalies", SIAM J. Appl. Math. 17(2), 1969), and none of the arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable

from hetsim.analysis.result import Run

ROUNDING = 1e-9
"""Share of a makespan that the two sums may differ by and still be the same time."""


def anomaly_note(run: Run) -> str | None:
    """One line about a run that takes longer without contention; ``None`` about any other."""
    cost, makespan = run.contention_cost_s, run.makespan_s
    if cost is None or makespan is None or cost >= -ROUNDING * makespan:
        return None
    return (
        f"{run.model} / {run.scheduler}: without contention on links the same plan would take"
        f" {-cost * 1e6:.6g} us longer, not less: what then ends sooner lets other threads crowd"
        " the host's cores (a scheduling anomaly), so no cost of contention can be told"
    )


def anomaly_notes(runs: Iterable[Run]) -> list[str]:
    """:func:`anomaly_note` of every run that has one."""
    return [note for run in runs if (note := anomaly_note(run)) is not None]
