"""Foreign profiles: what they say arrives, what they cannot say is told."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hetsim.cost.measured.files import dump_profile, parse_profile
from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.readers.base import Request
from hetsim.cost.measured.readers.nestc import TRANSFERS, group_key, nestc_key, write
from hetsim.cost.measured.readers.ort import half_quartiles
from hetsim.cost.measured.readers.registry import FORMATS, import_profiles
from hetsim.errors import ConfigError
from hetsim.workload.onnx.loader import load_onnx
from hetsim.workload.zoo import load_model
from tests.workload.samples import model, node, weight

SQUEEZENET = load_model("squeezenet")
RESNET = load_model("resnet18")


def kinds(table) -> list[str]:
    return [doubt.kind for doubt in table.doubts]


def store(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_an_unknown_format_is_refused_with_a_suggestion():
    with pytest.raises(ConfigError, match=r"(?s)unknown profile format 'nest'.*nestc"):
        import_profiles("nest", Request(()))


@pytest.mark.parametrize("form", FORMATS)
def test_every_reader_reports_a_missing_file(form):
    request = Request((Path("no-such-file"),), (SQUEEZENET,))
    with pytest.raises(ConfigError, match=r"no-such-file.*no such file"):
        import_profiles(form, request)


# NEST-C


def test_nestc_keys_are_those_of_the_format():
    conv = next(op for op in RESNET.operators if op.kind == "Conv" and op.nest.in_c == 64)
    shape = RESNET.tensors[conv.inputs[0]].shape
    assert nestc_key(RESNET, conv) == (
        f"Convolution-1-{shape[2]}-{shape[3]}-64-float-{conv.nest.out_c}-{conv.nest.k_h}-"
        f"{conv.nest.stride_h}"
    )
    gemm = next(op for op in RESNET.operators if op.kind == "Gemm")
    assert nestc_key(RESNET, gemm) == "Gemm-1-512-float"


def test_nestc_round_trip_keeps_every_time(tmp_path):
    rows = [(RESNET, (op,), 1e-6 * (i + 1)) for i, op in enumerate(RESNET.operators)]
    conv = RESNET.operators[0]
    relu = RESNET.operators[RESNET.consumers[conv.outputs[0]][0]]
    rows += [(RESNET, (conv, relu), 5e-3), (RESNET, (relu,), math.inf)]
    written = write("VTA", rows)
    path = store(tmp_path, "vta.yaml", written.text)
    (table,) = import_profiles("nestc", Request((path,), (RESNET,)))
    assert (table.device, table.scope) == ("VTA", "partition")
    assert "missing operators" not in kinds(table)
    joined = " + ".join(operator_key(RESNET, op) for op in (conv, relu))
    assert table.entries[joined].seconds == pytest.approx(5e-3)
    gemm = next(op for op in RESNET.operators if op.kind == "Gemm")
    at = RESNET.operators.index(gemm)
    assert table.entries[operator_key(RESNET, gemm)].seconds == pytest.approx(1e-6 * (at + 1))
    assert math.isinf(table.entries[operator_key(RESNET, relu)].seconds)


def test_nestc_collisions_missing_operators_and_odd_values_are_told(tmp_path):
    graph = load_model("alexnet")
    clash: dict[str, set[str]] = {}
    for op in graph.operators:
        clash.setdefault(nestc_key(graph, op), set()).add(operator_key(graph, op))
    key = next(k for k, own in clash.items() if len(own) > 1)  # Gemm: its width is not in the key
    conv = nestc_key(graph, graph.operators[0])
    relu = nestc_key(graph, graph.operators[1])
    text = (
        f"---\nbackendName: CPU\n{key} : 120\n{conv} : 0\n{relu} : fast\n"
        "Convolution-9-9-9-9-float-9-9-9 : 1\ncommCost: 3\n...\n"
    )
    path = store(tmp_path, "cpu.yaml", text)
    (table,) = import_profiles("nestc", Request((path,), (graph,), device="A53"))
    assert table.device == "A53"
    assert len(table) == len(clash[key])
    found = kinds(table)
    for kind in ("key collision", "time not positive", "not a number", "unknown keys",
                 "communication", "missing operators"):  # fmt: skip
        assert kind in found, kind
    collision = next(d for d in table.doubts if d.kind == "key collision")
    assert str(collision).startswith(f"{path}:3")
    assert operator_key(graph, graph.operators[0]) not in table.entries


def test_nestc_needs_a_network_and_something_to_use(tmp_path):
    path = store(tmp_path, "a.yaml", "Relu-1-8-float : 3\n")
    with pytest.raises(ConfigError, match="--model"):
        import_profiles("nestc", Request((path,)))
    with pytest.raises(ConfigError, match="no time could be used"):
        import_profiles("nestc", Request((path,), (RESNET,)))
    other = store(tmp_path, "b.yaml", f"Type: Comm\n{group_key(RESNET, RESNET.operators[:1])}: x\n")
    with pytest.raises(
        ConfigError, match=r"no time could be used\n.*b\.yaml:2:.*'x' is not a time"
    ):
        import_profiles("nestc", Request((other,), (RESNET,)))


def nestc(tmp_path, *texts, **request):
    paths = [store(tmp_path, f"{i}.yaml", text) for i, text in enumerate(texts)]
    return import_profiles("nestc", Request(tuple(paths), (RESNET,), **request))


def test_nestc_transfers_join_the_times_of_their_backend(tmp_path):
    conv, relu = RESNET.operators[0], RESNET.operators[1]
    keys = [nestc_key(RESNET, op) for op in (conv, relu)]
    times = f"backendName: CPU\n{keys[0]}: 147000\n{keys[1]}: 900\n"
    copies = f"---\nType: CommTime\nbackendName: CPU\n{keys[0]}: 406\nNobody-1-float: 3\n...\n"
    elsewhere = f"Type: CommTime\nbackendName: VTA\n{keys[0]}: 0\n{keys[1]}: INFINITY\n"
    cpu, vta = nestc(tmp_path, times, copies, elsewhere)
    entry = cpu.entries[operator_key(RESNET, conv)]
    assert (entry.seconds, entry.transfer_s) == pytest.approx((0.147, 406e-6))
    assert cpu.entries[operator_key(RESNET, relu)].transfer_s is None
    told = [str(doubt) for doubt in cpu.doubts]
    assert any("1 operators and groups have a time and no measured transfer" in t for t in told)
    assert any(t.startswith(f"{tmp_path / '1.yaml'}") and "Nobody" in t for t in told)
    (alone,) = vta.entries.values()
    assert (alone.seconds, alone.transfer_s) == (None, 0.0)
    told = [str(doubt) for doubt in vta.doubts]
    assert any("have a measured transfer and no time" in t for t in told)
    assert any("2.yaml:4" in t and "INFINITY is no time" in t for t in told)


def test_nestc_transfers_as_the_compiler_writes_them(tmp_path):
    """Its main writes a bare ``CommTime``, which is no YAML; places stay those of the file."""
    key = nestc_key(RESNET, RESNET.operators[0])
    (table,) = nestc(tmp_path, f"---\nCommTime\nbackendName: CPU\n{key} : 406\n{key}x : 1\n...\n")
    assert table.entries[operator_key(RESNET, RESNET.operators[0])].transfer_s == 406e-6
    assert table.entries[operator_key(RESNET, RESNET.operators[0])].where.line == 4


def test_nestc_one_transfer_for_a_backend_is_that_of_every_operator(tmp_path):
    key = nestc_key(RESNET, RESNET.operators[0])
    (told,) = nestc(tmp_path, f"commCost: 0.5\nbackendName: VTA\n{key}: 25\n")
    assert [e.transfer_s for e in told.entries.values()] == [0.5e-6]
    assert any("one number for every operator" in str(doubt) for doubt in told.doubts)
    (template,) = nestc(tmp_path, f"commCost: 0.0\nbackendName: VTA\n{key}: 25\n")
    assert [e.transfer_s for e in template.entries.values()] == [None]
    assert any("not a measurement" in str(doubt) for doubt in template.doubts)


def test_nestc_transfers_make_a_round_trip(tmp_path):
    rows = [(RESNET, (op,), 1e-6 * (i + 1)) for i, op in enumerate(RESNET.operators[:6])]
    (table,) = nestc(tmp_path, write("CPU", rows, TRANSFERS).text)
    again = parse_profile(dump_profile(table))
    wanted = {operator_key(RESNET, op): seconds for _, (op,), seconds in rows}
    for found in (table, again):
        assert {key: entry.transfer_s for key, entry in found.entries.items()} == pytest.approx(
            wanted
        )
        assert all(entry.seconds is None for entry in found.entries.values())


def whole(tmp_path, unit=None, censored="keep"):
    """Six operators in whole numbers, one of them 1, as the authors' older profiles are."""
    numbers = [147, 1, 12, 72, 1, 39]
    seen: dict[str, int] = {}
    for op, number in zip(RESNET.operators, numbers, strict=False):
        seen.setdefault(nestc_key(RESNET, op), number)
    lines = [f"{key}: {number}" for key, number in seen.items()]
    text = "\n".join(["backendName: CPU", *lines, ""])
    (table,) = nestc(tmp_path, text, unit=unit, censored=censored)
    return table


