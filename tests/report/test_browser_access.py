"""Every kind of page under axe-core (Deque), in light and dark, on a desk and a phone."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from hetsim.cli.main import entry
from hetsim.report.page.run import render_report
from hetsim.report.page.serving.page import render_served
from tests.report.browsing import complaints, go_to, in_colours, settle
from tests.report.samples import sample_result
from tests.report.serving_samples import TEXT, served_result
from tests.study.samples import small_scenario

pytestmark = pytest.mark.slow

VARY = ["--vary", "npu.sram=64KiB,128KiB,256KiB", "--vary", "bus.clock=0.5x,1x,2x"]
STUDIES = {
    "sweep": VARY,
    "compare": ["--set", "bus.clock=0.25x"],
    "whatif": ["--only", "npu.sram", "--only", "bus"],
    "explore": [*VARY, "--trials", "6", "--minimise", "latency_ms", "--minimise", "area"],
    "tune": ["--evaluations", "200"],
}
RUN = (
    "axe.run().then((found) => arguments[0](found.violations.map((v) => [v.id, v.nodes[0].html])))"
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every page as the command line writes it; a run's with more than a small scenario has."""
    pytest.importorskip("optuna", reason="extra 'explore'")
    folder = tmp_path_factory.mktemp("pages")
    scenario = str(small_scenario(folder))
    made = {"run": folder / "run.html"}
    made["run"].write_text(render_report(sample_result()), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, options in STUDIES.items():
            verb = "whatif" if name == "compare" else name
            known = ["--quiet", "-o", name, *([] if name == "compare" else ["--workers", "1"])]
            assert entry([verb, scenario, *options, *known]) == 0
            made[name] = folder / name / "report.html"
    made["streams"] = folder / "streams.html"
    # One run, just long enough for intervals: what is looked at grows with what is on the page.
    served = served_result(TEXT.replace("duration: 2 s", "duration: 950 ms"))
    one = replace(served, runs=served.runs[1:])
    made["streams"].write_text(render_served(one), encoding="utf-8")
    made["validate"] = folder / "validate" / "report.html"
    known = ["--workers", "1", "-o", str(made["validate"].parent)]
    assert entry(["validate", "scale-sim", *known]) == 0
    return made


@pytest.mark.parametrize("kind", ["run", *STUDIES, "streams", "validate"])
def test_pages_can_be_used_by_everybody(browser: Any, pages: dict[str, Path], kind: str) -> None:
    axe = pytest.importorskip("selenium_axe_python", reason="extra 'test'").__name__
    script = (files(axe) / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    for width in (360, 1366):
        for scheme in ("light", "dark"):
            in_colours(browser, scheme)
            go_to(browser, pages[kind], width)
            browser.execute_script(
                "for (const box of document.querySelectorAll('details')) box.open = true"
            )
            settle(browser)
            browser.execute_script(script)
            assert browser.execute_async_script(RUN) == []
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
            assert complaints(browser) == []
    in_colours(browser, "light")
