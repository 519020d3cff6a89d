"""Small situations whose times can be worked out on paper."""

from __future__ import annotations

from typing import Any

import pytest

from hetsim.errors import ConfigError
from hetsim.sim.simulate import execute
from hetsim.sim.source import Inference
from tests.sim.samples import (
    CLUSTER,
    ELEMENTS,
    FAST,
    MS,
    NPU,
    lower,
    make_graph,
    make_soc,
    simulate,
)

MB = 4 * ELEMENTS


def ms(value: float) -> Any:
    return pytest.approx(value * MS, rel=1e-6)


@pytest.mark.parametrize(("compute", "expected"), [(0.5, 2.0), (2.0, 2.0), (5.0, 5.0)])
def test_a_cpu_alone_takes_the_longer_of_arithmetic_and_bytes(
    compute: float, expected: float
) -> None:
    trace = simulate(make_graph(("a", ["x"], compute)), make_soc(), [("cpu", "a")])
    assert trace.makespan_s == ms(expected)
    assert trace.links["dram"].bytes == 2 * MB
    assert trace.links["dram"].contention_s == 0.0


def test_further_cores_add_their_share() -> None:
    graph = make_graph(("a", ["x"], 10.0))
    soc = make_soc({"cpu": {"parallel_efficiency": 0.5}})
    assert simulate(graph, soc, [("cpu", "a")]).makespan_s == ms(10 / 2.5)


def test_dispatch_call_and_latency_come_on_top() -> None:
    memory = {"dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB", "latency": "0.25 ms"}}
    soc = make_soc({"cpu": {"dispatch": "1 ms"}}, memory=memory, partition_call="3 ms")
    graph = make_graph(("a", ["x"], 0.0), ("b", ["a"], 0.0))
    assert simulate(graph, soc, [("cpu", "a b")]).makespan_s == ms(3 + 2 * (1 + 0.25 + 2))
    split = simulate(graph, soc, [("cpu", "a"), ("cpu", "b")])
    assert split.makespan_s == ms(2 * (3 + 1 + 0.25 + 2))


TWO = {"big": CLUSTER}
PARALLEL = [("cpu", "a"), ("big", "b")]


def test_two_units_halve_each_others_bandwidth() -> None:
    graph = make_graph(("a", ["x"], 0.0), ("b", ["y"], 0.0))
    trace = simulate(graph, make_soc(TWO), PARALLEL)
    assert trace.makespan_s == ms(4)
    assert trace.links["dram"].contention_s == ms(4)  # each waits 2 ms for the other
    alone = simulate(graph, make_soc(TWO), PARALLEL, contention=False)
    assert alone.makespan_s == ms(2)


def test_a_unit_that_computes_leaves_the_bandwidth_it_does_not_need() -> None:
    # a asks for 2 MB in 4 ms; b gets the other half, and then all: 2 MB in 4 ms.
    graph = make_graph(("a", ["x"], 8.0), ("b", ["y"], 0.0))
    trace = simulate(graph, make_soc(TWO), PARALLEL)
    assert trace.finished == [ms(8)]
    spans = {span.name: span for span in trace.spans if span.operators}
    assert spans["a"].end == ms(8)
    assert spans["b"].end == ms(2 / 0.75)  # a takes a quarter
    assert spans["b"].alone_s == ms(2)


def test_a_shared_bus_is_the_bottleneck_of_a_faster_memory() -> None:
    memory = {"dram": {"bandwidth": "10 GB/s", "capacity": "1 GiB"}}
    path = {"path": ["bus", "dram"]}
    soc = make_soc(
        {"cpu": path, "big": CLUSTER | path}, memory=memory, links={"bus": {"bandwidth": "1 GB/s"}}
    )
    graph = make_graph(("a", ["x"], 0.0), ("b", ["y"], 0.0))
    trace = simulate(graph, soc, PARALLEL)
    assert trace.makespan_s == ms(4)
    assert trace.links["bus"].contention_s == ms(4)
    assert trace.links["dram"].contention_s == 0.0
    assert trace.links["bus"].bytes == trace.links["dram"].bytes == 4 * MB