@pytest.mark.parametrize(("unit", "scale"), [(None, 1e-6), ("us", 1e-6), ("ms", 1e-3), ("s", 1.0)])
def test_nestc_times_are_in_the_unit_that_the_user_says(tmp_path, unit, scale):
    entry = whole(tmp_path, unit).entries[operator_key(RESNET, RESNET.operators[0])]
    assert entry.seconds == pytest.approx(147 * scale)
    assert (entry.spread_s is None) == (scale < 1e-3)


@pytest.mark.parametrize(("unit", "step"), [("ms", 1e-3), ("s", 1.0)])
def test_whole_units_are_intervals_and_ones_are_censored(tmp_path, unit, step):
    keys = [operator_key(RESNET, op) for op in RESNET.operators[:2]]
    kept = whole(tmp_path, unit).entries
    long, short = (kept[key] for key in keys)
    # Uniform between 146.5 and 147.5, and between 0 and 1.5: the quartiles of each.
    assert (long.seconds, long.spread_s) == pytest.approx((147 * step, 0.25 * step))
    assert (short.seconds, short.spread_s) == pytest.approx((0.75 * step, 0.375 * step))
    dropped = whole(tmp_path, unit, "drop")
    assert keys[0] in dropped.entries
    assert keys[1] not in dropped.entries
    (told,) = [doubt.message for doubt in dropped.doubts if doubt.kind == "coarse times"]
    name = RESNET.operators[1].name
    assert f"are below 1.5 {unit} and left to the model: resnet18:{name}" in told


