"""The fluid links against SimGrid's flow model, which shares no code with hetsim.

:func:`table` makes the table, where SimGrid is installed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from hetsim.sim import Flow, simulate_flows
from hetsim.validate.base import Check, Row, Setting
from hetsim.validate.checks.simgrid.flows import (
    FlowSet,
    finish_times,
    interpreter,
    random_flow_set,
)

TABLE = "simgrid_flows.json"
SETS = 100
"""Flow sets with weights in the table, and as many without."""


class SimGridFlows(Check):
    """Finish times of random sets of flows."""

    title = "finish times of transfers that share links"
    compared = (
        "when each flow of random sets ends, under max-min fair and under weighted sharing, beside"
        " SimGrid's flow model (CM02 without its TCP refinements); nothing is fitted"
    )
    kind = "simulated"
    unit = "s"
    tables = (TABLE,)
    grouped = "sharing"

    def rows(self, setting: Setting, part: str) -> Iterator[Row]:
        """Both simulators' finish times of each flow; with ``live`` SimGrid is asked again."""
        held = setting.tables.document(TABLE)["sets"]
        theirs = [flow_set.pop("finish") for flow_set in held]
        if setting.live:
            theirs = finish_times(held)
        for number, (flow_set, finish) in enumerate(zip(held, theirs, strict=True)):
            yield from compare(flow_set, finish, f"set {number}")


def compare(flow_set: FlowSet, finish: Sequence[float], name: str) -> Iterator[Row]:
    """A row for each flow: SimGrid's ``finish`` beside ours."""
    weighted = any(flow["weight"] != 1.0 for flow in flow_set["flows"])
    ours = simulate_flows(flow_set["links"], [Flow(**flow) for flow in flow_set["flows"]])
    for number, (theirs, mine) in enumerate(zip(finish, ours, strict=True)):
        group = "weighted" if weighted else "max-min"
        yield Row(f"{name}, flow {number}", group, theirs, mine)


def table(sets: int = 2 * SETS) -> str:
    """What the table holds: flow sets and SimGrid's answers, as JSON text; the first ``sets``.

    Raises:
        MissingExtraError: SimGrid is not installed.
    """
    asked = [random_flow_set(seed, weighted=seed >= SETS) for seed in range(sets)]
    answers = finish_times(asked)
    told = [{**one, "finish": times} for one, times in zip(asked, answers, strict=True)]
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in told)
    return f'{{"simgrid": "{interpreter()[1]}", "sets": [\n{lines}\n]}}\n'
