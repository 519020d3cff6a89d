"""Streams from the scenario file to numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from hetsim.analysis.energy import energy, energy_of_stream
from hetsim.errors import ConfigError
from hetsim.plan.files import dump_plan
from hetsim.runs.serving import Mix, run_service
from hetsim.scenario.loader import load_scenario

TEXT = """
hetsim: scenario/1
name: two
soc: zcu102-vta
models: [squeezenet]
schedulers: [npu_only]
streams:
  - {name: slow, model: squeezenet, arrivals: {kind: periodic, period: 2 s}, count: 5}
  - {name: fast, model: squeezenet, arrivals: {kind: poisson, period: 200 ms}, priority: 1}
serve: {duration: 12 s}
"""


@pytest.fixture
def asked(tmp_path: Path):
    def load(text: str):
        file = tmp_path / "two.yaml"
        file.write_text(text, encoding="utf-8")
        return load_scenario(file)

    return load


@pytest.mark.slow
def test_a_stream_alone_takes_as_long_as_one_inference(asked):
    text = TEXT.replace("  - {name: fast", "#")
    (run,) = run_service(asked(text)).runs
    alone = run.served.trace.makespan_s - 4 * 2.0
    assert run.streams[0].metrics["latency_max_s"] == pytest.approx(alone, rel=1e-9)
    assert len(run.served.ledgers["slow"]) == 5


@pytest.mark.slow
def test_streams_share_the_soc_and_the_urgent_one_waits_less(asked):
    (run,) = run_service(asked(TEXT)).runs
    slow, fast = run.stream("slow").metrics, run.stream("fast").metrics
    assert slow["latency_mean_s"] > 1.1 * 0.168 < fast["latency_mean_s"]
    every = [row for ledger in run.served.ledgers.values() for row in ledger.finish]
    assert max(every) == run.served.end_s
    in_time = sum(end <= 12.0 for end in every)  # what ends after the last arrival is no rate
    assert in_time < len(every)
    assert run.metrics["throughput"] == pytest.approx(in_time / 12.0)


def test_a_stream_of_an_unknown_model_is_told_with_its_place(asked):
    with pytest.raises(
        ConfigError, match=r"streams\[0\].model: the scenario has no model 'sqeeze'"
    ):
        asked(TEXT.replace("slow, model: squeezenet", "slow, model: sqeeze"))


def test_arrivals_of_an_unknown_kind_are_told(asked):
    with pytest.raises(ConfigError, match="unknown arrivals 'poison'"):
        asked(TEXT.replace("kind: poisson", "kind: poison"))


@pytest.mark.slow
def test_what_streams_draw_and_idling_is_what_the_soc_draws(asked):
    scenario = asked(TEXT.replace("zcu102-vta", "edge-mcu").replace("count: 5", "deadline: 1 s"))
    (run,) = run_service(scenario).runs
    served, soc = run.served, scenario.soc
    idling = sum(
        (served.end_s - served.unit_busy_s[pu.name]) * pu.spec.point.idle_power for pu in soc.pus
    )
    drawn = {name: energy_of_stream(served.by_stream, soc, name) for name in served.ledgers}
    assert sum(drawn.values()) + idling == pytest.approx(energy(served.trace, soc))
    each = drawn["slow"] / len(served.ledgers["slow"])
    assert run.stream("slow").metrics["xrbench_energy"] == pytest.approx(1 - each / 1.5)


@pytest.mark.slow
def test_a_deadline_from_the_release_spans_the_chain(asked):
    chain = """
  - {name: first, model: squeezenet, arrivals: {kind: periodic, period: 2 s}, count: 5}
  - {name: second, model: squeezenet, arrivals: {kind: after, stream: first},
     deadline: 250 ms, deadline_from: FROM}
