"""Results of streams in notebooks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hetsim
from tests.report.serving_samples import served_result

assert hetsim.run  # the front door enters how results are shown


def test_results_and_runs_show_their_figures() -> None:
    result = served_result()
    text = result._repr_html_()
    assert "cam&lt;era&gt; keeps its 6 ms" in text
    assert "cam<era>" not in text
    assert "Who waits for whom" in result.runs[0]._repr_html_()
    failed = replace(result.runs[0], streams=(), metrics={}, served=None, error="<no>")
    assert "failed: &lt;no&gt;" in failed._repr_html_()
    assert "failed" in replace(result, runs=(failed, result.runs[1]))._repr_html_()


def test_data_frames_have_a_row_for_each_stream_and_for_each_inference() -> None:
    pytest.importorskip("pandas", reason="extra 'data'")
    result = served_result()
    failed = replace(result.runs[1], streams=(), metrics={}, served=None, error="no")
    table = replace(result, runs=(result.runs[0], failed)).to_dataframe()
    assert list(table["stream"])[:4] == ["cam<era>", "web", "background", "all"]
    assert list(table["error"])[4] == "no"
    run = result.runs[0]
    assert table["latency_p99_s"][1] == run.streams[1].metrics["latency_p99_s"]
    assert table["latency_mean_low_s"][1] == run.streams[1].metrics["latency_mean_low_s"]
    rows = run.inferences()
    own = rows[(rows["stream"] == "web") & rows["counted"] & (rows["status"] == "done")]
    assert own["latency_s"].mean() == pytest.approx(run.streams[1].metrics["latency_mean_s"])
    late = own["finish_s"] > own["deadline_s"]
    assert late.sum() == run.streams[1].metrics["misses"]
    assert np.isinf(rows[rows["stream"] == "background"]["deadline_s"]).all()
    assert len(failed.inferences()) == 0
