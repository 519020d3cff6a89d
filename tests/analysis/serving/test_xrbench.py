"""XRBench's scores, from their formulas; the published ones are in ``tests/validate``."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hetsim.analysis.serving.xrbench import (
    energy_scores,
    real_time_scores,
    scores,
    together,
)


def test_a_frame_is_worth_half_at_its_deadline_and_nothing_a_millisecond_late() -> None:
    late = np.array([-1.0, -1e-3, 0.0, 0.1e-3, 1e-3, 10.0])
    worth = real_time_scores(late)
    assert worth[:3] == pytest.approx([1.0, 1 / (1 + math.exp(-15)), 0.5])
    assert worth[3] == pytest.approx(1 / (1 + math.exp(1.5)))  # 15 per millisecond
    assert worth[4] < 1e-6
    assert worth[5] == 0.0


def test_energy_counts_down_from_one_and_a_half_joules() -> None:
    assert energy_scores(np.array([0.0, 0.3, 1.5, 9.0])) == pytest.approx([1.0, 0.8, 0.0, 0.0])


def test_a_dropped_frame_is_lost_twice() -> None:
    late, joules = np.full(3, -1.0), np.full(3, 0.75)
    kept = scores(late, joules)
    assert kept is not None
    assert kept.total == pytest.approx(0.5)
    mine = scores(late, joules, dropped=1, accuracy=0.8)
    assert mine is not None
    assert (mine.real_time, mine.energy, mine.experience) == pytest.approx((1.0, 0.5, 0.75))
    assert mine.total == pytest.approx(0.8 * 0.5 * 0.75 * 0.75)


def test_without_frames_there_is_no_score_and_with_none_that_ran_it_is_zero() -> None:
    nothing = np.array([])
    assert scores(nothing, nothing) is None
    mine = scores(nothing, nothing, dropped=2)
    assert mine is not None
    assert mine.total == mine.experience == 0.0


def test_models_count_alike() -> None:
    assert together([0.2, 0.4, 0.9]) == pytest.approx(0.5)