"""
    text = TEXT[: TEXT.index("\n  - {name: slow")] + chain
    for start, missed in (("arrival", 0), ("release", 5)):  # each takes 168 ms
        (run,) = run_service(asked(text.replace("FROM", start))).runs
        assert run.stream("second").metrics["misses"] == missed


@pytest.mark.slow
def test_what_is_observed_stands_beside_what_is_proven(asked):
    """Bounds hold, and where requests come at random there is a reason instead of a number."""
    periodic = TEXT.replace("poisson, period: 200 ms", "periodic, period: 700 ms")
    (run,) = run_service(asked(periodic)).runs
    for stream in run.streams:
        assert stream.metrics["latency_max_s"] <= stream.metrics["response_bound_s"]
        assert stream.metrics["throughput"] <= stream.metrics["throughput_bound"]
    assert run.metrics["throughput"] <= run.metrics["throughput_bound"] * (1 + 1e-9)
    (run,) = run_service(asked(TEXT)).runs
    assert run.stream("fast").metrics["response_bound_s"] is None
    assert "arrive at once" in run.stream("fast").worst.why


@pytest.mark.slow
def test_the_beginning_is_left_out_by_rule(asked):
    (run,) = run_service(asked(TEXT.replace("12 s}", "24 s, warm_up: mser}"))).runs
    arrivals = run.served.ledgers["fast"].arrival
    assert run.warm_up_s in {0.0, *arrivals, *run.served.ledgers["slow"].arrival}
    assert run.warm_up_s < 13.0


@pytest.mark.slow
def test_nothing_is_told_beyond_its_bound_when_the_window_begins_with_a_queue(asked):
    """Six requests at once, of which the work of some is done when counting begins."""
    bursts = TEXT.replace("poisson, period: 200 ms", "bursts, size: 6, period: 1.1 s")
    (run,) = run_service(asked(bursts.replace("12 s}", "6 s, warm_up: 5 s}"))).runs
    assert run.metrics["throughput"] <= run.metrics["throughput_bound"] * (1 + 1e-9)
    for stream in run.streams:
        assert stream.metrics["throughput"] <= stream.metrics["throughput_bound"] * (1 + 1e-9)


@pytest.mark.slow
def test_a_stream_runs_by_the_plan_file_that_it_names(asked, tmp_path):
    scenario = asked(TEXT.replace("schedulers: [npu_only]", "schedulers: [npu_only, cpu_only]"))
    plan = Mix.of(scenario).plans(scenario.contender("cpu_only"))["fast"]
    (tmp_path / "mine.yaml").write_text(dump_plan(plan), encoding="utf-8")
    (run,) = run_service(asked(TEXT.replace("count: 5}", "count: 1, plan: mine.yaml}"))).runs
    assert run.stream("slow").scheduler == "mine"
    assert {part.pu for part in run.stream("slow").plan.partitions} == {"cpu"}
    assert run.stream("fast").scheduler == "npu_only"


@pytest.mark.slow
def test_nothing_is_told_beyond_its_bound_when_the_window_begins_within_an_inference(asked):
    """Clients who never think: whatever begins before counting does is counted when it ends."""
    clients = TEXT.replace("poisson, period: 200 ms", "closed, clients: 3")
    above = 0
    for warm_up in (5.02, 5.06, 5.1):
        serve = f"5.3 s, warm_up: {warm_up} s}}"
        (run,) = run_service(asked(clients.replace("12 s}", serve))).runs
        fast = run.stream("fast").metrics
        assert fast["throughput"] <= fast["throughput_bound"] * (1 + 1e-9)
        there = 3 / (5.3 - warm_up)
        above += fast["throughput"] > fast["throughput_bound"] - there
    assert above  # the long run's bound alone would not hold


@pytest.mark.slow
def test_streams_that_all_name_their_scheduler_run_once(asked):
    text = TEXT.replace("schedulers: [npu_only]", "schedulers: [npu_only, cpu_only]")
    named = text.replace("model: squeezenet,", "model: squeezenet, scheduler: npu_only,")
    assert [c.label for c in asked(text).contenders] == ["npu_only", "cpu_only"]
    (run,) = run_service(asked(named)).runs
    first, _ = run_service(asked(text)).runs
    assert run.label == "as named"
    assert [found.scheduler for found in run.streams] == ["npu_only", "npu_only"]
    assert run.metrics == first.metrics
