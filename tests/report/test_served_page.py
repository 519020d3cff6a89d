"""The page of streams: what it holds, and that no spike is lost on the way."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hetsim.report.page.serving import units
from hetsim.report.page.serving.cells import Rows, cells_of, timelines_of
from hetsim.report.page.serving.charts import _most_waiting, run_charts
from hetsim.report.page.serving.page import render_served
from hetsim.report.page.serving.units import units_of
from hetsim.sim.serving.accounts import ByStream
from hetsim.sim.serving.served import DONE, DROPPED, Ledger, Served
from hetsim.sim.trace import Trace
from tests.report.browsing import complaints, go_to, settle
from tests.report.serving_samples import served_result


def rows_of(count: int, seed: int = 0) -> Rows:
    random = np.random.default_rng(seed)
    arrival = np.cumsum(random.exponential(0.01, count))
    wait = random.exponential(0.002, count)
    latency = wait + random.exponential(0.003, count)
    ended = random.random(count) > 0.01
    return Rows(arrival, wait, latency, ended, ended & (latency > 0.01))


@pytest.mark.parametrize("most", [1, 7, 100, 999, 1000, 5000])
def test_cells_keep_the_shortest_and_the_longest_of_what_they_stand_for(most: int) -> None:
    rows, grid = rows_of(1000), 1e-6
    cells = cells_of(rows, most, grid)
    each, high = cells["each"], np.array(cells["high"]) * grid
    assert len(high) <= most
    assert high.max() == pytest.approx(rows.latency.max(), abs=grid)
    low = np.array(cells.get("low", cells["high"])) * grid
    assert low.min() == pytest.approx(rows.latency.min(), abs=grid)
    starts = np.array(list(accumulate(cells["at"]))) * grid
    assert starts == pytest.approx(rows.arrival[::each], abs=grid)
    for i in range(len(high)):
        own = slice(i * each, (i + 1) * each)
        assert high[i] == pytest.approx(rows.latency[own].max(), abs=grid)
        assert (i in set(cells["late"])) == rows.late[own].any()
        assert (i in set(cells["lost"])) == (not rows.ended[own].all())


def test_rows_stand_in_order_of_arrival_and_know_what_ended() -> None:
    ledger = Ledger()
    ledger.add(1, 2.0, 2.5, 3.0, DONE)
    ledger.add(0, 1.0, 4.0, 4.0, DROPPED)
    rows = Rows.of(ledger)
    assert rows.arrival.tolist() == [1.0, 2.0]
    assert rows.latency.tolist() == [3.0, 1.0]
    assert rows.wait.tolist() == [3.0, 0.5]
    assert rows.ended.tolist() == [False, True]


def test_the_most_that_wait_within_each_stretch() -> None:
    arrival, wait = np.array([0.0, 1.0, 1.5, 6.0]), np.array([2.0, 3.0, 0.2, 0.0])
    rows = Rows(arrival, wait, wait + 1.0, np.ones(4, bool), np.zeros(4, bool))
    assert _most_waiting(rows, np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])) == [2, 3, 1, 1, 0]


def many(count: int) -> Any:
    """The sample with ``count`` inferences in one stream, the longest of them a lone spike."""
    result = served_result()
    run, (found, *_) = result.runs[1], result.runs[1].streams
    ledger, rows = Ledger(), rows_of(count)
    rows.latency[count // 3] = 3.21
    order = np.argsort(rows.arrival + rows.latency)
    for i in order.tolist():
        arrival = float(rows.arrival[i])
        ledger.add(
            i, arrival, arrival + float(rows.wait[i]), arrival + float(rows.latency[i]), DONE
        )
    end = float(rows.arrival[-1])
    name = found.stream.name
    own = ByStream(
        (name,), ("cpu",), (), np.ones((1, 1)), np.zeros((0, 1)), np.zeros((1, 1)), np.zeros(1)
    )
    served = Served({name: ledger}, end, Trace(end, {"cpu": 1.0}, {}), by_stream=own)
    one = replace(run, streams=(found,), served=served)
    service = replace(result.service, streams=(found.stream,))
    return replace(result, service=service, runs=(one, replace(one, label="second")))


@pytest.mark.slow
def test_a_page_of_a_hundred_thousand_inferences_is_small_and_shows_the_spike() -> None:
    result = many(100_000)
    page = render_served(result)
    assert len(page) < 3_000_000
    assert page.count("3.21 s") >= 2
    data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])
    first, second = (run["streams"][0] for run in data["runs"])
    assert (first["each"], second["each"]) == (1, 2)
    for run, stream in zip(data["runs"], (first, second), strict=True):
        assert max(stream["high"]) * run["grid"] == pytest.approx(3.21)
    over_time = run_charts(result.runs[0])[2]
    assert max(y for _, y in over_time.lines[0].points) == pytest.approx(3.21)


@pytest.mark.slow
def test_names_are_escaped_and_failures_are_told() -> None:
    result = served_result()
    failed = replace(result.runs[0], streams=(), metrics={}, served=None, error="no <plan>")
    page = render_served(replace(result, runs=(failed, result.runs[1])))
    assert "cam<era>" not in page
    assert "no <plan>" not in page
    assert "failed: no &lt;plan&gt;" in page or "no \\u003cplan" in page
    nothing = render_served(replace(result, runs=(failed,)))
    assert 'id="timeline"' not in nothing
    assert timelines_of([None], -1, result.soc) == {"runs": [None], "best": -1}


def test_deadlines_and_bounds_are_lines() -> None:
    run = served_result().runs[1]
    streams = tuple(
        replace(s, metrics={**s.metrics, "response_bound_s": 0.0042}) for s in run.streams[:1]
    )
    tails = run_charts(replace(run, streams=streams))[0]
    assert [(g.label, g.at) for g in tails.guides] == [
        ("deadline", pytest.approx(0.006)), ("proven bound", 0.0042)
    ]  # fmt: skip


@pytest.mark.slow
def test_the_timeline_answers_pointer_and_keys(browser: Any, tmp_path: Path) -> None:
    page = tmp_path / "streams.html"
    page.write_text(render_served(served_result()), encoding="utf-8")
    go_to(browser, page)
    settle(browser)

    def canvas(field: str) -> str:
        settle(browser)
        return browser.execute_script(f"return document.getElementById('timeline').dataset.{field}")

    def press(*keys: str) -> None:
        for key in keys:
            browser.execute_script(
                "document.getElementById('timeline').dispatchEvent("
                "new KeyboardEvent('keydown', { key: arguments[0] }))", key,
            )  # fmt: skip

    total = sum(len(ledger) for ledger in served_result().runs[1].served.ledgers.values())
    assert int(canvas("drawn")) == total
    press("+", "+")
    assert int(canvas("drawn")) < total
    assert float(canvas("to")) - float(canvas("from")) < 2e9
    press("0", "ArrowDown", ".", ".")
    text = browser.execute_script("return document.getElementById('tooltip').textContent")
    assert text.startswith("web")
    assert "latency" in text
    browser.execute_script("document.querySelector('#longest tbody button').click()")
    longest = served_result().runs[1].streams[0].metrics["latency_max_s"]
    width = float(canvas("to")) - float(canvas("from"))
    assert width == pytest.approx(1.6e9 * longest, rel=0.01)
    browser.execute_script(
        "const pick = document.getElementById('pick-run'); pick.value = 0;"
        "pick.dispatchEvent(new Event('change'))"
    )
    assert browser.execute_script("return location.hash") == "#run-0"
    assert complaints(browser) == []


def test_who_waits_for_whom_and_who_keeps_a_unit_busy_are_told() -> None:
    run = served_result().runs[0]
    busy, blocking = run_charts(run)[-2:]
    own = run.served.by_stream
    assert blocking.title == "Who waits for whom"
    assert [[tile.value for tile in row] for row in blocking.rows] == own.blocked_s.tolist()
    cpu = next(bar for bar in busy.bars if bar.label == "cpu")
    assert cpu.segments[-1].end == pytest.approx(run.served.unit_busy_s["cpu"] / run.served.end_s)
    assert [piece.end - piece.start for piece in cpu.segments] == pytest.approx(
        own.busy_s[own.units.index("cpu")] / run.served.end_s
    )


def test_units_are_shown_in_the_windows_and_whose_they_are_is_known() -> None:
    result = served_result()
    run = result.runs[0]
    told = units_of(run, result.soc)
    assert {(w[3], w[4]) for w in told["windows"]} <= {
        (w.stream, w.number) for w in run.served.windows
    }
    assert len(told["windows"]) == len(run.served.windows)
    cpu = next(row for row in told["rows"] if row["label"] == "cpu")
    starts = list(accumulate(cpu["start"]))
    assert starts == sorted(starts)
    numbers = {
        number: j
        for j, found in enumerate(run.streams)
        for number in run.served.ledgers[found.stream.name].number.tolist()
    }
    assert [numbers[n] for n in cpu["number"]] == cpu["of"]
    for start, time in zip(starts, cpu["time"], strict=True):
        assert any(a <= start + time and start <= b for a, b, *_ in told["windows"])


def test_of_many_windows_those_of_the_slowest_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    result = served_result()
    monkeypatch.setattr(units, "MOST", 30)
    told = units_of(result.runs[0], result.soc)
    assert 0 < sum(len(row["start"]) for row in told["rows"]) <= 30
    assert "slowest" in {why for _, _, why, *_ in told["windows"]}
    assert len(told["windows"]) < len(result.runs[0].served.windows)
