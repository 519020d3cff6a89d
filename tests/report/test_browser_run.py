"""report.html in a real browser: it draws, zooms, answers the pointer, and fits a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hetsim.analysis.result import Result
from hetsim.report.page.charts import Axis, Bar, Bars, Segment
from hetsim.report.page.run import render_report
from hetsim.report.page.study import Section
from hetsim.report.page.tables import Table
from hetsim.report.why import critical_steps
from tests.report.browsing import complaints, go_to, in_colours, settle
from tests.report.samples import HOSTILE, sample_graph, sample_result, sample_run, sample_soc

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    soc = sample_soc()
    huge = Result("huge", soc, 0, "dataflow", (sample_run(sample_graph(1250), "heft", soc),))
    results = {"plain": sample_result(), "hostile": sample_result(hostile=True), "huge": huge}
    made = {}
    for name, result in results.items():
        made[name] = folder / f"{name}.html"
        made[name].write_text(render_report(result), encoding="utf-8")
    return made


def open_page(browser: Any, page: Path, width: int = 1200, height: int = 1000) -> Any:
    """Opens ``page`` in a window of that size and returns its canvas, once it is drawn."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    go_to(browser, page, width, height)
    canvas = browser.find_element(By.ID, "timeline")
    WebDriverWait(browser, 20).until(lambda _: canvas.get_attribute("data-drawn"))
    browser.execute_script("document.getElementById('chart').scrollIntoView({block: 'center'})")
    return canvas


def stretch(canvas: Any) -> float:
    return float(canvas.get_attribute("data-to")) - float(canvas.get_attribute("data-from"))


def hover(browser: Any, canvas: Any, x: float, y: float) -> str:
    """Moves the pointer to (x, y) of the canvas; the tooltip's text, empty when hidden."""
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.by import By

    size = canvas.size
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    settle(browser)
    ActionChains(browser).move_to_element_with_offset(
        canvas, int(x - size["width"] / 2), int(y - size["height"] / 2)
    ).perform()
    settle(browser)
    return str(browser.find_element(By.ID, "tooltip").text)


def colours(browser: Any) -> int:
    """How many different colours the canvas shows."""
    return int(
        browser.execute_script(
            """const c = document.getElementById('timeline');
            const image = c.getContext('2d').getImageData(0, 0, c.width, c.height);
            return new Set(new Uint32Array(image.data.buffer)).size;"""
        )
    )


def test_the_timeline_is_drawn_without_complaints(browser: Any, pages: dict[str, Path]) -> None:
    canvas = open_page(browser, pages["plain"])
    run = sample_result().find("net0", "type_based")
    assert int(canvas.get_attribute("data-drawn")) == len(run.trace.spans)
    assert stretch(canvas) == round(run.makespan_s * 1e9)
    assert colours(browser) > 6
    assert complaints(browser) == []


@pytest.mark.slow
def test_hovering_names_the_operator_and_its_figures(browser: Any, pages: dict[str, Path]) -> None:
    canvas = open_page(browser, pages["plain"])
    run = sample_result().find("net0", "type_based")
    span = max(
        (s for s in run.trace.spans if s.lane == "cpu" and s.operators),
        key=lambda s: s.end - s.start,
    )
    middle = (span.start + span.end) / 2 / run.makespan_s
    text = hover(browser, canvas, 118 + middle * (canvas.size["width"] - 126), 22 + 12)
    assert span.name in text
    operator = run.graph.operator(span.operators[0])
    assert operator.kind in text
    assert "1×16×32×32 → 1×16×32×32" in text
    assert f"partition\n{span.partition}" in text
    assert "lost to contention" in text
    assert "shared dram" in text
    assert hover(browser, canvas, 40, 5) == ""
    assert "it waited\n" in text


@pytest.mark.slow
def test_strips_tell_memory_traffic_and_power(browser: Any, pages: dict[str, Path]) -> None:
    canvas = open_page(browser, pages["plain"])
    browser.find_element("id", "show-unused").click()  # a fourth link, which moves nothing
    settle(browser)
    run = sample_result().find("net0", "type_based")
    span = next(s for s in run.trace.spans if s.on_chip_bytes)
    x = 118 + (span.start + span.end) / 2 / run.makespan_s * (canvas.size["width"] - 126)
    bottom = canvas.size["height"] - 4
    first = bottom - 6 * 34 + 17  # memory, four links, power
    text = hover(browser, canvas, x, first)
    assert "npu SRAM" in text
    assert "146.5 KiB (57 % of 256 KiB)" in text
    text = hover(browser, canvas, x, first + 3 * 34)
    assert "link dram" in text
    assert "traffic" in text
    text = hover(browser, canvas, x, bottom - 17)
    assert text.startswith("power")
    assert "W (26 % of 3.11 W)" in text
    assert complaints(browser) == []


