"""What the shipped scenarios with streams say that they teach shows when they are run."""

from __future__ import annotations

import pytest

import hetsim


@pytest.mark.slow
def test_priority_alone_does_not_keep_a_camera_s_deadline():
    result = hetsim.run("camera_pipeline", {"serve.duration": "1500 ms"})
    runs = {run.label: {s.stream.name: s.metrics for s in run.streams} for run in result.runs}
    assert runs["npu · priority"]["detector"]["miss_rate"] > 0.5
    for label in ("npu · preemptive", "gpu · priority", "gpu · preemptive"):
        assert runs[label]["detector"]["misses"] == 0.0
    slower = [runs[label]["background"]["latency_mean_s"]
              for label in ("npu · priority", "npu · preemptive", "gpu · priority")]  # fmt: skip
    assert slower[1] < 1.05 * slower[0]
    assert 8.0 < slower[2] / slower[0] < 10.0


@pytest.mark.slow
def test_the_best_plan_of_one_inference_is_not_the_best_of_many():
    result = hetsim.run(
        "multi_tenant", {"serve.duration": "1 s"}, schedulers=["type_based", "mosaic"]
    )
    runs = {run.scheduler: run for run in result.runs}
    late = {name: run.stream("search").metrics["miss_rate"] for name, run in runs.items()}
    assert late["type_based"] > 0.3 > 0.05 > late["mosaic"]
    gpu = [pu.name for pu in result.soc.pus].index("gpu")
    served = runs["type_based"].served
    assert 0.6 < list(served.unit_busy_s.values())[gpu] / served.end_s < 0.9


@pytest.mark.slow
def test_a_pair_planned_together_keeps_both_deadlines():
    result = hetsim.run(
        "autonomous_pair", {"serve.duration": "200 ms", "serve.plans": ["each", "spatial"]}
    )
    runs = {run.label: {s.stream.name: s.metrics for s in run.streams} for run in result.runs}
    assert runs["heft · each"]["depth"]["miss_rate"] > 0.5
    assert all(found["misses"] == 0.0 for found in runs["heft · spatial"].values())
