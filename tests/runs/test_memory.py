"""Whether a network fits what the SoC's units reach."""

from __future__ import annotations

from typing import Any

import pytest
from hetsim.runs.memory import check_capacity, peak_bytes

from hetsim.errors import InfeasibleError
from tests.sim.samples import CLUSTER, make_graph, make_soc


def test_only_memories_that_a_unit_reaches_count() -> None:
    memory = {
        "dram": {"bandwidth": "1 GB/s", "capacity": "1.5 MB"},
        "other": {"bandwidth": "1 GB/s", "capacity": "1.5 MB"},
    }
    graph = make_graph(("a", ["x"], 0.0))
    assert peak_bytes(graph) == 2_000_000

    def check(**cpu: Any) -> None:
        check_capacity(graph, make_soc({"cpu": CLUSTER | cpu}, memory=memory))

    with pytest.raises(InfeasibleError, match=r"has 1\.431 MiB"):
        check()
    check(routes={"other": ["other"]})