@pytest.mark.slow
def test_the_critical_path_is_marked_and_can_be_hidden(
    browser: Any, pages: dict[str, Path]
) -> None:
    from selenium.webdriver.common.by import By

    canvas = open_page(browser, pages["plain"])
    run = sample_result().find("net0", "type_based")
    steps = [step for step in critical_steps(run) if step.kind == "task"]
    assert int(canvas.get_attribute("data-path")) == len(steps)
    colour = browser.execute_script(
        "return getComputedStyle(document.documentElement).getPropertyValue('--critical').trim()"
    )
    marked = count_colour(browser, colour)
    last = run.plan.partitions[steps[-1].position]
    row = [22 + 12, 22 + 24 + 12][last.pu == "npu"]
    middle = (steps[-1].start + steps[-1].end) / 2 / run.makespan_s
    text = hover(browser, canvas, 118 + middle * (canvas.size["width"] - 126), row)
    assert f"{last.name} (on the critical path)" in text
    browser.find_element(By.ID, "show-path").click()
    settle(browser)
    assert marked > 1000
    assert count_colour(browser, colour) == 0


def count_colour(browser: Any, colour: str) -> int:
    """How many pixels of the timeline have exactly that colour (#rrggbb)."""
    return int(
        browser.execute_script(
            """const c = document.getElementById('timeline'), w = arguments[0];
            const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            let n = 0;
            for (let i = 0; i < d.length; i += 4)
              if (d[i] === w[0] && d[i + 1] === w[1] && d[i + 2] === w[2]) n++;
            return n;""",
            [int(colour[i : i + 2], 16) for i in (1, 3, 5)],
        )
    )


def test_dark_and_light_follow_the_system(browser: Any, pages: dict[str, Path]) -> None:
    brightness = {}
    for scheme in ("dark", "light"):
        in_colours(browser, scheme)
        open_page(browser, pages["plain"])
        rgb = browser.execute_script(
            "return [getComputedStyle(document.body).backgroundColor,"
            " getComputedStyle(document.body).color].map((c) => c.match(/\\d+/g).map(Number))"
        )
        brightness[scheme] = [sum(channel[:3]) for channel in rgb]
        assert abs(brightness[scheme][0] - brightness[scheme][1]) > 400
        assert complaints(browser) == []
    assert brightness["dark"][0] < 150 < 600 < brightness["light"][0]
    in_colours(browser, "light")


def test_two_fingers_zoom(browser: Any, pages: dict[str, Path]) -> None:
    canvas = open_page(browser, pages["plain"], width=380, height=800)
    whole = stretch(canvas)
    box = browser.execute_script("return arguments[0].getBoundingClientRect()", canvas)
    y, middle = box["y"] + 60, box["x"] + 220

    def touch(kind: str, *xs: float) -> None:
        points = [{"x": x, "y": y, "id": i} for i, x in enumerate(xs)]
        browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    browser.execute_cdp_cmd(
        "Emulation.setTouchEmulationEnabled", {"enabled": True, "maxTouchPoints": 2}
    )
    touch("touchStart", middle - 20, middle + 20)
    for reach in (30, 45, 60, 80):
        touch("touchMove", middle - reach, middle + reach)
    touch("touchEnd")
    settle(browser)
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
    assert stretch(canvas) == pytest.approx(whole / 4, rel=0.05)


def test_sections_of_a_study_stand_in_a_runs_page(browser: Any, tmp_path: Path) -> None:
    table = Table(("parameter", "saves"), [("npu.sram", "3 %")])
    axis = Axis("time per inference", "time")
    chart = Bars("Worth", "Shown.", "Seen.", axis, [Bar("npu.sram", (Segment(0.01),))])
    section = Section("What if: net0", ["The bus."], table, [chart])
    page = tmp_path / "report.html"
    page.write_text(render_report(sample_result(), sections=[section]), encoding="utf-8")
    open_page(browser, page)
    own = browser.find_element("id", "what_if_net0")
    assert own.find_element("css selector", ".chart-box").get_attribute("data-marks") == "1"
    assert "npu.sram" in own.text
    assert browser.find_element("link text", "What if: net0")
    assert complaints(browser) == []


