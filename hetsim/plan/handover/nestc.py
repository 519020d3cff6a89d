"""``--to nest-c``: a NEST-C partition plan."""

from __future__ import annotations

from hetsim.plan.handover.base import Export, Exporter, Order
from hetsim.plan.nestc.writer import dump_nestc_plan


class NestC(Exporter):
    """NEST-C's own plan file; it names operators, so no model goes with it."""

    summary = "a partition plan of NEST-C"
    directory = False

    def export(self, order: Order) -> Export:
        """The plan file; backends are told by ``--map PU=BACKEND``, or follow from the units."""
        backends = {pu: target.name for pu, target in order.given.items()}
        text = dump_nestc_plan(order.plan, order.graph, order.soc, backends)
        return Export({"plan.yaml": text})
