"""Charts in a real browser: drawn to any width, read by pointer and by keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hetsim.report.page.charts import (
    Axis,
    Bar,
    Bars,
    Chart,
    Guide,
    Heat,
    Line,
    Mark,
    Plot,
    Point,
    Segment,
    Series,
    Tile,
)
from hetsim.report.page.study import Page, Section, fragment, render_page
from hetsim.report.page.tables import Cell, Table
from tests.report.browsing import complaints, go_to, settle
from tests.report.samples import HOSTILE

pytestmark = pytest.mark.slow

TIME = Axis("time per inference", "time")
LONG = "a_scheduler/with.a_very-long:name that no column of a narrow window can ever hold in a line"


def bars() -> Bars:
    """Schedulers with bounds and predictions, in another order than that of their times."""
    times = {"heft": 0.009, "partition_tuner": 0.0081, LONG: 0.02, "cpu_only": 0.0303}
    rows = [
        Bar(
            name, (Segment(t),),
            (Mark("lower bound", 0.0072), Mark("predicted", t * 1.1, "diamond")),
            link=f"#run-{i}", strong=t == 0.0081,
        )
        for i, (name, t) in enumerate(times.items())
    ]  # fmt: skip
    rows.append(Bar("npu_only", problem="operator 'x' fits no unit"))
    return Bars("Times", "Shown.", "Seen.", TIME, rows, "scheduler", order="value", switch=True)


def tornado() -> Bars:
    """One parameter on both sides of the baseline, one on one side only."""
    rows = [
        Bar("bus.bandwidth (6.4 GB/s)", (Segment(0.012, 0.008, 0, "half", 0.011, 0.013),
            Segment(0.006, 0.008, 1, "twice")), (Mark("plan kept", 0.0125, "bracket"),)),
        Bar("npu.sram (512 KiB)",
            (Segment(0.009, 0.008, 0, "half"), Segment(0.0085, 0.008, 1, "twice"))),
    ]  # fmt: skip
    axis = Axis("time per inference", "time", zero=False)
    series = (Series("lowered", "#E69F00", "///"), Series("raised"))
    return Bars(
        "Tornado", "Shown.", "Seen.", axis, rows, "parameter", series, (Guide("now", 0.008),)
    )


def stacked() -> Bars:
    segments = (Segment(0.004), Segment(0.007, 0.004, 1))
    rows = [Bar(name, segments, group=group) for group in ("n0", "n1") for name in ("heft", "peft")]
    series = (Series("compute"), Series("bus contention", "#D55E00", "xxx"))
    return Bars("Parts", "Shown.", "Seen.", TIME, rows, "", series, stacked=True)


def plane() -> Plot:
    """A crowd of labelled points: most labels find no place."""
    crowd = [
        Point(0.01 + 0.0001 * (i % 9), 0.002 + 0.00002 * (i % 13), f"design {i:03d}", 1)
        for i in range(80)
    ]
    front = [Point(0.012, 0.001, "design 080", 0, "run-080.yaml", (("npu.sram", "1 MiB"),), True)]
    line = Line([(0.009, 0.003), (0.012, 0.001)], "front", 0, step=True, dashed=True)
    guides = (
        Guide("time < 11 ms", 0.011, "x", "above"),
        Guide("energy < 3 mJ", 0.003, "y", "above"),
    )
    return Plot(
        "Plane", "Shown.", "Seen.", TIME, Axis("energy per inference", "energy"), crowd + front,
        [line], (Series("on the front"), Series("beaten")), guides, "design",
    )  # fmt: skip


def roof() -> Plot:
    points = [Point(10**i, 2 * 10**i, f"conv{i}", low=10**i, high=3 * 10**i) for i in range(4)]
    x, y = Axis("intensity", unit="MAC/B", log=True), Axis("rate", unit="GMAC/s", log=True)
    return Plot("Roof", "Shown.", "Seen.", x, y, points, [Line([(1, 12), (1000, 12000)], "DRAM")])


def areas() -> Plot:
    under, over = (
        [(0.0, 1000.0), (0.001, 9000.0), (0.002, 0.0)],
        [(0.0, 3e5), (0.001, 4e5), (0.002, 0.0)],
    )
    lines = [Line(under, series=0, step=True, base=0.0),
             Line(over, series=1, step=True, base=[v for _, v in under])]  # fmt: skip
    series = (Series("weights"), Series("activations"))
    x, y = Axis("time", "time"), Axis("occupied", "size")
    return Plot("Memory", "Shown.", "Seen.", x, y, (), lines, series)


def heat() -> Heat:
    x = Axis("npu.sram", names=[f"{2**k} KiB" for k in range(7, 14)])
    y = Axis("bus.bandwidth", names=("3.2 GB/s", "6.4 GB/s"))
    rows = [
        [Tile(0.02 / (1 + i + j), "#t") if (i, j) != (0, 0) else None for i in range(7)]
        for j in (0, 1)
    ]
    return Heat("Heat", "Shown.", "Seen.", x, y, TIME, rows)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("charts")
    rows = [["a", Cell("900 µs", 0.0009)], ["b", "8 ms"], ["c", "–"], ["d", "1.5 ms"]]
    charts: list[Chart] = [bars(), tornado(), stacked(), plane(), roof(), areas(), heat()]
    sections = [
        Section("Charts", charts=charts),
        Section("Table", table=Table(["network", "time"], rows)),
        Section("Target", ["Here."]),
    ]
    page = folder / "gallery.html"
    page.write_text(render_page(Page("t", "e", "h", sections), {}), encoding="utf-8")
    return page


def charts(browser: Any) -> list[Any]:
    settle(browser)
    return list(browser.find_elements("css selector", ".chart-box"))


def tip(box: Any) -> str:
    return str(box.find_element("css selector", ".tip").text)


@pytest.mark.parametrize("width", [360, 1366, 2560])
def test_no_text_covers_another_at_any_width(browser: Any, gallery: Path, width: int) -> None:
    go_to(browser, gallery, width)
    assert len(charts(browser)) == 7
    covered = browser.execute_script(
        """const found = [];
        for (const paper of document.querySelectorAll('.chart-box svg')) {
          const frame = paper.getBoundingClientRect();
          const texts = [...paper.querySelectorAll('text:not([transform])')]
            .map((t) => [t.textContent, t.getBoundingClientRect()]);
          texts.forEach(([a, p], i) => {
            if (p.left < frame.left - 1 || p.right > frame.right + 1) found.push([a, 'outside']);
            for (const [b, q] of texts.slice(i + 1))
              if (Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1
                  && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 3)
                found.push([a, b]);
          });
        }
        return found;"""
    )
    assert covered == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert complaints(browser) == []


def test_charts_are_drawn_anew_when_the_window_changes(browser: Any, gallery: Path) -> None:
    def widths() -> list[float]:
        papers = [box.find_element("css selector", "svg") for box in charts(browser)]
        return [float(paper.get_dom_attribute("viewBox").split()[2]) for paper in papers]

    go_to(browser, gallery, 1200)
    wide = widths()
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 400, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    assert all(before > after for before, after in zip(wide, widths(), strict=True))


def test_bars_are_in_order_of_value_until_the_switch_is_used(browser: Any, gallery: Path) -> None:
    go_to(browser, gallery)

    def first_labels() -> list[str]:
        box = charts(browser)[0]
        return [text.text for text in box.find_elements("css selector", "text.label")][:2]

    assert first_labels() == ["partition_tuner", "heft"]
    browser.find_element("css selector", ".chart-controls input").click()
    assert first_labels() == ["heft", "partition_tuner"]


def test_the_pointer_is_told_what_a_mark_is(browser: Any, gallery: Path) -> None:
    from selenium.webdriver import ActionChains

    go_to(browser, gallery)
    box = charts(browser)[0]
    bar = box.find_element("css selector", ".piece.strong")
    ActionChains(browser).move_to_element(bar).perform()
    settle(browser)
    text = tip(box)
    assert "partition_tuner" in text
    assert "time per inference\n8.1 ms" in text
    assert "lower bound\n7.2 ms" in text
    bar_link = box.find_element("css selector", "a[href]")
    assert bar_link.get_dom_attribute("href") == "#run-1"
    point = charts(browser)[3].find_elements("css selector", ".point")[-1]
    ActionChains(browser).move_to_element(point).perform()
    settle(browser)
    text = tip(charts(browser)[3])
    assert text.startswith("design 080")
    assert "npu.sram\n1 MiB" in text
    assert "energy per inference\n1 mJ" in text


def test_marks_are_read_and_opened_by_keyboard_alone(browser: Any, gallery: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    go_to(browser, gallery)
    box = charts(browser)[0]
    browser.execute_script("arguments[0].focus()", box)
    box.send_keys(Keys.ARROW_DOWN)
    assert tip(box).startswith("partition_tuner")
    box.send_keys(Keys.ARROW_DOWN)
    assert tip(box).startswith("heft")
    assert box.find_element("css selector", ".tip").get_attribute("role") == "status"
    box.send_keys(Keys.END)
    assert "fits no unit" in tip(box)
    box.send_keys(Keys.HOME, Keys.ENTER)
    settle(browser)
    assert browser.current_url.endswith("#run-1")
    box.send_keys(Keys.ESCAPE)
    assert tip(box) == ""


def test_tables_sort_by_value_and_say_so(browser: Any, gallery: Path) -> None:
    go_to(browser, gallery)
    table = browser.find_element("css selector", "section[id='table'] table")
    heads = table.find_elements("css selector", "th[scope=col]")

    def order() -> str:
        return "".join(cell.text for cell in table.find_elements("css selector", "th[scope=row]"))

    heads[1].find_element("css selector", "button").click()
    assert order() == "adbc"
    assert heads[1].get_attribute("aria-sort") == "ascending"
    heads[1].find_element("css selector", "button").click()
    assert order() == "bdac"  # what has no value stays last
    heads[0].find_element("css selector", "button").click()
    assert order() == "abcd"
    assert heads[1].get_attribute("aria-sort") is None


def test_on_paper_all_is_shown_and_light(browser: Any, gallery: Path) -> None:
    go_to(browser, gallery)
    assert not browser.find_element("css selector", ".figures table").is_displayed()
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert browser.find_element("css selector", ".figures table").is_displayed()
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert not browser.find_element("css selector", ".figures table").is_displayed()
    for media in ("print", "screen"):
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"media": media, "features": [{"name": "prefers-color-scheme", "value": "dark"}]},
        )
        rgb = browser.execute_script(
            "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
        )
        assert (sum(rgb[:3]) > 600) == (media == "print")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def test_without_scripts_the_tables_are_open(gallery: Path) -> None:
    assert gallery.read_text().count('<details class="figures" open>') == 7


def test_fragments_of_a_notebook_draw_themselves(browser: Any, tmp_path: Path) -> None:
    hostile = Bars(HOSTILE, HOSTILE, HOSTILE, TIME, [Bar(HOSTILE, (Segment(1.0),))])
    page = tmp_path / "notebook.html"
    cells = [
        fragment(Page("", "", "", [Section("", charts=listed)]))
        for listed in ([bars()], [hostile, heat()])
    ]
    page.write_text(f"<h1>cells</h1>{''.join(cells)}", "utf-8")
    go_to(browser, page)
    assert [int(box.get_attribute("data-marks")) for box in charts(browser)] == [5, 1, 14]
    assert browser.find_elements("css selector", "img") == []
    assert complaints(browser) == []
