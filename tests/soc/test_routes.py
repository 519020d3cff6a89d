"""Ways to further memories: what a SoC file may say, and what the SoC makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from hetsim.errors import PlanError
from tests.sim.samples import NPU, make_soc

MEMORY = {
    "dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB", "latency": "2 us"},
    "scratch": {"bandwidth": "8 GB/s", "capacity": "1 MB"},
}
LINKS = {"port": {"bandwidth": "4 GB/s", "latency": "1 us", "arbitration": "weighted"}}


def soc(**npu: Any) -> Any:
    return make_soc({"npu": NPU | npu}, memory=MEMORY, links=LINKS)


def test_a_way_crosses_the_units_own_links_first() -> None:
    made = soc(routes={"scratch": ["port", "scratch"]})
    npu, cpu = made.by_name["npu"], made.by_name["cpu"]
    way = made.route(npu, "scratch")
    assert way.links == ("npu.dma", "port", "scratch")
    assert (way.memory, way.bandwidth, way.latency) == ("scratch", 4e9, 1e-6)
    home = made.route(npu, "dram")
    assert (home.links, home.bandwidth, home.latency) == (npu.path, npu.bandwidth, npu.latency)
    assert npu.ways == (home, way)
    with pytest.raises(PlanError, match=r"cpu cannot reach memory 'scratch'\n.*pus\.cpu\.routes"):
        made.route(cpu, "scratch")


def test_the_way_to_another_memory_may_be_the_one_that_looks_at_weights() -> None:
    soc(routes={"scratch": ["port", "scratch"]}, weight=2.0)
    with pytest.raises(ValidationError, match="has no effect"):
        soc(weight=2.0)


@pytest.mark.parametrize(
    ("routes", "message"),
    [
        ({"scratch": ["port"]}, "a route to 'scratch' ends in that memory"),
        ({"scratch": ["dram"]}, "a route to 'scratch' ends in that memory"),
        ({"scratch": []}, "a route to 'scratch' ends in that memory"),
        ({"scratch": ["scratsh"]}, "no link or memory is called 'scratsh'; did you mean 'scratch'"),
        ({"dram": ["port", "dram"]}, "where 'path' leads already"),
        ({"port": ["port"]}, "is a link"),
        ({"scratch": ["prt", "scratch"]}, "did you mean 'port'"),
        ({"scratch": ["port", "port", "scratch"]}, "stands twice"),
        ({"scratch": ["dram", "scratch"]}, "only the end of a path"),
    ],
)
def test_faulty_ways_are_refused(routes: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        soc(routes=routes)
