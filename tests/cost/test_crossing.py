"""What the host does to a tensor that passes between units: steps, seconds and bytes by hand.

A tensor has 250,000 elements: 1 MB as the host and the DSP keep it, 0.25 MB in the NPU's int8.
"""

from __future__ import annotations

from typing import Any

import pytest

from hetsim.cost.crossing import Crossings
from hetsim.cost.work import Step
from hetsim.soc.model import SoC
from tests.sim.samples import CLUSTER, NPU, make_graph, make_soc

GRAPH = make_graph(("a", ["x"], 1), ("b", ["a"], 1))
US = 1e-6
HOST, FIRST, SECOND, DSP = range(4)
OWN = NPU | {"dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}, "layout": "own"}
COSTS = {"quantise": "1 ns", "relayout": "2 ns", "cache_maintenance": "1 GB/s", "copy": "0.5 GB/s"}
OTHER = CLUSTER | {"layout": "nhwc", "crossing": {"relayout": "4 ns", "copy": "2 GB/s"}}


def soc_of(crossing: dict[str, Any] | None = None, **runtime: Any) -> SoC:
    npu = OWN | {"crossing": COSTS | (crossing or {})}
    return make_soc({"npu": npu, "npu2": npu, "dsp": OTHER}, **runtime)


def crossings(**runtime: Any) -> Crossings:
    return Crossings(GRAPH, soc_of(**runtime))


def step(kind: str, us: float, read: int = 0, written: int = 0, name: str = "a") -> Step:
    seconds: Any = pytest.approx(us * US)
    return Step(kind, name, seconds, read + written, written=written)


MAINTAINED = step("cache", 250.0)
COPIED = step("copy", 500.0, 250_000, 250_000)
HOMEWARD = step("convert", 750.0, 250_000, 1_000_000)
INWARD = step("convert", 750.0, 1_000_000, 250_000)


def test_a_tensor_is_converted_then_maintained_then_copied_on_the_way_in_and_out() -> None:
    found = crossings()
    assert found.steps("a", HOST, FIRST) == (INWARD, MAINTAINED, COPIED)
    assert found.steps("a", FIRST, HOST) == (HOMEWARD, MAINTAINED, COPIED)
    assert found.steps("a", None, FIRST) == found.steps("a", HOST, FIRST)
    assert found.steps("a", FIRST, None) == found.steps("a", FIRST, HOST)
    assert found.steps("a", None, HOST) == found.steps("a", FIRST, FIRST) == ()


def test_two_formats_meet_in_the_hosts_and_both_sides_copy() -> None:
    found = crossings()
    reordered = step("convert", 1000.0, 1_000_000, 1_000_000)
    its_copy = step("copy", 500.0, 1_000_000, 1_000_000)
    assert found.steps("a", FIRST, DSP) == (HOMEWARD, reordered, MAINTAINED, COPIED, its_copy)
    assert found.steps("a", DSP, FIRST) == (reordered, INWARD, MAINTAINED, its_copy, COPIED)


def test_equal_units_outside_the_coherent_domain_only_copy() -> None:
    assert crossings().steps("a", FIRST, SECOND) == (COPIED, COPIED)


def test_the_runtime_says_who_brings_a_tensor_into_the_hosts_format() -> None:
    direct, by_host = crossings(), crossings(exchange="host")
    assert direct.leaving("a", FIRST, output=False) == ()
    assert direct.leaving("a", FIRST, output=True) == (HOMEWARD, MAINTAINED, COPIED)
    assert by_host.leaving("a", FIRST, output=False) == (HOMEWARD, MAINTAINED, COPIED)
    assert direct.entering("a", FIRST, SECOND) == (COPIED, COPIED)
    # Also from a unit to itself.
    for source in (None, FIRST, SECOND):
        assert by_host.entering("a", source, FIRST) == (INWARD, MAINTAINED, COPIED)


def test_a_copy_before_the_call_is_of_the_hosts_format() -> None:
    assert crossings().copying("x") == ()
    copied = crossings(input_copy="4 GB/s").copying("x")
    assert copied == (step("copy", 250.0, 1_000_000, 1_000_000, "x"),)


def test_around_a_kernel_only_the_layout_changes_in_the_units_type() -> None:
    soc = soc_of({"relayout_at": "kernel"})
    around = Crossings(GRAPH, soc)
    each = (250_000, 250_000)
    assert around.around(["x", "a"], ["b"], soc.pus[FIRST]) == (
        (step("convert", 500.0, *each, "x"), step("convert", 500.0, *each)),
        (step("convert", 500.0, *each, "b"),),
    )
    assert around.around(["x"], ["b"], soc.pus[HOST]) == ((), ())
    # At the door the tensor is quantised and keeps the host's layout.
    assert around.steps("a", None, FIRST)[0] == step("convert", 250.0, 1_000_000, 250_000)
    assert crossings().around(["x"], ["b"], soc_of().pus[FIRST]) == ((), ())


@pytest.mark.parametrize(
    ("crossing", "same", "other"),
    [
        ({"refetch": "2 GB/s", "handover": "3 us"}, 500.0, 503.0),
        ({"refetch": "2 GB/s"}, 500.0, 500.0),
        ({"handover": "3 us"}, None, 3.0),
        ({}, None, None),
    ],
)
def test_a_cut_inside_a_cluster_reads_again_and_wakes_another_worker_up(
    crossing: dict[str, str], same: float | None, other: float | None
) -> None:
    units: dict[str, Any] = {"cpu": {"workers": [1, 1], "crossing": crossing}, "dsp": CLUSTER}
    found = Crossings(GRAPH, make_soc(units))
    for target, us in ((0, same), (1, other)):
        expected = () if us is None else (step("cache", us),)
        assert found.entering("a", 0, target) == expected
    assert found.entering("a", None, 0) == ()
    assert found.entering("a", 2, 0) == ()  # from another cluster