def test_dropping_what_is_not_censored_is_told(tmp_path):
    assert "coarse times" not in kinds(whole(tmp_path))
    (told,) = [d.message for d in whole(tmp_path, "us", "drop").doubts if d.kind == "coarse times"]
    assert "none is censored" in told


# AutoTVM


def record(times, task="conv2d_nchw_spatial_pack.arm_cpu", args=None, error=0, model="rk3399"):
    data = [["TENSOR", [1, 3, 224, 224], "float32"], ["TENSOR", [64, 3, 7, 7], "float32"]]
    args = args or [*data, [2, 2], [3, 3], [1, 1], "NCHW", "float32"]
    target = f"llvm -device=arm_cpu -model={model} -target=aarch64"
    return json.dumps({"input": [target, task, args, {}], "result": [times, error, 1.0, 0]})


def test_autotvm_keeps_the_best_of_each_operator_and_device(tmp_path):
    depthwise = [
        ["TENSOR", [1, 32, 112, 112], "float32"], ["TENSOR", [32, 1, 3, 3], "float32"],
        [1, 1], [1, 1, 1, 1], [1, 1], "float32",
    ]  # fmt: skip
    dense = [["TENSOR", [1, 512], "float32"], ["TENSOR", [1000, 512], "float32"], None, "float32"]
    lines = [
        record([0.004, 0.002]),
        record([0.002]),
        record([0.001], error=4),
        record([0.005], model="bcm2837"),
        record([0.007], task="depthwise_conv2d_nchw.arm_cpu", args=depthwise),
        record([0.006], task="dense_nopack.x86", args=dense),
        record([0.1], task="roi_align.cpu"),
        record([0.0]),
        "{broken",
    ]
    path = store(tmp_path, "t.log", "\n".join(lines))
    tables = {t.device: t for t in import_profiles("autotvm", Request((path,), (RESNET,)))}
    assert set(tables) == {"rk3399", "bcm2837"}
    first = operator_key(RESNET, RESNET.operators[0])
    assert tables["rk3399"].entries[first].seconds == 0.002
    assert tables["bcm2837"].entries[first].seconds == 0.005
    gemm = next(op for op in RESNET.operators if op.kind == "Gemm")
    assert tables["rk3399"].entries[operator_key(RESNET, gemm)].seconds == 0.006
    mobile = load_model("mobilenet_v2")
    own = {operator_key(mobile, op) for op in mobile.operators if op.variant == "depthwise"}
    assert own & tables["rk3399"].entries.keys()
    for kind in ("failed trials", "unknown tasks", "broken records", "missing operators"):
        assert kind in kinds(tables["rk3399"]), kind
    broken = next(d for d in tables["rk3399"].doubts if d.kind == "broken records")
    assert "line 8" in broken.message
    assert "line 9" in broken.message