@pytest.mark.slow
def test_wheel_buttons_keys_and_drags_change_the_stretch(
    browser: Any, pages: dict[str, Path]
) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
    from selenium.webdriver.common.by import By

    canvas = open_page(browser, pages["plain"])
    whole = stretch(canvas)
    ActionChains(browser).scroll_from_origin(ScrollOrigin.from_element(canvas), 0, -240).perform()
    settle(browser)
    wheeled = stretch(canvas)
    assert wheeled < 0.8 * whole
    browser.find_element(By.ID, "zoom-in").click()
    settle(browser)
    assert stretch(canvas) < 0.8 * wheeled
    before = float(canvas.get_attribute("data-from"))
    ActionChains(browser).move_to_element(canvas).click_and_hold().move_by_offset(
        150, 0
    ).release().perform()
    settle(browser)
    assert float(canvas.get_attribute("data-from")) < before
    canvas.send_keys("0")
    settle(browser)
    assert stretch(canvas) == whole
    canvas.send_keys("+")
    settle(browser)
    assert stretch(canvas) < whole
    canvas.send_keys("0")
    settle(browser)
    # A drag on the time axis picks exactly that stretch.
    ActionChains(browser).move_to_element_with_offset(
        canvas, 0, int(-canvas.size["height"] / 2) + 6
    ).click_and_hold().move_by_offset(200, 0).release().perform()
    settle(browser)
    assert stretch(canvas) == pytest.approx(whole * 200 / (canvas.size["width"] - 126), rel=0.02)


def test_spans_can_be_read_with_the_keyboard_alone(browser: Any, pages: dict[str, Path]) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    canvas = open_page(browser, pages["plain"])
    canvas.send_keys(Keys.ARROW_DOWN)
    settle(browser)
    tooltip = browser.find_element(By.ID, "tooltip")
    first = tooltip.text
    assert "partition\np0" in first
    canvas.send_keys(".")
    settle(browser)
    assert tooltip.text not in ("", first)
    assert tooltip.get_attribute("aria-live") == "polite"
    canvas.send_keys(Keys.ESCAPE)
    assert not tooltip.is_displayed()


@pytest.mark.slow
def test_runs_are_chosen_by_bar_or_by_list_and_tables_follow(
    browser: Any, pages: dict[str, Path]
) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select

    canvas = open_page(browser, pages["plain"])
    result = sample_result()
    Select(browser.find_element(By.ID, "pick-scheduler")).select_by_visible_text("cpu_only")
    settle(browser)
    slow = result.find("net0", "cpu_only")
    assert stretch(canvas) == round(slow.makespan_s * 1e9)
    assert browser.current_url.endswith("#run-2")
    box = browser.find_elements(By.CSS_SELECTOR, "#comparison .chart-box")[1]
    browser.execute_script("arguments[0].focus()", box)
    box.send_keys(Keys.END, Keys.ARROW_UP, Keys.ARROW_UP, Keys.ENTER)  # past one that failed
    settle(browser)
    run = result.find("net1", "heft")
    assert stretch(canvas) == round(run.makespan_s * 1e9)
    for box in ("plan-box", "table-box"):
        browser.execute_script("document.getElementById(arguments[0]).open = true", box)
    settle(browser)
    plan = browser.find_elements(By.CSS_SELECTOR, "#plan tbody tr")
    assert len(plan) == len(run.plan.partitions)
    rows = browser.find_elements(By.CSS_SELECTOR, "#table tbody tr")
    assert len(rows) == len(run.operators)
    browser.find_element(By.ID, "table-filter").send_keys("maxpool")
    rows = browser.find_elements(By.CSS_SELECTOR, "#table tbody tr")
    assert len(rows) == sum(op.kind == "MaxPool" for op in run.graph.operators)
    usage = browser.find_elements(By.CSS_SELECTOR, "#usage .chart")
    assert [chart.find_element(By.TAG_NAME, "h3").text for chart in usage] == [
        "Utilisation", "Where the time goes", "What each lane did",
    ]  # fmt: skip
    assert "along the critical path" in usage[1].text
    assert "bus contention" in usage[1].find_element(By.CSS_SELECTOR, ".legend").text
    assert "25 %" in usage[1].text
    for way in ("kind", "part", "activity"):
        Select(browser.find_element(By.ID, "pick-colour")).select_by_value(way)
        settle(browser)
        assert browser.find_elements(By.CSS_SELECTOR, "#legend li")
    assert complaints(browser) == []


@pytest.mark.slow
@pytest.mark.parametrize("page", ["plain", "hostile"])
def test_a_phone_wide_window_does_not_scroll_sideways(
    browser: Any, pages: dict[str, Path], page: str
) -> None:
    canvas = open_page(browser, pages[page], width=380, height=800)
    for box in browser.find_elements("css selector", "details"):
        browser.execute_script("arguments[0].open = true", box)
    settle(browser)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 380
    assert 280 <= canvas.size["width"] <= 380
    assert "partition\np0" in hover(browser, canvas, 68 + 10, 22 + 24 + 12)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 380