def test_weights_and_priorities_of_units_decide_on_links_that_ask() -> None:
    graph = make_graph(("a", ["x"], 0.0), ("b", ["y"], 0.0))
    memory = {"dram": {"bandwidth": "10 GB/s", "capacity": "1 GiB"}}

    def ends(arbitration: str, **knob: float) -> tuple[float, float]:
        path = {"path": ["bus", "dram"]}
        bus = {"bandwidth": "1 GB/s", "arbitration": arbitration}
        soc = make_soc(
            {"cpu": path, "big": CLUSTER | path | knob}, memory=memory, links={"bus": bus}
        )
        trace = simulate(graph, soc, PARALLEL)
        end = {span.name: span.end for span in trace.spans if span.operators}
        return end["a"], end["b"]

    assert ends("weighted", weight=3.0) == (ms(4), ms(2 / 0.75))
    assert ends("priority", priority=1) == (ms(4), ms(2))
    assert ends("priority", priority=-1) == (ms(2), ms(4))
    assert ends("fifo") == (ms(2), ms(4))


def test_an_npu_without_double_buffering_loads_computes_and_stores_in_turn() -> None:
    soc = make_soc({"npu": NPU | {"double_buffer": False}})
    graph = make_graph(("a", ["x"], 3.0))
    for fidelity in ("fluid", "tile"):
        trace = simulate(graph, soc, [("npu", "a")], fidelity=fidelity)
        assert trace.makespan_s == ms(1 + 3 + 1)
        assert trace.links["dram"].bytes == trace.links["npu.dma"].bytes == 2 * MB


@pytest.mark.parametrize("fidelity", ["fluid", "tile"])
def test_an_npu_overlaps_all_but_the_first_load_and_the_last_store(fidelity: str) -> None:
    soc = make_soc({"npu": NPU})
    graph = make_graph(("a", ["x"], 80.0))
    program = lower(graph, soc, [("npu", "a")])
    tiles = program.jobs[0].launches[0].work.tiles
    first, last = tiles[0].load_bytes, tiles[-1].store_bytes
    assert 0 < first < MB
    trace = execute(soc, program, fidelity=fidelity)
    assert trace.makespan_s == ms(first / MB + 80 + last / MB)


@pytest.mark.parametrize("fidelity", ["fluid", "tile"])
def test_an_npu_that_waits_for_memory_takes_bytes_over_bandwidth(fidelity: str) -> None:
    trace = simulate(
        make_graph(("a", ["x"], 0.01)), make_soc({"npu": NPU}), [("npu", "a")], fidelity=fidelity
    )
    assert trace.makespan_s == pytest.approx(2 * MS, rel=0.01)


def test_dma_engines_bound_what_an_npu_moves() -> None:
    graph = make_graph(("a", ["x"], 0.0))
    slow = NPU | {"dma": {"bandwidth": "0.25 GB/s"}}
    two = NPU | {"dma": {"bandwidth": "0.25 GB/s", "engines": 2}}
    assert simulate(graph, make_soc({"npu": slow}), [("npu", "a")]).makespan_s == ms(8)
    assert simulate(graph, make_soc({"npu": two}), [("npu", "a")]).makespan_s == ms(4)


def test_a_polling_host_thread_takes_its_share_of_the_cores() -> None:
    # Four threads compute for 4 ms; a fifth polls for the NPU's 2 ms: at 4/5 speed they do 1.6 ms
    # of work, the other 2.4 ms at full speed.
    graph = make_graph(("a", ["x"], 4.0), ("b", ["y"], 2.0))
    plan = [("cpu", "a"), ("npu", "b")]
    polls = make_soc({"npu": NPU | {"host_wait": "poll"}}, memory=FAST)
    assert simulate(graph, polls, plan).makespan_s == ms(4.4)
    waits = make_soc({"npu": NPU}, memory=FAST)
    assert simulate(graph, waits, plan).makespan_s == ms(4.0)
    roomy = make_soc({"cpu": {"cores": 5, "workers": [4]}, "npu": NPU | {"host_wait": "poll"}})
    assert simulate(graph, roomy, plan, contention=False).makespan_s == ms(4.0)