def test_autotvm_tells_shapes_that_do_not_fit(tmp_path):
    data = [["TENSOR", [1, 4, 8, 8], "float32"], ["TENSOR", [64, 3, 7, 7], "float32"]]
    path = store(tmp_path, "t.log", record([1.0], args=[*data, [1, 1], [0, 0], [1, 1]]))
    with pytest.raises(ConfigError, match=r"line 1: conv2d.*does not fit 4 channels"):
        import_profiles("autotvm", Request((path,)))


# ONNX Runtime


def events(times: dict[str, list[float]], shapes=None, kinds=None):
    made = []
    for name, runs in times.items():
        for at, duration in enumerate(runs):
            args = {"op_name": (kinds or {}).get(name, "X"), "provider": "CPUExecutionProvider"}
            if shapes and name in shapes:
                args["output_type_shape"] = [{"float": list(shapes[name])}]
            made.append(
                {"cat": "Node", "name": f"{name}_kernel_time", "dur": duration,
                 "ts": at * 1000, "args": args}
            )  # fmt: skip
    return [{"cat": "Session", "name": "model_run", "dur": 1, "ts": 0}, *made]


def test_ort_times_by_node_without_the_first_run(tmp_path):
    names = [op.name for op in SQUEEZENET.operators]
    times = {name: [9999, 100, 120, 110] for name in names}
    times[names[1]] = [0, 0, 0]
    times["fused_thing"] = [5, 5]
    path = store(tmp_path, "p.json", json.dumps(events(times)))
    (table,) = import_profiles("ort", Request((path,), (RESNET, SQUEEZENET)))
    assert table.entries[
        operator_key(SQUEEZENET, SQUEEZENET.operators[0])
    ].seconds == pytest.approx(110e-6)
    assert min(entry.seconds for entry in table.entries.values()) > 0
    assert {"below the clock", "unknown nodes"} <= set(kinds(table))
    missing = [d.message for d in table.doubts if d.kind == "missing operators"]
    assert all("squeezenet" not in message for message in missing)


def test_spreads_are_half_of_what_lies_between_the_quartiles():
    assert half_quartiles([1.0, 2.0, 3.0]) is None
    assert half_quartiles([4.0, 1.0, 3.0, 2.0]) == pytest.approx(0.5)
    assert half_quartiles([1, 2, 3, 4, 5, 6, 7, 900]) == pytest.approx(1.5)


def test_ort_takes_off_what_a_node_without_work_takes(tmp_path):
    conv, relu, pool = SQUEEZENET.operators[:3]
    times = {
        conv.name: [999, 104, 104, 103, 105],
        relu.name: [999, 9, 9, 10, 900],  # the last run was disturbed
        pool.name: [999, 3, 3, 3, 3],
        "copying": [999, 80, 80, 80, 80],
        "view": [999, 4, 4, 5, 4],
    }
    shapes = {"copying": "Reshape", "view": "Flatten"}
    path = store(tmp_path, "p.json", json.dumps(events(times, kinds=shapes)))
    (table,) = import_profiles("ort", Request((path,), (SQUEEZENET,)))
    found = {op.name: table.time(operator_key(SQUEEZENET, op)) for op in (conv, relu, pool)}
    assert found[conv.name] == pytest.approx(100e-6)
    assert found[relu.name] == pytest.approx(5.5e-6)
    assert found[pool.name] == pytest.approx(0.5e-6)  # less than the profiler: below the clock
    told = {d.kind: d.message for d in table.doubts}
    assert "4.0 us were taken off every kernel: view" in told["profiler"]
    assert "unknown nodes" not in told


