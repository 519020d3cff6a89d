"""The published schedule of XRBench's VR gaming, and its scores."""

from __future__ import annotations

import csv
import io

import pytest

from hetsim.analysis.serving.xrbench import together
from hetsim.errors import Location
from hetsim.sim.serving.serve import serve
from hetsim.soc.model import SoC
from hetsim.soc.schema import SoCSpec
from hetsim.streams.arrivals import trace
from hetsim.streams.arrivals.after import After
from hetsim.streams.arrivals.base import Arrivals
from hetsim.streams.service import Stream
from hetsim.validate.checks import xrbench
from hetsim.validate.checks.xrbench import (
    AFTER,
    MODELS,
    MS,
    ONE_UNIT,
    SUMMARY,
    published,
    replayed,
    running,
    scored,
)
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


def test_three_streams_of_constant_durations_are_as_near_as_single_precision(tmp_path) -> None:
    streams, programs = [], {}
    for model in MODELS:
        mine = [frame for frame in FRAMES if frame.model == model]
        if model in AFTER:
            arrivals: Arrivals = After(kind="after", stream=AFTER[model])
        else:
            file = tmp_path / f"{model}.csv"
            file.write_text("at_s\n" + "".join(f"{frame.injected!r}\n" for frame in mine))
            arrivals = trace.Trace(kind="trace", file=file.name).ready(tmp_path, Location("here"))
        streams.append(Stream(model, model, arrivals, priority=-MODELS.index(model)))
        programs[model] = running(mine[0].completed - mine[0].dispatched)
    served = serve(SoC.from_spec(SoCSpec.model_validate(ONE_UNIT)), streams, programs)
    found = {
        f"{model} {number}": moments
        for model, ledger in served.ledgers.items()
        for number, moments in enumerate(zip(ledger.start, ledger.finish, strict=True))
    }
    assert len(found) == len(FRAMES)
    # From 512 ms on their times are whole multiples of 2^-14 ms.
    assert 1e-5 < furthest_ms(found) <= 2**-14


def test_every_figure_of_the_published_summary_comes_out() -> None:
    mine = scored(FRAMES)
    table = list(csv.reader(io.StringIO(Tables().text(SUMMARY))))[1:]
    assert [name for name, *_ in table] == [*MODELS, "Overall Score"]
    for name, *figures in table:
        assert [f"{value:.6f}" for value in mine[name].values()] == figures
    # They sum in single precision; in double, where each frame of a model draws the same:
    exact = together(mine[model]["real time"] * mine[model]["energy"] for model in MODELS)
    assert 100 * exact == pytest.approx(float(table[-1][1]), rel=3e-7)
