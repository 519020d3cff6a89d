"""``--to json``: the assignment alone, for a compiler of one's own."""

from __future__ import annotations

from dataclasses import replace

from hetsim.plan.handover.base import Export, Exporter, Order, assignment_of
from hetsim.plan.handover.document import NAME, dump_assignment
from hetsim.plan.handover.targets import Target


class Plain(Exporter):
    """One JSON file (``hetsim schema assignment``); units keep their names unless mapped."""

    summary = "every node of the model with its partition, as JSON for a compiler of one's own"
    directory = False

    def export(self, order: Order) -> Export:
        """The assignment; the model is read, and not written."""
        own = {partition.pu: Target(partition.pu) for partition in order.plan.partitions}
        named = replace(order, given={**own, **order.given})
        assignment = assignment_of(named, self, "json")
        return Export({NAME: dump_assignment(assignment)}, assignment.notes)
