"""What is fuzzed: for each kind of file a good one, the ways to damage it, and what must hold.

A target runs a verb in this process on the damaged file. Exit code 2 with one short message that
names a place is right; so is exit code 0 with a result that could be true: the same as from the
good file where damage must be seen (:func:`the_same`), else one that keeps the invariants.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper, numpy_helper

from hetsim.cli.main import entry
from hetsim.host.handover.evidence import Evidence, Kernel, dump_evidence
from hetsim.learn.mlp import TrainingOptions
from hetsim.learn.regressor import LearnedModel
from hetsim.learn.store import save_model
from hetsim.library import shipped
from hetsim.workload.onnx.loader import load_onnx
from tests.calibrate.test_networks import AIHUB, LANGUAGE, PP, REPORT, TABLE, TG
from tests.cost.test_reader_kit import (
    TestAutoTVM,
    TestCSV,
    TestNESTC,
    TestOpenVINO,
    TestOpenVINOCounters,
    TestORT,
    TestTFLite,
)
from tests.fuzz import mutate
from tests.learn.samples import table_of
from tests.study.samples import SCENARIO, small_scenario


@dataclass(frozen=True)
class Answer:
    """How a command ended: its exit code, and what it printed."""

    code: int
    out: str
    err: str


def hetsim(*arguments: str) -> Answer:
    """The command line in this process."""
    out, err = io.BytesIO(), io.BytesIO()
    before = sys.stdout, sys.stderr
    streams = [io.TextIOWrapper(raw, encoding="utf-8") for raw in (out, err)]
    sys.stdout, sys.stderr = streams
    try:
        code = entry(arguments)
    finally:
        sys.stdout, sys.stderr = before
    for stream in streams:
        stream.flush()
    return Answer(code, *(raw.getvalue().decode(errors="replace") for raw in (out, err)))


@dataclass(frozen=True)
class Target:
    """A kind of file: the good ``file`` in the corpus, and the command for a damaged one.

    ``command`` gets the path of the damaged file, which stands in the place of the good one.
    ``judge`` raises :class:`AssertionError` when a result at exit code 0 cannot be true.
    ``weight``: how often it is chosen.
    """

    kind: str
    file: str
    mutators: Sequence[mutate.Mutator]
    command: Callable[[Path], Answer]
    judge: Callable[[Answer, Answer], None]
    weight: int


def plausible(found: Answer, _good: Answer) -> None:
    """Nothing is negative or endless, and no plan beats its bound."""
    result = json.loads(found.out)

    def numbers(value: Any, path: str) -> Iterator[tuple[str, float]]:
        if isinstance(value, dict):
            for key, part in value.items():
                yield from numbers(part, f"{path}.{key}")
        elif isinstance(value, list):
            for i, part in enumerate(value):
                yield from numbers(part, f"{path}[{i}]")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield path, value

    for path, number in numbers(result.get("runs", ()), "runs"):
        assert math.isfinite(number), f"{path} is {number}"
        signed = "attribution_us" in path or "percent" in path or "error" in path
        assert signed or number >= 0 or number > -1e-6, f"{path} is {number}"
    for run in result["runs"]:
        if run.get("makespan_us") is not None:
            for bound in run["bounds"]:
                assert bound["us"] <= run["makespan_us"] * (1 + 1e-9), "a plan beats its bound"
            parts = sum(run["attribution_us"].values())
            assert math.isclose(parts, run["makespan_us"], rel_tol=1e-6, abs_tol=1e-3), "parts"


def sensible(found: Answer, _good: Answer) -> None:
    """Of streams: times are finite and in order, and nobody ends more than arrived."""
    for run in json.loads(found.out)["runs"]:
        for stream in run.get("streams", ()):
            for name, number in stream.items():
                finite = not isinstance(number, float) or math.isfinite(number)
                assert finite, f"{name} is {number}"
            times = [stream.get(f"latency_{name}_us") for name in ("p50", "p90", "p99", "max")]
            known = [time for time in times if time is not None]
            assert known == sorted(known), "percentiles out of order"
            assert all(time >= 0 for time in known), "it ended before it arrived"
            assert 0.0 <= (stream.get("miss_rate") or 0.0) <= 1.0, "more misses than inferences"


def the_same(found: Answer, good: Answer) -> None:
    """The damage was without meaning: the result is that of the good file."""
    assert timeless(found.out) == timeless(good.out), "another result than from the good file"


def anything(_found: Answer, _good: Answer) -> None:
    """The content was changed on purpose; only how the verb ends is looked at."""


def timeless(text: str) -> Any:
    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            wall = ("wall_s", "seconds", "fresh", "reused", "known", "performed")
            return {k: clean(v) for k, v in value.items() if k not in wall}
        return [clean(v) for v in value] if isinstance(value, list) else value

    return clean(json.loads(text))


RUN = ("run", "small.yaml", "--no-files", "--json")
SWEEP = ("sweep", "small.yaml", "--vary", "npu.sram=64KiB,128KiB,256KiB", "--workers", "1",
         "-o", "out-sweep", "--store", "s.sqlite", "--json")  # fmt: skip
TUNE = ("tune", "small.yaml", "--only", "plans", "--evaluations", "5", "--workers", "1",
        "-o", "out-tune", "--state", "t.json")  # fmt: skip
EXPLORE = ("explore", "small.yaml", "--vary", "npu.sram=64KiB,128KiB,256KiB", "--trials", "3",
           "--sampler", "random", "--workers", "1", "-o", "out-explore", "--json")  # fmt: skip


def make_corpus(place: Path) -> None:
    """The good files, into the empty directory ``place``."""
    small_scenario(place)
    _busy_network(place / "busy.onnx")
    shutil.copy(shipped("socs")["edge-mcu"], place / "soc.yaml")
    shutil.copy(shipped("socs")["zcu102-vta"], place / "zcu.yaml")
    (place / "full.yaml").write_text(SCENARIO + FULL, encoding="utf-8")
    (place / "served.yaml").write_text(SCENARIO + SERVED, encoding="utf-8")
    (place / "arrivals.csv").write_text(ARRIVED, encoding="utf-8")
    (place / "merge.yaml").write_text(SCENARIO + MERGE, encoding="utf-8")
    table = table_of(place, 60)
    save_model(
        LearnedModel.fit(table, options=TrainingOptions(hidden=(8,), epochs=5)), place / "m.npz"
    )
    vpunn = shipped("socs")["intel-npu-27"].parent / "vpunn"
    for name, kept in (("vpu_2_7.vpunn", "vpu.vpunn"), ("dma_2_7.vpunn", "dma.vpunn"),
                       ("vpu_2_7.student.npz", "student.npz")):  # fmt: skip
        shutil.copy(vpunn / name, place / kept)
    graph = load_onnx(place / "busy.onnx")
    times = {op.name: 1e-4 * (i + 1) for i, op in enumerate(graph.operators)}
    for (name, stem), kit in FOREIGN.items():
        some = {op: s for op, s in times.items() if name != "autotvm" or op in ("conv", "depth")}
        (place / f"{stem}.foreign").write_text(kit().write(graph, some), encoding="utf-8")
    plain = load_onnx(place / "numbered.onnx")
    times = {op.name: 1e-4 * (i + 1) for i, op in enumerate(plain.operators)}
    (place / "tflite.foreign").write_text(TestTFLite().write(plain, times), encoding="utf-8")
    for (_, stem), text in NETWORKS.items():
        (place / f"{stem}.networks").write_text(text, encoding="utf-8")
    if TFLITE:
        from tests.workload.tflite_files import small_network

        (place / "small.tflite").write_bytes(small_network(open_batch=True))
    with contextlib.chdir(place):
        _must("plan", "make", "--model", "small.onnx", "--soc", "edge-mcu", "--scheduler", "heft",
              "-o", "plan.yaml")  # fmt: skip
        _must("plan", "export", "plan.yaml", "--model", "small.onnx", "--soc", "edge-mcu",
              "--to", "json", "-o", "assigned.json")  # fmt: skip
        nodes = json.loads(Path("assigned.json").read_text())["nodes"]
        record = Evidence(
            "onnxruntime", "1.32.0", ("cpu", "npu"), {node["name"]: "cpu" for node in nodes},
            (Kernel("copy", "MemcpyToHost", "cpu"),), {}, {nodes[0]["name"]: "why"}, 0.0,
        )  # fmt: skip
        Path("ran.json").write_text(dump_evidence(record))
        _must("profile", "--model", "small.onnx", "--soc", "edge-mcu", "-o", "profiles")
        shutil.copy("profiles/profile-npu.yaml", "profile.yaml")
        _must("run", "small.yaml", "-o", "good", "--quiet")
        manifest = json.loads(Path("good/manifest.json").read_text())
        shutil.copytree("good", "bare")
        Path("bare/manifest.json").write_text(json.dumps({**manifest, "sha256": {}}))
        for command in (SWEEP, TUNE, (*EXPLORE, "--storage", "e.log"),
                        (*EXPLORE, "--storage", "e.sqlite")):  # fmt: skip
            _must(*command)
            shutil.rmtree(command[command.index("-o") + 1])


def _must(*arguments: str) -> None:
    answer = hetsim(*arguments)
    assert answer.code == 0, f"{arguments}: {answer.err}"


TFLITE = importlib.util.find_spec("tflite") is not None
FOREIGN = {
    ("csv", "csv"): TestCSV, ("nestc", "nestc"): TestNESTC, ("ort", "ort"): TestORT,
    ("autotvm", "autotvm"): TestAutoTVM, ("openvino", "openvino"): TestOpenVINO,
    ("openvino", "counters"): TestOpenVINOCounters,
}  # fmt: skip
"""The kits that write operator profiles, by format and name of the file."""
NETWORKS = {
    ("aihub", "aihub"): AIHUB, ("aihub", "language"): LANGUAGE,
    ("llama-bench", "llama"): "\n".join(map(json.dumps, (PP, TG))),
    ("benchmark_app", "report"): json.dumps(REPORT), ("benchmark_app", "table"): TABLE,
}  # fmt: skip
"""Whole-network measurements, by format and name of the file."""
FULL = """\
description: everything a scenario may say
set: {npu.sram: 96 KiB, bus.clock: 0.5x}
execution: dataflow
fidelity: fluid
seed: 3
unknown_operators: bandwidth_bound
fold_batch_norm: true
weights: {dtype: int4, group: 32, sparsity: "2:4"}
time_limit: 60 s
sweep: {vary: {npu.sram: [64 KiB, 1 MiB]}, mode: zip}
explore: {vary: {npu.sram: 64 KiB..1 MiB:log2}, minimise: [latency_ms], trials: 3}
"""
SERVED = """\
streams:
  - name: camera
    model: small
    arrivals: {kind: periodic, period: 300 Hz, jitter: 1 ms, offset: 0.5 ms}
    priority: 2
    deadline: 4 ms
    deadline_from: release
    late: drop
    in_flight: 2
  - {name: crops, model: small, arrivals: {kind: after, stream: camera, probability: 0.5, each: 2}}
  - {name: logged, model: small, arrivals: {kind: trace, file: arrivals.csv, repeat: 9 ms}}
  - name: calls
    model: small
    arrivals: {kind: bursts, period: 10 ms, size: 3, gap: 0.1 ms, between: exponential}
    start: 1 ms
    until: 15 ms
    count: 9
    scheduler: type_based
  - {name: rest, model: small, arrivals: {kind: closed, clients: 2, think: 1 ms}, queue: 3}