def test_hostile_names_are_shown_and_not_run(browser: Any, pages: dict[str, Path]) -> None:
    from selenium.webdriver.common.by import By

    canvas = open_page(browser, pages["hostile"])
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    settle(browser)
    assert browser.title.startswith("</script><img")
    assert browser.find_elements(By.TAG_NAME, "img") == []
    text = hover(browser, canvas, 118 + 20, 22 + 24 + 12)
    assert HOSTILE in text
    assert complaints(browser) == []


def test_ten_thousand_operators_stay_usable(browser: Any, pages: dict[str, Path]) -> None:
    canvas = open_page(browser, pages["huge"])
    assert int(canvas.get_attribute("data-drawn")) > 40_000
    colour = browser.execute_script(
        "return getComputedStyle(document.documentElement).getPropertyValue('--critical').trim()"
    )
    # Two lines of three pixels, not the rows that the critical path crosses a thousand times.
    assert count_colour(browser, colour) < 8 * canvas.size["width"]
    canvas.send_keys("+++++++++++++++")
    settle(browser)
    assert 0 < int(canvas.get_attribute("data-drawn")) < 1000
    browser.execute_script("document.getElementById('table-box').open = true")
    settle(browser)
    rows = browser.find_elements("css selector", "#table tbody tr")
    assert len(rows) == 200
    assert complaints(browser) == []


def test_an_address_leads_to_its_timeline(browser: Any, pages: dict[str, Path]) -> None:
    open_page(browser, pages["plain"])
    browser.get(pages["plain"].as_uri() + "#run-7")
    settle(browser)
    canvas = browser.find_element("id", "timeline")
    assert stretch(canvas) == round(sample_result().runs[7].makespan_s * 1e9)
    browser.execute_script("location.hash = '#run-1'")
    settle(browser)
    assert stretch(canvas) == round(sample_result().runs[1].makespan_s * 1e9)


def test_a_span_leads_to_its_rows_and_a_row_to_its_span(
    browser: Any, pages: dict[str, Path]
) -> None:
    from selenium.webdriver.common.keys import Keys

    canvas = open_page(browser, pages["plain"])
    whole = stretch(canvas)
    canvas.send_keys(Keys.ARROW_DOWN, ".", ".", Keys.ENTER)
    picked = browser.find_element("id", "picked")
    name = picked.find_element("tag name", "strong").text
    launch, part = picked.find_elements("tag name", "button")
    launch.click()
    settle(browser)
    rows = browser.find_elements("css selector", "#table tbody tr")
    assert [row.find_element("tag name", "th").text for row in rows] == [name]
    rows[0].find_element("tag name", "button").click()
    settle(browser)
    assert stretch(canvas) < whole / 2
    part.click()
    settle(browser)
    focused = browser.switch_to.active_element.text
    assert f"in partition {focused}:" in picked.text


def test_what_was_not_used_is_folded_away(browser: Any, pages: dict[str, Path]) -> None:
    canvas = open_page(browser, pages["plain"])
    before = canvas.size["height"]
    assert browser.find_element("id", "unused-about").text == "unused (1): npu.dma"
    browser.find_element("id", "show-unused").click()
    settle(browser)
    assert canvas.size["height"] == before + 34


def test_lanes_are_explained(browser: Any, pages: dict[str, Path]) -> None:
    canvas = open_page(browser, pages["plain"])
    row = 22 + 24 * 4 + 12  # cpu, npu, two of its DMA engines, its host thread
    assert "the thread on cpu that serves npu: conversions" in hover(browser, canvas, 40, row)
    browser.execute_script("document.getElementById('lanes-box').open = true")
    assert "the thread on cpu that serves npu" in browser.find_element("id", "lanes").text


def test_one_time_axis_compares_runs(browser: Any, pages: dict[str, Path]) -> None:
    canvas = open_page(browser, pages["plain"])
    browser.find_element("id", "one-axis").click()
    settle(browser)
    own = [run for run in sample_result().runs if run.model == "net0"]
    assert stretch(canvas) == round(max(run.makespan_s for run in own) * 1e9)


def test_long_tables_sort_all_their_rows(browser: Any, pages: dict[str, Path]) -> None:
    open_page(browser, pages["huge"])
    browser.execute_script("document.getElementById('table-box').open = true")
    settle(browser)
    run = sample_run(sample_graph(1250), "heft", sample_soc())
    heads = browser.find_elements("css selector", "#table th button")
    takes = next(head for head in heads if head.text == "takes")
    browser.execute_script("arguments[0].click(); arguments[0].click()", takes)
    longest = max(row.end_s - row.start_s for row in run.operators)
    shown = browser.find_element("css selector", "#table tbody tr td:nth-child(6)").text
    assert shown == f"{longest * 1e6:.4g} µs"
