"""Whole-network measurements: what arrives of each format, what is told, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hetsim.calibrate.networks.readers.registry import FORMATS, import_networks
from hetsim.calibrate.networks.table import NetworkTime, dump_networks, read_networks
from hetsim.errors import ConfigError

AIHUB = """\
supported_devices: [Phone]
precisions:
  float:
    components:
      Net-Encoder:
        universal_assets: {tflite: {model_id: m1}}
        performance_metrics:
          Phone:
            tflite:
              job_id: j1
              job_status: Passed
              inference_time_milliseconds: 1.127
              estimated_peak_memory_range_mb: {min: 0, max: 10}
              primary_compute_unit: NPU
              layer_counts: {total: 73, npu: 71, cpu: 2}
            onnx: {job_id: j2, job_status: Failed, primary_compute_unit: CPU}
  w8a8:
    components:
      Net-Encoder:
        performance_metrics:
          Phone: {tflite: {inference_time_milliseconds: 0.5, primary_compute_unit: NPU}}
"""
LANGUAGE = """\
precisions:
  w4a16:
    components:
      Llama:
        performance_metrics:
          Phone:
            genie:
              llm_metrics:
              - context_length: 4096
                time_to_first_token_range_milliseconds: {min: 68.954, max: 2206.528}
                tokens_per_second: 32.65
"""
PP = {
    "cpu_info": "Some CPU", "gpu_info": "Some GPU", "backends": "CUDA",
    "model_filename": "models/Qwen2.5-7B-Q4_K_M.gguf", "model_type": "qwen2 7B Q4_K - Medium",
    "n_threads": 8, "n_gpu_layers": -1, "n_prompt": 512, "n_gen": 0, "n_depth": 0,
    "avg_ns": 72135640, "stddev_ns": 1453752, "avg_ts": 7100.002165,
    "samples_ns": [74601900, 71632900, 71745200, 71952700, 70745500],
}  # fmt: skip
TG = {**PP, "n_prompt": 0, "n_gen": 128, "n_depth": 512, "avg_ns": 1076767880, "avg_ts": 118.88}
REPORT = {
    "cmd_options": {"-m": "nets/squeezenet.xml", "-d": "CPU"},
    "configuration_setup": {"target device": "CPU", "precision": "UNSPECIFIED", "batch size": "2",
                            "number of parallel infer requests": "4"},
    "execution_results": {"latency (ms)": "3.03", "avg latency": "3.07",
                          "total number of iterations": "20", "throughput": "315.75"},
}  # fmt: skip
TABLE = """\
Command line parameters
-m;nets/squeezenet.xml

Configuration setup
target device;CPU
batch size;2
number of parallel infer requests;1

