"""Names of files made out of labels: plain, distinct, and never outside their directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from hetsim.cli.main import entry
from hetsim.names import nearest, plain_name, results_place, stems
from tests.study.samples import SCENARIO, small_scenario

LABELS = ["../../../x", "/abs/x", "..", ".", "", "-rf", "a\x00b", "~root", "C:\\x", "n" * 400,
          "a/b", "a_b", "A_B", "网络", "\ud800", "con\n"]  # fmt: skip


@pytest.mark.parametrize("label", LABELS)
def test_a_name_stays_in_its_directory(label):
    for ascii_only in (True, False):
        name = plain_name(label, "default", ascii_only=ascii_only)
        assert Path(name).name == name
        assert not name.startswith((".", "-", "~"))
        assert 0 < len(name) <= 60
    place = results_place(label, "-sweep")
    assert place.parent == Path("results")
    assert len(place.name.encode(errors="surrogatepass")) < 255


def test_labels_of_one_directory_get_distinct_names():
    names = stems("plan", dict.fromkeys(LABELS))
    assert len({name.lower() for name in names.values()}) == len(LABELS)


VERBS = {
    "run": ["run", "--quiet"],
    "sweep": ["sweep", "--vary", "npu.sram=128KiB", "--quiet"],
    "whatif": ["whatif", "--only", "npu", "--quiet"],
    "tune": ["tune", "--only", "plans", "--evaluations", "1", "--quiet"],
    "explore": ["explore", "--vary", "npu.sram=128KiB", "--trials", "1", "--quiet"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["../../../x", "ABSOLUTE/x"])
@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_follows_the_name_of_a_scenario_out_of_results(tmp_path, monkeypatch, verb, name):
    if verb == "explore":
        pytest.importorskip("optuna")
    here = tmp_path / "a" / "b" / "c"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    name = name.replace("ABSOLUTE", str(tmp_path / "elsewhere"))
    small_scenario(here, text=SCENARIO.replace("name: small", f"name: {name}"))
    outside = {path for path in tmp_path.rglob("*") if here not in path.parents}
    word, *options = VERBS[verb]
    workers = [] if verb == "run" else ["--workers", "1"]
    assert entry([word, "small.yaml", *options, *workers]) == 0
    assert {path for path in tmp_path.rglob("*") if here not in path.parents} == outside
    assert next((here / "results").iterdir()).is_relative_to(here)


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("cpu", ["npu", "cpu_cluster", "accelerator"], "cpu_cluster"),
        ("gpu", ["npu", "cpu_cluster", "accelerator"], "accelerator"),
        ("gpu", ["npu", "gpus", "accelerator"], "accelerator"),
        ("freq", ["bandwidth", "clock"], "clock"),
        ("bw", ["bandwidth", "width"], "bandwidth"),
        ("networks", ["models", "network_on_chip"], "models"),
        ("dispach", ["dispatch", "latency"], "dispatch"),
        ("zzz", ["dispatch"], None),
    ],
)
def test_a_suggestion_understands_meaning_before_looks(word, known, meant):
    assert nearest(word, known) == meant
