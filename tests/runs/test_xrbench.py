"""XRBench's scenarios, cut short."""

from __future__ import annotations

import pytest

from hetsim.runs.serving import run_service
from hetsim.scenario.loader import load_scenario
from hetsim.sim.serving.served import DONE


def short(name: str, **changes: object):
    """The run of the first scheduler and dispatcher, over 0.4 s."""
    serve = {"duration": "400 ms", "dispatchers": ["priority"]}
    asked = {"serve": serve, "schedulers": ["best_single_pu"], **changes}
    scenario = load_scenario(name, asked)
    (run,) = run_service(scenario).runs
    return run


@pytest.mark.slow
def test_light_networks_are_served_whole() -> None:
    run = short("xr_social_interaction_b")
    eyes, gaze = (run.served.ledgers[f"{name}"] for name in ("eye_segmentation", "gaze_estimation"))
    assert (len(eyes), len(gaze)) == (24, 24)  # 60 a second, and each is looked at
    assert sorted(gaze.arrival) == sorted(eyes.finish)
    # Due when the next frame is, from the camera's tick on.
    ticks = [round(d * 60) for d in sorted(gaze.deadline)]
    assert ticks == [*range(1, 25)]
    assert run.metrics["xrbench_experience"] == 1.0
    assert run.metrics["xrbench_score"] > 0.95


@pytest.mark.slow
def test_what_the_gpu_cannot_do_is_given_up_and_scored() -> None:
    run = short("xr_social_interaction_b", **{"streams.eye_segmentation.arrivals.period": "240 Hz"})
    eyes = run.served.ledgers["eye_segmentation"]
    assert 0 < eyes.count(DONE) < len(eyes)
    found = run.stream("eye_segmentation").metrics
    assert found["xrbench_experience"] == pytest.approx(eyes.count(DONE) / len(eyes))
    assert found["xrbench_score"] < found["xrbench_real_time"] * found["xrbench_experience"]