def test_interrupts_take_their_latency_once_per_partition() -> None:
    soc = make_soc({"npu": NPU | {"interrupt_latency": "5 ms"}}, memory=FAST)
    graph = make_graph(("a", ["x"], 1.0), ("b", ["a"], 1.0))
    assert simulate(graph, soc, [("npu", "a b")]).makespan_s == ms(7)
    assert simulate(graph, soc, [("npu", "a"), ("npu", "b")]).makespan_s == ms(12)


INT8 = {"dtypes": {"int8": 1.0}, "precision": {"float32": "int8"}}


def test_the_host_converts_what_goes_in_and_what_comes_out() -> None:
    crossing = {"quantise": "4 ns", "relayout": "8 ns"}
    npu = NPU | INT8 | {"crossing": crossing, "layout": "nhwc"}
    graph = make_graph(("a", ["x"], 1.0))
    trace = simulate(graph, make_soc({"npu": npu}, memory=FAST), [("npu", "a")])
    # 250,000 elements at 12 ns are 3 ms, both ways.
    assert trace.makespan_s == ms(3 + 1 + 3)
    kinds = [(s.lane, s.kind, s.name) for s in trace.spans if s.kind == "convert"]
    assert kinds == [("cpu:npu", "convert", "x"), ("cpu:npu", "convert", "a")]
    # On a slow memory the 1 MB and 0.25 MB of a conversion take 12.5 ms at 0.1 GB/s.
    slow = {"dram": {"bandwidth": "0.1 GB/s", "capacity": "1 GiB"}}
    trace = simulate(graph, make_soc({"npu": npu}, memory=slow), [("npu", "a")])
    converts = [s.end - s.start for s in trace.spans if s.kind == "convert"]
    assert converts == [ms(12.5), ms(12.5)]


def test_equal_formats_need_no_conversion() -> None:
    npu = NPU | {"crossing": {"quantise": "4 ns", "relayout": "8 ns"}}
    graph = make_graph(("a", ["x"], 1.0))
    assert simulate(graph, make_soc({"npu": npu}, memory=FAST), [("npu", "a")]).makespan_s == ms(1)


def test_incoherent_units_cost_cache_maintenance_and_copies_of_their_own_bytes() -> None:
    crossing = {"cache_maintenance": "1 GB/s", "copy": "0.5 GB/s"}
    graph = make_graph(("a", ["x"], 1.0))
    soc = make_soc({"npu": NPU | {"crossing": crossing}}, memory=FAST)
    assert simulate(graph, soc, [("npu", "a")]).makespan_s == ms((1 + 2) + 1 + (1 + 2))
    int8 = make_soc({"npu": NPU | INT8 | {"crossing": crossing}}, memory=FAST)
    assert simulate(graph, int8, [("npu", "a")]).makespan_s == ms((0.25 + 0.5) + 1 + (0.25 + 0.5))


def test_conversions_wait_for_busy_cores() -> None:
    # Four threads compute 4 ms while a fifth converts 4 ms: all at 4/5 speed until both are done.
    npu = NPU | INT8 | {"crossing": {"quantise": "16 ns"}}
    graph = make_graph(("a", ["x"], 4.0), ("b", ["y"], 0.0))
    trace = simulate(graph, make_soc({"npu": npu}, memory=FAST), [("cpu", "a"), ("npu", "b")])
    spans = {(span.kind, span.name): span for span in trace.spans}
    assert spans["compute", "a"].end == ms(5)
    assert spans["convert", "y"].end == ms(5)
    assert trace.makespan_s == ms(9)  # b's result is converted at full speed


def test_a_tensor_crosses_where_its_reader_is() -> None:
    npu = NPU | INT8 | {"crossing": {"quantise": "4 ns"}}
    graph = make_graph(("a", ["x"], 1.0), ("b", ["a"], 1.0), ("c", ["b"], 1.0))
    soc = make_soc({"npu": npu}, memory=FAST)
    assert simulate(graph, soc, [("npu", "a b c")]).makespan_s == ms(1 + 3 + 1)
    mixed = simulate(graph, soc, [("npu", "a"), ("cpu", "b"), ("npu", "c")])
    assert mixed.makespan_s == ms(3 + 4 * 1)


