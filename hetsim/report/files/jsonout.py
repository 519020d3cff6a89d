"""``result.json``: the machine-readable result, schema ``hetsim.result/1``.

Times are microseconds, sizes bytes, shares fractions of one. The bytes depend on the result
alone: no wall-clock times (they go to ``manifest.json``), no paths of this machine, keys in a
stated order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from hetsim.analysis.result import Result, Run
from hetsim.report.summary import published_figures

SCHEMA = "hetsim.result/1"

FileNames = Mapping[int, Mapping[str, str]]
"""File names by run position, then kind (``gantt_svg``, ``gantt_png``, ``trace``, ``plan``)."""


def result_to_dict(result: Result, files: FileNames | None = None) -> dict[str, object]:
    """``result`` as plain JSON values; ``files`` names the files written beside it."""
    files = files or {}
    return {
        "schema": SCHEMA,
        "scenario": result.scenario,
        "soc": result.soc.name,
        "seed": result.seed,
        "execution": result.execution,
        "runs": [_run(run, files.get(i, {})) for i, run in enumerate(result.runs)],
        "reference": _reference(result),
        "notes": list(result.notes),
    }


def dumps(value: object) -> str:
    """Strict JSON text (no NaN or Infinity), indented, with a final newline."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def microseconds(seconds: float | None) -> float | None:
    """Seconds as µs to a picosecond; ``None`` for what is unknown or not finite."""
    if seconds is None or not math.isfinite(seconds):
        return None
    return round(seconds * 1e6, 6)


def _run(run: Run, files: Mapping[str, str]) -> dict[str, object]:
    row: dict[str, object] = {"model": run.model, "scheduler": run.scheduler}
    if run.error is not None:
        row["error"] = run.error
    row |= {
        "makespan_us": microseconds(run.makespan_s),
        "predicted_us": microseconds(run.predicted_s),
        "lower_bound_us": microseconds(run.lower_bound_s),
        "gap": _share(run.gap),
        "operators": len(run.graph),
        "partitions": len(run.plan.partitions) if run.plan is not None else None,
        "pus": {
            name: {
                "busy_us": microseconds(pu.busy_s),
                "utilization": _share(pu.utilization),
                "attribution_us": _parts(run.pu_attribution.get(name, {})),
            }
            for name, pu in run.pus.items()
        },
        "links": {
            name: {
                "bytes": link.bytes,
                "utilization": _share(link.utilization),
                "contention_us": microseconds(link.contention_s),
            }
            for name, link in run.links.items()
        },
        "bounds": [
            {"us": microseconds(bound.seconds), "argument": bound.argument} for bound in run.bounds
        ],
        "attribution_us": _parts(run.attribution),
        "contention_free_us": microseconds(run.contention_free_s),
        "energy_uj": microseconds(run.energy_j),
        "events": run.trace.events if run.trace is not None else None,
        "files": dict(files),
    }
    return row


def _parts(seconds: Mapping[str, float]) -> dict[str, float]:
    # Not rounded, because the parts add up to the makespan.
    return {part: time * 1e6 for part, time in seconds.items()}


def _reference(result: Result) -> dict[str, object] | None:
    if not result.reference:
        return None
    return {
        "title": str(result.reference.get("title", "")),
        "source": str(result.reference.get("source", "")),
        "definition": "percent = (baseline / makespan - 1) * 100;"
        " saved_percent = (1 - makespan / baseline) * 100",
        "figures": [
            {
                "model": figure.model,
                "scheduler": figure.scheduler,
                "baseline": figure.baseline,
                "published_percent": figure.published,
                "simulated_percent": _share(figure.ours),
                "simulated_saved_percent": _share(figure.ours_saved),
            }
            for figure in published_figures(result)
        ],
    }


def _share(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(value, 9)