serve: {warm_up: 1 ms, dispatchers: [priority, {name: edf}], preemption_cost: 5 us, plans: [each]}
"""
ARRIVED = "frame,arrival_ms\n0,0.5\n1,0.5\n2,4\n3,7.25\n"
MERGE = """\
set:
  <<: [&one {npu.sram: 96 KiB}, &two {npu.array.columns: 4}]
  bus.clock: 40 MHz
"""


def _busy_network(path: Path) -> None:
    """A little of everything: products, pooling, shape arithmetic, views, normalisation."""
    node = helper.make_node

    def constant(name: str, *values: int) -> Any:
        return node("Constant", [], [name], name=name,
                    value_ints=list(values))  # fmt: skip

    nodes = [
        node("Conv", ["x", "w"], ["a"], name="conv", pads=[1, 1, 1, 1], strides=[1, 1],
             dilations=[1, 1], group=1, kernel_shape=[3, 3]),
        node("BatchNormalization", ["a", "g", "g", "g", "g"], ["b"], name="norm"),
        node("Relu", ["b"], ["c"], name="relu"),
        node("MaxPool", ["c"], ["d"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", ["d", "w2"], ["e"], name="depth", group=8, pads=[1, 1, 1, 1]),
        node("Add", ["d", "e"], ["f"], name="add"),
        node("GlobalAveragePool", ["f"], ["m"], name="mean"),
        node("Shape", ["m"], ["s"], name="shape"),
        constant("zero", 0),
        node("Gather", ["s", "zero"], ["batch"], name="gather", axis=0),
        constant("rest", -1),
        node("Concat", ["batch", "rest"], ["target"], name="target", axis=0),
        node("Reshape", ["m", "target"], ["v"], name="view"),
        node("Gemm", ["v", "w3", "bias"], ["y"], name="gemm", transB=1, alpha=1.0, beta=1.0),
        node("Softmax", ["y"], ["p"], name="softmax", axis=-1),
    ]  # fmt: skip
    import numpy as np

    shapes = {"w": (8, 3, 3, 3), "w2": (8, 1, 3, 3), "g": (8,), "w3": (10, 8), "bias": (10,)}
    graph = helper.make_graph(
        nodes, "busy",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 16, 16])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(np.ones(s, np.float32), name) for name, s in shapes.items()],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(made, path)
    for i, one in enumerate(made.graph.node):
        one.name = f"{one.op_type.upper()}_{i}"
    onnx.save(made, path.with_name("numbered.onnx"))


def _study(command: tuple[str, ...], *more: str) -> Callable[[Path], Answer]:
    """The command of a study, its results thrown away."""

    def run(path: Path) -> Answer:
        directory = Path(command[command.index("-o") + 1])
        answer = hetsim(*command, *more)
        if answer.code == 0 and "--json" not in command:
            answer = Answer(0, (directory / "tune.json").read_text(), answer.err)
        shutil.rmtree(directory, ignore_errors=True)
        for leftover in path.parent.glob(f"{path.name}-*"):  # SQLite's own, for the next one
            os.unlink(leftover)
        return answer

    return run


def _instead(*arguments: str) -> Callable[[Path], Answer]:
    """A command with the damaged file in place of ``@``, of ``@@`` whole paths."""

    def run(path: Path) -> Answer:
        whole = str(path.absolute())
        return hetsim(*(a.replace("@@", whole).replace("@", str(path)) for a in arguments))

    return run


BYTES, TEXT = mutate.some_bytes, mutate.some_text
SCENARIO_RUN = _instead("run", "@", "--no-files", "--json")
SHORT = ("--set", "serve.duration=20ms", "--set", "serve.backlog=40")
"""What bounds a simulation of streams, whatever the damage."""
LEARNED = _instead(*RUN, "--set", "cpu.learned=@@")
JUDGED = _instead(*RUN, "--set", "npu.learned=@@")
RESUMED = _study(TUNE, "--resume")


def _moved(path: Path) -> Answer:
    """A run whose transfers are told by the damaged file."""
    jobs = path.absolute().with_name("vpu.vpunn")
    files = (f"npu.learned={jobs}", f"npu.dma.learned={path.absolute()}")
    return hetsim(*RUN, *(part for file in files for part in ("--set", file)))


def _reported(path: Path) -> Answer:
    """The report of the directory made anew from its archive."""
    return hetsim("report", str(path.parent), "-o", "again", "--quiet")


def _diff(a: str, b: str) -> Callable[[Path], Answer]:
    return lambda path: hetsim("diff", a.replace("@", str(path)), b, "--json")


IMPORT = ("plan", "import", "--json", "--from", "onnxruntime")
JSON = (BYTES, BYTES, mutate.some_values, mutate.some_values, mutate.some_values)
TARGETS = (
    Target("scenario", "small.yaml", (BYTES, TEXT, TEXT), SCENARIO_RUN, plausible, 12),
    Target("scenario", "full.yaml", (BYTES, TEXT, TEXT), SCENARIO_RUN, plausible, 12),
    Target("scenario", "merge.yaml", (TEXT,), SCENARIO_RUN, plausible, 4),
    Target("scenario", "served.yaml", (BYTES, TEXT, TEXT, TEXT),
           _instead("run", "@", "--no-files", "--json", *SHORT), sensible, 12),
    Target("arrivals", "arrivals.csv", (BYTES, TEXT, TEXT),
           _instead("run", "served.yaml", "--no-files", "--json", *SHORT), sensible, 5),
    Target("SoC", "soc.yaml", (BYTES, TEXT, TEXT, TEXT), _instead(*RUN, "--set", "soc=./@"),
           plausible, 20),
    Target("SoC", "zcu.yaml", (TEXT,), _instead(*RUN, "--set", "soc=./@"), plausible, 10),
    Target("ONNX", "small.onnx", (BYTES, mutate.some_nodes, mutate.some_nodes),
           _instead(*RUN, "--model", "@"), plausible, 12),
    Target("ONNX", "busy.onnx", (BYTES, *[mutate.some_nodes] * 4),
           _instead(*RUN, "--model", "@"), plausible, 40),
    Target("plan", "plan.yaml", (BYTES, TEXT, TEXT), _instead(*RUN, "--plan", "@"), plausible, 12),
    Target("assignment", "assigned.json", JSON,
           _instead(*IMPORT, "ran.json", "--plan", "@"), anything, 4),
    Target("placement", "ran.json", JSON,
           _instead(*IMPORT, "@", "--plan", "assigned.json"), anything, 4),
    Target("profile", "profile.yaml", (BYTES, TEXT, TEXT),
           _instead(*RUN, "--set", "npu.profile=@@"), plausible, 12),
    Target("learned model", "m.npz", (BYTES,), LEARNED, the_same, 3),
    Target("learned model", "m.npz", (mutate.some_arrays,), LEARNED, plausible, 5),
    Target("VPUNN", "vpu.vpunn", (BYTES, mutate.some_words), JUDGED, plausible, 3),
    Target("VPUNN", "student.npz", (BYTES, mutate.some_arrays), JUDGED, plausible, 3),
    Target("VPUNN", "dma.vpunn", (BYTES, mutate.some_words),
           _moved, plausible, 3),
    Target("result", "good/result.json", JSON, _diff("@", "bare"), anything, 5),
    Target("result", "good/result.json", JSON, _diff("good", "bare"), the_same, 3),
    Target("manifest", "good/manifest.json", JSON, _diff("good", "bare"), the_same, 4),
    Target("archive", "good/runs.json.gz", (BYTES, mutate.some_packed_values), _reported,
           anything, 1),
    Target("archive", "bare/runs.json.gz", (BYTES, *[mutate.some_packed_values] * 6),
           _diff("good", "bare"), anything, 10),
    Target("archive", "bare/runs.json.gz", (mutate.some_packed_values,), _reported, anything, 2),
    *(
        Target("foreign profile", f"{stem}.foreign", (BYTES, TEXT, TEXT),
               _instead("profile", "--import", name, "@", "--model", "busy.onnx", "-o", "again"),
               anything, 3)
        for name, stem in FOREIGN
    ),
    Target("foreign profile", "tflite.foreign", (BYTES, TEXT, TEXT),
           _instead("profile", "--import", "tflite", "@", "--model", "numbered.onnx",
                    "-o", "again"), anything, 3),
    *(
        Target("measured networks", f"{stem}.networks", (BYTES, TEXT, TEXT),
               _instead("profile", "--import", name, "@", "-o", "again"), anything, 2)
        for name, stem in NETWORKS
    ),
    *(
        Target("TFLite", "small.tflite", (BYTES, *[mutate.some_words] * 3),
               _instead(*RUN, "--model", "@"), plausible, 20)
        for _ in range(TFLITE)
    ),
    Target("store", "s.sqlite", (BYTES, mutate.some_cells), _study(SWEEP), the_same, 5),
    Target("store", "e.log", (BYTES, TEXT), _study(EXPLORE, "--storage", "e.log"), the_same, 2),
    Target("store", "e.sqlite", (BYTES, mutate.some_cells),
           _study(EXPLORE, "--storage", "e.sqlite"), the_same, 1),
    Target("tune state", "t.json", JSON, RESUMED, the_same, 4),
    Target("tune state", "t.json", (mutate.some_sealed_values,), RESUMED, anything, 3),
)  # fmt: skip
"""Every kind of file, most often those that strangers hand about."""