Execution results
total number of iterations;20
latency (ms);3.03
"""


def read(form: str, text: str, folder: Path, name: str = "perf.yaml", **options):
    path = folder / "net" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    rows, doubts = import_networks(form, [path], **options)
    return rows, {doubt.kind: doubt.message for doubt in doubts}


def test_ai_hub_latencies_arrive_by_precision_component_device_and_runtime(tmp_path) -> None:
    rows, told = read("aihub", AIHUB, tmp_path)
    first, second = rows
    assert first == NetworkTime(
        "net", "Phone", "tflite", pytest.approx(1.127e-3), "Net-Encoder", "float", "npu",
        layers={"npu": 71, "cpu": 2},
    )  # fmt: skip
    assert first.where is not None
    assert first.where.line == 10
    assert (second.precision, second.latency_s) == ("w8a8", pytest.approx(0.5e-3))
    assert "float Phone onnx (Failed)" in told["no times"]
    assert "estimated_peak_memory_range_mb (1)" in told["ignored"]


def test_ai_hub_language_models_have_two_phases(tmp_path) -> None:
    (generation, prompt), told = read("aihub", LANGUAGE, tmp_path)
    assert generation.phase == "generation"
    assert (generation.tokens, generation.context) == (1, 4096)
    assert generation.latency_s == pytest.approx(1 / 32.65)
    # 2206.528 is exactly 32 times 68.954: 32 chunks fill the context of 4096
    assert (prompt.phase, prompt.tokens, prompt.context) == ("prompt", 128, 0)
    assert prompt.latency_s == pytest.approx(68.954e-3)
    assert "32 times the smallest" in told["computed"]
    (_, prompt), _ = read("aihub", LANGUAGE.replace("2206.528", "68.954"), tmp_path)
    assert prompt.tokens == 4096  # one chunk fills the context
    (_, prompt), told = read("aihub", LANGUAGE.replace("2206.528", "2200.0"), tmp_path)
    assert prompt.tokens is None
    assert "no length" in told["prompt's length"]


@pytest.mark.parametrize("lines", [False, True])
def test_llama_bench_times_are_those_of_the_whole_test(tmp_path, lines: bool) -> None:
    both = {**PP, "n_gen": 16}
    tests = [PP, TG, both]
    text = "\n".join(map(json.dumps, tests)) if lines else json.dumps(tests)
    rows, told = read("llama-bench", text, tmp_path, "bench.json")
    prompt, generation = rows
    assert prompt == NetworkTime(
        "Qwen2.5-7B-Q4_K_M", "Some GPU", "llama.cpp CUDA", pytest.approx(72135640e-9),
        precision="Q4_K", unit="gpu", phase="prompt", tokens=512, context=0,
        spread_s=pytest.approx(1453752e-9), samples=5,
    )  # fmt: skip
    assert (generation.phase, generation.tokens, generation.context) == ("generation", 128, 512)
    assert "pp512+tg16" in told["both phases"]
    assert "n_threads=8" in told["settings"]
    less = {**PP, "n_gpu_layers": 0, "stddev_ns": 0, "model_filename": "",
            "model_type": "qwen2.5 7B Q4_K - Medium"}  # fmt: skip
    (cpu, *_), _ = read("llama-bench", json.dumps([less]), tmp_path)
    assert (cpu.device, cpu.unit, cpu.spread_s) == ("Some CPU", "cpu", 0.0)
    assert cpu.network == "qwen2.5 7B Q4_K - Medium"
    windows = {**PP, "model_filename": "C:\\models\\tiny.gguf"}
    assert read("llama-bench", json.dumps([windows]), tmp_path)[0][0].network == "tiny"


NATIVE = {
    "cmd_options": {"m": "nets/squeezenet.xml"},
    "configuration_setup": {"topology": "squeezenet", "target_device": "CPU", "batch_size": 2,
                            "nireq": 4, "precision": "UNSPECIFIED"},
    "execution_results": {"latency_median": 3.03, "percentile_boundary": 50, "latency_avg": 3.1,
                          "iterations_num": 20, "throughput": 315.75},
}  # fmt: skip
"""What the tool that is written in C++ calls the same."""


@pytest.mark.parametrize("text", [json.dumps(REPORT), json.dumps(NATIVE), TABLE])
def test_benchmark_app_tells_one_median(tmp_path, text: str) -> None:
    [row], told = read("benchmark_app", text, tmp_path, "report.txt")
    assert row == NetworkTime(
        "squeezenet", "CPU", "openvino", pytest.approx(3.03e-3), batch=2, samples=20
    )
    assert ("requests" in told) == (text != TABLE)
    assert "latency (ms)" not in told.get("ignored", "")
    assert ("throughput" in told.get("ignored", "")) == (text != TABLE)


@pytest.mark.parametrize(
    ("option", "setup", "told"),
    [("f16", "UNSPECIFIED", "f16"), (None, "FP32", "FP32"), (None, "UNSPECIFIED", "")],
)
def test_benchmark_app_says_in_which_precision_it_ran(tmp_path, option, setup, told) -> None:
    report = json.loads(json.dumps(REPORT))
    report["configuration_setup"]["precision"] = setup
    if option:
        report["cmd_options"]["-infer_precision"] = option
    [row], _ = read("benchmark_app", json.dumps(report), tmp_path)
    assert row.precision == told


def test_the_device_can_be_named_by_the_user(tmp_path) -> None:
    rows, _ = read("aihub", AIHUB, tmp_path, device="my phone")
    assert {row.device for row in rows} == {"my phone"}


@pytest.mark.parametrize(
    ("form", "text", "told"),
    [
        ("aihub", AIHUB.replace("1.127", "fast"), r"perf\.yaml:12:\d+: inference_time.*'fast'"),
        ("aihub", AIHUB.replace("1.127", "-3"), r"perf\.yaml:12:\d+: .*which is not above 0"),
        ("aihub", AIHUB.replace("1.127", "1.0e+12"), "which is no time"),
        ("aihub", AIHUB.replace("1.127", "9" * 800), r"perf\.yaml:12"),
        ("aihub", AIHUB.replace("npu: 71", "npu: many"), r"perf\.yaml:15.*whole number"),
        ("aihub", "models:\n- name: Net\n", r"perf\.yaml:2.*microseconds"),
        ("aihub", "a: 1\n", "a mapping 'precisions'"),
        ("aihub", "precisions: {float: {components: [a]}}", "components is no mapping"),
        ("aihub", "precisions: {float: {components: {a: }}}", "no latency stands in it"),
        ("aihub", AIHUB[:60], r"perf\.yaml"),
        ("llama-bench", json.dumps([PP])[:-9], "not JSON"),
        ("llama-bench", json.dumps(PP) + "\n{\n", r"perf\.yaml:2:2: not JSON"),
        ("llama-bench", json.dumps([{**PP, "avg_ns": 72135}]), "nanoseconds of the whole test"),
        ("llama-bench", json.dumps([{**PP, "n_prompt": 0}]), "nothing ran"),
        ("llama-bench", json.dumps([{**PP, "n_prompt": 1.5}]), "n_prompt is 1.5"),
        ("llama-bench", json.dumps([{**PP, "avg_ns": 10**800}]), "avg_ns is"),
        ("llama-bench", json.dumps([{**PP, "n_depth": 10**800}]), "n_depth is"),
        ("llama-bench", "[7]", "entry 1 is no test"),
        ("llama-bench", "[]", "no test of a single phase"),
        ("benchmark_app", json.dumps({"report_type": "average"}), "no median latency.*none"),
        ("benchmark_app", TABLE.replace("latency (ms)", "latency (us)"), "no median latency"),
        ("benchmark_app", json.dumps(NATIVE).replace("50", "90"), "it is the 90th percentile"),
        ("benchmark_app", TABLE.replace("3.03", "soon"), "'soon', a number was expected"),
        ("benchmark_app", "hello\n", "no report of benchmark_app"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path, form: str, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){told}") as caught:
        read(form, text, tmp_path)
    assert "perf.yaml" in str(caught.value)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("content", [b"", b"\n \n", b"\x89PNG\r\n\x1a\n", b"[1", b"7\n", b"{}"])
def test_junk_is_an_error_that_names_the_file(tmp_path, form: str, content: bytes) -> None:
    path = tmp_path / "junk"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="junk"):
        import_networks(form, [path])


TEXT = st.sampled_from(["a", "Net-Encoder", "b, c", 'the "d"', "e;f:1", "ü"])
ROWS = st.builds(
    NetworkTime, TEXT, TEXT, TEXT, st.floats(1e-9, 1e4), TEXT | st.just(""), TEXT | st.just(""),
    st.sampled_from(["", "npu", "dsp"]), st.sampled_from(["inference", "prompt", "generation"]),
    st.integers(1, 64), st.none() | st.integers(1, 9999), st.none() | st.integers(0, 9999),
    st.none() | st.floats(0, 1), st.none() | st.integers(1, 99),
    st.dictionaries(st.sampled_from(["npu", "gpu", "cpu"]), st.integers(0, 999)),
    TEXT | st.just(""),
)  # fmt: skip


@pytest.mark.slow
@given(st.lists(ROWS, min_size=1, max_size=5))
def test_the_table_comes_back_as_it_was_written(tmp_path_factory, rows) -> None:
    path = tmp_path_factory.mktemp("t") / "networks.csv"
    path.write_text(dump_networks(rows))
    again = read_networks(path)
    for new, old in zip(again, rows, strict=True):
        assert new.latency_s == pytest.approx(old.latency_s, rel=1e-8)
        assert new.layers == old.layers
        names = ("network", "device", "runtime", "component", "precision", "unit", "phase",
                 "batch", "tokens", "context", "samples", "family")  # fmt: skip
        assert [getattr(new, n) for n in names] == [getattr(old, n) for n in names]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no measured network"),
        ("network,latency_ms\na,1\n", r"t\.csv:1.*device"),
        ("network,device,latency_ms,colour\na,b,1,red\n", r"t\.csv:1.*columns are"),
        ("network,device,latency_ms\na,b\n", r"t\.csv:2: 2 cells under 3 columns"),
        ("network,device,latency_ms\na,b,soon\n", r"t\.csv:2: latency_ms is 'soon'"),
        ("network,device,latency_ms,phase\na,b,1,nap\n", "phase is 'nap'"),
        ("network,device,latency_ms\n,b,1\n", "network is empty"),
        ('network,device,latency_ms\na,"b,1\n', r"t\.csv"),
    ],
)
def test_a_table_made_by_hand_is_checked(tmp_path, text: str, told: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"(?s){told}"):
        read_networks(path)
    path.write_text("network,device,latency_ms\na,b,1.5\n")
    assert read_networks(path) == [NetworkTime("a", "b", "", 1.5e-3)]
