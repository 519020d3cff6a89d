"""The host's work at crossings at the least, by hand."""

from __future__ import annotations

import pytest

from hetsim.bounds.floors import NOTHING, Least
from hetsim.bounds.tolls import Tolls
from hetsim.cost.work import Kernel
from tests.sim.samples import CLUSTER, MS, make_graph, make_soc

US = 1e-6
TILED = {
    "kind": "accelerator", "path": ["dram"], "macs_per_cycle": {"float32": 1.0},
    "operating_points": {"nominal": {"clock": "1 GHz"}}, "element_ops_per_cycle": {"float32": 1.0},
    "efficiency": {"default": 1.0}, "layout": "tiled", "crossing": {"relayout": "2 ns"},
}  # fmt: skip
"""Half a millisecond into its format, or out of it, beside 1 MB read and 1 MB written."""
SLOW = {"dram": {"bandwidth": "1 GB/s", "latency": "3 us", "capacity": "1 GiB"}}
GRAPH = make_graph(("a", ["x"], 1.0), ("b", ["a"], 1.0))
CPU, GPU = 0, 1


def test_a_conversion_takes_its_work_or_its_bytes_and_one_latency() -> None:
    tolls = Tolls(GRAPH, make_soc({"gpu": TILED}, memory=SLOW), 1)
    taken = tolls.toll("x", None, GPU)
    assert taken.alone == pytest.approx(2 * MS + 3 * US)
    assert (taken.beside, taken.delay) == ((), 3 * US)
    assert taken.drag == 0.0  # a thread more takes nothing from what waits for its bytes
    assert tolls.toll("x", None, GPU) == taken
    assert tolls.toll("a", GPU, CPU).alone == tolls.toll("a", GPU, None).alone == taken.alone
    assert tolls.toll("x", None, CPU) == tolls.toll("a", GPU, GPU) == NOTHING
    assert tolls.handing("a", GPU) == NOTHING


def test_where_several_memories_serve_it_the_best_counts_and_the_worst_delays() -> None:
    memory = SLOW | {"scratch": {"bandwidth": "7 GB/s", "latency": "1 us", "capacity": "1 GiB"}}
    soc = make_soc({"cpu": {"routes": {"scratch": ["scratch"]}}, "gpu": TILED}, memory=memory)
    taken = Tolls(GRAPH, soc, 1).toll("x", None, GPU)
    assert taken.alone == pytest.approx(0.5 * MS + 1 * US)  # 2 MB at 8 GB/s take a quarter
    assert (taken.delay, taken.drag) == (3 * US, 0.0)


def test_a_step_that_binds_is_slowed_by_threads_beside_it() -> None:
    """0.5 ms of arithmetic and 0.4 ms of bytes; one thread more than four takes a fifth."""
    wide = {"dram": {"bandwidth": "5 GB/s", "capacity": "1 GiB"}}
    tolls = Tolls(GRAPH, make_soc({"gpu": TILED}, memory=wide), 1)
    assert tolls.toll("x", None, GPU) == Least(0.5 * MS, (), 0.0, pytest.approx(1 / 5))


def test_a_runtime_that_copies_and_goes_through_the_host_takes_more() -> None:
    """A copy at 4 GB/s in a quarter of a millisecond, and its 2 MB in a fifth of it."""
    wide = {"dram": {"bandwidth": "10 GB/s", "latency": "3 us", "capacity": "1 GiB"}}
    soc = make_soc({"gpu": TILED}, memory=wide, input_copy="4 GB/s", exchange="host")
    tolls = Tolls(GRAPH, soc, 1)
    copied = tolls.toll("x", None, CPU)
    assert copied.alone == pytest.approx(0.25 * MS + 3 * US)
    entered = tolls.toll("a", GPU, GPU)  # the host's format lies between them even so
    assert entered.alone == pytest.approx((0.25 + 0.5) * MS + 2 * 3 * US)
    assert entered.delay == pytest.approx(2 * 3 * US)
    assert entered.drag == pytest.approx(1 / 5)
    assert tolls.handing("a", GPU).alone == pytest.approx(0.5 * MS + 3 * US)
    assert tolls.toll("b", GPU, None).alone == pytest.approx(0.5 * MS + 3 * US)
    # A quick copy waits for its bytes: of the two steps that loses nothing to a thread beside it.
    quick = make_soc({"gpu": TILED}, memory=wide, input_copy="20 GB/s", exchange="host")
    assert Tolls(GRAPH, quick, 1).toll("a", GPU, GPU).drag == 0.0


def test_only_a_host_that_changes_layouts_works_around_kernels() -> None:
    soc = make_soc({"gpu": TILED, "big": CLUSTER}, memory=SLOW)
    kernel = Kernel.of(GRAPH, (GRAPH.operators[0],))
    assert Tolls(GRAPH, soc, 1).around(kernel, soc.by_name["gpu"]) == 0.0
    each = {"gpu": TILED | {"crossing": {"relayout": "2 ns", "relayout_at": "kernel"}}}
    soc = make_soc(each, memory=SLOW)
    around = Tolls(GRAPH, soc, 1).around(kernel, soc.by_name["gpu"])
    assert around == pytest.approx(2 * (2 * MS + 3 * US))  # in and out again