def test_barrier_execution_forks_and_joins_one_thread_per_member() -> None:
    soc = make_soc(
        {"cpu": {"workers": [1, 1]}}, memory=FAST, thread_create="1 ms", thread_join="0.5 ms"
    )
    graph = make_graph(("a", ["x"], 10.0), ("b", ["y"], 10.0), ("c", ["a", "b"], 3.0))
    plan = [("cpu.0", "a"), ("cpu.1", "b"), ("cpu.0", "c")]
    # Fork a at 0 to 1, fork b until 2, b runs until 12, two joins until 13, c until 16.
    grouped = simulate(graph, soc, plan, [("p0", "p1")], execution="barrier")
    assert grouped.makespan_s == ms(16)
    # Without a group one after the other, and nothing to fork.
    assert simulate(graph, soc, plan, execution="barrier").makespan_s == ms(23)
    # Dataflow needs no threads of its own.
    assert simulate(graph, soc, plan, [("p0", "p1")]).makespan_s == ms(13)


def test_the_main_thread_waits_for_the_slowest_member() -> None:
    soc = make_soc({"cpu": {"workers": [1, 1]}}, memory=FAST)
    graph = make_graph(("a", ["x"], 2.0), ("b", ["y"], 9.0), ("c", ["a"], 3.0))
    plan = [("cpu.0", "a"), ("cpu.1", "b"), ("cpu.0", "c")]
    assert simulate(graph, soc, plan, [("p0", "p1")], execution="barrier").makespan_s == ms(12)
    assert simulate(graph, soc, plan).makespan_s == ms(9)


def test_a_unit_takes_its_partitions_in_plan_order() -> None:
    soc = make_soc({"cpu": {"workers": [1, 1]}}, memory=FAST)
    graph = make_graph(("a", ["x"], 5.0), ("b", ["a"], 1.0), ("c", ["y"], 2.0))
    # b waits for a; c stands behind b on the same unit although it could go first.
    late = [("cpu.0", "a"), ("cpu.1", "b"), ("cpu.1", "c")]
    assert simulate(graph, soc, late).makespan_s == ms(8)
    early = [("cpu.0", "a"), ("cpu.1", "c"), ("cpu.1", "b")]
    assert simulate(graph, soc, early).makespan_s == ms(6)


@pytest.mark.parametrize(("l2", "expected"), [("2 MB", 3.0), ("0.9 MB", 4.0), (None, 4.0)])
def test_what_was_just_written_is_read_from_the_cache_if_it_fits(
    l2: str | None, expected: float
) -> None:
    soc = make_soc({"cpu": {"l2": l2}} if l2 else {})
    graph = make_graph(("a", ["x"], 0.0), ("b", ["a"], 0.0))
    assert simulate(graph, soc, [("cpu", "a b")]).makespan_s == ms(expected)
    # Between partitions data is handed over in memory.
    assert simulate(graph, soc, [("cpu", "a"), ("cpu", "b")]).makespan_s == ms(4)


def test_only_the_kernel_just_before_leaves_a_warm_cache() -> None:
    soc = make_soc({"cpu": {"l2": "64 MB"}})
    graph = make_graph(("a", ["x"], 0.0), ("b", ["y"], 0.0), ("c", ["a", "b"], 0.0))
    assert simulate(graph, soc, [("cpu", "a b c")]).makespan_s == ms(2 + 2 + 2)


def test_tensors_inside_a_partition_stay_on_an_npu() -> None:
    graph = make_graph(("a", ["x"], 0.0), ("b", ["a"], 0.0), ("c", ["b"], 0.0))
    soc = make_soc({"npu": NPU})
    whole = simulate(graph, soc, [("npu", "a b c")])
    assert whole.links["dram"].bytes == 2 * MB
    split = simulate(graph, soc, [("npu", "a"), ("npu", "b"), ("npu", "c")])
    assert split.links["dram"].bytes == 6 * MB
    small = make_soc({"npu": NPU | {"sram": "1 MB"}})
    assert simulate(graph, small, [("npu", "a b c")]).links["dram"].bytes == 6 * MB


