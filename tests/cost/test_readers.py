"""Foreign profiles: what they say arrives, what they cannot say is told."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from hetsim.cost.measured.keys import operator_key
from hetsim.cost.measured.readers.base import Request
from hetsim.cost.measured.readers.registry import FORMATS, import_profiles
from hetsim.errors import ConfigError
from hetsim.workload.zoo import load_model
from tests.cost.foreign import RESNET, SQUEEZENET, events, kinds, store


def test_an_unknown_format_is_refused_with_a_suggestion():
    with pytest.raises(ConfigError, match=r"(?s)unknown profile format 'nest'.*nestc"):
        import_profiles("nest", Request(()))


@pytest.mark.parametrize("form", FORMATS)
def test_every_reader_reports_a_missing_file(form):
    request = Request((Path("no-such-file"),), (SQUEEZENET,))
    with pytest.raises(ConfigError, match=r"no-such-file.*no such file"):
        import_profiles(form, request)


def record(times, task="conv2d_nchw_spatial_pack.arm_cpu", args=None, error=0, model="rk3399"):
    data = [["TENSOR", [1, 3, 224, 224], "float32"], ["TENSOR", [64, 3, 7, 7], "float32"]]
    args = args or [*data, [2, 2], [3, 3], [1, 1], "NCHW", "float32"]
    target = f"llvm -device=arm_cpu -model={model} -target=aarch64"
    return json.dumps({"input": [target, task, args, {}], "result": [times, error, 1.0, 0]})


@pytest.mark.slow
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
