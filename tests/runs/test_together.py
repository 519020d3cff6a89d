"""What streams ask of a SoC that cannot give it: refused where it is certain, else told."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import hetsim
from hetsim.errors import InfeasibleError

TEXT = """\
hetsim: scenario/1
name: asked
soc: zcu102-vta
models: [squeezenet, alexnet]
schedulers: [type_based]
streams:
  - {name: fast, model: squeezenet, arrivals: {kind: periodic, period: 2 s}, count: 4}
  - {name: slow, model: alexnet, arrivals: {kind: after, stream: fast}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("asked")


@pytest.fixture(scope="module")
def run(folder: Path):
    """Simulates; what several tests ask for once."""

    @cache
    def simulate(text: str = TEXT, **overrides: object):
        file = folder / "asked.yaml"
        file.write_text(text, encoding="utf-8")
        changes = {path.replace("__", "."): value for path, value in overrides.items()}
        return hetsim.run(file, changes)

    return simulate


@pytest.mark.slow
def test_what_fits_and_is_in_time_leaves_nothing_to_say(run):
    result = run(streams__fast__deadline="400 ms")
    assert result.notes == ()


@pytest.mark.slow
def test_more_work_than_time_is_told_with_its_parts(run):
    (note,) = run(streams__fast__arrivals__period="100 ms").notes
    assert note.startswith("type_based: overload: ")
    # Half as often is asked for half as much, and then there is time enough.
    share = float(note.split("asked for ")[1].split("%")[0])
    assert 100 < share < 1000
    assert "fast " in note
    assert "slow " in note
    rare = run(streams__fast__arrivals__period=f"{share * 1.02:g} ms")
    assert rare.notes == ()


@pytest.mark.slow
def test_a_deadline_below_the_bound_is_told_with_both_numbers(run):
    result = run(streams__fast__deadline="1 ms")
    (note,) = result.notes
    assert "stream 'fast': its deadline of 1 ms is below" in note
    assert "no plan of squeezenet goes below: all will be late" in note
    assert result.runs[0].stream("fast").metrics["miss_rate"] == 1.0


@pytest.mark.slow
def test_a_deadline_over_a_chain_has_to_hold_all_of_it(run):
    alone = {s.stream.name: s.metrics["latency_max_s"] for s in run().runs[0].streams}
    between = (alone["slow"] + sum(alone.values())) / 2.0
    changes = {"streams__slow__deadline": f"{between:.6f} s"}
    assert run(**changes).notes == ()
    (note,) = run(**changes, streams__slow__deadline_from="release").notes
    assert "which no plan of squeezenet and alexnet goes below" in note
    barely = f"{0.9995 * sum(alone.values()):.6f} s"
    (note,) = run(streams__slow__deadline=barely, streams__slow__deadline_from="release").notes
    assert "that type_based takes on an idle SoC, the fastest here; the lower bound of" in note


def test_networks_that_do_not_fit_together_are_refused(run):
    # AlexNet's weights are 244 MB, SqueezeNet's 5 MB; activations of either less than 10 MB.
    with pytest.raises(InfeasibleError, match="'slow' does not fit beside the others") as told:
        run(memory__dram__capacity="248 MB")
    assert told.value.where.line == 8
    assert "alexnet 232" in told.value.hint


@pytest.mark.slow
def test_a_stream_that_has_left_makes_room(run):
    early = (
        TEXT.replace("count: 4", "until: 1 s")
        .replace("2 s", "500 ms")
        .replace(
            "{kind: after, stream: fast}}", "{kind: periodic, period: 1 s}, start: 1 s, count: 1}"
        )
    )
    assert run(early, memory__dram__capacity="248 MB").runs[0].error is None


@pytest.mark.slow
def test_streams_ask_together_only_while_they_are_there_together(run):
    (note,) = run(streams__fast__arrivals__period="100 ms").notes
    share = float(note.split("(fast ")[1].split("%")[0])
    two = TEXT.replace("count: 4", "until: 2 s").replace(
        "model: alexnet, arrivals: {kind: after, stream: fast}",
        "model: squeezenet, start: 2 s, arrivals: {kind: periodic, period: 2 s}",
    )
    ends = {"serve__duration": "4 s"}
    busy = f"{share / 0.6:g} ms"  # 60 % of a unit
    changes = {f"streams__{name}__arrivals__period": busy for name in ("fast", "slow")}
    assert run(two, **ends, **changes).notes == ()
    (note,) = run(two, **ends, **changes, streams__fast__until="3 s").notes
    assert "asked for 120% of its time (fast 60%, slow 60%)" in note


@pytest.mark.slow
def test_what_ends_soon_is_no_overload(run, folder):
    (folder / "two.csv").write_text("t_ms\n1\n2\n", encoding="utf-8")
    few = TEXT.replace("{kind: periodic, period: 2 s}, count: 4", "{kind: trace, file: two.csv}")
    assert run(few, serve__duration="20 s").notes == ()
    counted = {"streams__fast__arrivals__period": "1 ms", "streams__fast__count": 3}
    assert run(**counted, serve__duration="20 s").notes == ()
