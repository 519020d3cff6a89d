"""The page of a comparison in a real browser: its bars lead to timelines on one axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hetsim.report.page.study import render_page
from hetsim.study.compare.report import compare_files
from hetsim.study.compare.study import compare
from tests.report.browsing import complaints, go_to, settle
from tests.study.samples import loaded

pytestmark = pytest.mark.slow


def test_a_variant_leads_to_its_timeline_on_the_axis_of_all(browser: Any, tmp_path: Path) -> None:
    comparison = compare(loaded(tmp_path), {"slow": {"bus.clock": "0.25x"}})
    page = tmp_path / "report.html"
    page.write_text(render_page(compare_files(comparison)[0], {}), encoding="utf-8")
    go_to(browser, page)
    settle(browser)
    canvas = browser.find_element("id", "timeline")
    longest = max(variant.best("small").makespan_s for variant in comparison.variants)
    assert float(canvas.get_attribute("data-to")) == round(longest * 1e9)
    table = browser.find_element("css selector", ".chart.bars .figures")
    browser.execute_script("arguments[0].open = true", table)
    table.find_element("link text", "slow").click()
    settle(browser)
    chosen = browser.find_element("id", "pick-scheduler").find_element(
        "css selector", "option:checked"
    )
    assert chosen.text == f"slow · {comparison.variants[1].best('small').scheduler}"
    assert float(canvas.get_attribute("data-drawn")) > 0
    assert not browser.find_element("id", "files-box").is_displayed()
    browser.find_element("id", "one-axis").click()
    settle(browser)
    own = comparison.variants[1].best("small").makespan_s
    assert float(canvas.get_attribute("data-to")) == round(own * 1e9)
    assert complaints(browser) == []
