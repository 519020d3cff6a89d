"""The fuzzer at the length of a test, everything that it ever found, and what nobody should try.

``nox -s fuzz -- --minutes 30`` is the same for longer.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.fuzz.run import Fuzzer
from tests.fuzz.targets import TARGETS, hetsim

pytest.importorskip("optuna")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not hasattr(signal, "setitimer"),
        reason="inputs that hang are ended by interval timers, which this system lacks",
    ),
]

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())
"""Inputs that broke a rule once, named after the good file they were made from."""

INPUTS = 120


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory):
    return Fuzzer(tmp_path_factory.mktemp("fuzz"))


def test_no_input_breaks_a_rule(fuzzer):
    broken = [reason for n in range(INPUTS) if (reason := fuzzer.try_one(2026, n)) is not None]
    assert broken == []
    codes = sum((tally.codes for tally in fuzzer.tallies.values()), start=Counter[int]())
    assert codes[0] > 5, "some are harmless, or nothing would be tested behind the readers"
    assert codes[2] > INPUTS / 3


def test_an_input_is_the_same_each_time(fuzzer):
    assert [fuzzer.input(7, n) for n in range(30)] == [fuzzer.input(7, n) for n in range(30)]


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_what_broke_a_rule_once_does_not_again(fuzzer, file):
    good = file.name.partition("--")[0]
    content = file.read_bytes()
    for i, target in enumerate(TARGETS):
        if Path(target.file).name == good:
            reason, answer, _ = fuzzer.run(i, content)
            hostile = "exit code 0, and another result" in (reason or "")  # re-sealed on purpose
            assert reason is None or hostile, answer.err


def _yaml_bomb() -> str:
    lines = ["a0: &a0 [" + "x, " * 50 + "]"]
    lines += [f"a{n}: &a{n} [" + f"*a{n - 1}, " * 50 + "]" for n in range(1, 8)]
    return "\n".join(lines)


HOSTILE = {
    "deep.yaml": lambda: "[" * 100_000,
    "bomb.yaml": _yaml_bomb,
    "huge.yaml": lambda: "hetsim: scenario/1\nseed: 0x" + "F" * 10_000,
    "long.yaml": lambda: "hetsim: scenario/1\n" + "".join(f"k{i}: {i}\n" for i in range(5_000)),
    "wide.yaml": lambda: "hetsim: scenario/1\nname: " + "n" * 1_000_000,
    "escape.yaml": lambda: 'hetsim: scenario/1\nname: "\\e[2J\\e]0;owned\\a"\nmodels: 3\n',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_built_to_harm_ends_in_one_short_message(tmp_path, name):
    path = tmp_path / name
    path.write_text(HOSTILE[name](), encoding="utf-8")
    answer = hetsim("run", str(path), "--no-files")
    assert answer.code == 2, answer.err
    assert len(answer.err) < 5_000
    assert answer.err.startswith(f"error: {path}")
    assert "\x1b" not in answer.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither named pipes nor /dev/zero")
@pytest.mark.parametrize("option", [
    ["--set", "npu.profile=@"], ["--set", "cpu.learned=@"], ["--set", "soc=@"], ["--plan", "@"],
    ["--model", "@"],
])  # fmt: skip
@pytest.mark.parametrize("device", ["pipe", "/dev/zero"])
def test_no_verb_reads_from_what_has_no_end(tmp_path, option, device):
    place = tmp_path / ("x.onnx" if "--model" in option else "x.yaml")
    if device == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(device)
    answer = hetsim("run", "paper_one", "--no-files", *(o.replace("@", str(place)) for o in option))
    assert answer.code == 2
    assert len(answer.err) < 1_000


@pytest.mark.parametrize("arguments", [
    ["--seed", "9" * 5000], ["--seed", str(2**63)], ["--input-shape", "x=" + "9" * 5000],
    ["--input-shape", f"x={2**31}"], ["--set", "npu.sram=" + "9" * 5000],
    ["--set", "npu.array.columns=" + "9" * 5000 + "x"], ["--set", "npu." + "9" * 5000 + "=1"],
    ["--set", "npu.sram=1e999x"], ["--model", "x" * 100_000], ["--scheduler", "y" * 100_000],
])  # fmt: skip
def test_options_without_measure_end_in_one_short_message(arguments):
    answer = hetsim("run", "paper_one", "--no-files", *arguments)
    assert answer.code == 2, answer.err
    assert len(answer.err) < 5_000
    assert answer.err.startswith("error: ")
