"""XRBench's scores as metrics of streams that were served."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hetsim.analysis.metrics.base import ServedEvaluation
from hetsim.analysis.metrics.registry import measured
from hetsim.analysis.serving.view import StreamView
from hetsim.analysis.serving.xrbench import MOST_ENERGY
from hetsim.sim.serving.accounts import ByStream
from hetsim.sim.serving.served import DONE, DROPPED, Ledger, Served
from hetsim.sim.trace import Trace
from hetsim.streams.arrivals.after import After
from hetsim.streams.arrivals.periodic import Periodic
from hetsim.streams.service import Stream
from tests.sim.samples import make_soc

EYES = Stream("eyes", "m", Periodic.model_validate({"kind": "periodic", "period": "1 s"}),
              deadline_s=1.0)  # fmt: skip
GAZE = Stream("gaze", "m", After(kind="after", stream="eyes"), deadline_s=1.0)
BACKGROUND = replace(EYES, name="background", deadline_s=float("inf"))


def ledger(*rows: tuple[float, float, int]) -> Ledger:
    """Arrivals, ends and statuses; each is due a second after its arrival."""
    made = Ledger()
    for number, (arrival, finish, status) in enumerate(rows):
        made.add(number, arrival, arrival, finish, status, arrival + 1.0)
    return made


LEDGERS = {
    # Of four frames one is a second late, and one was given up.
    "eyes": ledger((0, 0.5, DONE), (1, 1.5, DONE), (2, 4.0, DONE), (3, 4.0, DROPPED)),
    "gaze": ledger((0.5, 0.6, DONE), (1.5, 1.6, DONE), (4.0, 4.1, DONE)),
    "background": ledger((0, 9, DONE)),
}


def of(*streams: Stream, watts: int = 1, warm_up_s: float = 0.0):
    """The metrics of these streams, three inferences of each having drawn 0.45 J at 1 W."""
    point = {"clock": "1 GHz", "active_power": f"{watts} W"}
    soc = make_soc({"cpu": {"operating_points": {"nominal": point}}})
    busy, none = np.full((1, len(LEDGERS)), 3 * 0.3 * MOST_ENERGY), np.zeros((0, len(LEDGERS)))
    had = ByStream(tuple(LEDGERS), ("cpu",), (), busy, none, none, none)
    served = Served(LEDGERS, 10.0, Trace(10.0, {}, {}), by_stream=had)
    views = tuple(StreamView(s, LEDGERS[s.name], warm_up_s, 10.0) for s in streams)
    return measured(ServedEvaluation(soc, views, served, whole=len(views) > 1))


def test_what_is_late_or_given_up_is_worth_nothing() -> None:
    found = of(EYES)
    assert found["xrbench_real_time"] == pytest.approx(2 / 3)
    assert found["xrbench_energy"] == pytest.approx(0.7)
    assert found["xrbench_experience"] == pytest.approx(3 / 4)
    assert found["xrbench_score"] == pytest.approx(0.7 * 2 / 4 * 3 / 4)


def test_a_result_that_its_cause_never_asked_for_is_dropped_too() -> None:
    found = of(GAZE)
    assert found["xrbench_real_time"] == pytest.approx(1.0)
    assert found["xrbench_experience"] == pytest.approx(3 / 4)
    rare = replace(GAZE, arrivals=After(kind="after", stream="eyes", probability=0.5))
    assert of(rare)["xrbench_experience"] == pytest.approx(3 / 3.5)


def test_all_together_is_the_mean_of_those_with_a_deadline() -> None:
    each = [of(stream)["xrbench_score"] for stream in (EYES, GAZE)]
    assert of(EYES, GAZE, BACKGROUND)["xrbench_score"] == pytest.approx(sum(each) / 2)
    assert of(BACKGROUND)["xrbench_score"] is None


def test_without_power_there_are_the_scores_that_need_none() -> None:
    found = of(EYES, watts=0)
    assert found["xrbench_score"] is found["xrbench_energy"] is None
    assert found["xrbench_experience"] == pytest.approx(3 / 4)


def test_the_warm_up_is_left_out() -> None:
    assert of(EYES, warm_up_s=0.5)["xrbench_experience"] == pytest.approx(2 / 3)
    assert of(GAZE, warm_up_s=3.5)["xrbench_experience"] == pytest.approx(1.0)
