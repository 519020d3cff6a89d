"""A result of three streams under two schedulers, simulated once; tests only read it."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from hetsim.analysis.serving.result import ServedResult
from hetsim.runs.serving import run_service
from hetsim.scenario.loader import load_scenario
from tests.study.samples import small_network

TEXT = """\
hetsim: scenario/1
name: small_streams
soc: edge-mcu
models: [{path: small.onnx}]
schedulers: [cpu_only, type_based]
streams:
  - {name: "cam<era>", model: small, priority: 2, deadline: 6 ms,
     arrivals: {kind: periodic, period: 20 ms, jitter: 1 ms}}
  - {name: web, model: small, arrivals: {kind: poisson, period: 15 ms}, deadline: 12 ms}
  - {name: background, model: small, arrivals: {kind: poisson, period: 40 ms}, priority: -1}
serve: {duration: 2 s, warm_up: 100 ms}
"""


def served_scenario(folder: Path, text: str = TEXT) -> Path:
    """The scenario and its network as files."""
    small_network(folder / "small.onnx")
    file = folder / "streams.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@cache
def served_result(text: str = TEXT) -> ServedResult:
    """What comes of it."""
    with tempfile.TemporaryDirectory() as folder:
        return run_service(load_scenario(served_scenario(Path(folder), text)))