def test_ort_tells_nodes_that_other_operators_took_in(tmp_path):
    nodes = [
        node("Conv", ["x", "w"], "a", name="conv"),
        node("BatchNormalization", ["a", "s", "s", "s", "s"], "y", name="norm"),
    ]
    proto = model(nodes, {"x": [1, 3, 8, 8]}, ["y"], {"w": weight(4, 3, 3, 3), "s": weight(4)})
    graph = load_onnx(proto)
    times = events({"conv": [9, 9], "norm": [5, 5]}, kinds={"norm": "BatchNormalization"})
    path = store(tmp_path, "p.json", json.dumps(times))
    (table,) = import_profiles("ort", Request((path,), (graph,)))
    told = {d.kind: d.message for d in table.doubts}
    assert "norm (BatchNormalization)" in told["absorbed nodes"]
    assert "unknown nodes" not in told


def test_ort_leaves_the_profiler_in_where_nothing_tells_what_it_takes(tmp_path):
    conv, relu = SQUEEZENET.operators[:2]
    path = store(tmp_path, "p.json", json.dumps(events({conv.name: [9, 9], relu.name: [5, 5]})))
    (table,) = import_profiles("ort", Request((path,), (SQUEEZENET,)))
    assert table.time(operator_key(SQUEEZENET, relu)) == pytest.approx(5e-6)
    told = {d.kind: d.message for d in table.doubts}
    assert f"at most the 5.0 us of {relu.name}" in told["profiler"]


