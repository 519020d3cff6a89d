"""A scenario that runs in milliseconds: a small network with branches, one fast scheduler."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from hetsim.scenario.loader import Scenario, load_scenario
from hetsim.workload.zoo.builder import NetworkBuilder

SCENARIO = """\
hetsim: scenario/1
name: small
soc: edge-mcu
models: [{path: small.onnx}]
schedulers: [type_based]
"""

SLOW_SCHEDULER = '''
"""type_based, after thinking for a while; it leaves a line for each plan it makes."""
import os
import time
from pathlib import Path

from hetsim.schedulers.simple.type_based import TypeBased


class Slow(TypeBased):
    def __init__(self, seconds: float = 0.1) -> None:
        self.seconds = seconds

    def plan(self, problem):
        with Path(os.environ["PLANNED"]).open("a") as file:
            file.write(f"{problem.soc.spec.pus['npu'].sram!r}\\n")
        time.sleep(self.seconds)
        return super().plan(problem)


class Deadly(TypeBased):
    """Kills its process on one design, as a run out of memory would."""

    def plan(self, problem):
        if problem.soc.spec.pus["npu"].sram == 128 * 1024:
            os.kill(os.getpid(), 9)
        return super().plan(problem)
'''


def small_network(path: Path) -> Path:
    """Two convolution branches that meet in an addition, then a Softmax."""
    data = helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 16, 32, 32])
    result = helper.make_tensor_value_info("result", TensorProto.FLOAT, None)
    weights = [
        helper.make_tensor(name, TensorProto.FLOAT, [16, 16, 3, 3], [0.5] * 2304)
        for name in ("w1", "w2")
    ]
    nodes = [
        helper.make_node("Conv", ["data", "w1"], ["a"], name="a", pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["data", "w2"], ["b"], name="b", pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["a", "b"], ["c"], name="c"),
        helper.make_node("Softmax", ["c"], ["result"], name="d"),
    ]
    graph = helper.make_graph(nodes, "small", [data], [result], weights)
    onnx.save(helper.make_model(graph), path)
    return path


def inception_block(
    path: Path, source: int, channels: tuple[int, int, int, int, int, int], extent: int
) -> Path:
    """One block of GoogLeNet (Szegedy et al., CVPR 2015, table 1): four branches of real sizes.

    ``channels`` are those of the table: 1x1, 3x3 reduced, 3x3, "5x5" reduced, "5x5" (here 3x3, as
    exported networks have it), pooled. Plans that schedulers make for it differ from SoC to SoC.
    """
    one, reduced, three, reduced_more, five, pooled = channels
    net = NetworkBuilder("block", (1, source, extent, extent))
    inner = net.conv_bn("reduce3", net.input, reduced, 1)
    further = net.conv_bn("reduce5", net.input, reduced_more, 1)
    pool = net.pool("MaxPool", "pool", net.input, 3, padding=1)
    branches = [
        net.conv_bn("1", net.input, one, 1),
        net.conv_bn("3", inner, three, 3, padding=1),
        net.conv_bn("5", further, five, 3, padding=1),
        net.conv_bn("projected", pool, pooled, 1),
    ]
    result = net.concat("concat", branches)
    onnx.save(net.finish(result, (1, one + three + five + pooled, extent, extent)), path)
    return path


BLOCK_4A = (480, (192, 96, 208, 16, 48, 64))
BLOCK_4E = (528, (256, 160, 320, 32, 128, 128))
BLOCK_5A = (832, (256, 160, 320, 32, 128, 128))
"""Channels of the input and of the branches of three blocks, for :func:`inception_block`."""


def small_scenario(directory: Path, extra: str = "", text: str = SCENARIO) -> Path:
    """The scenario's file, with its network and its schedulers beside it."""
    small_network(directory / "small.onnx")
    (directory / "slow.py").write_text(SLOW_SCHEDULER, encoding="utf-8")
    path = directory / "small.yaml"
    path.write_text(text + extra, encoding="utf-8")
    return path


def loaded(directory: Path, **overrides: object) -> Scenario:
    return load_scenario(small_scenario(directory), overrides)


def priced(directory: Path) -> Scenario:
    """The scenario on a SoC with an area."""
    return load_scenario(
        small_scenario(directory),
        {"area": {"base": 1.0, "per_mac": 0.01, "per_sram_mib": 2.0, "per_link_gbps": 1.0}},
    )


def start(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    """``hetsim`` in a process of its own."""
    environment = {**os.environ, "PLANNED": str(directory / "planned.txt")}
    return subprocess.Popen(
        [sys.executable, "-m", "hetsim", *arguments],
        cwd=directory, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def planned(directory: Path) -> list[str]:
    """What the slow scheduler was asked, in order."""
    file = directory / "planned.txt"
    return file.read_text().split() if file.exists() else []


def wait_until(condition, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
