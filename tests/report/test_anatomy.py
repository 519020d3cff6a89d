"""What a run is made of, as files, page and terminal tell it."""

from __future__ import annotations

import csv
import io
import math

import pytest
from rich.console import Console

import hetsim
from hetsim.analysis.limits import CAUSES, Limit
from hetsim.analysis.result import Result, Run
from hetsim.report import limits
from hetsim.report.files.jsonout import result_to_dict
from hetsim.report.files.tables import operators_csv
from hetsim.report.page.anatomy import STEPS, anatomy
from hetsim.report.page.charts import Bars, Plot
from hetsim.report.page.run import render_report
from hetsim.report.text.run import print_result
from hetsim.study.explore.objectives import parse_constraint


@pytest.fixture(scope="module")
def result() -> Result:
    return hetsim.run("quickstart", {"soc": "edge-mcu"}, schedulers=["heft"])


@pytest.fixture(scope="module")
def run(result: Result) -> Run:
    return result.runs[0]


@pytest.mark.slow
def test_every_kernel_has_its_line(result: Result, run: Run) -> None:
    lines = list(csv.DictReader(io.StringIO(operators_csv(result))))
    assert len(lines) == len(run.operators) > 10
    assert {line["bound"] for line in lines} >= {"compute", "memory"}
    for line in lines:
        parts = [name for name in line if name in PARTS]
        assert len(parts) == 7
        spent = math.fsum(float(line[name]) for name in parts)
        assert spent == pytest.approx(float(line["duration_us"]), abs=1e-4)
        most = max(parts, key=lambda name: float(line[name]))
        assert line["bound"] == most.removesuffix("_us")
        if line["operations"] == "0":  # a Concat only moves
            assert line["operations_per_s"] == ""
            continue
        rate = float(line["operations"]) / float(line["duration_us"]) * 1e6
        assert float(line["operations_per_s"]) == pytest.approx(rate, rel=1e-6)
        assert rate <= float(line["peak_per_s"]) * (1 + 1e-6)


PARTS = {
    "compute_us", "memory_us", "contention_us", "dma_us", "dma_setup_us", "dispatch_us",
    "sharing_us",
}  # fmt: skip


def test_the_json_says_what_fills_memories_links_and_time(result: Result, run: Run) -> None:
    [row] = result_to_dict(result)["runs"]  # type: ignore[misc]
    for name, link in row["links"].items():
        assert sum(link["bytes_by_class"].values()) == link["bytes"] == run.links[name].bytes
    memory = row["memories"]["sdram"]
    assert sum(memory["bytes_by_kind"].values()) == memory["peak_bytes"]
    assert row["peak_memory_bytes"] == memory["peak_bytes"]  # there is no other memory
    assert memory["largest"][0]["bytes"] <= memory["peak_bytes"]
    energy = math.fsum(
        [*(k.energy_j * 1e6 for k in run.operators), *row["energy_apart_uj"].values()]
    )
    assert energy == pytest.approx(row["energy_uj"], rel=1e-6)
    for name, pu in row["pus"].items():
        kernels = [kernel for kernel in run.operators if kernel.pu == name]
        assert sum(found["kernels"] for found in pu["bounds"].values()) == len(kernels)
        assert pu["limit"]["cause"] in CAUSES


def test_the_page_has_a_section_for_the_fastest_run(result: Result, run: Run) -> None:
    [section] = anatomy(result)
    assert run.scheduler in section.title
    titles = [chart.title for chart in section.charts]
    used = {row.pu for row in run.operators}
    assert titles[0] == "sdram over time"
    assert {f"{pu}: kernels under its roofs" for pu in used} <= set(titles)
    memory = section.charts[0]
    assert isinstance(memory, Plot)
    highest = max(y for line in memory.lines for _, y in line.points)
    assert highest == run.metrics["peak_memory_bytes"]
    assert all(len(line.points) <= STEPS + 1 for line in memory.lines)
    stacked = next(c for c in section.charts if isinstance(c, Bars) and c.stacked)
    ends = {bar.label: bar.segments[-1].end for bar in stacked.bars}
    assert ends == {name: link.bytes for name, link in run.links.items() if link.bytes}


@pytest.mark.slow
def test_long_runs_show_the_fullest_moments() -> None:
    found = hetsim.run("quickstart", {"soc": "edge-mcu"}, schedulers=["type_based"])
    [run] = found.runs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hetsim.report.page.anatomy.STEPS", 5)
        memory = anatomy(found)[0].charts[0]
    assert isinstance(memory, Plot)
    assert max(len(line.points) for line in memory.lines) <= 6 + 1
    assert (
        max(y for line in memory.lines for _, y in line.points)
        == (run.metrics["peak_memory_bytes"])
    )


def test_the_terminal_says_what_would_make_it_faster(result: Result, run: Run) -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    print_result(result, console)
    text = console.export_text()
    assert "what would make it faster, and the most by which" in text
    assert all(f"  {line}." in text for line in limits.limit_texts(run))


def test_every_cause_has_words() -> None:
    assert limits.CAUSES.keys() == set(CAUSES)
    told = limits.limit_text(Limit("npu", "dma", 0.85, 0.62, 0.21), 1.0)
    assert told.startswith(
        "npu's partitions take 85% of the time; 62% of that is waiting for its DMA engine"
    )
    assert told.endswith("at most 21.0% of the makespan (210 ms) is gained")
    idle = limits.limit_text(Limit("npu", "dma", 0.85, 0.62, 0.0), 1.0)
    assert idle.endswith("and the makespan does not wait for it")


def test_peak_memory_is_a_constraint_like_any_other() -> None:
    assert parse_constraint("peak_memory_mib <= 8")


@pytest.mark.slow
def test_of_several_networks_each_is_folded(result: Result) -> None:
    assert [section.folded for section in anatomy(result)] == [False]
    two = hetsim.run(
        "quickstart", models=["squeezenet1_1", "mobilenet_v2"], schedulers=["type_based"]
    )
    assert [section.folded for section in anatomy(two)] == [True, True]
    assert render_report(two).count("<summary>Show these") == 2
