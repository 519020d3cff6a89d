"""report.html as text: self-contained, escaped, small."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import html
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hetsim.analysis.result import Result
from hetsim.report.page.payload import Json, Told, timelines
from hetsim.report.page.run import render_report
from hetsim.report.page.template import TIMELINE, page_script, script_json
from tests.report.samples import (
    HOSTILE,
    sample_graph,
    sample_plan,
    sample_result,
    sample_run,
    sample_soc,
)


class Page(HTMLParser):
    """Collects tags and the text of script blocks."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag == "script"
        if self.inside:
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self.inside = False


def report_data(result: Result) -> Json:
    return timelines([Told(run, result.soc) for run in result.runs])


@pytest.fixture(scope="module")
def text() -> str:
    return render_report(sample_result(), {0: {"trace": "trace-a.json"}}, {"hetsim": "9.9"})


@pytest.mark.slow
def test_the_page_asks_for_nothing_outside_itself(text: str) -> None:
    page = Page(text)
    for tag, attributes in page.tags:
        for name in ("src", "href", "data", "action", "srcset", "poster"):
            value = attributes.get(name)
            assert value is None or value == "data:," or value.startswith("#"), (tag, name, value)
    named = text.replace("http://www.w3.org/2000/svg", "")  # the name of a language, not a place
    assert not re.search(r"@import|url\(|https?://", named)


def test_the_policy_allows_exactly_the_script_in_the_page(text: str) -> None:
    page = Page(text)
    policy = next(
        a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    digest = hashlib.sha256(page.scripts[-1].encode()).digest()
    assert f"script-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert page.scripts[-1] == page_script(TIMELINE)
    assert len(page.scripts) == 2 + 2  # of two charts, data, code


def test_names_from_files_never_become_markup() -> None:
    result = sample_result(2, hostile=True)
    page = Page(render_report(result, {}, {HOSTILE: HOSTILE}))
    assert not [a for t, a in page.tags if t == "img" or "onerror" in a]
    assert len(page.scripts) == 2 + 2
    value = json.loads(page.scripts[-2])
    assert HOSTILE in value["texts"]
    assert value["runs"][0]["network"] == f"{HOSTILE}0"


def test_script_json_holds_no_markup_and_reads_back() -> None:
    value = {"a": HOSTILE, "<b>": ["<!--", "\u2028", "\ud800"]}
    text = script_json(value)
    assert not set("<>&") & set(text)
    assert json.loads(text) == value


def test_without_scripts_the_comparison_is_complete(text: str) -> None:
    plain = html.unescape(
        re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", "", text, flags=re.S))
    )
    for word in ("type_based", "profile_greedy", "2.077 ms", "not run", "+5.03 %", "9.9"):
        assert word in plain
    assert "operator 'b0/pool' fits no processing unit" in plain
    assert "sha256:abab" in plain


def test_the_data_holds_each_span_once_in_row_order() -> None:
    result = sample_result(1, failing=False)
    data = report_data(result)
    run, row = result.runs[0], data["runs"][0]
    assert sum(size for _, _, size, _ in row["rows"]) == len(run.trace.spans)
    spans = row["spans"]
    assert sum(spans["bytes"]) == sum(span.bytes for span in run.trace.spans)
    at, ends = 0, []
    for (_, _, size, _), first in zip(
        row["rows"], [sum(r[2] for r in row["rows"][:i]) for i in range(len(row["rows"]))],
        strict=True,
    ):  # fmt: skip
        at = 0
        for i in range(first, first + size):
            at += spans["start"][i]
            ends.append(at + spans["time"][i])
    assert max(ends) == row["span_ns"] == round(run.makespan_s * 1e9)
    operators = data["models"][0]["operators"]
    assert {data["texts"][operators[o][0]] for launch in row["launches"] for o in launch} == {
        op.name for op in run.graph.operators
    }


def test_a_network_stands_once_however_many_schedulers_ran_it() -> None:
    assert len(report_data(sample_result(2))["models"]) == 2


def big(schedulers: int, models: int, blocks: int) -> Result:
    soc, runs = sample_soc(), []
    for m in range(models):
        graph = sample_graph(blocks, f"network{m}")
        plan = sample_plan(graph)
        assert plan.partitions
        runs += [sample_run(graph, f"scheduler{s}", soc, 1 + 0.1 * s) for s in range(schedulers)]
    return Result("big", soc, 0, "dataflow", tuple(runs))


@pytest.mark.slow
def test_seven_networks_under_eight_schedulers_stay_under_ten_megabytes() -> None:
    assert len(render_report(big(8, 7, 21))) < 10e6


def test_the_same_result_gives_the_same_page(text: str) -> None:
    assert text == render_report(sample_result(), {0: {"trace": "trace-a.json"}}, {"hetsim": "9.9"})


def test_a_result_of_failures_only_still_renders() -> None:
    result = sample_result(1)
    failed = Result("demo", result.soc, 0, "dataflow", result.failed)
    assert "No run of demo on board succeeded." in render_report(failed)


@pytest.mark.slow
def test_reports_import_no_plotting_or_template_library_until_used() -> None:
    code = (
        "import sys, hetsim.report.files.writer\n"
        "heavy = {'matplotlib', 'jinja2', 'onnx', 'scipy', 'highspy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_pages_are_alike_whatever_the_hash_seed() -> None:
    code = (
        "import hashlib, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from tests.report.samples import sample_result\n"
        "from hetsim.report.page.run import render_report\n"
        "from hetsim.report.files.perfetto import perfetto_json\n"
        "result = sample_result()\n"
        "text = render_report(result) + perfetto_json(result.runs[0], result.soc)\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_a_run_without_spans_still_has_its_figures() -> None:
    """Tracing may be off; totals are always there."""
    run = sample_run(sample_graph(1), "heft", sample_soc())
    bare = dataclasses.replace(run.trace, spans=[], rates=[])
    result = Result("bare", sample_soc(), 0, "dataflow", (dataclasses.replace(run, trace=bare),))
    row = report_data(result)["runs"][0]
    assert row["makespan"] == run.makespan_s
    assert [size for _, _, size, _ in row["rows"]] == [0, 0]
    assert "heft" in render_report(result)
