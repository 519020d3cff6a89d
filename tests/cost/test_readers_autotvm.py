"""Tuning logs of AutoTVM record by record: geometry, devices, what is a trial and what is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hetsim.cost.measured.readers.base import Request
from hetsim.cost.measured.readers.registry import import_profiles
from hetsim.cost.measured.table import ProfileTable
from hetsim.errors import ConfigError
from tests.cost.foreign import store

DATA, KERNEL = ["TENSOR", [2, 6, 9, 11], "float32"], ["TENSOR", [8, 6, 3, 2], "float32"]
PLAIN = [DATA, KERNEL, [2, 1], [1, 0, 2, 1], [1, 2]]
KEY = "Conv[n2 c6 h9 w11 o8 k3x2 s2x1 d1x2 g1 y5x10] float32"
"""Rows: (9 + 1 + 2 - 3) // 2 + 1 = 5; columns of two taps, one apart: 11 + 0 + 1 - 3 + 1 = 10."""


def record(
    arguments: Any = PLAIN, times: Any = (0.5,), task: str = "conv2d_nchw.x", error: Any = 0,
    target: str = "llvm -device=arm -model=board",
) -> str:  # fmt: skip
    return json.dumps({"input": [target, task, arguments, {}], "result": [times, error, 1.0, 0]})


def tables(folder: Path, *lines: str, **request: Any) -> dict[str, ProfileTable]:
    path = store(folder, "t.log", "\n".join(lines))
    return {t.device: t for t in import_profiles("autotvm", Request((path,), **request))}


def keys(folder: Path, *arguments: Any, task: str = "conv2d_nchw.x") -> list[str]:
    [table] = tables(folder, *(record(a, task=task) for a in arguments)).values()
    return list(table.entries)


def test_convolutions_by_their_arguments(tmp_path: Path) -> None:
    assert keys(tmp_path, PLAIN) == [KEY]
    assert keys(tmp_path, [DATA, KERNEL, [2, 1], [2, 0, 1, 1], [1, 2]]) == [KEY]  # top and bottom
    # One number stands for both directions, two pads for both ends; holes may be left out.
    assert keys(tmp_path, [DATA, KERNEL, 2, 1, [1, 1]]) == [
        "Conv[n2 c6 h9 w11 o8 k3x2 s2x2 d1x1 g1 y5x6] float32"
    ]
    assert keys(tmp_path, [DATA, KERNEL, [1, 2], [1, 0], "NCHW"]) == [
        "Conv[n2 c6 h9 w11 o8 k3x2 s1x2 d1x1 g1 y9x5] float32"
    ]
    assert keys(tmp_path, [DATA, KERNEL, [1, 2], [1, 0]]) == [
        "Conv[n2 c6 h9 w11 o8 k3x2 s1x2 d1x1 g1 y9x5] float32"
    ]


def test_groups_and_channels_of_their_own(tmp_path: Path) -> None:
    halves = ["TENSOR", [8, 3, 3, 2], "float32"]
    assert keys(tmp_path, [DATA, halves, *PLAIN[2:], 2], task="group_conv2d_nchw.x") == [
        KEY.replace("g1", "g2")
    ]
    twice = ["TENSOR", [6, 2, 3, 2], "float32"]
    depthwise = KEY.replace("g1", "g6").replace("o8", "o12")
    assert keys(tmp_path, [DATA, twice, *PLAIN[2:]], task="depthwise_conv2d_nchw.x") == [depthwise]
    undilated = [DATA, twice, [2, 1], [1, 0, 2, 1]]
    assert keys(tmp_path, undilated, task="depthwise_conv2d_nchw.x") == [
        depthwise.replace("d1x2", "d1x1").replace("y5x10", "y5x11")
    ]
    layer = [["TENSOR", [3, 16], "int8"], ["TENSOR", [5, 16], "int8"]]
    assert keys(tmp_path, layer, task="dense_pack.x86") == ["Gemm[b1 m3 k16 n5] int8"]


