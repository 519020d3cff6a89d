"""A check of fidelity: one flow on one link beside what anybody can work out."""

from __future__ import annotations

from collections.abc import Iterator

from hetsim.sim import Flow, simulate_flows
from hetsim.validate.base import Check, Row, Setting


class OneFlow(Check):
    """Bytes over bandwidth."""

    title = "one flow alone"
    compared = "when a flow ends that has a link to itself, beside its bytes over the bandwidth"
    kind = "published"
    unit = "s"
    source = "arithmetic"

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """Three sizes."""
        for size in (1e6, 1e7, 1e8):
            (end,) = simulate_flows({"link": 1e9}, [Flow(0.0, size, ["link"])])
            yield Row(f"{size:.0e} bytes", "alone", size / 1e9, end)
