"""``perf.yaml`` of the Qualcomm AI Hub models: latencies by precision, component, device, runtime.

Read is the form with ``precisions``, whose times are ``inference_time_milliseconds``. Older files
list ``models`` with times in microseconds; they are refused rather than guessed at. Language models
state tokens a second, and the time to the first token as a range, from a prompt of one chunk to one
that fills the context. Where the larger end is a whole multiple of the smaller, it was computed
from it; that multiple tells the chunk's tokens, and only the smaller end is a measurement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hetsim.calibrate.networks.table import NetworkTime, Phase, count, milliseconds, number
from hetsim.cost.measured.readers.base import Findings
from hetsim.errors import ConfigError, Location
from hetsim.yamlio import Document, Keys, read_yaml

_KNOWN = frozenset(
    {"job_id", "job_status", "inference_time_milliseconds", "primary_compute_unit",
     "layer_counts", "llm_metrics"}
)  # fmt: skip


def read(path: Path, findings: Findings) -> list[NetworkTime]:
    """Reads one file; the network is called as its folder is (``models/NAME/perf.yaml``).

    Raises:
        ConfigError: no YAML, another form of file, a time that is none, no time at all.
    """
    document = read_yaml(path)
    where = Location(str(path))
    if not isinstance(document.get(("precisions",)), dict):
        old = document.get(("models",)) is not None
        raise ConfigError(
            "an older perf.yaml, whose times are in microseconds" if old
            else "a perf.yaml has a mapping 'precisions'",
            where=document.where(("models",)) if old else where,
            hint="take the file of a release of 2025 or later",
        )  # fmt: skip
    return _Reader(document, findings, path).rows()


class _Reader:
    def __init__(self, document: Document, findings: Findings, path: Path) -> None:
        self._document = document
        self._findings = findings
        self._network = path.absolute().parent.name if path.stem == "perf" else path.stem
        self._where = Location(str(path))
        self._ignored: Counter[str] = Counter()
        self._failed: list[str] = []

    def rows(self) -> list[NetworkTime]:
        found = []
        for (precision, component, device, runtime), path, cell in self._cells():
            common: dict[str, Any] = {
                "network": self._network, "component": component, "precision": precision,
                "device": device, "runtime": runtime, "where": self._document.where(path),
            }  # fmt: skip
            self._ignored.update(key for key in cell if key not in _KNOWN)
            made = [*self._inference(path, cell, common), *self._language(path, cell, common)]
            if not made:
                self._failed.append(
                    f"{precision} {device} {runtime} ({cell.get('job_status', 'no time')})"
                )
            found += made
        self._findings.several("no times", "runs have no time", self._failed, self._where)
        ignored = [f"{key} ({times})" for key, times in sorted(self._ignored.items())]
        self._findings.several("ignored", "fields are not used", ignored, self._where)
        if not found:
            raise ConfigError("no latency stands in it", where=self._where)
        return found

    def _cells(self) -> Iterator[tuple[tuple[str, ...], Keys, dict[str, Any]]]:
        """Every (precision, component, device, runtime) with what is said of it."""
        for precision, parts in self._mapping(("precisions",)):
            at: Keys = ("precisions", precision, "components")
            for component, _ in self._mapping(at) if parts else ():
                metrics: Keys = (*at, component, "performance_metrics")
                for device, _ in self._mapping(metrics):
                    for runtime, cell in self._mapping((*metrics, device)):
                        path: Keys = (*metrics, device, runtime)
                        if not isinstance(cell, dict):
                            raise ConfigError(
                                f"{runtime} of {device} is no mapping",
                                where=self._document.where(path),
                            )
                        yield (precision, component, device, runtime), path, cell

    def _mapping(self, path: Keys) -> list[tuple[str, Any]]:
        found = self._document.get(path)
        if found is None:
            return []
        if not isinstance(found, dict):
            raise ConfigError(
                f"{path[-1]} is no mapping", where=self._document.where(path),
                hint="expected: precisions, components, performance_metrics, device, runtime",
            )  # fmt: skip
        return list(found.items())

    def _inference(
        self, path: Keys, cell: dict[str, Any], common: dict[str, Any]
    ) -> Iterator[NetworkTime]:
        name = "inference_time_milliseconds"
        if cell.get(name) is None:
            return
        layers = {
            unit: count(
                number,
                f"layer_counts.{unit}",
                self._document.where((*path, "layer_counts", unit)),
                least=0,
            )
            for unit, number in self._mapping((*path, "layer_counts"))
            if unit != "total"
        }
        place = self._document.where((*path, name))
        latency = milliseconds(cell[name], name, place)
        unit = str(cell.get("primary_compute_unit") or "").lower()
        yield NetworkTime(latency_s=latency, unit=unit, layers=layers, **common)

    def _language(
        self, path: Keys, cell: dict[str, Any], common: dict[str, Any]
    ) -> Iterator[NetworkTime]:
        metrics = cell.get("llm_metrics") or []
        if not isinstance(metrics, list):
            raise ConfigError("llm_metrics is no list", where=self._document.where(path))
        for i, metric in enumerate(metrics):
            at: Keys = (*path, "llm_metrics", i)
            place = self._document.where(at)
            if not isinstance(metric, dict):
                raise ConfigError("an entry of llm_metrics is no mapping", where=place)
            context = count(metric.get("context_length"), "context_length", place)
            rate = metric.get("tokens_per_second")
            if rate is not None:
                speed = number(rate, "tokens_per_second", place)
                yield self._row("generation", 1 / speed, 1, context, common)
            first = metric.get("time_to_first_token_range_milliseconds")
            if isinstance(first, dict):
                low = milliseconds(first.get("min"), "min", place)
                high = milliseconds(first.get("max"), "max", place)
                yield self._row("prompt", low, self._chunk(low, high, context), 0, common)

    def _row(
        self, phase: Phase, latency: float, tokens: int | None, context: int,
        common: dict[str, Any],
    ) -> NetworkTime:  # fmt: skip
        return NetworkTime(latency_s=latency, phase=phase, tokens=tokens, context=context, **common)

    def _chunk(self, low: float, high: float, context: int) -> int | None:
        """The tokens of the shorter prompt, when the longer one was computed from it."""
        chunks = round(high / low)
        exact = chunks >= 1 and abs(high / low - chunks) < 1e-3 and context % chunks == 0
        kind = "computed" if exact else "prompt's length"
        message = (
            f"the largest time to the first token is {chunks} times the smallest, so it was"
            f" computed and is left out; the smallest is taken for {context // chunks} tokens"
            if exact
            else "no length is told of the prompt behind the smallest time to the first token"
        )
        self._findings.add(kind, message, self._where)
        return context // chunks if exact else None
