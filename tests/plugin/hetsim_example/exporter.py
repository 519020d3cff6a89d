"""An exporter: a line for each node of the model's file, with what its unit is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from hetsim.plan.handover.base import Export, Exporter, Order, assignment_of


class Lines(Exporter):
    """``node target``, in the file's order; what runs nowhere is left out."""

    summary = "a line for each node"
    directory = False
    roles: ClassVar[Mapping[str, str]] = {"cpu": "host", "npu": "engine"}

    def export(self, order: Order) -> Export:
        """One file of text."""
        made = assignment_of(order, self, "lines")
        places = ((node.name, made.target_of(node)) for node in made.nodes)
        text = "".join(f"{name} {place.name}\n" for name, place in places if place is not None)
        return Export({"nodes.txt": text}, made.notes)
