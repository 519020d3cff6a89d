"""``result.json``: the machine-readable result, schema ``hetsim.result/1``.

Times are microseconds, sizes bytes, shares fractions of one; metrics are written as they say
(:meth:`hetsim.analysis.metrics.base.Metric.written`). The bytes depend on the result
alone: no wall-clock times (they go to ``manifest.json``), no paths of this machine, keys in a
stated order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from hetsim.analysis.launches import OperatorRow
from hetsim.analysis.limits import Limit
from hetsim.analysis.metrics.registry import told
from hetsim.analysis.residents import peaks
from hetsim.analysis.result import Result, Run
from hetsim.report.summary import beaten, published_figures

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
        "runs": [_run(result, run, files.get(i, {})) for i, run in enumerate(result.runs)],
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


def _run(result: Result, run: Run, files: Mapping[str, str]) -> dict[str, object]:
    row: dict[str, object] = {"model": run.model, "scheduler": run.scheduler}
    if run.error is not None:
        row["error"] = run.error
    row |= _metrics(run, "front")
    row["operators"] = len(run.graph)
    row |= _metrics(run, "sizes")
    bounds = _bounds(run)
    limits = {limit.pu: _limit(limit) for limit in run.limits}
    row |= {
        "pus": {
            name: {
                "busy_us": microseconds(pu.busy_s),
                "utilization": _share(pu.utilization),
                "attribution_us": _parts(run.pu_attribution.get(name, {})),
                "bounds": bounds.get(name, {}),
                "limit": limits.get(name),
            }
            for name, pu in run.pus.items()
        },
        "links": {
            name: {
                "bytes": link.bytes,
                "utilization": _share(link.utilization),
                "contention_us": microseconds(link.contention_s),
                "bytes_by_class": dict(link.classes),
            }
            for name, link in run.links.items()
        },
        "memories": {
            name: {
                "peak_bytes": peak.bytes,
                "at_us": microseconds(peak.at_s),
                "bytes_by_kind": dict(peak.kinds),
                "largest": [
                    {"name": row.name, "kind": row.kind, "bytes": row.bytes} for row in peak.largest
                ],
            }
            for name, peak in peaks(run.residents).items()
        },
        "bounds": [
            {"us": microseconds(bound.seconds), "argument": bound.argument} for bound in run.bounds
        ],
        "beaten_by_best": _share(beaten(result, run)),
        "attribution_us": _parts(run.attribution),
    }
    apart = {name: microseconds(joules) for name, joules in run.energy_apart.items()}
    return row | _metrics(run, "end") | {"energy_apart_uj": apart, "files": dict(files)}


def _bounds(run: Run) -> dict[str, dict[str, dict[str, object]]]:
    """By unit and bound: how many kernels it bounds, and the time that they take."""
    found: dict[str, dict[str, list[OperatorRow]]] = {}
    for row in run.operators:
        if row.bound:
            found.setdefault(row.pu, {}).setdefault(row.bound, []).append(row)
    return {
        pu: {
            bound: {
                "kernels": len(rows), "us": microseconds(math.fsum(row.seconds for row in rows)),
            }
            for bound, rows in sorted(bounds.items())
        }
        for pu, bounds in found.items()
    }  # fmt: skip


def _limit(limit: Limit) -> dict[str, object]:
    return {
        "cause": limit.cause,
        "busy_us": microseconds(limit.busy_s),
        "share": _share(limit.share),
        "gain_us": microseconds(limit.gain_s),
    }


def _metrics(run: Run, place: str) -> dict[str, float | None]:
    """The metrics of a row that stand at ``place``; what is the SoC's own is not repeated here."""
    return {
        metric.key: metric.written(run.metrics.get(metric.column))
        for metric in told("record", run.metrics)
        if metric.stands == place and not metric.of_the_soc
    }


def _parts(seconds: Mapping[str, float]) -> dict[str, float]:
    # Not rounded, because the parts add up to the makespan.
    return {part: time * 1e6 for part, time in seconds.items()}


def _reference(result: Result) -> dict[str, object] | None:
    if not result.reference:
        return None
    unmeasured = result.reference.get("unmeasured", ())
    assert isinstance(unmeasured, Sequence)
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
                "band_percent": [_share(p) for p in figure.band] if figure.band else None,
                "settings": figure.settings,
            }
            for figure in published_figures(result)
        ],
        "unmeasured": list(unmeasured),
    }


def _share(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(value, 9)
