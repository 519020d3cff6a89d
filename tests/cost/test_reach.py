"""How fast a unit reaches bytes at best and at worst, by hand, over one and over two memories."""

from __future__ import annotations

import pytest

from hetsim.cost.reach import Reach
from tests.sim.samples import NPU, make_soc

MEMORY = {
    "dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB", "latency": "2 us"},
    "scratch": {"bandwidth": "8 GB/s", "capacity": "1 MB"},
}
LINKS = {"port": {"bandwidth": "4 GB/s", "latency": "1 us"}}


@pytest.fixture(scope="module")
def reach() -> Reach:
    npu = NPU | {"routes": {"scratch": ["port", "scratch"]}}
    return Reach.of(make_soc({"npu": npu}, memory=MEMORY, links=LINKS).by_name["npu"], 1)


def test_both_memories_at_once_are_the_best_and_one_of_them_the_worst(reach) -> None:
    assert reach.narrowest == 1e9
    assert reach.nearest == pytest.approx(1e-6)
    assert reach.farthest == pytest.approx(2e-6)
    assert reach.one_way == pytest.approx(5e9)
    assert reach.widest == pytest.approx(5e9)


def test_reading_and_writing_share_what_the_ways_carry(reach) -> None:
    assert reach.seconds(5e9, 0.0) == pytest.approx(1.0)
    assert reach.seconds(0.0, 5e9) == pytest.approx(1.0)
    assert reach.seconds(5e9, 5e9) == pytest.approx(2.0)


def test_two_directions_of_a_duplex_link_are_wider_than_one() -> None:
    fast = {"dram": {"bandwidth": "100 GB/s", "capacity": "1 GiB"}}
    link = {"die": {"bandwidth": "4 GB/s", "duplex": "full"}}
    npu = NPU | {"path": ["die", "dram"]}
    found = Reach.of(make_soc({"npu": npu}, memory=fast, links=link).by_name["npu"], 1)
    assert (found.one_way, found.widest) == (pytest.approx(4e9), pytest.approx(8e9))
    assert found.seconds(4e9, 4e9) == pytest.approx(1.0)
    assert found.seconds(4e9, 0.0) == pytest.approx(1.0)
