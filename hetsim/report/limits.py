"""In words: what a unit's time goes into, and how much could be gained at most."""

from __future__ import annotations

from hetsim.analysis.limits import Limit
from hetsim.analysis.result import Run
from hetsim.report.summary import share_text, tidy_time

CAUSES = {
    "compute": ("is computing", "a faster clock, more multipliers or lanes"),
    "memory": ("is waiting for bus and memory", "more bandwidth there"),
    "contention": ("is waiting for others' transfers", "an order or priorities that part them"),
    "dma": ("is waiting for its DMA engines", "faster engines, or on-chip memory that spares them"),
    "dma_setup": (
        "is the set-up of DMA transfers", "cheaper set-up, or on-chip memory for larger tiles",
    ),
    "dispatch": ("is launching kernels", "cheaper launches"),
    # Not only its own: what others read from it is converted around their partitions.
    "crossing": (
        "is the host calling, converting and copying", "cheaper calls and crossings, of all units",
    ),
    "sharing": ("is waiting for a core", "more cores"),
}  # fmt: skip
"""For each cause what it is, and what would mend it."""

NOTHING = 5e-4
"""A share of the makespan that is not worth a figure."""


def limit_text(limit: Limit, makespan_s: float) -> str:
    """A sentence or two: ``npu's partitions take 85% of the time; 62% of that is ...``.

    With the host's steps for them, so it is more than the unit's utilisation, and not called that.
    """
    what, remedy = CAUSES[limit.cause]
    busy = share_text(limit.busy_s / makespan_s, 0)
    part = share_text(limit.share, 0)
    text = f"{limit.pu}'s partitions take {busy} of the time; {part} of that {what}"
    if limit.gain_s <= NOTHING * makespan_s:
        return f"{text}, and the makespan does not wait for it"
    share = share_text(limit.gain_s / makespan_s, 1)
    gain = f"at most {share} of the makespan ({tidy_time(limit.gain_s, 3)}) is gained"
    return f"{text}. With {remedy}, {gain}"


def limit_texts(run: Run) -> list[str]:
    """One for each unit that ran something, the most to gain first."""
    order = sorted(run.limits, key=lambda limit: -limit.gain_s)
    return [limit_text(limit, run.makespan_s or 1.0) for limit in order]
