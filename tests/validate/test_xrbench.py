"""The published schedule of XRBench's VR gaming, and its scores."""

from __future__ import annotations

import csv
import io

import pytest

from hetsim.analysis.serving.xrbench import together
from hetsim.validate.checks import xrbench
from hetsim.validate.checks.xrbench import MODELS, MS, SUMMARY, published, replayed, scored
from hetsim.validate.tables import Tables

FRAMES = published(Tables())


def furthest_ms(moments: dict[str, tuple[float, float]]) -> float:
    """How far the worst beginning or end is off."""
    pairs = [(moments[f.name], (f.dispatched, f.completed)) for f in FRAMES]
    return max(abs(a - b) for mine, theirs in pairs for a, b in zip(mine, theirs, strict=True)) / MS


def test_every_frame_begins_and_ends_when_it_was_published_to() -> None:
    assert len(FRAMES) == 115
    assert furthest_ms(replayed(FRAMES)) <= 1e-5


@pytest.mark.parametrize(
    "order", [(MODELS[2], *MODELS[:2]), (MODELS[0], MODELS[2], MODELS[1])], ids=("hands", "gaze")
)
def test_another_order_of_the_models_is_another_schedule(order, monkeypatch) -> None:
    monkeypatch.setattr(xrbench, "MODELS", order)
    assert furthest_ms(replayed(FRAMES)) > 1.0


def test_every_figure_of_the_published_summary_comes_out() -> None:
    mine = scored(FRAMES)
    table = list(csv.reader(io.StringIO(Tables().text(SUMMARY))))[1:]
    assert [name for name, *_ in table] == [*MODELS, "Overall Score"]
    for name, *figures in table:
        assert [f"{value:.6f}" for value in mine[name].values()] == figures
    # They sum in single precision; in double, where each frame of a model draws the same:
    exact = together(mine[model]["real time"] * mine[model]["energy"] for model in MODELS)
    assert 100 * exact == pytest.approx(float(table[-1][1]), rel=3e-7)
