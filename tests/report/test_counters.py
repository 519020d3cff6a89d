"""Counters over time: what is under them is what the metrics say, and memories are never full."""

from __future__ import annotations

import json

import pytest

import hetsim
from hetsim.analysis.result import Result
from hetsim.report.counters import (
    Counter,
    counters,
    link_counters,
    memory_counters,
    power_counters,
    total_power,
)
from hetsim.report.files.perfetto import perfetto_trace
from tests.report.samples import sample_result


@pytest.fixture(scope="module")
def result() -> Result:
    schedulers = ["type_based", "profile_greedy", "heft"]
    return hetsim.run("contention", schedulers=schedulers)


def area(counter: Counter) -> float:
    steps = zip(counter.times, counter.times[1:], counter.values, strict=False)
    return sum((b - a) * value for a, b, value in steps)


@pytest.mark.slow
def test_steps_are_in_order_and_within_capacity(result: Result) -> None:
    for run in result.runs:
        for counter in counters(run.trace, result.soc):
            assert list(counter.times) == sorted(set(counter.times))
            assert counter.times[-1] <= run.makespan_s
            assert min(counter.values) >= 0
            assert max(counter.values) <= counter.capacity * (1 + 1e-9), counter.name
            assert all(a != b for a, b in zip(counter.values, counter.values[1:-1], strict=False))


@pytest.mark.slow
def test_power_adds_up_to_the_energy(result: Result) -> None:
    for run in result.runs:
        assert sum(map(area, power_counters(run.trace, result.soc))) == pytest.approx(
            run.energy_j, rel=1e-9
        )
        assert area(total_power(run.trace, result.soc)) == pytest.approx(run.energy_j, rel=1e-9)


def test_memory_is_held_while_kernels_run_and_only_then(result: Result) -> None:
    for run in result.runs:
        (sram,) = memory_counters(run.trace, result.soc)
        assert sram.name == "npu"
        assert sram.capacity == result.soc.by_name["npu"].spec.on_chip_memory
        held = sum(
            b - a
            for a, b, value in zip(sram.times, sram.times[1:], sram.values, strict=False)
            if value
        )
        assert held <= run.pus["npu"].busy_s * (1 + 1e-9)
        spans = [s for s in run.trace.spans if s.lane == "npu" and s.kind == "compute"]
        assert held >= sum(s.end - s.start for s in spans) * (1 - 1e-9)
        largest = max(s.on_chip_bytes for s in run.trace.spans)
        assert max(sram.values) == largest


def test_a_soc_that_states_no_power_has_no_counter_of_it() -> None:
    soc = hetsim.load_soc("edge-mcu")
    bare = soc.spec.model_copy(
        update={
            "pus": {
                name: pu.model_copy(
                    update={
                        "operating_points": {
                            key: point.model_copy(update={"active_power": 0.0, "idle_power": 0.0})
                            for key, point in pu.operating_points.items()
                        }
                    }
                )
                for name, pu in soc.spec.pus.items()
            },
            "memory": {
                name: memory.model_copy(update={"energy_per_byte": 0.0})
                for name, memory in soc.spec.memory.items()
            },
        }
    )
    silent = type(soc).from_spec(bare)
    trace = sample_result(1, 1).runs[0].trace
    assert total_power(trace, silent) is None
    assert {c.kind for c in counters(trace, silent)} <= {"rate", "memory"}


@pytest.mark.slow
def test_perfetto_has_a_track_per_counter(result: Result) -> None:
    run = result.runs[0]
    events = perfetto_trace(run, result.soc)["traceEvents"]
    tracks: dict[str, int] = {}
    for event in events:
        if event["ph"] == "C":
            tracks[event["name"]] = tracks.get(event["name"], 0) + 1
            assert all(isinstance(value, float) for value in event["args"].values())
    expected = {f"link {c.name}": c for c in link_counters(run.trace, result.soc)}
    expected |= {f"on-chip memory {c.name}": c for c in memory_counters(run.trace, result.soc)}
    expected |= {f"power {c.name}": c for c in power_counters(run.trace, result.soc)}
    assert tracks == {name: len(c.times) for name, c in expected.items()}
    assert any(name.startswith("power ") for name in tracks)
    assert {"s", "f"} <= {event["ph"] for event in events}
    json.dumps(events, allow_nan=False)