@pytest.mark.parametrize(
    ("task", "arguments", "told"),
    [
        ("conv2d_nchw", [["TENSOR", [2, 6, 9], "float32"], KERNEL, 1, 1], "NCHW and OIHW"),
        ("conv2d_nchw", [DATA, ["TENSOR", [8, 6, 3], "float32"], 1, 1], "NCHW and OIHW"),
        ("conv2d_nchw", [DATA, KERNEL, 1, [1, 2, 3]], "neither two nor four"),
        ("conv2d_nchw", [["SCALAR", *DATA[1:]], KERNEL, 1, 1], "not a tensor of a known type"),
        ("conv2d_nchw", [[*DATA[:2], "float7"], KERNEL, 1, 1], "not a tensor of a known type"),
        ("conv2d_nchw", [DATA, KERNEL], "conv2d_nchw: "),
        ("depthwise_conv2d_nchw", [DATA, KERNEL, 1, 1], "does not fit"),
        ("depthwise_conv2d_nchw", [["TENSOR", [2, 6, 9], "int8"], KERNEL, 1, 1], "does not fit"),
        ("dense", [["TENSOR", [3, 16], "int8"], ["TENSOR", [5, 15], "int8"]], "does not fit"),
        ("dense", [["TENSOR", [3, 16, 1], "int8"], ["TENSOR", [5, 16], "int8"]], "does not fit"),
        ("dense", [["TENSOR", [3, 16], "int8"], ["TENSOR", [5, 16, 1], "int8"]], "does not fit"),
    ],
)
def test_geometry_that_is_none_is_told_with_its_line(
    task: str, arguments: Any, told: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=f"(?s)1 records cannot be used: line 1: .*{told}"):
        tables(tmp_path, record(arguments, task=task))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (record(times=[]), "its result holds no times"),
        (record(times=["fast"]), "its result holds no times"),
        (record(times=[0.1, 1e9]), "its result holds no times"),
        (record(times=[0.1, 0.0]), "a time of 0.0 s"),
        (record(times=[-0.1]), "a time of -0.1 s"),
        ("[]", "not a record"),
        ('{"input": ["llvm", "dense"], "result": [[1], 0]}', "no 'input' of target"),
        ('{"input": ["llvm", "dense", []], "result": 3}', "or no 'result'"),
        ('{"input": 3, "result": [[1], 0]}', "no 'input' of target"),
    ],
)
def test_records_that_are_none_are_told_with_their_line(
    line: str, told: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=f"(?s)1 records cannot be used: line 2: .*{told}"):
        tables(tmp_path, "", line)
    [table] = tables(tmp_path, record(), line).values()
    assert len(table) == 1
    [doubt] = table.doubts
    assert (doubt.kind, doubt.where.file) == ("broken records", str(tmp_path / "t.log"))


def test_the_best_of_several_trials_is_kept_with_its_place(tmp_path: Path) -> None:
    lines = [
        record(times=[0.5, 0.25]), record(times=[0.125, 0.375, 0.25]), record(times=0.375),
        record(times=[0.25]), record(error=4), record(error=None, times=[0.5]),
        record(task="roi_align.x"), record(task="argsort.x"), record(task="argsort.x"),
    ]  # fmt: skip
    [table] = tables(tmp_path, *lines).values()
    [entry] = table.entries.values()
    # The mean of the second; the fourth is no better.
    assert (entry.seconds, entry.samples, entry.spread_s) == (0.25, 3, None)
    assert (entry.where.line, entry.seen) == (2, ("conv2d_nchw.x",))
    assert (table.device, table.scope) == ("board", "kernel")
    assert {doubt.kind: doubt.message for doubt in table.doubts} == {
        "failed trials": "1 records are failed trials; not used",
        "unknown tasks": "2 kinds of task are not read: argsort.x (2), roi_align.x (1)",
    }


def test_short_records_and_what_they_call_their_device(tmp_path: Path) -> None:
    short = json.dumps({"i": ["cuda", "conv2d_nchw.x", PLAIN], "r": [[0.5], 0]})
    targets = ["llvm -device=arm", "opencl", ""]
    lines = [short, *(record(target=target) for target in targets)]
    assert set(tables(tmp_path, *lines)) == {"cuda", "arm", "opencl", "device"}
    assert set(tables(tmp_path, *lines, device="mine")) == {"mine"}
