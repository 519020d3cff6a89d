"""``llama-bench -o json`` and ``-o jsonl``: speeds of language models on llama.cpp.

A test processes ``n_prompt`` tokens at once (pp), generates ``n_gen`` tokens one after the other
(tg), or does both in turn (pg, which is no phase of its own and is told, not read). Times are in
nanoseconds, for a batch of one sequence; speeds in the file are the same times once more, and must
agree with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

from hetsim.calibrate.networks.table import NetworkTime, Phase, count, number, seconds
from hetsim.cost.measured.readers.base import Findings
from hetsim.errors import ConfigError, Location
from hetsim.infiles import read_text
from hetsim.records import parse_json

_WEIGHTS = re.compile(r"\b(I?Q\d\w*|TQ\d\w*|MXFP4|BF16|F16|F32|all F32)\b")

AGREE = 0.02
"""The mean of speeds is not the speed of the mean time; by so much they may differ."""


def read(path: Path, findings: Findings) -> list[NetworkTime]:
    """Reads one file.

    Raises:
        ConfigError: no JSON, a test without its times or sizes, times that contradict its speeds.
    """
    where = Location(str(path))
    rows, both, settings = [], [], set[str]()
    for test, place in _tests(read_text(path), path):
        prompt = count(test.get("n_prompt"), "n_prompt", place, least=0)
        made = count(test.get("n_gen"), "n_gen", place, least=0)
        if prompt and made:
            both.append(f"pp{prompt}+tg{made}")
        elif prompt or made:
            phase: Phase = "prompt" if prompt else "generation"
            rows.append(_row(test, phase, prompt or made, place))
        else:
            raise ConfigError("n_prompt and n_gen are both 0: nothing ran", where=place)
        settings.update(
            f"{name}={test[name]}"
            for name in ("n_threads", "n_gpu_layers", "type_k", "type_v", "flash_attn")
            if name in test
        )
    findings.several("both phases", "tests time a prompt and generation together and are not read",
                     both, where)  # fmt: skip
    findings.several("settings", "settings of the runs are not kept in the table",
                     sorted(settings), where)  # fmt: skip
    if not rows:
        raise ConfigError("no test of a single phase stands in it", where=where)
    return rows


def _tests(text: str, path: Path) -> Iterator[tuple[Mapping[str, Any], Location]]:
    """The tests of a JSON array, or of one object a line."""
    if text.lstrip()[:1] == "[":
        found = parse_json(text, str(path), error=ConfigError, ours=False)
        places = [Location(str(path))] * len(found)
    else:
        lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
        places = [Location(str(path), line) for line, _ in lines]
        found = [
            parse_json(text, str(path), line=line, error=ConfigError, ours=False)
            for line, text in lines
        ]
    for i, (test, place) in enumerate(zip(found, places, strict=True), 1):
        if not isinstance(test, dict) or "n_prompt" not in test or "avg_ns" not in test:
            raise ConfigError(
                f"entry {i} is no test of llama-bench (n_prompt, n_gen, avg_ns)",
                where=place,
                hint="run llama-bench with -o json or -o jsonl",
            )
        yield test, place


def _network(test: Mapping[str, Any]) -> str:
    """The model's file without its folder, whatever system that was on; else its type."""
    file = PureWindowsPath(str(test.get("model_filename") or "")).name
    return file.removesuffix(".gguf") or str(test.get("model_type") or "unknown")


def _precision(model_type: str) -> str:
    """The weights' type in what llama.cpp calls a model: ``qwen2 7B Q4_K - Medium``."""
    found = _WEIGHTS.search(model_type)
    return found[0] if found else ""


def _row(test: Mapping[str, Any], phase: Phase, tokens: int, place: Location) -> NetworkTime:
    latency = seconds(test["avg_ns"], 1e-9, "avg_ns", place)
    speed = test.get("avg_ts")
    if speed is not None:
        told = number(speed, "avg_ts", place)
        if abs(told * latency / tokens - 1) > AGREE:
            raise ConfigError(
                f"avg_ts is {speed} tokens/s, but {tokens} tokens in avg_ns {test['avg_ns']} are"
                f" {tokens / latency:.6g} tokens/s",
                where=place,
                hint="times are nanoseconds of the whole test",
            )
    spread = test.get("stddev_ns")
    samples = test.get("samples_ns")
    gpu, cpu = str(test.get("gpu_info") or ""), str(test.get("cpu_info") or "")
    layers = test.get("n_gpu_layers", 0)
    on_gpu = bool(gpu) and isinstance(layers, int) and layers != 0
    return NetworkTime(
        network=_network(test),
        device=(gpu if on_gpu else cpu) or "unknown",
        runtime=f"llama.cpp {test.get('backends', '')}".strip(),
        latency_s=latency,
        precision=_precision(str(test.get("model_type") or "")),
        unit="gpu" if on_gpu else "cpu",
        phase=phase,
        tokens=tokens,
        context=count(test.get("n_depth", 0), "n_depth", place, least=0),
        spread_s=None if spread is None else seconds(spread, 1e-9, "stddev_ns", place, least=0.0),
        samples=len(samples) if isinstance(samples, list) and samples else None,
        where=place,
    )
