"""What ``result.json`` of streams may say: the schema behind ``hetsim schema serving``.

:mod:`hetsim.report.files.serving.jsonout` writes such files; a test holds the two against each
other. Times are microseconds, sizes bytes, shares fractions of one. A run and its streams hold
numbers that the schema does not name: metrics of whoever wrote the file.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from hetsim.analysis.metrics.registry import told
from hetsim.records import Record
from hetsim.report.files.resultfile import described_metric


class Measured(Record):
    """Something with metrics."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, int | float | None] = Field(init=False)

    @property
    def metrics(self) -> dict[str, int | float | None]:
        """Every metric, as written, by key; also those that are not installed here."""
        return self.__pydantic_extra__


class StreamEntry(Record):
    """A stream as the scenario describes it."""

    name: str
    model: str
    arrivals: str = Field(description="the process, for people")
    priority: int
    deadline_us: float | None = Field(description="of each inference; null without one")


class StreamRunEntry(Measured):
    """A stream of a run, and its metrics."""

    name: str
    scheduler: str = Field(description="who planned it")
    unproven: str = Field(description="why it has no response_bound_us; empty where it has one")


class PUEntry(Record):
    """A processing unit over one run."""

    busy_us: float = Field(description="time it was busy with kernels")
    utilization: float = Field(description="that as a share of the simulated time")
    busy_us_by_stream: dict[str, float] = Field(description="whose kernels; adds up to busy_us")


class LinkEntry(Record):
    """A link over one run."""

    bytes: int = Field(description="carried in all")
    busy_us: float
    contention_us: float = Field(description="time that transfers lost to one another on it")
    bytes_by_stream: dict[str, float] = Field(description="whose they are; adds up to bytes")


class ServedRunEntry(Measured):
    """All streams under one scheduler and one dispatcher, and the metrics of all together."""

    label: str
    scheduler: str
    dispatcher: str
    error: str | None = Field(default=None, description="why the run failed; figures are null then")
    warm_up_us: float | None = Field(description="what arrived before it is in no metric")
    end_us: float | None = Field(description="when the last event happened")
    stopped: str = Field(description="why the simulation ended early; empty when it did not")
    streams: list[StreamRunEntry]
    pus: dict[str, PUEntry]
    links: dict[str, LinkEntry]
    blocked_us: dict[str, dict[str, float]] = Field(
        description="by stream, then by the stream that held the unit: time that tasks waited for"
        " a unit although all that they read was there"
    )
    files: dict[str, str] = Field(description="files beside result.json, by kind")


class ServingFile(Record):
    """Everything that a scenario with streams produced, as ``result.json`` and ``--json`` say."""

    format: Literal["hetsim.serving/1"] = Field(alias="schema")
    scenario: str
    soc: str
    seed: int
    duration_us: float | None = Field(description="nothing arrives after it; null without one")
    warm_up: Literal["mser", "fixed"] = Field(description="by which rule the start is left out")
    streams: list[StreamEntry]
    runs: list[ServedRunEntry]
    notes: list[str]


def serving_json_schema() -> dict[str, Any]:
    """The JSON Schema of ``result.json`` of streams, with every metric that is installed here."""
    schema = ServingFile.model_json_schema()
    chosen = [metric for metric in told("record", served=True) if not metric.of_the_soc]
    for name in ("ServedRunEntry", "StreamRunEntry"):
        row = schema["$defs"][name]
        row["properties"] |= {metric.key: described_metric(metric) for metric in chosen}
        row["required"] = [name for name in row["properties"] if name != "error"]
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "hetsim serving result, of streams"
    return schema