def test_a_resident_tensor_that_others_need_is_stored_but_not_read_back() -> None:
    graph = make_graph(("a", ["x"], 0.0), ("b", ["a"], 0.0), ("c", ["a"], 0.0))
    trace = simulate(graph, make_soc({"npu": NPU}), [("npu", "a b"), ("cpu", "c")])
    # a: read 1, write 1; b: write 1; c: read 1, write 1.
    assert trace.links["dram"].bytes == 5 * MB
    assert trace.links["npu.dma"].bytes == 3 * MB


def test_a_kernel_that_moves_and_computes_nothing_still_has_to_be_launched() -> None:
    soc = make_soc({"npu": NPU | {"dispatch": "1 ms"}}, memory=FAST)
    graph = make_graph(("a", ["x"], 1.0), ("b", ["a"], 0.0), ("c", ["b"], 1.0))
    for fidelity in ("fluid", "tile"):
        trace = simulate(graph, soc, [("npu", "a b c")], fidelity=fidelity)
        assert trace.makespan_s == ms(2 + 1 + 2)


def test_a_slowdown_curve_takes_speed_before_the_memory_is_full() -> None:
    # Both ask for a quarter of the bandwidth; beside another 0.25 GB/s, big keeps half its speed.
    curve = {"own": ["0.25 GB/s"], "external": ["0.25 GB/s"], "kept": [[0.5]]}
    graph = make_graph(("a", ["x"], 8.0), ("b", ["y"], 8.0))
    trace = simulate(graph, make_soc({"big": CLUSTER | {"slowdown": curve}}), PARALLEL)
    end = {span.name: span.end for span in trace.spans if span.operators}
    assert end["a"] == ms(8)
    assert end["b"] == ms(12)  # half done at 8 ms, then alone
    both = make_soc({"cpu": {"slowdown": curve}, "big": CLUSTER | {"slowdown": curve}})
    assert simulate(graph, both, PARALLEL).makespan_s == ms(16)


def test_whether_a_slow_flow_begins_first_or_last_makes_no_difference() -> None:
    curve = {"own": ["0.25 GB/s"], "external": ["0.25 GB/s"], "kept": [[0.5]]}
    graph = make_graph(("a", ["x"], 8.0), ("b", ["y"], 8.0))
    first = make_soc({"cpu": {"slowdown": curve}, "big": CLUSTER})
    second = make_soc({"big": CLUSTER | {"slowdown": curve}})
    times = [simulate(graph, soc, PARALLEL).makespan_s for soc in (first, second)]
    assert times == [ms(12), ms(12)]


def test_inferences_share_the_soc_by_priority_then_arrival() -> None:
    soc = make_soc(memory=FAST)
    graph = make_graph(("a", ["x"], 4.0), ("b", ["a"], 4.0))
    program = lower(graph, soc, [("cpu", "a"), ("cpu", "b")])
    trace = execute(soc, [Inference(program), Inference(program, 0.001)])
    assert trace.finished == [ms(8), ms(16)]
    urgent = execute(soc, [Inference(program), Inference(program, 0.001, priority=1)])
    assert urgent.finished == [ms(16), ms(12)]  # the first keeps what it has begun
    assert urgent.arrived == [0.0, 0.001]


@pytest.mark.parametrize("knob", [{"execution": "magic"}, {"fidelity": "exact"}])
def test_unknown_ways_to_simulate_are_refused(knob: dict[str, str]) -> None:
    graph = make_graph(("a", ["x"], 1.0))
    with pytest.raises(ConfigError, match="unknown"):
        simulate(graph, make_soc(), [("cpu", "a")], **knob)


def test_every_transfer_of_a_tile_pays_the_path_latency() -> None:
    memory = {"dram": {"bandwidth": "1 GB/s", "capacity": "1 GiB", "latency": "0.1 ms"}}
    soc = make_soc({"npu": NPU | {"double_buffer": False}}, memory=memory)
    graph = make_graph(("a", ["x"], 3.0))
    program = lower(graph, soc, [("npu", "a")])
    tiles = sum(run.count for run in program.jobs[0].launches[0].work.tiles)
    for fidelity in ("fluid", "tile"):
        trace = execute(soc, program, fidelity=fidelity)
        assert trace.makespan_s == ms(1 + 3 + 1 + 2 * tiles * 0.1)
