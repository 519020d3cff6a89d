"""Designs as files that run as they are (a SoC, the scenario explored on it), and as timelines."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from hetsim.infiles import user_path
from hetsim.report.files.manifest import versions
from hetsim.report.page.run import render_report
from hetsim.report.page.serving.page import render_served
from hetsim.runs.scenario import run_scenario
from hetsim.runs.serving import run_service
from hetsim.scenario.loader import Scenario
from hetsim.scenario.refs import ModelRef, SchedulerRef
from hetsim.scenario.variants import varied


def design_files(
    scenario: Scenario, design: Mapping[str, object], stem: str, remark: str
) -> dict[str, str]:
    """``soc-STEM.yaml`` and ``run-STEM.yaml``; the second names the first.

    Files that either names (ONNX, profiles, schedulers) are named by absolute path. Of a scenario
    with networks or schedulers that are objects, which no file can name, only the first.

    Raises:
        ConfigError: the design does not fit the scenario.
    """
    changed = varied(scenario, design, "design")
    soc = copy.deepcopy(changed.soc_document.data)
    soc["name"] = f"{changed.soc.name}-{stem}"
    _absolute_costs(soc, Path(changed.soc_document.file).parent)
    files = {f"soc-{stem}.yaml": _yaml(soc, remark)}
    if changed.in_words:
        run = _run(changed, f"{scenario.name}-{stem}", f"./soc-{stem}.yaml", remark)
        files[f"run-{stem}.yaml"] = _yaml(run, f"hetsim run THIS_FILE: {remark}")
    return files


def design_page(scenario: Scenario, design: Mapping[str, object], stem: str) -> str:
    """The report of a design as ``hetsim run`` writes it, with its timeline; runs it once more.

    Raises:
        HetsimError: the design does not run.
    """
    changed = varied(scenario, design, "design")
    changed = replace(changed, name=f"{scenario.name}-{stem}", reference=None)
    if changed.service is not None:
        return render_served(run_service(changed), versions=versions())
    return render_report(run_scenario(changed), versions=versions())


def _run(scenario: Scenario, name: str, soc: str, remark: str) -> dict[str, Any]:
    run: dict[str, Any] = {
        "hetsim": "scenario/1",
        "name": name,
        "description": remark,
        "soc": soc,
        "models": [_model(ref) for ref in scenario.models],
        "schedulers": [_scheduler(ref) for ref in scenario.schedulers],
        "execution": scenario.execution,
        "fidelity": scenario.fidelity,
        "seed": scenario.seed,
        **scenario.reading,
    }
    if scenario.time_limit_s is not None:
        run["time_limit"] = f"{scenario.time_limit_s!r} s"
    return {**run, **_streams(scenario)}


def _streams(scenario: Scenario) -> dict[str, Any]:
    """What the scenario says of streams, files named by absolute path."""
    found = {
        key: copy.deepcopy(scenario.document.get((key,)))
        for key in ("streams", "serve")
        if scenario.document.get((key,))
    }
    for stream in found.get("streams", ()):
        for holder, name in ((stream, "plan"), (stream.get("arrivals"), "file")):
            if isinstance(holder, dict) and isinstance(holder.get(name), str):
                holder[name] = str((scenario.directory / user_path(holder[name])).absolute())
    return found


def _absolute_costs(soc: dict[str, Any], base: Path) -> None:
    for spec in soc.get("pus", {}).values():
        for name in ("profile", "learned"):
            if isinstance(spec, dict) and isinstance(spec.get(name), str):
                spec[name] = str((base / user_path(spec[name])).absolute())


def _model(ref: ModelRef) -> dict[str, Any]:
    where = {"name": ref.name} if ref.path is None else {"path": str(Path(ref.path).absolute())}
    return {**where, "label": ref.label, **ref.sizes.plain()}


def _scheduler(ref: SchedulerRef) -> dict[str, Any]:
    parameters = {"parameters": copy.deepcopy(dict(ref.parameters))} if ref.parameters else {}
    return {"name": ref.name, "label": ref.label, **parameters}


class _Dumper(yaml.SafeDumper):
    """Without anchors: a file that people read repeats itself instead."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _yaml(data: dict[str, Any], remark: str) -> str:
    comment = "".join(f"# {line}\n" for line in remark.splitlines())
    return comment + yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=100,
        default_flow_style=None,
    )
