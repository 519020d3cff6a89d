"""A first scenario file: commented, with the fields that people look for."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence


def scenario_text(name: str, soc: str, models: Sequence[str]) -> str:
    """The scenario file; ``soc`` and ``models`` are names, or paths relative to it."""
    listed = ", ".join(_plain(model) for model in models)
    return f"""\
# A scenario: what runs on what, and planned by whom. Made by 'hetsim init'.
#   hetsim run scenario.yaml          times, plans, a report
#   hetsim whatif scenario.yaml       what each parameter of the SoC is worth
#   hetsim tune scenario.yaml         the best plan, by simulation
# Every field: hetsim schema scenario
hetsim: scenario/1
name: {_plain(name)}
description: first runs on {_plain(soc)}
soc: {_plain(soc)}
# Names of 'hetsim list models', or files: ./net.onnx, ./net.tflite
models: [{listed}]
# Names of 'hetsim list schedulers', or your own: ./mine.py:MyScheduler
schedulers:
  - type_based                     # every operator on the most specialised unit: the baseline
  - heft                           # list scheduling, blind to contention
  - partition_tuner                # as published
  - {{name: partition_tuner_tuned, parameters: {{evaluations: 200}}}}   # by simulation
# dataflow: partitions start when their inputs are there; barrier: as the paper's runtime does
execution: dataflow
# Changes of the SoC without touching its file, in units or as factors:
# set: {{dram.bandwidth: 0.5x}}
# Sizes that a model's file leaves open:
# dims: {{batch: 1}}
# Inferences that come again and again instead of one of each (docs/howto/streams.md):
# streams:
#   - {{model: {_plain(models[0])}, arrivals: {{kind: periodic, period: 30 Hz}}, deadline: 33.3 ms}}
# serve: {{duration: 2 s}}
"""


def _plain(text: str) -> str:
    """``text`` as YAML takes it for a text."""
    return text if re.fullmatch(r"[A-Za-z./][\w./-]*", text, re.ASCII) else json.dumps(text)
