"""``benchmark_report.json`` and ``.csv`` of OpenVINO's ``benchmark_app``: one run of one network.

The median latency is what counts (``latency (ms)``); the average, the smallest and the largest are
told by the report and not kept. Requests that ran beside each other slow each other down, which is
told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

from hetsim.calibrate.networks.table import NetworkTime, count, milliseconds
from hetsim.cost.measured.readers.base import Findings
from hetsim.errors import ConfigError, Location
from hetsim.infiles import read_text
from hetsim.records import parse_json

SECTIONS = ("cmd_options", "configuration_setup", "execution_results")
_TITLES = {
    "Command line parameters": SECTIONS[0],
    "Configuration setup": SECTIONS[1],
    "Execution results": SECTIONS[2],
}
LATENCY = ("latency (ms)", "Median latency (ms)", "latency_median")
"""What the median is called: by the Python tool, and by the C++ tool in tables and in JSON."""
_ITERATIONS = ("total number of iterations", "iterations_num")


def read(path: Path, findings: Findings) -> list[NetworkTime]:
    """Reads one report.

    Raises:
        ConfigError: no such report, or one without a latency (a report of counters is a profile).
    """
    text, where = read_text(path), Location(str(path))
    report = _from_json(text, where) if text.lstrip()[:1] == "{" else _from_table(text, where)
    options, setup, results = (report.get(section, {}) for section in SECTIONS)
    name = next((key for key in LATENCY if key in results), None)
    boundary = str(_first(results, ("percentile_boundary", "Percentile boundary")) or 50)
    if name is None or boundary != "50":
        told = ", ".join(results) or "none"
        problem = (
            f"its results are: {told}" if name is None else f"it is the {boundary}th percentile"
        )
        raise ConfigError(
            f"no median latency stands in it; {problem}",
            where=where,
            hint="run benchmark_app with -report_type no_counters; counters are a profile"
            " (--import openvino)",
        )
    requests = str(_first(setup, ("number of parallel infer requests", "nireq")) or 1)
    if requests != "1":
        findings.add("requests", f"{requests} requests ran beside each other, which lengthens each",
                     where)  # fmt: skip
    unused = [key for key in results if key != name and key not in _ITERATIONS]
    findings.several("ignored", "results are not used", unused, where)
    if not _precision(options, setup):
        findings.add("precision", "the report does not say in which precision it ran", where)
    model = str(options.get("-m") or setup.get("topology") or path.stem)
    device = _first(setup, ("target device", "target_device")) or options.get("-d")
    iterations = _first(results, _ITERATIONS)
    return [
        NetworkTime(
            network=PureWindowsPath(model).stem,
            device=str(device or "unknown"),
            runtime="openvino",
            latency_s=milliseconds(results[name], name, where),
            precision=_precision(options, setup),
            batch=count(_first(setup, ("batch size", "batch_size")) or 1, "batch size", where),
            samples=None if iterations is None else count(iterations, "iterations", where),
            where=where,
        )
    ]


def _first(values: Mapping[str, Any], names: Sequence[str]) -> Any:
    """The value under the first of several names that is there."""
    return next((values[name] for name in names if name in values), None)


def _precision(options: Mapping[str, Any], setup: Mapping[str, Any]) -> str:
    told = str(options.get("-infer_precision") or setup.get("precision") or "")
    return "" if told == "UNSPECIFIED" else told


def _from_json(text: str, where: Location) -> dict[str, dict[str, Any]]:
    report = parse_json(text, where.file, error=ConfigError, ours=False)
    found = {name: report.get(name, {}) for name in SECTIONS}
    if not all(isinstance(part, dict) for part in found.values()):
        raise ConfigError("a section of it is no mapping", where=where)
    return found


def _from_table(text: str, where: Location) -> dict[str, dict[str, Any]]:
    """Sections under a title, each a list of ``name;value``."""
    found: dict[str, dict[str, Any]] = {}
    section: dict[str, Any] | None = None
    for line in text.splitlines():
        name, _, value = line.partition(";")
        if name.strip() in _TITLES:
            section = found.setdefault(_TITLES[name.strip()], {})
        elif section is not None and value:
            section[name.strip()] = value.strip().rstrip(";")
    if not found:
        raise ConfigError(
            "no report of benchmark_app: none of its sections stands in it",
            where=where,
            hint=f"expected are {', '.join(_TITLES)}",
        )
    return found