def test_ort_reads_what_onnxruntime_writes(tmp_path):
    ort = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    nodes = [
        node("Conv", ["x", "w"], "a", name="conv"),
        node("Flatten", ["a"], "f", name="view"),
        node("Relu", ["f"], "y", name="relu"),
    ]
    proto = model(nodes, {"x": [1, 3, 32, 32]}, ["y"], {"w": weight(8, 3, 3, 3)})
    proto.ir_version = 8
    options = ort.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "real")
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(
        proto.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    for _ in range(6):
        session.run(None, {"x": np.ones((1, 3, 32, 32), np.float32)})
    graph = load_onnx(proto)
    (table,) = import_profiles("ort", Request((Path(session.end_profiling()),), (graph,)))
    assert [table.time(operator_key(graph, op)) > 0 for op in graph.operators] == [True, True]
    assert [entry.samples for entry in table.entries.values()] == [5, 5]  # not the first run
    told = {d.kind: d.message for d in table.doubts}
    assert "were taken off every kernel: view" in told["profiler"]
    assert "unknown nodes" not in told


def test_ort_shapes_of_another_input_size_are_refused(tmp_path):
    op = SQUEEZENET.operators[0]
    text = json.dumps(events({op.name: [1, 2]}, {op.name: (1, 64, 9, 9)}))
    path = store(tmp_path, "p.json", text)
    with pytest.raises(ConfigError, match=r"other shapes.*\[1, 64, 9, 9\]"):
        import_profiles("ort", Request((path,), (SQUEEZENET,)))


@pytest.mark.parametrize(
    ("text", "told"),
    [("[1,", "not JSON"), ("7", "array of events"), ("[]", "none of its 0 events")],
)
def test_ort_files_that_are_none(tmp_path, text, told):
    path = store(tmp_path, "p.json", text)
    with pytest.raises(ConfigError, match=told):
        import_profiles("ort", Request((path,), (SQUEEZENET,)))


# Tables

KEY = operator_key(SQUEEZENET, SQUEEZENET.operators[0])
NAME = SQUEEZENET.operators[1].name


def table_of(tmp_path, text, graphs=(SQUEEZENET,)):
    return import_profiles("csv", Request((store(tmp_path, "t.csv", text),), graphs))


def test_csv_takes_keys_and_names_in_any_unit(tmp_path):
    (ms,) = table_of(tmp_path, f"key,time_ms\n{KEY},2.5\n")
    assert ms.entries[KEY].seconds == pytest.approx(2.5e-3)
    path = store(tmp_path, "t.csv", f"key,time\n{KEY},2.5\n")
    (bare,) = import_profiles("csv", Request((path,), unit="ms"))
    assert bare.entries[KEY].seconds == pytest.approx(2.5e-3)
    (cells,) = table_of(tmp_path, f"operators,time\n{NAME},35 us\nn0+n1,2 ms\n")
    assert cells.entries[operator_key(SQUEEZENET, SQUEEZENET.operators[1])].seconds == 35e-6
    assert len([key for key in cells.entries if " + " in key]) == 1
    (copied,) = table_of(tmp_path, f"key,time_ms,transfer_us\n{KEY},2.5,30\n")
    assert copied.entries[KEY].transfer_s == pytest.approx(30e-6)
    (alone,) = table_of(tmp_path, f"key,transfer_us\n{KEY},30\n")
    assert alone.entries[KEY].seconds is None
    assert alone.entries[KEY].transfer_s == pytest.approx(30e-6)
    (unable,) = table_of(tmp_path, f"key,time_us\n{KEY},cannot run\n")
    assert math.isinf(unable.entries[KEY].seconds)


def test_a_unit_beside_one_that_the_file_states_is_refused(tmp_path):
    for form, text in (
        ("csv", f"key,time_us\n{KEY},3\n"),
        ("csv", "device,pu,op,c_in,h_in\n"),
        ("autotvm", record([0.002])),
        ("ort", json.dumps(events({NAME: [1, 2]}))),
    ):
        path = store(tmp_path, "t", text)
        request = Request((path,), (SQUEEZENET,), unit="ms")
        with pytest.raises(ConfigError, match=r"--unit ms: .*states the unit of its times itself"):
            import_profiles(form, request)
    path = store(tmp_path, "t.csv", f"key,time\n{KEY},3 ms\n")
    with pytest.raises(ConfigError, match=r"line 2: time is '3 ms', a plain number was expected"):
        import_profiles("csv", Request((path,), unit="ms"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("key,time_us\n", "no row"),
        (f"key\n{KEY}\n", "no column tells the time"),
        ("time_us\n3\n", "'key' or 'operators' is missing"),
        (f"key,time_us,time_ms\n{KEY},3,3\n", "several columns tell the time"),
        ("key,key,time_us\n", "columns stand twice: key"),
        (f"key,time_us\n{KEY},0\n", "line 2: time_us is 0, which is no time"),
        (f"key,time_us\n{KEY},-1\n", "line 2: .*no time"),
        (f"key,time_us\n{KEY},3 ms\n", "line 2: .*plain number of us"),
        ("key,time_us\nConv,3\n", "line 2: .*not an operator key"),
        ("operators,time_us\nnobody,3\n", "line 2: no network given has operators 'nobody'"),
        (f"key,time\n{KEY},3\n", "line 2: .*no unit"),
        (f"key,time_us\n{KEY},3,4\n", "line 2: 3 fields"),
        (f"key,time_us,transfer_us\n{KEY},3,much\n", "line 2: transfer_us is 'much', a plain"),
        (f"key,time_us,transfer_us\n{KEY},3,-4\n", "line 2: transfer_us is -4, which is no"),
        (f"key,time_us,transfer_us\n{KEY},,\n", "line 2: time_us is ''"),
    ],
)
def test_csv_faults_are_told_with_their_line(tmp_path, text, told):
    with pytest.raises(ConfigError, match=told):
        table_of(tmp_path, text)


def test_csv_bad_rows_among_good_ones_are_counted(tmp_path):
    text = f"key,time_us\n{KEY},3\nbad,4\n{KEY},0\n"
    (table,) = table_of(tmp_path, text)
    (doubt,) = [d for d in table.doubts if d.kind == "broken rows"]
    assert "2 of 3 rows" in doubt.message
    assert table.entries[KEY].seconds == pytest.approx(3e-6)


def test_csv_of_convolutions_as_calibration_reads_them(tmp_path):
    header = (
        "device,pu,op,n,c_in,h_in,w_in,c_out,k_h,k_w,stride_h,stride_w,pad_top,pad_left,pad_bottom,"
        "pad_right,dilation_h,dilation_w,groups,dtype,macs,latency_us"
    )
    row = "board,cpu,Conv,1,3,224,224,64,7,7,2,2,3,3,3,3,1,1,1,float32,0,1500"
    (table,) = table_of(tmp_path, f"{header}\n{row}\n", (RESNET,))
    assert table.entries[operator_key(RESNET, RESNET.operators[0])].seconds == pytest.approx(1.5e-3)


def test_doubtful_units_are_told(tmp_path):
    (table,) = table_of(tmp_path, f"key,time_ns\n{KEY},3\n")
    assert "unit doubtful" in kinds(table)
    rows = "".join(f"{op.name},{i + 1}\n" for i, op in enumerate(SQUEEZENET.operators[:6]))
    (coarse,) = table_of(tmp_path, f"operators,time_ms\n{rows}")
    assert "coarse times" in kinds(coarse)
