"""System caches: what they hold, the time and traffic they spare, and who shares them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hetsim.analysis.metrics.energy import energy
from hetsim.bounds.makespan import lower_bounds
from hetsim.bounds.simulated import simulated_floors
from hetsim.cost.analytical import AnalyticalModel
from hetsim.lower.lowering import Lowering
from hetsim.lower.program import Program
from hetsim.runs.judge import IncrementalJudge
from hetsim.schedulers.search.judge import Draft, Piece
from hetsim.sim.caches import SystemCache
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from hetsim.sim.trace import Trace
from hetsim.soc.model import SoC
from hetsim.workload.graph import Graph
from tests.sim.samples import CLUSTER, MS, NPU, lower, make_graph, make_soc

MB = 1_000_000
BEHIND = {"path": ["slc", "dram"]}
UNITS = {"cpu": BEHIND, "big": CLUSTER | BEHIND, "npu": NPU | BEHIND | {"vector_lanes": 10**6}}


def soc(capacity: str = "2 MB", pus: dict[str, Any] | None = None, **link: Any) -> SoC:
    slc = {"bandwidth": "4 GB/s"} | link
    slc["cache"] = {"capacity": capacity} | link.get("cache", {})
    dram = {"bandwidth": "1 GB/s", "capacity": "1 GiB", "energy_per_byte": "50 pJ"}
    return make_soc(UNITS | (pus or {}), memory={"dram": dram}, links={"slc": slc})


def run(graph: Graph, soc: SoC, *parts: tuple[str, str], fidelity: str = "fluid") -> Trace:
    trace = execute(soc, lower(graph, soc, list(parts)), fidelity=fidelity)
    for bound in lower_bounds(graph, soc, AnalyticalModel(), fidelity):
        assert bound.seconds <= trace.makespan_s * (1 + 1e-9), bound
    return trace


BUFFERS = dict.fromkeys(("input", "weight", "accumulator"), "1 MB")
CHAIN = make_graph(("a", ["x"], 0.0), ("b", ["a"], 0.0))
BETWEEN = make_graph(("a", ["x"], 0.0), ("c", ["y"], 0.0), ("b", ["a", "c"], 0.0))


@pytest.mark.parametrize("parts", [[("cpu", "a b")], [("cpu", "a"), ("big", "b")]])
@pytest.mark.parametrize(
    ("capacity", "expected", "dram"), [("1 MB", 3.0, 3 * MB), ("999 kB", 4.0, 4 * MB)]
)
def test_what_was_just_written_is_read_from_the_cache(
    parts: list[tuple[str, str]], capacity: str, expected: float, dram: int
) -> None:
    """Each moves 2 MB in 2 ms; with a hit the second one only writes, in 1 ms."""
    trace = run(CHAIN, soc(capacity), *parts)
    assert trace.makespan_s == pytest.approx(expected * MS, rel=1e-9)
    assert (trace.links["slc"].bytes, trace.links["dram"].bytes) == (4 * MB, dram)


@pytest.mark.parametrize(("capacity", "hits"), [("4 MB", 2), ("3 MB", 2), ("2.9 MB", 1)])
def test_reuse_distance_in_bytes_decides(capacity: str, hits: int) -> None:
    """Between writing a and reading it, y and c are touched: with a itself 3 MB; c is the last."""
    trace = run(BETWEEN, soc(capacity), ("cpu", "a"), ("cpu", "c"), ("cpu", "b"))
    assert trace.links["dram"].bytes == (7 - hits) * MB


def test_who_shares_the_cache_pushes_out_what_others_keep() -> None:
    """While a waits for its reader, big writes c, reads it, and writes d: a is the third of three.

    Of 9 MB in all, c and d are hits; where only the tensors of cpu are kept, a is.
    """
    graph = make_graph(
        ("a", ["x"], 0.0), ("c", ["y"], 0.0), ("d", ["c"], 0.0), ("b", ["a", "d"], 0.0)
    )
    parts = [("cpu", "a"), ("big", "c"), ("big", "d"), ("cpu", "b")]
    alone = soc("2 MB", cache={"units": ["cpu"]})
    moved = [run(graph, s, *parts).links["dram"].bytes for s in (soc("2 MB"), soc("3 MB"), alone)]
    assert moved == [7 * MB, 6 * MB, 8 * MB]


def test_the_caches_own_link_is_what_a_hit_takes() -> None:
    slow = soc("8 MB", bandwidth="0.5 GB/s", latency="10 us")
    trace = run(CHAIN, slow, ("cpu", "a"), ("cpu", "b"))
    assert trace.makespan_s == pytest.approx((8 + 2 * 0.01) * MS, rel=1e-9)


def test_a_latency_beyond_the_cache_is_spared_when_nothing_goes_there() -> None:
    way = {"path": ["slc", "far", "dram"]}
    links = {
        "slc": {"bandwidth": "1 GB/s", "latency": "1 us", "cache": {"capacity": "8 MB"}},
        "far": {"bandwidth": "1 GB/s", "latency": "7 us"},
    }
    made = make_soc({"cpu": way, "npu": NPU | way | {"crossing": {"copy": "1 GB/s"}}}, links=links)
    assert made.host.cached is not None
    assert (made.host.cached.latency, made.host.latency) == (1e-6, 8e-6)


@pytest.mark.parametrize("fidelity", ["fluid", "tile"])
@pytest.mark.parametrize("sram", ["16 MB", BUFFERS])
def test_an_npu_loads_as_fast_as_the_cache_gives(sram: Any, fidelity: str) -> None:
    """Eight tiles: of each the load takes 1/32 ms from the cache, the store 1/8 ms as before."""
    npu = {"npu": UNITS["npu"] | {"sram": sram}}
    # So much arithmetic that bounds speak of the NPU, which does it in no time.
    heavy = make_graph(("a", ["x"], 9.0), ("b", ["a"], 9.0))
    first = run(heavy, soc("999 kB", npu), ("npu", "a"), ("npu", "b"), fidelity=fidelity)
    assert first.makespan_s == pytest.approx(4 * MS, rel=1e-3)
    trace = run(heavy, soc("8 MB", npu), ("npu", "a"), ("npu", "b"), fidelity=fidelity)
    assert trace.links["dram"].bytes == 3 * MB
    # Stores alone are 1 ms; the first load is before them, and the rest beside.
    assert 3.0 * MS <= trace.makespan_s <= (2 + 1 + 1 / 4 + 1e-3) * MS


def test_bounds_do_not_send_through_the_memory_what_a_cache_may_have() -> None:
    """Four readers of a on two units: with hits they share the memory for their results only."""
    graph = make_graph(("a", ["x"], 0.0), *((f"b{i}", ["a"], 0.0) for i in range(4)),
                       ("c", ["b0", "b1", "b2", "b3"], 0.0))  # fmt: skip
    parts = [("cpu", "a"), *((("cpu", "big")[i % 2], f"b{i}") for i in range(4)), ("cpu", "c")]
    slc = {"bandwidth": "4 GB/s", "cache": {"capacity": "64 MB"}}
    pair = make_soc({"cpu": BEHIND, "big": CLUSTER | BEHIND}, links={"slc": slc})
    trace = run(graph, pair, *parts)
    assert trace.makespan_s == pytest.approx((2 + 4 + 5 / 4) * MS, rel=1e-6)
    shared = simulated_floors(graph, pair, AnalyticalModel(), "fluid").resources[-1]
    assert shared.seconds == pytest.approx(1 / 4e9)  # of a byte: the cache's, not the memory's


def test_a_converted_tensor_is_there_for_who_reads_it() -> None:
    npu = {"npu": NPU | BEHIND | {"crossing": {"copy": "1e9 GB/s"}}}
    graph = make_graph(("a", ["x"], 0.0))
    trace = run(graph, soc("8 MB", npu), ("npu", "a"))
    # x is read, copied and read; a is written, read and copied: of six, two are hits.
    assert trace.links["slc"].bytes == 6 * MB
    assert trace.links["dram"].bytes == 4 * MB


def test_energy_is_that_of_the_bytes_each_carries() -> None:
    made = soc("8 MB", energy_per_byte="5 pJ")
    trace = run(CHAIN, made, ("cpu", "a b"))
    assert energy(trace, made) == pytest.approx(4 * MB * 5e-12 + 3 * MB * 50e-12)


def test_inferences_have_tensors_of_their_own_and_share_weights() -> None:
    made = soc("64 MB")
    program: Program = lower(CHAIN, made, [("cpu", "a b")])
    twice = execute(made, [Inference(program), Inference(program, arrival=1.0)])
    assert twice.links["dram"].bytes == 6 * MB


def test_a_search_judges_plans_as_the_simulator_runs_them() -> None:
    """Segment by segment there would be no hit: what a cache holds passes from one to the next."""
    made = soc("8 MB")
    judge = IncrementalJudge(Lowering(CHAIN, made, AnalyticalModel()))
    cpu = made.host.index
    draft = Draft((Piece(cpu, (0,)), Piece(cpu, (1,))))
    assert judge.makespan(draft) == pytest.approx(3 * MS, rel=1e-9)


@pytest.mark.slow
@given(
    st.lists(st.integers(0, 9), max_size=60),
    st.lists(st.integers(1, 9), min_size=10, max_size=10),
    st.integers(1, 40),
)
def test_hits_are_those_of_the_stack_distance(
    used: list[int], sizes: list[int], capacity: int
) -> None:
    """Mattson et al. (1970): what was touched since, each once, with the tensor itself."""
    cache = SystemCache("slc", capacity)
    for now, tensor in enumerate(used):
        before = [i for i, t in enumerate(used[:now]) if t == tensor]
        since = set(used[before[-1] : now]) if before else set()
        hit = bool(before) and sum(sizes[t] for t in since) <= capacity
        assert cache.touch([((0, str(tensor)), sizes[tensor])]) == (sizes[tensor] if hit else 0)


@pytest.mark.parametrize(
    ("link", "path", "message"),
    [
        ({"units": ["npx"]}, ["slc", "dram"], "does not cross this cache; did you mean 'npu'"),
        ({"units": []}, ["slc", "dram"], "at least 1"),
        ({}, ["dram"], "no unit's path crosses it"),
        ({}, ["slc", "two", "dram"], "crosses two caches, 'slc' and this one"),
    ],
)
def test_what_would_do_nothing_is_refused(
    link: dict[str, Any], path: list[str], message: str
) -> None:
    cache = {"bandwidth": "1 GB/s", "cache": {"capacity": "1 MB"}}
    links = {"slc": cache | {"cache": cache["cache"] | link}, "two": cache}  # type: ignore[operator]
    used = {"path": path}
    with pytest.raises(ValidationError, match=message):
        make_soc({"cpu": used, "npu": NPU | used}, links=links)
